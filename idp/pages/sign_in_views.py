"""The view models of signing in: who are you, and is it really you? Beside `views`, under the same rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from idp.identity.assurance import Method
from idp.pages.views import Page
from idp.web.passkeys import PasskeyProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAsk:
    """`form#passkey` with the hidden field `credential`, which the script fills and sends."""

    action: str
    options: str
    """The options of the ceremony, as JSON (WebAuthn §5.4, §5.5)."""
    problem: PasskeyProblem | None = None
    """Why the last one was not taken; said next to the button."""
    retry_at: datetime | None = None
    """When it is worth trying again, after too many."""


class SignInNotice(StrEnum):
    """What the sign-in page says above its one question."""

    WRONG = "wrong"
    """The same words for an unknown identifier, a wrong password and a person without one."""
    THROTTLED = "throttled"
    OVERLOADED = "overloaded"
    NOT_USABLE = "not_usable"
    """Locked or revoked; said only after the right password."""
    SESSION_ENDED = "session_ended"
    SIGNED_OUT = "signed_out"
    AGAIN = "again"
    """The network asks for a fresh sign-in (prompt=login, max_age)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamWay:
    """Another identity provider on the sign-in page."""

    name: Mapping[str, str]
    """By language."""
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage(Page):
    """Who are you? `form#sign-in` with `identifier` and `password`."""

    template: ClassVar[str] = "sign_in/sign_in.html"

    action: str
    is_for_approval: bool = False
    """The person comes to answer a request from elsewhere."""
    identifier: str = ""
    notice: SignInNotice | None = None
    retry_at: datetime | None = None
    """When a throttled person may try again."""
    upstreams: tuple[UpstreamWay, ...] = ()
    """Where else people may sign in: `a` with its name."""
    passkey: PasskeyAsk | None = None
    """Any passkey of ours, at the button or from the browser's own list at the identifier."""


class SecondFactorNotice(StrEnum):
    """What went wrong with one of the ways."""

    WRONG = "wrong"
    USED = "used"
    """This time step was accepted before (RFC 6238 §5.2)."""
    THROTTLED = "throttled"
    OVERLOADED = "overloaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorPage(Page):
    """Is it really you? One of several ways; `form#second-factor` with `code` for one-time codes."""

    template: ClassVar[str] = "sign_in/second_factor.html"

    action: str
    methods: tuple[Method, ...] = (Method.ONE_TIME_PASSWORD,)
    """The ways that would do, the best first; the page offers each."""
    is_step_up: bool = False
    """The person is signed in already and the network asks for more (RFC 9470)."""
    notice: SecondFactorNotice | None = None
    about: Method = Method.ONE_TIME_PASSWORD
    """The way that the notice is about."""
    attempts_left: int | None = None
    retry_at: datetime | None = None
    sign_in_uri: str | None = None
    """Starts the sign-in over with another number."""
    passkey: PasskeyAsk | None = None
    """Given where a passkey of this person would do."""
