"""The view models of activating an account, and of recovering one. Beside `views`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from idp.identity.activation_grounds import Ground, Purpose
from idp.identity.activations import Activation
from idp.pages.sign_in_views import PasskeyAsk
from idp.pages.views import Page


class CodeNotice(StrEnum):
    """What the page that takes a number and a code says above them."""

    WRONG = "wrong"
    """The same words for a number that nobody has, a code of somebody else and one that never was."""
    MISTYPED = "mistyped"
    """No code at all: its check letter does not fit. Nothing was looked up."""
    THROTTLED = "throttled"
    TOO_EARLY = "too_early"
    """The code is right, and its recovery still waits."""
    OVER = "over"
    """The code is right, and was used, stopped or ran out."""
    NOT_USABLE = "not_usable"
    """The code is right, and the person's e-ID may not be used."""
    AGAIN = "again"
    """It was typed a while ago, or in another browser since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivatePage(Page):
    """Which code were you given? `form#activate` with `identifier` and `code`."""

    template: ClassVar[str] = "activation/activate.html"

    action: str
    identifier: str = ""
    notice: CodeNotice | None = None
    retry_at: datetime | None = None
    """When a throttled person may try again."""
    usable_from: datetime | None = None
    recovery_uri: str = "/recovery"


class PasswordProblem(StrEnum):
    """What is wrong with a password that somebody chose, or typed."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_COMMON = "too_common"
    ABOUT_YOU = "about_you"
    """It holds the person's own name or number."""
    CONTROL_CHARACTER = "control_character"
    DIFFERENT = "different"
    """The two that were typed are not the same."""
    WRONG = "wrong"
    THROTTLED = "throttled"
    OVERLOADED = "overloaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnThing:
    """One authenticator that the person may still have."""

    value: str
    """As the form sends it: `passkey.<id>`, `phone.<id>`, `upstream.<id>`, `totp` or `recovery_codes`."""
    kind: str
    name: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    """Of an upstream: how people know it, by language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpPage(Page):
    """How do you want to sign in? `form#set-up` with `password`, `password_again` and, at a recovery, `keep`.

    Of a code that is used beside a password the form holds just that password, to be verified.
    """

    template: ClassVar[str] = "activation/set_up.html"

    action: str
    purpose: Purpose
    name: str
    """Whose account it is, so that nobody sets up another's unawares."""
    problem: PasswordProblem | None = None
    retry_at: datetime | None = None
    things: tuple[OwnThing, ...] = ()
    kept: frozenset[str] = frozenset()
    passkey: PasskeyAsk | None = None
    """A passkey instead of a password; None where that is not offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivatedPage(Page):
    """Is it done? Yes; and what now."""

    template: ClassVar[str] = "activation/activated.html"

    purpose: Purpose
    onward_uri: str
    security_uri: str = "/my/security"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPage(Page):
    """Which way do I still have? A list of links."""

    template: ClassVar[str] = "recovery/recovery.html"

    activate_uri: str
    sign_in_uri: str
    code_uri: str = "/recovery/code"
    own_uri: str = "/my/recovery"
    waiting_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodePage(Page):
    """Which recovery code do you have? `form#recovery-code` with `identifier` and `code`."""

    template: ClassVar[str] = "recovery/code.html"

    action: str
    identifier: str = ""
    notice: CodeNotice | None = None
    retry_at: datetime | None = None
    waiting_hours: int
    recovery_uri: str = "/recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryOpenedPage(Page):
    """From when on can I go on, and with which code? Shown once."""

    template: ClassVar[str] = "recovery/opened.html"
    can_switch_language: ClassVar[bool] = False
    """Another language would be another request, and the code is shown once."""

    code: str
    """In groups."""
    usable_from: datetime
    expires_at: datetime
    activate_uri: str = "/activate"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPage(Page):
    """Was it not you? `form#stop-recovery`. When it was pressed: that it is stopped."""

    template: ClassVar[str] = "recovery/stop.html"

    action: str
    is_stopped: bool = False
    is_over: bool = False
    """It was used, or ran out: there is nothing to stop any more."""
    purpose: Purpose
    issued_at: datetime
    usable_from: datetime
    freeze_uri: str = "/my/freeze"
    recovery_uri: str = "/recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRecovery:
    """A recovery or a code that is open, as its holder sees it."""

    activation_id: str
    purpose: Purpose
    ground: Ground
    issued_at: datetime
    usable_from: datetime
    stop_action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MyRecoveryPage(Page):
    """Does somebody set up my sign-in anew? `form#stop-…` for each, and `form#open-recovery`."""

    template: ClassVar[str] = "recovery/my_recovery.html"

    open: tuple[OpenRecovery, ...]
    action: str
    waiting_hours: int


def open_recovery_view(activation: Activation, issuer: str) -> OpenRecovery:
    """Return how an open activation is shown to its holder."""
    return OpenRecovery(
        activation_id=activation.activation_id,
        purpose=activation.purpose,
        ground=activation.ground,
        issued_at=activation.issued_at,
        usable_from=activation.usable_from,
        stop_action=f"{issuer}/my/recovery/{activation.activation_id}/stop",
    )
