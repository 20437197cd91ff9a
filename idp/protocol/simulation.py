"""Simulations: what a client in its sandbox has the provider answer, so that its own tests see it. Pure.

An answer is simulated with a code that is registered for its endpoint, and with no other: a platform that
learns to live with it has learned nothing that cannot happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from idp.protocol.errors import (
    AccessDeniedError,
    AccountSelectionRequiredError,
    AuthorizationPendingError,
    ConsentRequiredError,
    ExpiredTokenError,
    InsufficientScopeError,
    InsufficientUserAuthenticationError,
    InteractionRequiredError,
    InvalidAuthorizationDetailsError,
    InvalidClientError,
    InvalidDPoPProofError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidRequestObjectError,
    InvalidRequestURIError,
    InvalidScopeError,
    InvalidTargetError,
    InvalidTokenError,
    LoginRequiredError,
    OAuthError,
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
    ServerError,
    SlowDownError,
    TemporarilyUnavailableError,
    UnauthorizedClientError,
    UnmetAuthenticationRequirementsError,
    UnsupportedGrantTypeError,
    UnsupportedResponseTypeError,
)
from idp.protocol.strict_json import StrictJSONError, read_json

MAX_DELAY_SECONDS = 10
MAX_TIMES = 100
VALIDITY = timedelta(hours=1)
"""How long a simulation that nobody met stays: one that was forgotten must not puzzle people tomorrow."""


class SimulatedEndpoint(StrEnum):
    """Where an answer can be simulated, by the path of the endpoint."""

    AUTHORIZE = "authorize"
    PAR = "par"
    TOKEN = "token"
    USERINFO = "userinfo"
    INTROSPECT = "introspect"
    ACCOUNT_LINKS = "account-links"
    SSF = "ssf"


def _by_code(*kinds: type[OAuthError]) -> Mapping[str, type[OAuthError]]:
    codes: dict[str, type[OAuthError]] = {}
    for kind in kinds:
        codes[kind.error] = kind
    return codes | {each.error: each for each in (TemporarilyUnavailableError, ServerError)}


_REQUEST = (
    InvalidRequestError,
    UnauthorizedClientError,
    InvalidScopeError,
    InvalidRequestObjectError,
    InvalidAuthorizationDetailsError,
    InvalidTargetError,
)
_RESOURCE = (InvalidRequestError, InvalidTokenError, InsufficientScopeError)

ERRORS: Mapping[SimulatedEndpoint, Mapping[str, type[OAuthError]]] = {
    SimulatedEndpoint.AUTHORIZE: _by_code(
        *_REQUEST,
        AccessDeniedError,
        UnsupportedResponseTypeError,
        LoginRequiredError,
        InteractionRequiredError,
        ConsentRequiredError,
        AccountSelectionRequiredError,
        InvalidRequestURIError,
        RequestNotSupportedError,
        RequestURINotSupportedError,
        RegistrationNotSupportedError,
        UnmetAuthenticationRequirementsError,
    ),
    SimulatedEndpoint.PAR: _by_code(*_REQUEST, InvalidClientError, InvalidDPoPProofError),
    SimulatedEndpoint.TOKEN: _by_code(
        InvalidRequestError,
        InvalidClientError,
        InvalidGrantError,
        UnauthorizedClientError,
        UnsupportedGrantTypeError,
        InvalidScopeError,
        InvalidTargetError,
        InvalidDPoPProofError,
        AuthorizationPendingError,
        SlowDownError,
        AccessDeniedError,
        ExpiredTokenError,
    ),
    SimulatedEndpoint.USERINFO: _by_code(*_RESOURCE, InsufficientUserAuthenticationError),
    SimulatedEndpoint.INTROSPECT: _by_code(InvalidRequestError, InvalidClientError),
    SimulatedEndpoint.ACCOUNT_LINKS: _by_code(*_RESOURCE, InsufficientUserAuthenticationError),
    SimulatedEndpoint.SSF: _by_code(*_RESOURCE),
}
"""RFC 6749 §4.1.2.1, §5.2 and the registries that extend them; RFC 6750 §3.1, RFC 9470 §3 at resources."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the next answers of one endpoint are: later, an error, or both."""

    endpoint: SimulatedEndpoint
    error: str | None = None
    delay_seconds: int = 0
    times: int = 1
    """How many answers are simulated."""

    def to_raise(self) -> OAuthError | None:
        """Return the refusal that is simulated; None where answers are late and nothing else."""
        if self.error is None:
            return None
        return ERRORS[self.endpoint][self.error]("simulated, as the client asked for in its sandbox")


_MEMBERS = frozenset({"endpoint", "error", "delay_seconds", "times"})


def read_simulation(body: bytes) -> Simulation:
    """Read a simulation as a client sends it: every member is known, in bounds and of its type.

    Raises InvalidRequestError.
    """
    try:
        members = read_json(body.decode())
    except (UnicodeDecodeError, StrictJSONError):
        raise InvalidRequestError("the body is not JSON that every reader understands") from None
    if not isinstance(members, dict) or not members.keys() <= _MEMBERS:
        raise InvalidRequestError(f"a simulation is an object of {', '.join(sorted(_MEMBERS))}")
    return make_simulation(members)


def make_simulation(members: Mapping[str, Any]) -> Simulation:
    """Check the members of a simulation. Raises InvalidRequestError."""
    named = members.get("endpoint")
    if not isinstance(named, str) or named not in set(SimulatedEndpoint):
        raise InvalidRequestError(f"endpoint must be one of {', '.join(SimulatedEndpoint)}")
    endpoint = SimulatedEndpoint(named)
    error = members.get("error")
    if error is not None and (not isinstance(error, str) or error not in ERRORS[endpoint]):
        raise InvalidRequestError(f"error at {endpoint} is one of {', '.join(sorted(ERRORS[endpoint]))}")
    delay = _whole_number(members, "delay_seconds", 0, 0, MAX_DELAY_SECONDS)
    times = _whole_number(members, "times", 1, 1, MAX_TIMES)
    if error is None and not delay:
        raise InvalidRequestError("a simulation needs an error, a delay or both")
    return Simulation(endpoint, error, delay, times)


def _whole_number(members: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = members.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise InvalidRequestError(f"{name} must be a whole number from {least} to {most}")
    return value


def simulation_members(simulation: Simulation) -> dict[str, str | int]:
    """Return the members that `make_simulation` reads."""
    members: dict[str, str | int] = {
        "endpoint": simulation.endpoint.value,
        "delay_seconds": simulation.delay_seconds,
        "times": simulation.times,
    }
    return members if simulation.error is None else {**members, "error": simulation.error}
