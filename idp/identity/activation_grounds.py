"""To whom operators give an activation code, for what, and on what they saw. Rules R6, R19; abuse case P9.

Whom a code is for is found by number and proved by the birth date on the papers, never by a name: names look
alike (`Hoà` and `Hòa` are two people) and are compared by nobody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from idp.identity.assurance import Proofing
from idp.identity.citizens import Citizen
from idp.identity.evidence import DocumentType


class Purpose(StrEnum):
    """What a code is for."""

    ENROLMENT = "enrolment"
    """The first: the person never signed in."""
    ADDITION = "addition"
    """Beside the password, which is all that the person has (NIST SP 800-63B §4.1.2.1)."""
    RECOVERY = "recovery"


class Ground(StrEnum):
    """On what a code is given, and how it comes to the person."""

    POST = "post"
    """A letter to the address in the register."""
    IN_PERSON = "in_person"
    """Papers were seen, and the letter was handed over."""
    ASSISTED_DESK = "assisted_desk"
    """As IN_PERSON, for somebody without a phone: used at the office, where somebody helps."""
    RECOVERY_CODE = "recovery_code"
    """The person held one of their recovery codes."""
    STRONG_SESSION = "strong_session"
    """The person was signed in, strongly and just now: with a second passkey, or another phone."""


BY_OPERATORS = frozenset({Ground.POST, Ground.IN_PERSON, Ground.ASSISTED_DESK})
"""Grounds on which operators give a code."""


class Unfit(StrEnum):
    """Why no code is given."""

    NOT_ACTIVE = "not_active"
    ALREADY_ACTIVATED = "already_activated"
    """What can sign in is recovered, never enrolled a second time: else one operator could take it over."""
    NEVER_ACTIVATED = "never_activated"
    OTHER_BIRTHDATE = "other_birthdate"
    """The birth date on the papers is not the register's: probably somebody else whose name looks alike."""
    WRONG_DOCUMENT = "wrong_document"
    NO_DOCUMENT = "no_document"
    NO_ADDRESS = "no_address"
    UNREACHABLE = "unreachable"
    """No way to tell the person: the code goes to the address in the register, and nowhere else."""


class UnfitActivationError(ValueError):
    """No code is given; `unfit` says why, to the operator."""

    def __init__(self, unfit: Unfit) -> None:
        super().__init__(unfit.value)
        self.unfit = unfit


@dataclass(frozen=True, slots=True)
class SeenDocument:
    """What an operator had in their hands: its kind, and where the office filed that it was seen. Rule R6.

    There is no place for the number of a document or for a picture of it.
    """

    document: DocumentType
    reference: str

    def __str__(self) -> str:
        return f"{self.document.value}:{self.reference}"


_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]{1,59}")
_MANY_DIGITS = re.compile(r"[0-9]{8}")


def read_seen_document(text: str) -> SeenDocument | None:
    """Read `idcard:HS-7/2026`; None for anything else, above all for what might be a document's number."""
    kind, _, reference = text.partition(":")
    known = {each.value for each in DocumentType}
    if kind not in known or not _REFERENCE.fullmatch(reference) or _MANY_DIGITS.search(reference):
        return None
    return SeenDocument(DocumentType(kind), reference)


@dataclass(frozen=True, slots=True)
class Identified:
    """How an operator found out whom a code is for: never by a name, for names look alike."""

    ground: Ground
    birthdate: str
    """As it stands on the papers, or in the application."""
    evidence: SeenDocument | None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a person comes by themselves."""

    has_password: bool
    has_more: bool
    """A passkey, a phone, an authenticator app, or an account at another provider by which they come."""
    was_activated: bool
    """Whether they ever set something up with a code."""


def purpose_to_issue(reach: Reach) -> Purpose:
    """Return what a code is for that one operator gives. Raises UnfitActivationError.

    Where it would replace what a person has or had it is a recovery, and takes two operators.
    """
    if reach.has_more or (reach.was_activated and not reach.has_password):
        raise UnfitActivationError(Unfit.ALREADY_ACTIVATED)
    return Purpose.ADDITION if reach.has_password else Purpose.ENROLMENT


def check_recoverable(reach: Reach) -> None:
    """Check that there is something to recover. Raises UnfitActivationError."""
    if not (reach.has_password or reach.has_more or reach.was_activated):
        raise UnfitActivationError(Unfit.NEVER_ACTIVATED)


def check_fit(citizen: Citizen, found: Identified, purpose: Purpose) -> None:
    """Check that an operator may give this person a code for a purpose. Raises UnfitActivationError."""
    unfit: Unfit | None = None
    if not citizen.is_active():
        unfit = Unfit.NOT_ACTIVE
    elif found.birthdate != citizen.personal_data.birthdate:
        unfit = Unfit.OTHER_BIRTHDATE
    else:
        unfit = _unfit_papers(citizen, found, purpose)
    if unfit is not None:
        raise UnfitActivationError(unfit)


_FITTING: Mapping[Proofing, frozenset[DocumentType]] = {
    Proofing.VN1: frozenset({DocumentType.IDCARD, DocumentType.PASSPORT}),
    Proofing.VN2: frozenset({DocumentType.IDCARD, DocumentType.PASSPORT}),
    Proofing.VNF: frozenset({DocumentType.PASSPORT, DocumentType.RESIDENCE_PERMIT}),
}
"""What people can show: foreigners have no identity card, and citizens no residence permit."""


def _unfit_papers(citizen: Citizen, found: Identified, purpose: Purpose) -> Unfit | None:
    data = citizen.personal_data
    if found.ground is Ground.POST and data.address is None:
        return Unfit.NO_ADDRESS
    if found.evidence is None:
        # A letter may go to the address of the register without a visit: alone it takes nothing from anybody.
        is_letter = purpose is not Purpose.RECOVERY and found.ground is Ground.POST
        return None if is_letter else Unfit.NO_DOCUMENT
    if found.evidence.document not in _FITTING[citizen.proofing]:
        return Unfit.WRONG_DOCUMENT
    is_reachable = data.email is not None or data.phone_number is not None
    if purpose is Purpose.RECOVERY and not is_reachable and found.ground is not Ground.POST:
        return Unfit.UNREACHABLE
    return None
