"""`idp figures` on both engines."""

from datetime import UTC, datetime, timedelta

import pytest

from idp.audit.events import Actor, ActorKind, Event
from idp.housekeeping.delivery_figures import count_deliveries
from idp.operators import figures
from idp.store.outbox import Delivery
from idp.store.unit_of_work import UnitOfWork
from tests.operators.conftest import Installation

SEPTEMBER = datetime(2026, 9, 10, 3, 0, tzinfo=UTC)
MINH = Actor(ActorKind.OPERATOR, "minh")


def happened(kind: str, at: datetime, **details: str) -> Event:
    return Event(kind, MINH, at, client_id="quan-coc", citizen_id="citizen-1", details=details)


async def fill(uow: UnitOfWork) -> None:
    links = [happened("account_link:activated", SEPTEMBER + timedelta(minutes=each)) for each in range(25)]
    events = [
        happened("account_link:activated", SEPTEMBER - timedelta(days=20)),
        *links,
        *[happened("account_link:ended", SEPTEMBER, because="ended_by_holder") for _ in range(9)],
        *[happened("citizen:looked_up", SEPTEMBER) for _ in range(10)],
        *[happened("consent:refused", SEPTEMBER, consent_id=f"c-{each}") for each in range(12)],
        *[happened("authorization:refused", SEPTEMBER, because="level_too_low") for _ in range(3)],
        *[happened("authorization:refused", SEPTEMBER, because="account_taken") for _ in range(14)],
        happened("account_link:activated", SEPTEMBER + timedelta(days=25)),
    ]
    uow.ledger.append_many(events)
    await uow.commit()


@pytest.fixture
def log(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """A log of three months, of which one is counted, in small pieces."""
    monkeypatch.setattr(figures, "PIECE", 7)
    installation.with_store(fill)
    installation.seal()
    return installation


def test_a_month_is_counted_and_small_counts_are_not_told(log: Installation) -> None:
    document = log.answer("figures", "--month", "2026-09")
    assert document["month"] == {"from": "2026-08-31T17:00:00Z", "until": "2026-09-30T17:00:00Z"}
    assert document["links"]["established"] == 25
    assert document["links"]["ended"] == "<10"
    assert document["links"]["suspended"] == 0
    assert document["look_ups"] == {"people": 10, "links": 0}
    assert document["refusals"]["denied_by_person"] == 12
    assert document["refusals"]["account_taken"] == 14
    assert log.answer("figures", "--month", "2026-09") == document, "the same again"
    assert log.answer("figures", "--month", "2026-07")["links"]["established"] == 0
    said = log.run("figures", "--month", "2026-09").stdout
    assert "established  25" in said


def test_no_sum_stands_beside_its_parts(log: Installation) -> None:
    document = log.answer("figures", "--month", "2026-09")
    names = {name for part in document.values() for name in part}
    assert not [name for name in names if "total" in name or "sum" in name or "all" in name.split("_")]


def test_a_month_that_is_not_over_or_not_sealed_is_refused(log: Installation) -> None:
    present = f"{datetime.now(UTC) + timedelta(hours=7):%Y-%m}"
    assert "not over" in log.refused("figures", "--month", present)

    async def append(uow: UnitOfWork) -> None:
        uow.ledger.append(happened("account_link:ended", SEPTEMBER))
        await uow.commit()

    log.with_store(append)
    assert "wait to be sealed" in log.refused("figures", "--month", "2026-09")
    assert log.run("figures", "--month", "2026").exit_code == 2


def test_deliveries_are_counted_before_they_are_forgotten(log: Installation) -> None:
    hour = SEPTEMBER.replace(minute=0)

    async def deliver(uow: UnitOfWork) -> None:
        for number in range(110):
            made = hour + timedelta(minutes=number % 50)
            delivery = Delivery(f"d-{number}", "security_event", "quan-coc", f"k-{number}", {}, made, made)
            uow.outbox.add(delivery)
            await uow.commit()
            took = timedelta(seconds=0.5 if number < 108 else 45)
            uow.outbox.delivered([delivery], made + took)
            await uow.commit()
        await count_deliveries(uow, hour + timedelta(minutes=62))
        assert await uow.figures.delivery_times(hour, hour + timedelta(days=1)) == {}, (
            "the hour may not be over"
        )
        for _ in range(2):
            await count_deliveries(uow, hour + timedelta(minutes=66))

    log.with_store(deliver)
    told = log.answer("figures", "--month", "2026-09")["deliveries"]
    assert told == {"security_event": {"count": 110, "median_seconds": 1, "p99_seconds": 60}}
