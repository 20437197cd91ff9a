"""The interface of an upstream: away to it with a request, back from it with a person.

Every failure is one of `Fault`, with a reason that names a rule and never a value: what an upstream answers
may hold personal data, and reasons are logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

SKEW = timedelta(seconds=60)
"""How far an upstream's clock and ours may be apart."""


class Fault(StrEnum):
    """Why a sign-in at an upstream led to nobody."""

    CANCELLED = "cancelled"
    """The person said no there (`access_denied`, RFC 6749 §4.1.2.1)."""
    UNAVAILABLE = "unavailable"
    """It cannot be reached, is too slow, or says that it cannot serve."""
    UNTRUSTED = "untrusted"
    """It answered, but not in a way that can be believed."""
    INCOMPLETE = "incomplete"
    """It vouches for somebody without saying enough to know who."""
    LEVEL_UNKNOWN = "level_unknown"
    """How the person signed in there is not in our configuration."""
    NOT_FRESH = "not_fresh"
    """A new sign-in was asked for, and an old one came back."""


class UpstreamError(Exception):
    """A sign-in at an upstream failed. `reason` is for the log: a rule's name, never what was received."""

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(f"{fault.value}: {reason}")
        self.fault = fault
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What an upstream's endpoint answered, at most the size that the caller allows."""

    status: int
    content_type: str
    """The media type alone, in lower case."""
    body: bytes = field(repr=False)


class Wire(Protocol):
    """Calls out, guarded. `idp.outbound.upstream_calls` is one."""

    async def call(
        self, method: str, uri: str, headers: Mapping[str, str], body: str | None = None
    ) -> Answer:
        """Send one request, follow no redirect. Raises UpstreamError (UNAVAILABLE)."""


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """What one way through an upstream is bound to, from before it leaves until it is back."""

    state: str = field(repr=False)
    """RFC 6749 §10.12; kept by its hash alone."""
    nonce: str = field(repr=False)
    """OpenID Connect Core §3.1.2.1."""
    code_verifier: str = field(repr=False)
    """RFC 7636 §4.1."""
    redirect_uri: str
    """One for each upstream (RFC 9700 §4.4.2): an answer of another one does not arrive there."""
    begun_at: datetime
    wants_login: bool = False
    """Whether the person is to sign in there anew (`prompt=login`)."""
    max_age: int | None = None
    """Seconds since which a sign-in there counts, where the visit needs it fresh."""
    ui_locales: str = ""
    """The language of our pages, for theirs."""


@dataclass(frozen=True, slots=True)
class UpstreamIdentity:
    """Whom an upstream vouches for, in our words."""

    subject: str = field(repr=False)
    """The upstream's own name for the person (`sub`)."""
    personal_number: str = field(repr=False)
    amr: tuple[str, ...]
    """What the person showed there, in values of RFC 8176, as the configuration translates it."""
    auth_time: datetime
    """When they did."""
    line: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The person as a line of the register, for a first arrival."""


class Upstream(Protocol):
    """One external identity provider."""

    async def way_out(self, visit: OpenVisit) -> str:
        """Return where to send the browser. Raises UpstreamError."""

    async def identify(self, visit: OpenVisit, answer: Mapping[str, str]) -> UpstreamIdentity:
        """Return who came back with these parameters. Raises UpstreamError."""


def check_fresh(visit: OpenVisit, signed_in_at: datetime) -> None:
    """Check that a sign-in there is as fresh as the visit needs: OpenID Connect Core §3.1.2.1, §3.1.3.7.

    A network that asked for a fresh sign-in gets one, or nothing. Raises UpstreamError (NOT_FRESH).
    """
    age = visit.begun_at - signed_in_at
    if visit.wants_login and age > SKEW:
        raise UpstreamError(Fault.NOT_FRESH, "auth_time is before the visit")
    if visit.max_age is not None and age > timedelta(seconds=visit.max_age) + SKEW:
        raise UpstreamError(Fault.NOT_FRESH, "auth_time is older than max_age")
