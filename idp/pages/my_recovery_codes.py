"""Codes on paper, for the day when the phone is lost: made anew, shown once. NIST SP 800-63B-4 §4.2.1.1."""

import secrets

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.authenticators.recovery_codes import ALPHABET, LENGTH, SET_SIZE, shown_recovery_code
from idp.identity.assurance import Acr
from idp.identity.notices import Credential, NoticeKind
from idp.pages.frame import form_token, show
from idp.pages.own_pages import signed_in_or_way, strong_form_or_way
from idp.pages.security_views import NewRecoveryCodesPage, RecoveryCodesPage
from idp.web.answers import see_other
from idp.web.credential_changes import check_may_change, write_down
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)

CODES = "recovery-codes"


@router.get("/my/recovery-codes")
async def recovery_codes(http: Request) -> Response:
    """Show how many are left; never the codes."""
    context = context_of(http)
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, context.clock(), CODES)
    if isinstance(signed_in, Response):
        return signed_in
    found = await uow.recovery_codes.find_set(signed_in.citizen.citizen_id)
    base = f"{context.issuer}/my/recovery-codes"
    view = RecoveryCodesPage(
        csrf=form_token(context, signed_in.session),
        remaining=0 if found is None else found.remaining,
        issued=0 if found is None else found.issued,
        since=None if found is None else found.created_at,
        new_action=base,
        remove_action=f"{base}/remove",
    )
    return show(http, view)


@router.post("/my/recovery-codes")
async def make(http: Request) -> Response:
    """Make ten new codes and show them this once; those of before are void."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, CODES, minimum=Acr.VN_2)
    if isinstance(sent, Response):
        return sent
    citizen_id = sent.signed_in.citizen.citizen_id
    await check_may_change(context, citizen_id, now)
    codes = _new_codes()
    uow.recovery_codes.replace(citizen_id, codes, now)
    write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_ADDED, Credential.RECOVERY_CODES, now)
    await uow.commit()
    view = NewRecoveryCodesPage(
        csrf=form_token(context, sent.signed_in.session),
        codes=tuple(map(shown_recovery_code, codes)),
        made_at=now,
    )
    return show(http, view)


@router.post("/my/recovery-codes/remove")
async def remove(http: Request) -> Response:
    """Make all codes void: the paper was lost, or somebody saw it."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, CODES)
    if isinstance(sent, Response):
        return sent
    citizen_id = sent.signed_in.citizen.citizen_id
    if await uow.recovery_codes.find_set(citizen_id) is not None:
        uow.recovery_codes.remove(citizen_id)
        write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_REMOVED, Credential.RECOVERY_CODES, now)
        await uow.commit()
    return see_other(f"{context.issuer}/my/recovery-codes")


def _new_codes() -> tuple[str, ...]:
    return tuple("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(SET_SIZE))
