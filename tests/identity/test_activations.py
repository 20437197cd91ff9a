"""Who is given a code, on what ground, by how many people, and from when to when it can be used. R19, P9."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from idp.audit.events import Actor, ActorKind
from idp.identity.activation_grounds import (
    BY_OPERATORS,
    Ground,
    Identified,
    Purpose,
    Reach,
    SeenDocument,
    Unfit,
    UnfitActivationError,
    check_fit,
    check_recoverable,
    purpose_to_issue,
    read_seen_document,
)
from idp.identity.activations import (
    APPROVED_WITHIN,
    HOLDER,
    Activation,
    ActivationError,
    ActivationStatus,
    NotUsableError,
    Standing,
    activation_event,
    approve,
    check_reprint,
    check_usable,
    issued,
    opened_by_holder,
    proposal,
)
from idp.identity.assurance import Proofing
from idp.identity.citizens import Citizen, CitizenStatus, PersonalData
from idp.identity.evidence import DocumentType

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
WAITING = timedelta(hours=72)
NGA, HOA = Actor(ActorKind.OPERATOR, "nga"), Actor(ActorKind.OPERATOR, "hoa")
CARD = SeenDocument(DocumentType.IDCARD, "HS-7/2026")
PASSPORT = SeenDocument(DocumentType.PASSPORT, "HS-8/2026")
PERMIT = SeenDocument(DocumentType.RESIDENCE_PERMIT, "HS-9/2026")


def person(proofing: Proofing = Proofing.VN2, **known: str | None) -> Citizen:
    facts = {
        "name": "Phạm Đức Hoà",
        "birthdate": "1990-12-02",
        "address": "12 đường Hoa Sen",
        "email": "hoa@pham.example",
    }
    return Citizen("citizen-1", CitizenStatus.ACTIVE, proofing, NOW, PersonalData(**(facts | known)))


def found(
    ground: Ground = Ground.IN_PERSON, evidence: SeenDocument | None = CARD, **known: str
) -> Identified:
    return Identified(ground, known.get("birthdate", "1990-12-02"), evidence)


def proposed() -> Activation:
    return proposal("a", "citizen-1", found(), NGA, NOW)


def unfit(citizen: Citizen, seen: Identified, purpose: Purpose) -> Unfit | None:
    try:
        check_fit(citizen, seen, purpose)
    except UnfitActivationError as error:
        return error.unfit
    return None


@pytest.mark.parametrize(
    ("reach", "purpose"),
    [
        (Reach(has_password=False, has_more=False, was_activated=False), Purpose.ENROLMENT),
        (Reach(has_password=True, has_more=False, was_activated=False), Purpose.ADDITION),
        (Reach(has_password=True, has_more=False, was_activated=True), Purpose.ADDITION),
        (Reach(has_password=False, has_more=False, was_activated=True), None),
        (Reach(has_password=True, has_more=True, was_activated=True), None),
        (Reach(has_password=False, has_more=True, was_activated=False), None),
    ],
)
def test_one_operator_gives_what_takes_nothing_and_two_give_what_replaces(
    reach: Reach, purpose: Purpose | None
) -> None:
    if purpose is None:
        with pytest.raises(UnfitActivationError, match=Unfit.ALREADY_ACTIVATED):
            purpose_to_issue(reach)
    else:
        assert purpose_to_issue(reach) is purpose
    if purpose is Purpose.ENROLMENT:
        with pytest.raises(UnfitActivationError, match=Unfit.NEVER_ACTIVATED):
            check_recoverable(reach)
    else:
        check_recoverable(reach)


@pytest.mark.parametrize("ground", sorted(BY_OPERATORS))
@pytest.mark.parametrize("purpose", Purpose)
def test_whoever_shows_their_papers_is_given_a_code(ground: Ground, purpose: Purpose) -> None:
    assert unfit(person(), found(ground), purpose) is None


def test_two_whose_names_look_alike_are_told_apart_by_the_birth_date_on_the_papers() -> None:
    """Hoà and Hòa: whoever named the wrong number is stopped, for names are compared by nobody."""
    hoa_with_another_accent = person(name="Phạm Đức Hòa", birthdate="1991-12-02")
    assert unfit(hoa_with_another_accent, found(), Purpose.ENROLMENT) is (Unfit.OTHER_BIRTHDATE)
    assert unfit(person(birthdate="1990"), found(), Purpose.ENROLMENT) is (Unfit.OTHER_BIRTHDATE)


@pytest.mark.parametrize("status", [each for each in CitizenStatus if each is not CitizenStatus.ACTIVE])
def test_nobody_who_may_not_sign_in_gets_a_code(status: CitizenStatus) -> None:
    locked = replace(person(), status=status)
    assert unfit(locked, found(), Purpose.RECOVERY) is Unfit.NOT_ACTIVE


def test_foreigners_show_a_passport_or_permit_and_citizens_a_card_or_passport() -> None:
    for proofing, seen, said in (
        (Proofing.VNF, PASSPORT, None),
        (Proofing.VNF, PERMIT, None),
        (Proofing.VNF, CARD, Unfit.WRONG_DOCUMENT),
        (Proofing.VN1, CARD, None),
        (Proofing.VN2, PASSPORT, None),
        (Proofing.VN2, PERMIT, Unfit.WRONG_DOCUMENT),
    ):
        seen_by = found(evidence=seen)
        assert unfit(person(proofing), seen_by, Purpose.RECOVERY) is said


def test_only_the_first_letter_to_the_registered_address_needs_no_papers() -> None:
    bare = found(Ground.POST, None)
    assert unfit(person(), bare, Purpose.ENROLMENT) is None
    assert unfit(person(), bare, Purpose.RECOVERY) is Unfit.NO_DOCUMENT
    at_desk = found(Ground.ASSISTED_DESK, None)
    assert unfit(person(), at_desk, Purpose.ENROLMENT) is Unfit.NO_DOCUMENT
    homeless = person(address=None)
    assert unfit(homeless, bare, Purpose.ENROLMENT) is Unfit.NO_ADDRESS


def test_whom_no_message_reaches_gets_the_code_for_a_recovery_by_post() -> None:
    silent = person(email=None)
    assert unfit(silent, found(), Purpose.RECOVERY) is Unfit.UNREACHABLE
    assert unfit(silent, found(Ground.POST), Purpose.RECOVERY) is None
    assert unfit(silent, found(), Purpose.ENROLMENT) is None
    by_phone = person(email=None, phone_number="+84000123456")
    assert unfit(by_phone, found(), Purpose.RECOVERY) is None


def test_a_recovery_takes_two_persons_on_one_day_and_then_waits() -> None:
    with pytest.raises(ActivationError, match="a second person must"):
        approve(proposed(), NGA, WAITING, NOW)
    with pytest.raises(ActivationError, match="older than 24 hours"):
        approve(proposed(), HOA, WAITING, NOW + APPROVED_WITHIN)
    later = NOW + timedelta(hours=1)
    approved = approve(proposed(), HOA, WAITING, later)
    assert (approved.issued_by, approved.approved_by) == ("nga", "hoa")
    assert approved.usable_from == later + WAITING
    assert approved.standing(later) is Standing.WAITING
    with pytest.raises(ActivationError, match="waiting cannot be approved"):
        approve(approved, HOA, WAITING, later)


def test_a_code_is_used_between_two_moments() -> None:
    waits = opened_by_holder("a", "citizen-1", Ground.RECOVERY_CODE, WAITING, NOW)
    assert waits.issued_by == HOLDER
    for at, standing in (
        (NOW, Standing.WAITING),
        (waits.usable_from - TICK, Standing.WAITING),
        (waits.usable_from, Standing.USABLE),
        (waits.expires_at - TICK, Standing.USABLE),
        (waits.expires_at, Standing.EXPIRED),
    ):
        assert waits.standing(at) is standing
        assert waits.can_be_stopped(at) is (standing is not Standing.EXPIRED)
        if standing is Standing.USABLE:
            check_usable(waits, at)
            continue
        with pytest.raises(NotUsableError) as refused:
            check_usable(waits, at)
        assert refused.value.standing is standing
    for over in (ActivationStatus.USED, ActivationStatus.STOPPED):
        assert not replace(waits, status=over).can_be_stopped(waits.usable_from)


@pytest.mark.parametrize(
    ("ground", "days"), [(Ground.POST, 30), (Ground.IN_PERSON, 7), (Ground.ASSISTED_DESK, 2 / 24)]
)
def test_a_first_code_works_at_once_and_as_long_as_its_way_takes(ground: Ground, days: float) -> None:
    first = issued("a", "citizen-1", Purpose.ENROLMENT, found(ground), NGA, NOW)
    assert first.standing(NOW) is Standing.USABLE
    assert first.expires_at == NOW + timedelta(days=days)


def test_whoever_waits_for_a_recovery_at_the_desk_has_a_week_to_come_back() -> None:
    waits = approve(proposal("a", "citizen-1", found(Ground.ASSISTED_DESK), NGA, NOW), HOA, WAITING, NOW)
    assert waits.expires_at == waits.usable_from + timedelta(days=7)


def test_a_letter_is_printed_again_only_while_there_is_one() -> None:
    for operator in (NGA, HOA):
        check_reprint(approve(proposed(), HOA, WAITING, NOW), operator, NOW)
    check_reprint(issued("a", "citizen-1", Purpose.ENROLMENT, found(Ground.POST), NGA, NOW), HOA, NOW)
    with pytest.raises(ActivationError, match="proposed or approved"):
        check_reprint(approve(proposed(), HOA, WAITING, NOW), Actor(ActorKind.OPERATOR, "lan"), NOW)
    with pytest.raises(ActivationError, match="no letter"):
        check_reprint(proposed(), NGA, NOW)
    with pytest.raises(ActivationError, match="the holder opened"):
        check_reprint(opened_by_holder("a", "citizen-1", Ground.STRONG_SESSION, WAITING, NOW), NGA, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "idcard",
        "idcard:",
        "selfie:HS-7",
        "idcard:HS 7",
        "idcard:../../etc/passwd",
        "idcard:12345678",
        "passport:B12345678",
        "idcard:" + "a" * 61,
        "population_register:HS-7",
    ],
)
def test_r6_evidence_is_a_kind_and_a_file_reference_and_no_number_of_a_document(text: str) -> None:
    assert read_seen_document(text) is None


def test_evidence_is_read_back_as_it_is_written() -> None:
    assert str(CARD) == "idcard:HS-7/2026"
    for seen in (CARD, PASSPORT, PERMIT):
        assert read_seen_document(str(seen)) == seen


def test_an_event_names_ids_and_short_codes() -> None:
    event = activation_event(proposed(), "proposed", NGA, NOW, method="pwd")
    assert event.type == "activation:proposed"
    assert event.details == {"reference": "a", "because": "in_person", "method": "pwd"}
    assert not re.search("Hoà|HS-7", str(event))
