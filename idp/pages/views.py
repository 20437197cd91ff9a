"""The view models: for each page, exactly what it shows. Domain rules R4-R9, R22, R23; PDPL Art. 9.

A handler makes one of these and gives it to `rendering.Pages`. Texts are not here: a view says what is
the case, the template says it in the citizen's language. Everything a platform supplied (names, handles,
purposes, values) is plain text and is escaped and isolated where it is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from idp.audit.events import ActorKind
from idp.identity.account_links import Refusal, Status
from idp.identity.assurance import Acr, AcrValue, Proofing
from idp.identity.consents import TEXT_VERSION, AskReason
from idp.identity.withdrawals import PlatformClock
from idp.pages.list_views import ONE_PAGE, Paging
from idp.web.failures import Trouble

_IDENTIFYING = ("name", "personal_number", "birthdate", "address")
PERSONAL_DATA = (*_IDENTIFYING, "phone_number", "email", "gender", "nationality")
"""What a person fears to give away, in the order in which the consent page promises to keep it."""

ClaimValue = str | bool | int | datetime | tuple[Mapping[str, Any], ...]
"""A claim's value as it will be sent; the last are elements of `evidence`."""

_PARTS = {"family_name": "name", "middle_name": "name", "given_name": "name", "nationalities": "nationality"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHeader:
    """The network that asks, as the thin header names it.

    A logo is shown from our own address or not at all: an image from the network's host would tell it who
    stands before which page (R16) and let it change what was reviewed. A monogram stands in.
    """

    name: str
    domain: str
    """The host a careful person compares, from the reviewed registration."""
    back_action: str | None = None
    """Where `form#back-to-network` is posted to end the journey with access_denied; a POST, because a GET
    that ends something would be followed by prefetchers. None where there is no
    interaction that could be ended: on our own pages, after an answer was made, when it expired."""
    client_uri: str | None = None
    logo: str | None = None
    """The address of the reviewed logo, on our own host."""
    policy_uri: str | None = None
    """The network's own words on what it does with the data (RFC 7591 §2)."""
    tos_uri: str | None = None
    is_test: bool = False
    """Whether the network registered itself and nobody approved it yet; never where real people are."""

    @property
    def home_uri(self) -> str | None:
        """The network's own address where it may be linked to: never `javascript:` (abuse case P11)."""
        is_web = (self.client_uri or "").lower().startswith(("https://", "http://"))
        return self.client_uri if is_web else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What every page may have: the network that asks, and the token of our own forms."""

    template: ClassVar[str]
    can_switch_language: ClassVar[bool] = True
    """Whether `?lang=…` on the page's own address shows the same page again."""

    client: ClientHeader | None = None
    csrf: str | None = None
    """Put into every form of the page as the hidden input `csrf`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChoicePage(Page):
    """Continue as the person signed in? `form#account-choice`, `choice` = continue | other."""

    template: ClassVar[str] = "sign_in/account_choice.html"

    action: str
    person: str
    """The name of whoever is signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentPage(Page):
    """How does one get an account? Initiating User Registration via OpenID Connect 1.0 (prompt=create)."""

    template: ClassVar[str] = "sign_in/enrolment.html"

    sign_in_uri: str
    activate_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCard:
    """The platform's account as its holder would recognise it."""

    account_id: str
    handle: str | None = None
    profile_uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentItem:
    """One data item, with the value as it will be sent."""

    claim: str
    """The claim's name; also the value of the checkbox `claim` of an optional item."""
    value: ClaimValue
    purpose: str | None = None
    is_essential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferPage(Page):
    """A page on which a person decides what is shared."""

    proofing: Proofing
    acr: Acr
    items: tuple[ConsentItem, ...] = ()

    @property
    def essential(self) -> tuple[ConsentItem, ...]:
        """The items without which the network does not go on."""
        return tuple(item for item in self.items if item.is_essential)

    @property
    def optional(self) -> tuple[ConsentItem, ...]:
        """The items that are the person's free choice: never ticked beforehand (R7)."""
        return tuple(item for item in self.items if not item.is_essential)

    @property
    def withheld(self) -> tuple[str, ...]:
        """What the network will not learn: derived, so that the promise cannot contradict the offer."""
        offered = {_PARTS.get(item.claim, item.claim) for item in self.items}
        return tuple(claim for claim in PERSONAL_DATA if claim not in offered)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPage(OfferPage):
    """Link this account? `form#consent`, `decision` = allow | deny, `claim` = each ticked item."""

    template: ClassVar[str] = "sign_in/consent.html"

    action: str
    account: AccountCard | None
    reason: AskReason
    purpose: str | None = None
    link_valid_until: datetime | None = None
    my_accounts_uri: str = "/my/accounts"
    text_version: str = TEXT_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPage(Page):
    """Why not, and what now? Nothing about another person stands here."""

    template: ClassVar[str] = "sign_in/refused.html"

    refusal: Refusal
    reference: str
    account: AccountCard | None = None
    min_proofing: Proofing | None = None
    min_age: int | None = None
    max_links: int | None = None
    my_accounts_uri: str = "/my/accounts"
    freeze_uri: str = "/my/freeze"
    dispute_action: str | None = None
    """Where to claim an account that another person has linked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCard:
    """One account link as its holder sees it."""

    network: str
    domain: str
    logo: str | None = None
    """As in ClientHeader."""
    account: AccountCard
    status: Status
    proofing: Proofing
    acr: Acr
    detail_uri: str
    end_uri: str | None = None
    """The page that asks to confirm; None for a link that has ended."""
    open_uri: str | None = None
    """Leads to the network's own sign-in, where it registered one."""
    linked_at: datetime | None = None
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    claims: tuple[str, ...] = ()
    """Names of what the network was given about the person, beside the levels."""
    own_consent_due_at: datetime | None = None
    """Until when a person who turned 16 must agree to it themselves (R10)."""
    own_consent_uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One event of the audit log, told in words by its `type` ("account_link:activated")."""

    type: str
    occurred_at: datetime
    actor: ActorKind
    proof_uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkSwitch:
    """Whether the public mark of a link may be found. `form#mark-switch` with `findable` = yes | no."""

    action: str
    mark_uri: str | None = None
    """Where it is found; None while it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDetailPage(Page):
    """What happened? Newest first."""

    template: ClassVar[str] = "my_account/link_detail.html"

    link: LinkCard
    timeline: tuple[TimelineEntry, ...]
    mark: MarkSwitch | None = None
    """None where the network shows no marks."""
    paging: Paging = ONE_PAGE
    not_me_uri: str = "/my/accounts"
    """Where the holder says that this was not them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndLinkPage(Page):
    """Really end it? `form#end-link`."""

    template: ClassVar[str] = "my_accounts/end_link.html"

    link: LinkCard
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedPage(Page):
    """Is it done? Yes, and since when."""

    template: ClassVar[str] = "my_accounts/ended.html"

    link: LinkCard
    ended_at: datetime
    clock: PlatformClock | None = None
    """Of the network, where the consent went with its last link."""
    my_accounts_uri: str = "/my/accounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage(Page):
    """What now? One sentence, one action, `#error-reference`; the engineer's detail is folded away."""

    template: ClassVar[str] = "error.html"
    can_switch_language: ClassVar[bool] = False

    trouble: Trouble
    reference: str
    named: ClientHeader | None = None
    """The network that the request names, where it is not proven to have sent it: a way on, no header."""
    error: str | None = None
    """The registered error code, for engineers."""
    detail: str | None = None
    """One sentence for engineers; never a secret, a trace or another person's data."""
    my_accounts_uri: str = "/my/accounts"
    sign_out_uri: str = "/end_session"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcrPage(Page):
    """What one `acr` value means: the document its URI resolves to."""

    template: ClassVar[str] = "acr.html"

    acr: AcrValue


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPostPage(Page):
    """The authorization response as a form (OAuth 2.0 Form Post Response Mode §2).

    `form-action` of this page's policy must let it lead to the redirect URI.
    """

    template: ClassVar[str] = "form_post.html"
    can_switch_language: ClassVar[bool] = False

    action: str
    """The registered redirect URI."""
    parameters: tuple[tuple[str, str], ...]
