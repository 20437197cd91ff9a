"""The UserInfo endpoint. OpenID Connect Core §5.3; bearer tokens as in RFC 6750 §2.1, §2.2."""

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.claims import userinfo_claims, within_scope
from idp.protocol.errors import InvalidTokenError
from idp.protocol.model import Client
from idp.protocol.parameters import Parameters, check_not_repeated
from idp.protocol.resources import USERINFO
from idp.web.answers import NO_STORE, json_answer
from idp.web.encryption import encrypt_to_client
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
    claims = userinfo_claims(grant, citizen, now)
    client = access.client
    if client.userinfo_signed_response_alg is None and client.userinfo_encrypted_response_alg is None:
        return json_answer(claims)
    content = _signed(context, client, claims)
    if client.userinfo_encrypted_response_alg is not None:
        await context.clients.key_set_of(client, now)
        content = _encrypted(context, client, client.userinfo_encrypted_response_alg, content)
    return Response(content, headers=NO_STORE, media_type="application/jwt")


def _signed(context: Context, client: Client, claims: dict[str, object]) -> str | bytes:
    """OpenID Connect Core §5.3.2: signed, the response names its issuer and audience; it may be bare JSON."""
    algorithm = client.userinfo_signed_response_alg
    if algorithm is None:
        return orjson.dumps(claims)
    signer = context.custody.signing.signer(algorithm)
    return signer.sign({**claims, "iss": context.issuer, "aud": client.client_id}, typ="JWT")


def _encrypted(context: Context, client: Client, algorithm: str, content: str | bytes) -> str:
    """OpenID Connect Core §5.3.2, §10.2: encrypted after it was signed, or alone."""
    return encrypt_to_client(
        context,
        client,
        content,
        algorithm=algorithm,
        encryption=client.userinfo_encrypted_response_enc,
        is_nested=isinstance(content, str),
    )
