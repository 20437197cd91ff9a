"""A request to the register: one datum, what is wrong with it, and until when it is answered. R9, R14."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from idp.audit.events import Actor, ActorKind
from idp.identity.cases import Case, CaseKind, CaseStatus, opened
from idp.identity.corrections import CorrectionOutcome, Datum, Fault, about, due_at, find_undecided

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
TET = frozenset(date(2027, 2, day) for day in range(4, 11))


def request(datum: Datum = Datum.ADDRESS) -> Case:
    return Case(
        case_id="case-1",
        reference="ABCD2345",
        kind=CaseKind.CORRECTION,
        status=CaseStatus.OPEN,
        client_id="",
        link_id=None,
        account_id=None,
        opened_by=Actor(ActorKind.CITIZEN, "citizen-1"),
        opened_at=NOW,
        citizen_id="citizen-1",
        content={"datum": datum.value, "fault": Fault.OUTDATED.value},
    )


@pytest.mark.parametrize(
    ("asked_at", "due"),
    [
        pytest.param("2026-11-16T03:00Z", "2026-11-26T23:59:59+07:00", id="a Monday"),
        pytest.param("2026-11-18T03:00Z", "2026-11-30T23:59:59+07:00", id="a Saturday goes to Monday"),
        pytest.param("2026-11-16T17:30Z", "2026-11-27T23:59:59+07:00", id="Tuesday in Viet Nam"),
        pytest.param("2027-01-25T03:00Z", "2027-02-11T23:59:59+07:00", id="over the holidays"),
    ],
)
def test_the_register_has_ten_days_and_the_last_is_one_on_which_people_work(asked_at: str, due: str) -> None:
    assert due_at(datetime.fromisoformat(asked_at), TET) == datetime.fromisoformat(due)


def test_asking_twice_is_asking_once_until_it_is_decided() -> None:
    address, name = request(), request(Datum.NAME)
    closed = replace(address, status=CaseStatus.CLOSED, outcome=CorrectionOutcome.CORRECTED)
    assert find_undecided([name, address], Datum.ADDRESS) is address
    assert find_undecided([name, closed], Datum.ADDRESS) is None
    assert list(about([name, closed, address], Datum.ADDRESS)) == [closed, address]


def test_a_case_of_another_kind_is_no_request_to_the_register() -> None:
    assert find_undecided([replace(request(), kind=CaseKind.DISPUTE)], Datum.ADDRESS) is None


def test_the_event_names_neither_the_datum_nor_a_network() -> None:
    event = opened(request())
    assert event.client_id is None
    assert event.details == {"reference": "ABCD2345", "because": "correction"}
