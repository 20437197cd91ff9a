"""The view models of how a person signs in: the overview, codes, remembered browsers, the password."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from idp.identity.assurance import Acr
from idp.identity.notices import Credential
from idp.pages.activation_views import PasswordProblem
from idp.pages.list_views import Paging
from idp.pages.views import Page
from idp.store.security_overview import SecurityOverview


class Advice(StrEnum):
    """What is missing, the weightiest first."""

    SECOND_PROOF = "second_proof"
    """Whoever learns the password is in."""
    PHISHING = "phishing"
    """Nothing that withstands a false page."""
    WAY_BACK = "way_back"
    """One lost phone, and the way back leads through an office."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityPage(Page):
    """How do I sign in? Everything that lets me in, and what is missing."""

    template: ClassVar[str] = "my_security/security.html"

    overview: SecurityOverview
    acr: Acr
    """What was shown in this session."""
    advice: tuple[Advice, ...] = ()
    needs_activation: bool = False
    """The person wanted to add something and has but a password."""
    done: Credential | None = None
    """What was just changed."""
    offers_upstreams: bool = False
    """Whether people may sign in at other providers."""


class CodeProblem(StrEnum):
    """Why an app was not taken."""

    WRONG = "wrong"
    STALE = "stale"
    """The form is too old, or was used already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorAppPage(Page):
    """Do I have an app that shows codes? `form#new-app`, `form#remove-app`."""

    template: ClassVar[str] = "my_security/authenticator_app.html"

    since: datetime | None
    is_only_second: bool = False
    """Whether nothing but a password would be left."""
    new_action: str
    remove_action: str
    problem: CodeProblem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAuthenticatorAppPage(Page):
    """Does the app show the right code? `form#confirm-app` with `pending` and `code`."""

    template: ClassVar[str] = "my_security/new_authenticator_app.html"
    can_switch_language: ClassVar[bool] = False

    uri: str
    """What the QR code says (the otpauth scheme)."""
    secret: str
    """The same for whoever types it, in groups of four."""
    pending: str
    """The secret, sealed: it lets nobody in before it is confirmed."""
    action: str
    problem: CodeProblem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodesPage(Page):
    """How many codes on paper have I left? `form#new-codes`, `form#remove-codes`."""

    template: ClassVar[str] = "my_security/recovery_codes.html"

    remaining: int = 0
    issued: int = 0
    since: datetime | None = None
    new_action: str
    remove_action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecoveryCodesPage(Page):
    """The codes, this once."""

    template: ClassVar[str] = "my_security/new_recovery_codes.html"
    can_switch_language: ClassVar[bool] = False

    codes: tuple[str, ...]
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPage(Page):
    """Which password from now on? `form#password` with `password`, `again` and `elsewhere`."""

    template: ClassVar[str] = "my_security/password.html"

    action: str
    has_password: bool
    ends_others: bool = True
    """How "sign out everywhere else" stands."""
    problem: PasswordProblem | None = None

    @property
    def is_again_wrong(self) -> bool:
        """Tell whether the problem is the second field's."""
        return self.problem is PasswordProblem.DIFFERENT


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserCard:
    """One remembered browser."""

    browser_id: str
    name: str
    """Empty where the browser does not say what it is."""
    is_current: bool
    since: datetime
    last_used_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowsersPage(Page):
    """Which browsers are remembered? `form.forget` with `browser`, `form#forget-all`, `form#remember`."""

    template: ClassVar[str] = "my_security/browsers.html"

    browsers: tuple[BrowserCard, ...]
    remember_action: str | None = None
    """Given where this browser is not remembered and it would make a difference."""
    forget_action: str
    forget_all_action: str | None = None
    days: int
    paging: Paging
