"""The view models of requests from elsewhere: CIBA, and devices without a keyboard. Beside `views`."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from idp.identity.consents import TEXT_VERSION
from idp.pages.views import OfferPage, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalCard:
    """One request in the list of those that wait."""

    network: str
    domain: str
    logo: str | None = None
    """As in ClientHeader."""
    binding_message: str | None = None
    asked_at: datetime
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalsPage(Page):
    """What waits for my answer? Newest first."""

    template: ClassVar[str] = "approvals/approvals.html"

    person: str
    requests: tuple[ApprovalCard, ...]
    device_uri: str = "/device"
    children_uri: str | None = None
    """For whoever speaks for a child."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPage(OfferPage):
    """Is it me who asks for this? `form#approval`, `decision` = allow | deny, `claim` = each ticked item."""

    template: ClassVar[str] = "approvals/approval.html"

    action: str
    is_device: bool
    """A device without a keyboard asks; else the network itself does."""
    binding_message: str | None
    asked_at: datetime
    expires_at: datetime
    has_offline_access: bool
    """The network keeps its access when the person has signed out."""
    my_accounts_uri: str = "/my/accounts"
    text_version: str = TEXT_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredPage(Page):
    """Is it done? Yes, and what to do if it was somebody else."""

    template: ClassVar[str] = "approvals/answered.html"

    is_allowed: bool
    is_device: bool
    approvals_uri: str = "/approvals"
    my_accounts_uri: str = "/my/accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePage(Page):
    """Which device? `form#device` with `user_code`."""

    template: ClassVar[str] = "approvals/device.html"

    action: str
    person: str
    user_code: str = ""
    """As it came with the address, to be compared with what the device shows."""
    is_wrong: bool = False
    retry_at: datetime | None = None
    """When a throttled person may try again."""
    my_accounts_uri: str = "/my/accounts"
