"""How do I sign in? Everything that lets a person in, what is missing, and the way to each page of it."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.assurance import Acr
from idp.identity.notices import Credential
from idp.pages.frame import form_token, show
from idp.pages.own_pages import signed_in_or_way
from idp.pages.security_views import Advice, SecurityPage
from idp.store.security_overview import SecurityOverview
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)

SECURITY = "security"
_FEW_CODES = 3


@router.get("/my/security")
async def security(http: Request) -> Response:
    """Show all of it, and how to get an activation code where one is needed."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, SECURITY)
    if isinstance(signed_in, Response):
        return signed_in
    overview = await uow.security_overviews.of_citizen(signed_in.citizen.citizen_id, now)
    acr = signed_in.session.context.acr
    done = http.query_params.get("done")
    view = SecurityPage(
        csrf=form_token(context, signed_in.session),
        overview=overview,
        acr=acr,
        advice=advice_for(overview),
        needs_activation=http.query_params.get("needs") == "activation" and not acr.satisfies(Acr.VN_2),
        offers_upstreams=any(context.upstreams),
        done=Credential(done) if done in set(Credential) else None,
    )
    return show(http, view)


def advice_for(overview: SecurityOverview) -> tuple[Advice, ...]:
    """Return what is missing, the weightiest first."""
    advice = []
    if not (overview.passkeys or overview.phones or overview.totp_since):
        advice.append(Advice.SECOND_PROOF)
    elif not overview.passkeys:
        advice.append(Advice.PHISHING)
    if overview.recovery_codes < _FEW_CODES and overview.passkeys < 2:
        advice.append(Advice.WAY_BACK)
    return tuple(advice)
