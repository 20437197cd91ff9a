"""Evidence behind a level: kinds and checks, and nothing that would identify a document. Domain rule R6."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.assurance import Proofing
from idp.identity.citizens import (
    Citizen,
    CitizenStatus,
    PersonalData,
    personal_data_members,
    read_personal_data,
)
from idp.identity.evidence import (
    MAX_EVIDENCE,
    Check,
    CheckMethod,
    DocumentType,
    Evidence,
    EvidenceType,
    InvalidEvidenceError,
    RecordType,
    evidence_members,
    evidence_of_proofing,
    read_evidence,
    timestamp,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KINDS = st.sampled_from([*DocumentType, *RecordType])
CHECKS = st.builds(
    Check,
    st.sampled_from(CheckMethod),
    st.none() | st.integers(0, 10**9).map(lambda seconds: NOW - timedelta(seconds=seconds)),
)
EVIDENCE = st.lists(
    st.builds(Evidence, KINDS, st.lists(CHECKS, max_size=3).map(tuple)), min_size=1, max_size=3
).map(tuple)


@given(EVIDENCE)
def test_evidence_comes_back_as_it_went(evidence: tuple[Evidence, ...]) -> None:
    assert read_evidence(evidence_members(evidence)) == evidence


@given(st.none() | EVIDENCE, st.none() | st.just("+84000000001"))
def test_a_person_comes_back_as_they_went(evidence: tuple[Evidence, ...] | None, phone: str | None) -> None:
    person = PersonalData("Lan", "1999", phone_number=phone, evidence=evidence)
    members = personal_data_members(person)
    assert read_personal_data(members) == person
    assert None not in members.values()


def test_a_person_of_an_earlier_version_is_read() -> None:
    stored = {"name": "Lan", "birthdate": "1999", "gender": None, "email": None}
    assert read_personal_data(stored) == PersonalData("Lan", "1999")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (None, "must be an array of 1 to 8 objects"),
        ({}, "must be an array of 1 to 8 objects"),
        ([], "must be an array of 1 to 8 objects"),
        ([{}] * (MAX_EVIDENCE + 1), "must be an array of 1 to 8 objects"),
        (["document"], "must hold objects of the Identity Assurance schema"),
        ([{}], "type is missing"),
        ([{"type": "vouch"}], "type must be one of document, electronic_record"),
        ([{"type": ["document"]}], "type must be one of document, electronic_record"),
        ([{"type": "document"}], "must hold objects of the Identity Assurance schema"),
        ([{"type": "document", "document_details": {}}], "type is missing"),
        (
            [{"type": "document", "document_details": {"type": "driving_permit"}}],
            "document_details.type must be one of idcard, passport, residence_permit",
        ),
        (
            [{"type": "electronic_record", "record": {"type": "idcard"}}],
            "record.type must be one of population_register, birth_register",
        ),
        (
            [{"type": "document", "record": {"type": "population_register"}}],
            "document is described by document_details alone",
        ),
    ],
)
def test_what_is_not_of_the_schema_is_refused(members: object, reason: str) -> None:
    with pytest.raises(InvalidEvidenceError, match=f"^{reason}$"):
        read_evidence(members)


def idcard(**members: Any) -> list[dict[str, Any]]:
    return [{"type": "document", "document_details": {"type": "idcard"}, **members}]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (idcard(check_details={}), "check_details must be an array of at most 8 objects"),
        (idcard(check_details=[{"check_method": "vpip"}] * 9), "check_details must be an array of at most"),
        (idcard(check_details=["vpip"]), "must hold objects of the Identity Assurance schema"),
        (idcard(check_details=[{}]), "check_method is missing"),
        (idcard(check_details=[{"check_method": "kbv"}]), "check_method must be one of vpip, "),
        (idcard(check_details=[{"check_method": "vpip", "time": 1}]), "time must be an ISO 8601"),
        (idcard(check_details=[{"check_method": "vpip", "time": "today"}]), "time must be an ISO 8601"),
        (
            idcard(check_details=[{"check_method": "vpip", "time": "2025-03-01T09:00:00"}]),
            "time must be an ISO 8601 date and time with time zone",
        ),
        (
            idcard(check_details=[{"check_method": "vpip", "time": "0001-01-01T00:00:00+14:00"}]),
            "time must be an ISO 8601 date and time with time zone",
        ),
    ],
)
def test_a_check_is_read_strictly(members: object, reason: str) -> None:
    with pytest.raises(InvalidEvidenceError, match=f"^{reason}"):
        read_evidence(members)


@pytest.mark.parametrize(
    "members",
    [
        idcard(attachments=[{"content_type": "image/jpeg", "content": "/9j/4AAQ"}]),
        idcard(document_details={"type": "idcard", "document_number": "B7654321"}),
        idcard(document_details={"type": "idcard", "serial_number": "B7654321"}),
        idcard(document_details={"type": "idcard", "issuer": {"name": "B7654321"}}),
        idcard(check_details=[{"check_method": "vpip", "organization": "B7654321"}]),
        idcard(check_details=[{"check_method": "vpip", "check_id": "B7654321"}]),
        idcard(B7654321=None),
    ],
)
def test_r6_numbers_pictures_and_issuers_have_no_place(members: object) -> None:
    with pytest.raises(InvalidEvidenceError, match="has a member that is not taken") as refused:
        read_evidence(members)
    assert "B7654321" not in str(refused.value)
    assert "/9j" not in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.sampled_from(["document", "vpip"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "record", "document_details", "check_details", "check_method", "time"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_document_is_read_or_refused(members: object) -> None:
    try:
        evidence = read_evidence(members)
    except InvalidEvidenceError:
        return
    assert read_evidence(evidence_members(evidence)) == evidence


@pytest.mark.parametrize("proofing", list(Proofing))
def test_every_level_rests_on_something(proofing: Proofing) -> None:
    citizen = Citizen("c", CitizenStatus.ACTIVE, proofing, NOW, PersonalData("Lan", "1999"))
    assert citizen.evidence() == evidence_of_proofing(proofing, NOW)
    assert all(check.checked_at == NOW for each in citizen.evidence() for check in each.checks)
    is_remote = CheckMethod.BVR in {
        check.check_method for each in citizen.evidence() for check in each.checks
    }
    assert is_remote is (proofing is Proofing.VN1)


def test_what_the_register_says_comes_first() -> None:
    said = (Evidence(DocumentType.RESIDENCE_PERMIT),)
    person = PersonalData("Lan", "1999", evidence=said)
    assert Citizen("c", CitizenStatus.ACTIVE, Proofing.VNF, NOW, person).evidence() == said


def test_the_kind_names_the_type() -> None:
    assert Evidence(DocumentType.PASSPORT).type is EvidenceType.DOCUMENT
    assert Evidence(RecordType.BIRTH_REGISTER).type is EvidenceType.ELECTRONIC_RECORD


def test_a_time_is_told_in_utc() -> None:
    assert timestamp(datetime.fromisoformat("2025-03-01T09:30:00.9+07:00")) == "2025-03-01T02:30:00Z"
