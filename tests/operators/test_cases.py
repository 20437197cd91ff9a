"""`idp cases`: whoever looks is written down, and what a holder disowned comes back by a decision alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from idp.audit.events import Actor, ActorKind
from idp.identity.account_links import Status
from idp.identity.cases import NOT_ME, Case, CaseKind
from idp.identity.citizens import CitizenStatus
from idp.store.cases import new_case
from idp.store.unit_of_work import UnitOfWork
from tests.operators.conftest import OPERATOR, Installation, register_line, write_register
from tests.support.protocol_builders import make_link

LAN = "000190000001"
NOW = datetime.now(UTC)


def case_about(link_id: str, citizen_id: str, kind: CaseKind = CaseKind.NOT_ME) -> Case:
    case = new_case(
        kind,
        Actor(ActorKind.CITIZEN, citizen_id),
        NOW,
        client_id="network",
        link_id=link_id,
        account_id="4711",
        citizen_id=citizen_id,
        due_at=NOW + timedelta(days=3),
    )
    return replace(case, content={"words": "không phải tôi"})


@pytest.fixture
def disowned(installation: Installation) -> Installation:
    """Give a person with a link that they disowned, and one in a dispute."""
    file = write_register(installation.folder / "people.jsonl", register_line(1))
    installation.answer("citizens", "import", file)
    lan = installation.citizen_id(LAN)
    links = (
        make_link(link_id="-one", citizen_id=lan, status=Status.SUSPENDED),
        make_link(link_id="two", citizen_id=lan, account_id="2", place=2),
    )
    installation.add_links(replace(links[0], suspended_because=NOT_ME), links[1])

    async def open_cases(uow: UnitOfWork) -> None:
        uow.cases.open(case_about("-one", lan))
        uow.cases.open(case_about("two", lan, CaseKind.DISPUTE))
        await uow.commit()

    installation.with_store(open_cases)
    return installation


def reference_of(installation: Installation, kind: str = "not_me") -> str:
    (case,) = installation.answer("cases", "list", "--kind", kind)["cases"]
    reference: str = case["reference"]
    return reference


def test_cases_are_listed_in_pages_and_name_nobody(disowned: Installation) -> None:
    first = disowned.answer("cases", "list", "--limit", 1)
    rest = disowned.answer("cases", "list", "--after", first["next"])
    kinds = [case["kind"] for case in (*first["cases"], *rest["cases"])]
    assert sorted(kinds) == ["dispute", "not_me"]
    lan = disowned.citizen_id(LAN)
    assert lan not in str(first)
    assert disowned.answer("cases", "list", "--status", "closed")["cases"] == []
    assert disowned.answer("cases", "list", "--client", "other")["cases"] == []


def test_a_look_at_a_case_is_written_down_before_anything_is_shown(disowned: Installation) -> None:
    reference = reference_of(disowned)
    shown = disowned.answer("cases", "show", reference.lower(), "--reason", "holder_calls")
    assert shown["citizen_id"] == disowned.citizen_id(LAN)
    assert shown["content"] == {"words": "không phải tôi"}
    events = disowned.events("case:looked_up")
    (event,) = [event for event in events if event["citizen_id"] == disowned.citizen_id(LAN)]
    assert event["details"]["because"] == "holder_calls"
    assert event["actor_id"] == OPERATOR
    assert "There is no case with this number" in disowned.refused("cases", "show", "2222-2222")


@pytest.mark.parametrize(
    ("outcome", "status"), [("reinstated", "active"), ("ended", "ended"), ("unchanged", "suspended")]
)
def test_a_decision_moves_the_link_once_and_the_person_is_told(
    disowned: Installation, outcome: str, status: str
) -> None:
    reference = reference_of(disowned)
    before = disowned.everything()
    disowned.answer("cases", "close", reference, outcome, "--dry-run")
    assert disowned.everything() == before
    disowned.answer("cases", "close", reference, outcome)
    assert disowned.links()["-one"][0] == status
    assert [notice["kind"] for notice in disowned.rows("notices")] == ["case_closed"]
    (event,) = disowned.events("case:closed")
    assert event["details"]["because"] == outcome
    assert "cannot become closed" in disowned.refused("cases", "close", reference, "ended")


def test_what_its_holder_disowned_is_reinstated_by_its_case_alone(disowned: Installation) -> None:
    assert "`idp cases close` decides" in disowned.refused("links", "reinstate", "-one")
    assert disowned.links()["-one"] == ("suspended", NOT_ME)


def test_no_other_case_brings_back_what_its_holder_disowned(disowned: Installation) -> None:
    """P1: a platform's report about the same link, answered with its reinstatement, is no way round."""

    async def report(uow: UnitOfWork) -> None:
        uow.cases.open(case_about("-one", disowned_id, CaseKind.MISUSE))
        await uow.commit()

    disowned_id = disowned.citizen_id(LAN)
    disowned.with_store(report)
    reference = reference_of(disowned, "misuse")
    assert "not because of this case" in disowned.refused("cases", "close", reference, "reinstated")
    assert disowned.links()["-one"] == ("suspended", NOT_ME)


def test_a_decision_meets_its_link_though_somebody_changes_it_meanwhile(
    disowned: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, commits = UnitOfWork.commit, 0

    async def overtaken(uow: UnitOfWork) -> None:
        nonlocal commits
        commits += 1
        if commits == 1:
            other = UnitOfWork(uow.database, disowned.custody().data)
            link = await other.account_links.find("-one")
            assert link is not None
            other.account_links.change(link, replace(link, handle="meanwhile"), None, datetime.now(UTC))
            await commit(other)
        await commit(uow)

    reference = reference_of(disowned)
    monkeypatch.setattr(UnitOfWork, "commit", overtaken)
    disowned.answer("cases", "close", reference, "ended")
    assert disowned.links()["-one"][0] == "ended"
    assert [notice["kind"] for notice in disowned.rows("notices")] == ["case_closed"]
    assert len(disowned.events("case:closed")) == 1


def test_a_case_brings_no_link_back_whose_holder_may_not_be_vouched_for(disowned: Installation) -> None:
    async def lock(uow: UnitOfWork) -> None:
        lan = disowned_id
        uow.citizens.set_status(lan, CitizenStatus.ACTIVE, CitizenStatus.LOCKED, NOW)
        await uow.commit()

    disowned_id = disowned.citizen_id(LAN)
    disowned.with_store(lock)
    assert "is not active" in disowned.refused("cases", "close", reference_of(disowned), "reinstated")


def test_a_dispute_is_decided_elsewhere(disowned: Installation) -> None:
    reference = reference_of(disowned, "dispute")
    assert "idp disputes decide" in disowned.refused("cases", "close", reference, "ended")


def test_an_operator_lifts_a_freeze_for_whoever_has_no_second_proof(disowned: Installation) -> None:
    assert "did not freeze" in disowned.refused("citizens", "lift-freeze", LAN)
    lan = disowned.citizen_id(LAN)

    async def freeze(uow: UnitOfWork) -> None:
        uow.citizens.freeze_links(lan, NOW)
        await uow.commit()

    disowned.with_store(freeze)
    assert disowned.answer("citizens", "show", LAN)["links_frozen_at"] is not None
    disowned.answer("citizens", "lift-freeze", LAN, "--dry-run")
    assert disowned.answer("citizens", "show", LAN)["links_frozen_at"] is not None
    disowned.answer("citizens", "lift-freeze", LAN, "--reason", "holder_came_in_person")
    assert disowned.answer("citizens", "show", LAN)["links_frozen_at"] is None
    (event,) = disowned.events("citizen:links_thawed")
    assert event["details"] == {"because": "holder_came_in_person"}
    assert [notice["kind"] for notice in disowned.rows("notices")] == ["freeze_off"]


@pytest.fixture
def asked(installation: Installation) -> Installation:
    """Give a person who asked the register to correct their address, too long ago."""
    file = write_register(installation.folder / "people.jsonl", register_line(1))
    installation.answer("citizens", "import", file)
    lan = installation.citizen_id(LAN)
    actor, long_ago = Actor(ActorKind.CITIZEN, lan), NOW - timedelta(days=30)
    case = new_case(
        CaseKind.CORRECTION, actor, long_ago, client_id="", citizen_id=lan, due_at=NOW - timedelta(days=18)
    )

    async def ask(uow: UnitOfWork) -> None:
        uow.cases.open(replace(case, content={"datum": "address", "fault": "outdated"}))
        await uow.commit()

    installation.with_store(ask)
    return installation


@pytest.mark.parametrize("outcome", ["corrected", "confirmed"])
def test_what_the_register_answered_is_written_down_and_the_person_is_told(
    asked: Installation, outcome: str
) -> None:
    (case,) = asked.answer("cases", "list", "--kind", "correction", "--overdue")["cases"]
    assert asked.answer("cases", "list", "--kind", "not_me", "--overdue")["cases"] == []
    shown = asked.answer("cases", "show", case["reference"])
    assert shown["content"] == {"datum": "address", "fault": "outdated"}
    assert "is corrected or confirmed" in asked.refused("cases", "close", case["reference"], "ended")
    asked.answer("cases", "close", case["reference"], outcome)
    assert [notice["kind"] for notice in asked.rows("notices")] == ["case_closed"]
    (event,) = asked.events("case:closed")
    assert (event["details"]["because"], event["client_id"]) == (outcome, None)
    assert asked.answer("cases", "list", "--overdue")["cases"] == []


def test_a_case_about_a_link_is_not_closed_as_the_registers_answer(disowned: Installation) -> None:
    reference = reference_of(disowned)
    assert "any other case is reinstated" in disowned.refused("cases", "close", reference, "corrected")
