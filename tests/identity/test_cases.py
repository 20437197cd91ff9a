import secrets
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.audit.events import Actor, ActorKind
from idp.identity.cases import (
    MOVES,
    REFERENCE_LETTERS,
    Case,
    CaseKind,
    CaseStatus,
    IllegalCaseMoveError,
    answer,
    close,
    make_reference,
    opened,
    read_reference,
    shown_reference,
)

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
HOLDER = Actor(ActorKind.CITIZEN, "citizen-1")
STAFF = Actor(ActorKind.OPERATOR, "minh")


def make_case(status: CaseStatus = CaseStatus.OPEN) -> Case:
    return Case(
        case_id="case-1",
        reference="ABCD2345",
        kind=CaseKind.NOT_ME,
        status=status,
        client_id="network",
        link_id="link-1",
        account_id="acc-1",
        opened_by=HOLDER,
        opened_at=NOW,
        due_at=NOW + timedelta(days=3),
        citizen_id="citizen-1",
        content={"words": "tôi không liên kết"},
    )


def test_a_case_is_opened_answered_and_closed_each_with_its_event() -> None:
    case = make_case()
    answered, told = answer(case, {"answer": "mine"}, HOLDER, NOW + timedelta(hours=1))
    closed, decided = close(answered, "reinstated", STAFF, NOW + timedelta(hours=2))
    assert [opened(case).type, told.type, decided.type] == ["case:opened", "case:answered", "case:closed"]
    assert answered.content == {"words": "tôi không liên kết", "answer": "mine"}
    assert (closed.status, closed.outcome, closed.closed_at) == (
        CaseStatus.CLOSED,
        "reinstated",
        NOW + timedelta(hours=2),
    )
    assert decided.details == {"reference": "ABCD2345", "because": "reinstated"}


def test_no_event_holds_what_was_written_into_a_case() -> None:
    case = make_case()
    _, told = answer(case, {"answer": "bí mật"}, HOLDER, NOW)
    for event in (opened(case), told):
        assert not any("không" in value or "bí mật" in value for value in event.details.values())


@pytest.mark.parametrize("status", list(CaseStatus))
def test_no_case_moves_but_as_the_table_says(status: CaseStatus) -> None:
    case = make_case(status)
    for to, move in (
        (CaseStatus.ANSWERED, lambda: answer(case, {}, HOLDER, NOW)),
        (CaseStatus.CLOSED, lambda: close(case, "x", STAFF, NOW)),
    ):
        if to in MOVES[status]:
            assert move()[0].status is to
        else:
            with pytest.raises(IllegalCaseMoveError):
                move()


def test_a_case_is_overdue_until_somebody_answered() -> None:
    case = make_case()
    assert not case.is_overdue(NOW)
    assert case.is_overdue(NOW + timedelta(days=3))
    answered, _ = answer(case, {}, HOLDER, NOW)
    assert not answered.is_overdue(NOW + timedelta(days=30))


def test_a_reference_is_read_as_people_write_it() -> None:
    reference = make_reference(secrets.choice)
    assert len(reference) == 8
    assert set(reference) <= set(REFERENCE_LETTERS)
    shown = shown_reference(reference)
    for written in (reference, shown, shown.lower(), f" {shown} ", " ".join(reference)):
        assert read_reference(written) == reference


@given(st.text(max_size=20))
def test_what_is_no_reference_is_none(text: str) -> None:
    read = read_reference(text)
    assert read is None or (len(read) == 8 and set(read) <= set(REFERENCE_LETTERS))
