"""The UserInfo endpoint. OpenID Connect Core §5.3; bearer tokens as in RFC 6750 §2.1, §2.2."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.claims import userinfo_claims, within_scope
from idp.protocol.errors import InvalidTokenError
from idp.protocol.parameters import Parameters, check_not_repeated
from idp.protocol.resources import USERINFO
from idp.web.answers import NO_STORE, json_answer
from idp.web.protected_resource import check_access, read_token
from idp.web.requests import is_form, read_form
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

_OPENID = frozenset({"openid"})


@router.get("/userinfo")
async def userinfo(http: Request) -> Response:
    """Return the claims that were agreed to: OpenID Connect Core §5.3.1."""
    return await _answer(http, Parameters({}))


@router.post("/userinfo")
async def userinfo_by_post(http: Request) -> Response:
    """As GET; the token may stand in the form instead of the header, never in both (RFC 6750 §2, §2.2)."""
    parameters = await read_form(http) if is_form(http) else Parameters({})
    check_not_repeated(parameters)
    return await _answer(http, parameters)


async def _answer(http: Request, parameters: Parameters) -> Response:
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    token = read_token(http, parameters)
    access = await check_access(context, uow, http, token, path=USERINFO, scope=_OPENID, now=now)
    if access.grant is None or access.backing is None:
        raise InvalidTokenError("the access token is about no person")
    citizen = access.backing.citizen
    grant = within_scope(access.grant, access.token.scope)
    claims = userinfo_claims(grant, citizen.personal_data, citizen.proofing, now)
    algorithm = access.client.userinfo_signed_response_alg
    if algorithm is None:
        return json_answer(claims)
    return _signed_answer(context, claims, access.client.client_id, algorithm)


def _signed_answer(context: Context, claims: dict[str, object], audience: str, algorithm: str) -> Response:
    """OpenID Connect Core §5.3.2: signed, the response names its issuer and audience."""
    signer = context.custody.signing.signer(algorithm)
    signed = signer.sign({**claims, "iss": context.issuer, "aud": audience}, typ="JWT")
    return Response(signed, headers=NO_STORE, media_type="application/jwt")
