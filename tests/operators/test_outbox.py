"""`idp outbox`: how late what is to be told is, what was given up, and what an operator does about it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from idp.store.outbox import Delivery, Failure
from idp.store.sessions import SESSION_ENDED
from idp.store.unit_of_work import UnitOfWork
from tests.operators.conftest import Installation, register_line, write_register
from tests.support.stores import make_session

NOW = datetime.now(UTC)
SECRET = "the-subject-of-a-person"
FIRST = Delivery(
    delivery_id="-due",
    kind="backchannel_logout",
    client_id="network",
    ordering_key="-due",
    content={"subject": SECRET},
    created_at=NOW - timedelta(minutes=10),
    next_attempt_at=NOW - timedelta(minutes=1),
)
WHY = ("--reason", "receiver_is_back")


@pytest.fixture
def filled(installation: Installation) -> Installation:
    """Give one delivery that is due, one that is retried, one parked, one waiting and one made."""

    async def fill(uow: UnitOfWork) -> None:
        for name in ("parked", "retried", "told"):
            of_all = {"delivery_id": name, "ordering_key": name, "created_at": NOW}
            due_at = NOW if name == "told" else NOW - timedelta(minutes=2)
            uow.outbox.add(replace(FIRST, **of_all, next_attempt_at=due_at))
        uow.outbox.add(FIRST)
        later = NOW + timedelta(hours=1)
        uow.outbox.add(
            replace(FIRST, delivery_id="waiting", client_id="another", next_attempt_at=later, created_at=NOW)
        )
        await uow.commit()
        taken = await uow.outbox.claim("backchannel_logout", "network", NOW, later, limit=2)
        parked, retried = sorted(taken, key=lambda each: each.delivery_id)
        failures = [
            Failure(parked, "the answer was 410", None),
            Failure(retried, "no answer within 2.5 s", later),
        ]
        uow.outbox.failed(failures, NOW)
        uow.outbox.delivered([replace(FIRST, delivery_id="told")], NOW)
        await uow.commit()

    installation.with_store(fill)
    return installation


def states(listed: Any) -> dict[str, str]:
    return {row["delivery_id"]: row["state"] for row in listed["deliveries"]}


def test_the_queue_is_told_with_its_lag(filled: Installation) -> None:
    listed = filled.answer("outbox", "list")
    assert states(listed) == {
        "-due": "due",
        "parked": "parked",
        "retried": "retried",
        "told": "delivered",
        "waiting": "waiting",
    }
    queue = listed["queue"]
    assert queue.pop("lag_seconds") >= 600
    assert queue == {"waiting": 3, "retried": 1, "parked": 1, "delivered": 1, "per_second": 0.0}
    said = filled.run("outbox", "list").stdout
    assert "the answer was 410" in said
    assert SECRET not in said


def test_an_empty_queue_has_no_lag(installation: Installation) -> None:
    listed = installation.answer("outbox", "list")
    assert (listed["queue"]["lag_seconds"], listed["deliveries"]) == (0.0, [])


def test_deliveries_are_listed_in_pages_and_by_filter(filled: Installation) -> None:
    page = filled.answer("outbox", "list", "--limit", 2)
    assert (list(states(page)), page["next"]) == (["-due", "parked"], "parked")
    rest = filled.answer("outbox", "list", "--limit", 3, "--after", page["next"])
    assert list(states(rest)) == ["retried", "told", "waiting"]
    assert list(states(filled.answer("outbox", "list", "--client", "another"))) == ["waiting"]
    assert list(states(filled.answer("outbox", "list", "--state", "parked"))) == ["parked"]
    assert list(states(filled.answer("outbox", "list", "--state", "retried"))) == ["retried"]


def test_one_delivery_is_shown_without_its_content(filled: Installation) -> None:
    shown = filled.answer("outbox", "show", "parked")
    assert (shown["state"], shown["last_failure"], shown["attempts"]) == ("parked", "the answer was 410", 1)
    assert "content" not in shown
    said = filled.run("outbox", "show", "-due").stdout
    assert "backchannel_logout" in said
    assert SECRET not in said
    assert "no delivery" in filled.refused("outbox", "show", "unknown")


@pytest.mark.parametrize("name", ["parked", "retried", "-due"])
def test_a_delivery_is_sent_again_from_the_start_and_that_is_written_down(
    filled: Installation, name: str
) -> None:
    assert filled.answer("outbox", "replay", name, *WHY)["result"] == "replayed"
    shown = filled.answer("outbox", "show", name)
    assert (shown["state"], shown["attempts"], shown["parked_at"]) == ("due", 0, None)
    (event,) = filled.events("delivery:replayed")
    assert event["client_id"] == "network"
    assert event["details"] == {"because": "receiver_is_back", "reference": name}


def test_figures_tell_of_each_kind_and_receiver(filled: Installation) -> None:
    shown = filled.answer("outbox", "figures")
    lanes = {(lane["kind"], lane["client_id"]): lane for lane in shown["lanes"]}
    assert lanes.keys() == {("backchannel_logout", "network"), ("backchannel_logout", "another")}
    assert (lanes["backchannel_logout", "another"]["waiting"], shown["queue"]["waiting"]) == (1, 3)
    assert shown["changes"] == {"link_changes_waiting": 0, "link_changes_lag_seconds": 0.0}
    of_one = filled.answer("outbox", "figures", "--client", "network", "--kind", "backchannel_logout")
    assert (of_one["queue"]["waiting"], of_one["queue"]["parked"], len(of_one["lanes"])) == (2, 1, 1)
    assert filled.answer("outbox", "figures", "--kind", "another")["lanes"] == []
    assert "backchannel_logout  network" in filled.run("outbox", "figures").stdout


def test_what_was_given_up_is_sent_again_by_kind_and_receiver(filled: Installation) -> None:
    assert "--kind" in filled.refused("outbox", "replay-parked", *WHY)
    before = filled.everything()
    lane = ("--kind", "backchannel_logout", "--client", "network")
    assert filled.answer("outbox", "replay-parked", *lane, "--dry-run")["replayed"] == 1
    assert filled.everything() == before
    assert filled.answer("outbox", "replay-parked", "--client", "another", *WHY)["replayed"] == 0
    assert filled.answer("outbox", "replay-parked", *lane, *WHY)["replayed"] == 1
    assert states(filled.answer("outbox", "list"))["parked"] == "due"
    (event,) = filled.events("deliveries:replayed")
    assert event["details"] == {"because": "receiver_is_back", "reference": "1 of backchannel_logout"}


def test_a_delivery_is_dropped_and_that_is_written_down(filled: Installation) -> None:
    assert filled.answer("outbox", "drop", "parked")["result"] == "dropped"
    assert "parked" not in states(filled.answer("outbox", "list"))
    (event,) = filled.events("delivery:dropped")
    assert event["details"] == {"because": "operator_decision", "reference": "parked"}


@pytest.mark.parametrize("verb", ["replay", "drop"])
def test_a_dry_run_stores_nothing_and_what_was_made_stays_made(filled: Installation, verb: str) -> None:
    before = filled.everything()
    answer = filled.answer("outbox", verb, "parked", "--dry-run")
    assert answer["dry_run"] is True
    assert "was made" in filled.refused("outbox", verb, "told")
    assert "no delivery" in filled.refused("outbox", verb, "unknown")
    assert filled.everything() == before


def test_whom_an_operator_suspends_is_signed_out_everywhere_and_that_is_to_be_told(
    installation: Installation,
) -> None:
    file = write_register(installation.folder / "people.jsonl", register_line(1))
    installation.answer("citizens", "import", file)
    lan = installation.citizen_id("000190000001")

    async def sign_in(uow: UnitOfWork) -> None:
        uow.sessions.add(make_session(citizen_id=lan), "cookie", NOW + timedelta(hours=1))
        await uow.commit()

    async def find_all(uow: UnitOfWork) -> list[Delivery]:
        return await uow.outbox_overview.page()

    installation.with_store(sign_in)
    installation.answer("citizens", "suspend", lan)
    to_tell = installation.with_store(find_all)
    assert {delivery.kind for delivery in to_tell} == {SESSION_ENDED}
    assert {delivery.content["citizen_id"] for delivery in to_tell} == {lan}
