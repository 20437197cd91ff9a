"""The view models of the sandbox: what a developer sees and does there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from idp.identity.account_links import Status
from idp.pages.views import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSignInPage(Page):
    """Whose sandbox? `form#sandbox-sign-in` with `sandbox_token`."""

    template: ClassVar[str] = "sandbox/sign_in.html"

    action: str
    is_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSimulation:
    """What is simulated, and how long still."""

    endpoint: str
    error: str | None
    delay_seconds: int
    remaining: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLink:
    """One link of the client, and the words for what can be done with it."""

    link_id: str
    account: str
    status: Status
    moves: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPerson:
    """One fictitious person."""

    personal_number: str
    name: str
    birthdate: str
    password: str
    totp_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPage(Page):
    """What shall the provider do? Every form posts its `action` and what goes with it to one address."""

    template: ClassVar[str] = "sandbox/control.html"

    action: str
    network: str
    errors: Mapping[str, Sequence[str]]
    """The codes that are registered, by endpoint."""
    most_seconds: int
    most_times: int
    oldest: int
    levels_of_people: Sequence[str]
    simulation: ShownSimulation | None = None
    links: Sequence[SandboxLink] = ()
    people: Sequence[SandboxPerson] = ()
    invented: SandboxPerson | None = None
    rotated: Mapping[str, str] | None = None
    """The kid that signs now, by algorithm."""
    problem: str | None = None
    """Why nothing was done, in the words of the interface."""
    retry_at: datetime | None = None
