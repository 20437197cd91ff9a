"""The UserInfo endpoint. OpenID Connect Core §5.3; bearer tokens as in RFC 6750 §2.1, §2.2."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.claims import userinfo_claims, within_scope
from idp.protocol.errors import InsufficientScopeError, InvalidRequestError, InvalidTokenError
from idp.protocol.grants import check_subject
from idp.protocol.parameters import Parameters, check_not_repeated
from idp.protocol.tokens import verify_access_token
from idp.web.answers import NO_STORE, json_answer
from idp.web.failures import note
from idp.web.requests import is_form, read_form, read_query
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)


@router.get("/userinfo")
async def userinfo(http: Request) -> Response:
    """Return the claims that were agreed to: OpenID Connect Core §5.3.1."""
    return await _answer(http, _bearer_token(http))


@router.post("/userinfo")
async def userinfo_by_post(http: Request) -> Response:
    """As GET; the token may stand in the form instead of the header, never in both (RFC 6750 §2, §2.2)."""
    parameters = await read_form(http) if is_form(http) else Parameters({})
    check_not_repeated(parameters)
    token = parameters.get("access_token")
    if token is None:
        return await _answer(http, _bearer_token(http))
    if "authorization" in http.headers or "access_token" in read_query(http):
        raise InvalidRequestError("the access token must be sent in one place")
    return await _answer(http, token)


def _bearer_token(http: Request) -> str:
    """RFC 6750 §2.1. A token in the address is never read: addresses end up in logs and histories."""
    if "access_token" in read_query(http):
        raise InvalidRequestError("the access token must not stand in the query")
    scheme, _, token = http.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidTokenError("an access token is required")
    return token.strip()


async def _answer(http: Request, token: str) -> Response:
    context = context_of(http)
    now = context.clock()
    access = verify_access_token(token, context.published.verification_keys, context.policy, now)
    note(http, client_id=access.client_id, grant_id=access.grant_id)
    if "openid" not in access.scope:
        raise InsufficientScopeError("the access token does not cover openid")
    found = await context.unit_of_work().grants.find(access.grant_id, now)
    if found is None:
        raise InvalidTokenError("the access token is revoked", detail="no such grant")
    client = await context.clients.find(found.grant.client_id)
    grant, citizen = found.grant, found.backing.citizen
    check_subject(grant, client, citizen.status, found.backing.link, now, error=InvalidTokenError)
    claims = userinfo_claims(within_scope(grant, access.scope), citizen.personal_data, citizen.proofing, now)
    if client is None or client.userinfo_signed_response_alg is None:
        return json_answer(claims)
    return _signed_answer(context, claims, client.client_id, client.userinfo_signed_response_alg)


def _signed_answer(context: Context, claims: dict[str, object], audience: str, algorithm: str) -> Response:
    """OpenID Connect Core §5.3.2: signed, the response names its issuer and audience."""
    signer = context.custody.signing.signer(algorithm)
    signed = signer.sign({**claims, "iss": context.issuer, "aud": audience}, typ="JWT")
    return Response(signed, headers=NO_STORE, media_type="application/jwt")
