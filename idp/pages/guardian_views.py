"""The view models of guardians and the children they speak for. Beside `views`. R10."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from idp.identity.assurance import Proofing
from idp.identity.guardian_requests import TEXT_VERSION, Outlook
from idp.pages.views import AccountCard, LinkCard, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianNeededPage(Page):
    """Ask your guardian. `form#ask-guardian`, where there is somebody to ask and nobody was asked yet."""

    template: ClassVar[str] = "guardians/guardian_needed.html"

    action: str
    account: AccountCard
    outlook: Outlook
    has_guardian: bool
    can_ask: bool
    """Fewer questions wait than a child may have."""
    until: datetime | None = None
    """Until when guardians may answer; after a refusal, from when the same may be asked again."""
    continue_uri: str
    """Goes on where a guardian has approved meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCard:
    """One child for whom the person speaks."""

    name: str
    links_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionCard:
    """One question that waits for a guardian."""

    child: str
    network: str
    domain: str
    logo: str | None = None
    """As in ClientHeader."""
    account: AccountCard
    asked_at: datetime
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenPage(Page):
    """For whom do I speak? What they ask comes first."""

    template: ClassVar[str] = "guardians/children.html"

    person: str
    children: tuple[ChildCard, ...]
    questions: tuple[QuestionCard, ...]
    first_page_uri: str | None = None
    next_page_uri: str | None = None
    next_questions_uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildQuestionPage(Page):
    """May my child link this account? `form#child-question`, `decision` = approve | refuse."""

    template: ClassVar[str] = "guardians/child_question.html"

    action: str
    person: str
    child: str
    account: AccountCard
    purpose: str | None
    proofing: Proofing
    claims: tuple[str, ...]
    """Names of what the network would learn beside the level; never values."""
    is_childs_choice_too: bool
    """The child is 14 or 15 and has agreed already."""
    asked_at: datetime
    expires_at: datetime
    children_uri: str
    text_version: str = TEXT_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildAnsweredPage(Page):
    """Is it done? Yes, and what follows."""

    template: ClassVar[str] = "guardians/child_answered.html"

    child: str
    is_approved: bool
    until: datetime
    """Until when the approval may be used, or from when the same may be asked again."""
    children_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLinksPage(Page):
    """What is linked with my child? One card per link."""

    template: ClassVar[str] = "guardians/child_links.html"

    child: str
    links: tuple[LinkCard, ...]
    children_uri: str
    first_page_uri: str | None = None
    next_page_uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndChildLinkPage(Page):
    """Really end it for the child? `form#end-link`."""

    template: ClassVar[str] = "guardians/end_child_link.html"

    child: str
    link: LinkCard
    action: str
    links_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLinkEndedPage(Page):
    """Is it done? Yes, and since when."""

    template: ClassVar[str] = "guardians/child_link_ended.html"

    child: str
    link: LinkCard
    ended_at: datetime
    links_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnConsentPage(Page):
    """Is it yours from now on? `form#own-consent`, `decision` = keep; the way to its end stands beside it."""

    template: ClassVar[str] = "guardians/own_consent.html"

    link: LinkCard
    action: str
    due_at: datetime
    my_accounts_uri: str
