"""The view models of the public mark: what anybody may check of an account, and nothing about its person."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from idp.identity.assurance import Proofing
from idp.pages.views import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedNetwork:
    """One network whose accounts may show marks."""

    client_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPage(Page):
    """Which account? `form#verify` with `network` and `account`."""

    template: ClassVar[str] = "verify/verify.html"

    action: str
    networks: tuple[NamedNetwork, ...]
    chosen: str = ""
    account: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkPage(Page):
    """Is this account genuine? Yes, at which level, since when, and how that was checked."""

    template: ClassVar[str] = "verify/mark.html"

    network: str
    domain: str
    logo: str | None = None
    handle: str | None = None
    profile_uri: str | None = None
    proofing: Proofing
    linked_at: datetime
    checked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMarkPage(Page):
    """There is nothing to be seen here, for whatever reason: the same words and bytes for all of them."""

    template: ClassVar[str] = "verify/no_mark.html"

    verify_uri: str
