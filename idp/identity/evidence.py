"""Evidence: what was looked at when an identity was proofed, by kind alone.

OpenID Identity Assurance Schema Definition 1.0 §5.4.4; the identifiers are those that the eKYC and Identity
Assurance working group keeps (Identity Assurance §12). Domain rule R6: no number, no issuer, no picture, no
name of a file. There is no place for any of them here, so nothing of the kind can be kept or told.

Which evidence stands behind a level, unless the register says otherwise (D69; domain facts on proofing):

| level | how proofed | evidence, and what was done with it |
|---|---|---|
| `vn1` | remote: number, selfie | record `population_register`: `data`, `bvr` |
| `vn2` | in person: card, and face and fingerprints | document `idcard`: `vpip` |
| | against the identity database | record `population_register`: `bvp` |
| `vnf` | in person at immigration: passport, biometrics | document `passport`: `vpip`, `bvp` |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from idp.identity.assurance import Proofing

MAX_EVIDENCE = 8
MAX_CHECKS = 8

_YEARS = range(1900, 2200)


class EvidenceType(StrEnum):
    """What kind of thing was looked at; the value of `type`."""

    DOCUMENT = "document"
    ELECTRONIC_RECORD = "electronic_record"


class DocumentType(StrEnum):
    """What document it was; the value of `document_details.type`."""

    IDCARD = "idcard"
    PASSPORT = "passport"
    RESIDENCE_PERMIT = "residence_permit"


class RecordType(StrEnum):
    """What record it was; the value of `record.type`."""

    POPULATION_REGISTER = "population_register"
    BIRTH_REGISTER = "birth_register"


class CheckMethod(StrEnum):
    """What was done with it; the value of `check_method`."""

    VPIP = "vpip"
    """The document was inspected in person."""
    VPIRUV = "vpiruv"
    """The document was inspected in person, under invisible light too."""
    VRI = "vri"
    """The document was inspected in an image taken elsewhere."""
    VCRYPT = "vcrypt"
    """Its cryptographic features, such as those of a chip, were verified."""
    DATA = "data"
    """A record was found that matches what the person claimed."""
    PVP = "pvp"
    """An official compared the person, who was present, with a known image."""
    BVP = "bvp"
    """A machine compared the face or fingerprints of the person, who was present, with what is known."""
    BVR = "bvr"
    """A machine compared the face of the person, who was elsewhere, with what is known."""


Kind = DocumentType | RecordType

DETAILS_MEMBER: Mapping[EvidenceType, str] = {
    EvidenceType.DOCUMENT: "document_details",
    EvidenceType.ELECTRONIC_RECORD: "record",
}
"""Under which member of an evidence element its type stands."""

_DETAILS: Mapping[EvidenceType, type[Kind]] = {
    EvidenceType.DOCUMENT: DocumentType,
    EvidenceType.ELECTRONIC_RECORD: RecordType,
}


@dataclass(frozen=True, slots=True)
class Check:
    """One entry of `check_details`."""

    check_method: CheckMethod
    checked_at: datetime | None = None
    """None where the register does not say."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence."""

    kind: Kind
    checks: tuple[Check, ...] = ()

    @property
    def type(self) -> EvidenceType:
        """The type of evidence that the kind belongs to."""
        is_document = isinstance(self.kind, DocumentType)
        return EvidenceType.DOCUMENT if is_document else EvidenceType.ELECTRONIC_RECORD


class InvalidEvidenceError(ValueError):
    """Evidence as the register wrote it cannot be taken over. The message names the rule, never a value."""


_OF_PROOFING: Mapping[Proofing, Mapping[Kind, tuple[CheckMethod, ...]]] = {
    Proofing.VN1: {RecordType.POPULATION_REGISTER: (CheckMethod.DATA, CheckMethod.BVR)},
    Proofing.VN2: {
        DocumentType.IDCARD: (CheckMethod.VPIP,),
        RecordType.POPULATION_REGISTER: (CheckMethod.BVP,),
    },
    Proofing.VNF: {DocumentType.PASSPORT: (CheckMethod.VPIP, CheckMethod.BVP)},
}


def evidence_of_proofing(proofing: Proofing, proofed_at: datetime) -> tuple[Evidence, ...]:
    """Return the evidence that the law demands for a level, checked when the proofing took place."""
    return tuple(
        Evidence(kind, tuple(Check(method, proofed_at) for method in methods))
        for kind, methods in _OF_PROOFING[proofing].items()
    )


def evidence_members(evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
    """Return evidence as JSON members, in the form of the Schema Definition §5.4.4."""
    return [
        {
            "type": each.type.value,
            DETAILS_MEMBER[each.type]: {"type": each.kind.value},
            **({"check_details": [check_members(check) for check in each.checks]} if each.checks else {}),
        }
        for each in evidence
    ]


def check_members(check: Check) -> dict[str, str]:
    """Return one entry of `check_details`."""
    time = {} if check.checked_at is None else {"time": timestamp(check.checked_at)}
    return {"check_method": check.check_method.value, **time}


def timestamp(moment: datetime) -> str:
    """Return a moment in UTC, to the second: Identity Assurance §9 (a zone would tell where somebody was)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_evidence(members: object) -> tuple[Evidence, ...]:
    """Read what `evidence_members` writes, times to the second.

    Raises InvalidEvidenceError for anything else in it, such as the number of a document (R6).
    """
    if not isinstance(members, list) or not 0 < len(members) <= MAX_EVIDENCE:
        raise InvalidEvidenceError(f"must be an array of 1 to {MAX_EVIDENCE} objects")
    return tuple(_evidence(each) for each in members)


def _evidence(members: object) -> Evidence:
    fields = _fields(members, required=("type",), optional=("check_details", *DETAILS_MEMBER.values()))
    kind = _choice(EvidenceType, fields["type"], "type")
    details = DETAILS_MEMBER[kind]
    if any(other in fields for other in DETAILS_MEMBER.values() if other != details):
        raise InvalidEvidenceError(f"{kind} is described by {details} alone")
    described = _fields(fields.get(details), required=("type",))
    checks = fields.get("check_details", [])
    if not isinstance(checks, list) or len(checks) > MAX_CHECKS:
        raise InvalidEvidenceError(f"check_details must be an array of at most {MAX_CHECKS} objects")
    return Evidence(
        _choice(_DETAILS[kind], described["type"], f"{details}.type"),
        tuple(_check(check) for check in checks),
    )


def _check(members: object) -> Check:
    fields = _fields(members, required=("check_method",), optional=("time",))
    method = _choice(CheckMethod, fields["check_method"], "check_method")
    return Check(method, _moment(fields["time"]) if "time" in fields else None)


def _fields(members: object, *, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, object]:
    if not isinstance(members, dict):
        raise InvalidEvidenceError("must hold objects of the Identity Assurance schema")
    missing = [name for name in required if name not in members]
    if missing:
        raise InvalidEvidenceError(f"{missing[0]} is missing")
    unknown = members.keys() - {*required, *optional}
    if unknown:
        # R6: numbers, issuers and attachments have no place, and a strange name may itself be one of them.
        taken = ", ".join(sorted({*required, *optional}))
        raise InvalidEvidenceError(f"has a member that is not taken; those taken here are {taken}")
    return members


Choice = TypeVar("Choice", bound=StrEnum)


def _choice(choices: type[Choice], value: object, name: str) -> Choice:
    if not isinstance(value, str) or value not in {choice.value for choice in choices}:
        raise InvalidEvidenceError(f"{name} must be one of {', '.join(choices)}")
    return choices(value)


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year not in _YEARS:
        raise InvalidEvidenceError("time must be an ISO 8601 date and time with time zone")
    return moment.astimezone(UTC).replace(microsecond=0)
