"""A request that its person answers on another device. CIBA Core 1.0 §7, §10, §11; RFC 8628 §3. Pure.

The client holds an id (`auth_req_id`, `device_code`) and asks with it until there is an answer. Both kinds
meet on one approval page and end in one grant. The id never passes through a browser: one that comes back
after its use is a retry of its own client, and revokes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from idp.protocol.authorization_request import (
    SCOPES,
    check_claims,
    check_one_resource,
    check_request_uri,
    check_scope,
)
from idp.protocol.claims_parameter import read_claims
from idp.protocol.errors import (
    AccessDeniedError,
    AuthorizationPendingError,
    ExpiredTokenError,
    InvalidGrantError,
    InvalidRequestError,
)
from idp.protocol.model import AuthorizationRequest, ClaimsRequest, Client, Grant, Policy
from idp.protocol.parameters import Parameters
from idp.protocol.requested_acr import essential_acrs, wished_acrs
from idp.protocol.resources import check_resource

NO_REDIRECT = ""
"""Stands for the redirect URI of a request whose answer travels through no browser."""

POLL_INTERVAL = timedelta(seconds=5)
"""RFC 8628 §3.2, CIBA Core §7.3: what a client has to wait between two questions."""

POLL_SLACK = timedelta(seconds=1)
"""How much earlier a question may arrive: the one before it may have been longer under way."""

LIFETIME = timedelta(minutes=5)
DEVICE_LIFETIME = timedelta(minutes=10)
"""Long enough to find a phone, sign in and type a code; RFC 8628 §5.1 wants it short."""
LIFETIMES_GRANTED = (timedelta(seconds=10), timedelta(minutes=10))
"""CIBA Core §7.1: `requested_expiry` is a wish, met within these."""

_REFUSED = "the id is unknown, used, or another client's"


class Kind(StrEnum):
    """How a request came."""

    CIBA = "ciba"
    DEVICE = "device"


class State(StrEnum):
    """What its person said."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class DecoupledRequest:
    """A request on its way to a person. What is asked never changes (abuse case P2)."""

    request_hash: bytes
    kind: Kind
    asked: AuthorizationRequest
    interval: timedelta
    created_at: datetime
    expires_at: datetime
    citizen_id: str | None = None
    """Whom it is for. A device's request is nobody's until somebody types its code."""
    binding_message: str | None = None
    state: State = State.PENDING
    grant: Grant | None = None
    """What was granted; it begins when the client fetches its tokens."""
    decided_at: datetime | None = None
    consumed_at: datetime | None = None

    @property
    def client_id(self) -> str:
        """The client that asks."""
        return self.asked.client_id

    def is_open(self, now: datetime) -> bool:
        """Tell whether its person may still answer it."""
        return self.state is State.PENDING and now < self.expires_at


class DeniedByPersonError(AccessDeniedError):
    """RFC 8628 §3.5, CIBA Core §11: the token endpoint answers `access_denied` with 400 (RFC 6749 §5.2)."""

    status = 400


class UnansweredError(AuthorizationPendingError):
    """Nobody has answered yet. The handler counts the question, and answers with this."""

    def __init__(self, request: DecoupledRequest) -> None:
        super().__init__("the person has not answered yet")
        self.request = request


@dataclass(frozen=True, slots=True)
class Answered:
    """A request whose person agreed, and what they granted; made by `check_answered` alone."""

    request: DecoupledRequest
    grant: Grant


def lifetime_of(requested_expiry: int | None) -> timedelta:
    """Return how long a request lives: as its client wishes, within bounds (CIBA Core §7.1)."""
    if requested_expiry is None:
        return LIFETIME
    shortest, longest = LIFETIMES_GRANTED
    seconds = min(requested_expiry, int(longest.total_seconds()))
    return max(shortest, timedelta(seconds=seconds))


def check_answered(found: DecoupledRequest | None, kind: Kind, client: Client, now: datetime) -> Answered:
    """Return what was granted: CIBA Core §11, RFC 8628 §3.5.

    Whose id it is comes first, so that no client learns anything of another's request. Raises
    InvalidGrantError, DeniedByPersonError, ExpiredTokenError, UnansweredError.
    """
    if found is None or found.kind is not kind:
        raise InvalidGrantError(_REFUSED, detail="unknown id")
    if found.client_id != client.client_id:
        raise InvalidGrantError(_REFUSED, detail="the id of another client")
    if found.consumed_at is not None:
        raise InvalidGrantError(_REFUSED, detail="used before")
    if found.state is State.DENIED:
        raise DeniedByPersonError("the person refused")
    if now >= found.expires_at:
        raise ExpiredTokenError("nobody answered in time; ask again")
    if found.grant is None:
        raise UnansweredError(found)
    return Answered(found, found.grant)


def read_asked(parameters: Parameters, client: Client, policy: Policy) -> AuthorizationRequest:
    """Return what a request without a browser asks for: scope, claims, levels, resource.

    Raises InvalidRequestError, InvalidScopeError, InvalidTargetError, UnmetAuthenticationRequirementsError.
    """
    # Abuse case P1: an account is linked in the browser in which its holder uses it, or not at all.
    if "authorization_details" in parameters:
        raise InvalidRequestError("authorization_details are taken by the authorization endpoint alone")
    for check in (check_request_uri, check_scope, check_one_resource, check_claims):
        check(parameters, client)
    claims = read_claims(parameters["claims"]) if "claims" in parameters else ClaimsRequest()
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=NO_REDIRECT,
        scope=_scope(parameters) & client.scope & SCOPES,
        code_challenge=None,
        acr_values=wished_acrs(parameters, client, policy.issuer, claims),
        claims=claims,
        resource=check_resource(parameters.get("resource"), policy),
        essential_acrs=essential_acrs(claims, policy.issuer),
    )


def _scope(parameters: Mapping[str, str]) -> frozenset[str]:
    return frozenset(parameters.get("scope", "").split(" ")) - {""}
