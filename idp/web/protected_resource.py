"""Access to a protected resource of ours: one door for all of them. RFC 6750, RFC 9068 §4, RFC 9449 §7.

A token is read from one place, verified, held against the resource it is for, and everything behind it is
looked up and checked again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request

from idp.protocol.errors import (
    InsufficientScopeError,
    InvalidRequestError,
    InvalidTokenError,
    OAuthError,
)
from idp.protocol.parameters import Parameters
from idp.protocol.resources import resource_at, resource_metadata_uri
from idp.protocol.sender_constraint import (
    InvalidDPoPTokenError,
    ProofRefusedByResourceError,
    check_confirmation,
)
from idp.protocol.simulation import SimulatedEndpoint
from idp.protocol.tokens import AccessToken, check_audience
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.access_tokens import Access, check_standing, read_access_token
from idp.web.answers import add_header
from idp.web.client_certificate import read_client_certificate
from idp.web.failures import note
from idp.web.requests import read_query
from idp.web.sandbox import check_not_simulated
from idp.web.sender_constraint import Presented, read_presented, replayed_proof, spend_proof
from idp.web.state import Context

INTERACTION_ID = "x-fapi-interaction-id"

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


CHALLENGE = "WWW-Authenticate"


@dataclass(frozen=True, slots=True)
class SentToken:
    """An access token as it was sent: nothing is verified yet."""

    scheme: str
    """bearer or dpop; a token in a form is a bearer token (RFC 6750 §2.2)."""
    value: str = field(repr=False)


def read_token(http: Request, parameters: Parameters) -> SentToken:
    """Return the access token of a request: RFC 6750 §2.1, §2.2, RFC 9449 §7.1; never from the address.

    `parameters` is the form of a POST, empty otherwise. Raises InvalidRequestError, InvalidTokenError.
    """
    if "access_token" in read_query(http):
        raise InvalidRequestError("the access token must not stand in the query")
    in_form = parameters.get("access_token")
    if in_form is not None:
        if "authorization" in http.headers:
            raise InvalidRequestError("the access token must be sent in one place")
        return SentToken("bearer", in_form)
    scheme, _, token = http.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in {"bearer", "dpop"} or not token:
        raise InvalidTokenError("an access token is required")
    return SentToken(scheme.lower(), token.strip())


async def check_access(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    token: SentToken,
    *,
    path: str,
    scope: frozenset[str],
    now: datetime,
) -> Access:
    """Check that a token opens the resource at `path`: for it at least one value of `scope` is needed.

    Raises InvalidTokenError, InsufficientScopeError, InsufficientUserAuthenticationError; for a token of
    scheme DPoP also InvalidDPoPProofError and UseDPoPNonceError, and its proof is spent here.
    """
    _echo_interaction(http)
    try:
        return await _check_access(context, uow, http, token, path, scope, now)
    except InvalidTokenError as error:
        if token.scheme == "dpop":
            raise InvalidDPoPTokenError(error.description, detail=error.detail) from error
        raise


def challenge_headers(context: Context, http: Request, error: OAuthError) -> Mapping[str, str]:
    """Complete the challenge of a refusal: where this resource describes itself (RFC 9728 §5.1).

    RFC 6750 §3: a request without a usable token is challenged, a malformed one too. RFC 9449 §7.1: whoever
    used the scheme DPoP is challenged in it.
    """
    headers = error.headers
    challenge = headers.get(CHALLENGE)
    resource = resource_at(http.scope["path"])
    if resource is not None and challenge is None and isinstance(error, InvalidRequestError):
        challenge = f'Bearer error="{error.error}"'
    if challenge is None or resource is None:
        return headers
    if http.headers.get("authorization", "").lower().startswith("dpop "):
        challenge = re.sub("^Bearer ", "DPoP ", challenge)
    described = f'resource_metadata="{resource_metadata_uri(context.issuer, resource)}"'
    return {**headers, CHALLENGE: f"{challenge}, {described}"}


def _echo_interaction(http: Request) -> None:
    """Send back the id by which a client finds its request again (FAPI 1.0 Baseline §6.2.1)."""
    interaction = http.headers.get(INTERACTION_ID, "")
    if _UUID.fullmatch(interaction):
        add_header(http.scope, INTERACTION_ID, interaction)


async def _check_access(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    token: SentToken,
    path: str,
    scope: frozenset[str],
    now: datetime,
) -> Access:
    read = await read_access_token(context, uow, token.value, now)
    access = read.token
    note(http, client_id=access.client_id, grant_id=access.grant_id)
    await _check_sender(context, http, token, access, now)
    check_audience(access, context.policy, path)
    if not scope & access.scope:
        raise InsufficientScopeError(f"the access token does not cover {' or '.join(sorted(scope))}")
    standing = await check_standing(context, uow, read, now)
    await check_not_simulated(context, http, standing.client, SimulatedEndpoint(path.removeprefix("/")))
    return standing


async def _check_sender(
    context: Context, http: Request, token: SentToken, access: AccessToken, now: datetime
) -> None:
    """Hold the sender against the key that the token is bound to, and spend the proof (RFC 9449 §11.1).

    The proof is spent whatever comes of the request: it was shown, and whoever saw it must not use it.
    """
    if token.scheme == "dpop":
        presented = read_presented(context, http, now, access_token=token.value)
    else:
        presented = Presented(certificate=read_client_certificate(context.certificate_source, http, now))
    check_confirmation(access.confirmation, token.scheme, presented.dpop, presented.certificate)
    if presented.dpop is None:
        return
    uow = context.unit_of_work()
    spend_proof(uow, presented)
    try:
        await uow.commit()
    except GateClosedError as closed:
        raise ProofRefusedByResourceError(replayed_proof().description) from closed
