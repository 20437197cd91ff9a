"""The view models of the phone as authenticator: the asking page, the app, the phones of a person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from idp.authenticators.phone_approvals import AskedFrom
from idp.pages.views import Page


class AskingState(StrEnum):
    """How far a page is that asks a phone."""

    BEGIN = "begin"
    """Nothing is asked, or what was asked is over."""
    OPEN = "open"
    CLAIMED = "claimed"
    APPROVED = "approved"
    REFUSED = "refused"
    WRONG_NUMBER = "wrong_number"
    NOT_USABLE = "not_usable"
    """The person's account cannot be used at present."""
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPhonePage(Page):
    """Scan this with your phone. `form#ask-phone` begins anew, `form#phone-finish` goes on."""

    template: ClassVar[str] = "phone/ask.html"

    state: AskingState
    mark: str
    """State and code: while it stays, the page need not be shown anew."""
    action: str
    finish_action: str
    state_uri: str
    other_ways_uri: str
    is_step_up: bool = False
    code: str = ""
    code_uri: str = ""
    """What the QR code says: the app's address, with the code behind `#`, where no server sees it."""
    here_uri: str | None = None
    """Where the phone itself is the asking browser."""
    number: str | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPage(Page):
    """What every page of the app shares: where its parts are."""

    app_uri: str = "/app"
    worker_uri: str = "/app/worker.js"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppDoorPage(AppPage):
    """Is this phone set up? Opened by its key; without one, how it is set up."""

    template: ClassVar[str] = "phone/door.html"

    enrol_uri: str
    phones_uri: str
    scan_action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppOfflinePage(AppPage):
    """There is no connection. Kept on the phone, and shown from there."""

    template: ClassVar[str] = "phone/offline.html"
    can_switch_language: ClassVar[bool] = False


class EnrolProblem(StrEnum):
    """Why a phone was not set up."""

    CODE = "code"
    PIN_TOO_SIMPLE = "too_simple"
    PIN_NOT_SIX_DIGITS = "not_six_digits"
    PINS_DIFFER = "differ"
    KEY = "key"
    TOO_MANY = "too_many"
    OVERLOADED = "overloaded"
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolPage(AppPage):
    """Set this phone up. `form#enrol`: `code`, `name`, `pin`, `pin_again`; the script makes the key."""

    template: ClassVar[str] = "phone/enrol.html"

    action: str
    code: str = ""
    name: str = ""
    problem: EnrolProblem | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledPage(AppPage):
    """It is set up. Where it began elsewhere: this number is to be typed there."""

    template: ClassVar[str] = "phone/enrolled.html"
    can_switch_language: ClassVar[bool] = False

    device_id: str
    number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneRequestCard:
    """One request in the app's list."""

    network: str | None
    domain: str | None
    binding_message: str | None = None
    asked_at: datetime
    uri: str
    is_form: bool
    """Opening it takes it for this phone, so it is a form; else a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneRequestsPage(AppPage):
    """What waits for me? `form#scan` with `code`, `form.open-request`."""

    template: ClassVar[str] = "phone/requests.html"

    requests: tuple[PhoneRequestCard, ...]
    mark: str
    state_uri: str
    scan_action: str
    my_uri: str
    is_wrong_code: bool = False
    retry_at: datetime | None = None


class AnswerProblem(StrEnum):
    """Why an answer did not count; the request is still open."""

    WRONG_PIN = "wrong_pin"
    THROTTLED = "throttled"
    OVERLOADED = "overloaded"
    SIGNATURE = "signature"
    NOT_USABLE = "not_usable"
    """The person's account cannot be used at present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneRequestPage(AppPage):
    """Is it me who asks? `form#answer`: `number`, `pin`, `decision` = allow | deny; the script signs."""

    template: ClassVar[str] = "phone/request.html"

    action: str
    device_id: str
    fields: str
    """What is signed before decision and number, as JSON."""
    asked_from: AskedFrom
    asked_at: datetime
    is_step_up: bool
    is_same_network: bool
    number: str = ""
    problem: AnswerProblem | None = None
    tries_left: int | None = None
    retry_at: datetime | None = None


class AnsweredState(StrEnum):
    """What became of a request on the phone."""

    APPROVED = "approved"
    REFUSED = "refused"
    WRONG_NUMBER = "wrong_number"
    OVER = "over"
    """Answered, taken or over before."""
    REVOKED = "revoked"
    """The phone was removed: the PIN was wrong too often, or on the page of phones."""
    NOT_USABLE = "not_usable"
    """Its person is locked, revoked or dead: the app opens nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneAnsweredPage(AppPage):
    """Is it done? Yes or no, and what to do if it was somebody else."""

    template: ClassVar[str] = "phone/answered.html"
    can_switch_language: ClassVar[bool] = False

    state: AnsweredState
    requests_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneHerePage(AppPage):
    """Sign in on this phone itself: `form#here` with `pin`; the script signs."""

    template: ClassVar[str] = "phone/here.html"

    action: str
    device_id: str
    fields: str
    challenge: str
    other_ways_uri: str
    problem: AnswerProblem | None = None
    tries_left: int | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCard:
    """One phone of a person."""

    device_id: str
    name: str
    added_at: datetime
    last_used_at: datetime | None
    is_waiting: bool
    """It is set up, and waits for its number on this page."""


class PhonesNotice(StrEnum):
    """What happened on the page of phones."""

    ADDED = "added"
    REMOVED = "removed"
    WRONG_NUMBER = "wrong_number"
    """The phone that waited was thrown out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonesPage(Page):
    """Which phones approve for me? `form#add-phone`, `form.confirm-phone`, `form.remove-phone`."""

    template: ClassVar[str] = "phone/phones.html"

    phones: tuple[PhoneCard, ...]
    can_add: bool
    add_action: str
    confirm_action: str
    remove_action: str
    notice: PhonesNotice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPhonePage(Page):
    """Set a phone up with this code, then come back and type the number that it shows."""

    template: ClassVar[str] = "phone/add.html"
    can_switch_language: ClassVar[bool] = False

    code: str
    code_uri: str
    phones_uri: str
    expires_at: datetime
