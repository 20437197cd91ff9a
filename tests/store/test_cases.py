"""Cases: nobody opens, answers or closes one twice, on either engine, and what was written stays sealed."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.audit.events import Actor, ActorKind
from idp.identity.cases import Case, CaseKind, CaseStatus, answer, close
from idp.store.cases import new_case
from idp.store.writes import GateClosedError
from tests.support.stores import NOW, Memory

pytestmark = pytest.mark.anyio
HOLDER = Actor(ActorKind.CITIZEN, "citizen-1")
STAFF = Actor(ActorKind.OPERATOR, "minh")


def make_case(kind: CaseKind = CaseKind.NOT_ME, link_id: str = "link-1") -> Case:
    case = new_case(
        kind,
        HOLDER,
        NOW,
        client_id="network",
        link_id=link_id,
        account_id="acc-1",
        citizen_id="citizen-1",
        due_at=NOW + timedelta(days=3),
    )
    return replace(case, holder_citizen_id="citizen-2", content={"words": "không phải tôi"})


async def opened(memory: Memory, *cases: Case) -> None:
    for case in cases:
        uow = memory.unit_of_work()
        uow.cases.open(case)
        await uow.commit()


async def test_a_case_comes_back_as_it_was_opened_and_is_found_by_its_reference(memory: Memory) -> None:
    case, bare = make_case(), replace(make_case(CaseKind.MISUSE), content={}, due_at=None)
    await opened(memory, case, bare)
    cases = memory.unit_of_work().cases
    assert await cases.find(case.case_id) == case
    assert await cases.find_by_reference(bare.reference) == bare
    assert await cases.find("nothing") is None
    assert await cases.find_by_reference("22222222") is None
    assert await memory.contains("không phải tôi") == []


async def test_one_link_has_one_undecided_case_of_its_holder(memory: Memory) -> None:
    """Twenty who press at once open one; once it is closed, another can be opened."""
    many = [make_case() for _ in range(20)]
    outcomes = await asyncio.gather(*(opened(memory, case) for case in many), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(isinstance(outcome, GateClosedError) for outcome in outcomes if outcome is not None)
    (first,) = await memory.unit_of_work().cases.undecided("link-1")
    await opened(memory, make_case(CaseKind.MISUSE), make_case(CaseKind.DISPUTE), make_case(link_id="other"))
    uow = memory.unit_of_work()
    closed, _ = close(first, "reinstated", STAFF, NOW)
    uow.cases.move(first, closed)
    await uow.commit()
    await opened(memory, make_case())
    kinds = [case.kind for case in await uow.cases.undecided("link-1")]
    assert sorted(kinds) == ["dispute", "misuse", "not_me"]


async def test_a_reference_is_given_once(memory: Memory) -> None:
    case = make_case()
    await opened(memory, case)
    with pytest.raises(GateClosedError, match="case_opened"):
        await opened(memory, replace(make_case(link_id="other"), reference=case.reference))


async def test_a_case_is_answered_and_closed_once(memory: Memory) -> None:
    case = make_case(CaseKind.DISPUTE)
    await opened(memory, case)
    answered, _ = answer(case, {"answer": "của tôi"}, HOLDER, NOW + timedelta(1))
    closed, _ = close(answered, "kept", STAFF, NOW + timedelta(2))
    for before, after in ((case, answered), (answered, closed)):
        uow = memory.unit_of_work()
        uow.cases.move(before, after)
        await uow.commit()
        uow.cases.move(before, after)
        with pytest.raises(GateClosedError, match="case_moved"):
            await uow.commit()
    assert await memory.unit_of_work().cases.find(case.case_id) == closed


async def test_cases_are_listed_by_kind_state_client_and_person(memory: Memory) -> None:
    mine, theirs = make_case(), make_case(CaseKind.DISPUTE, "link-2")
    elsewhere = replace(make_case(link_id="link-3"), client_id="other", citizen_id="x", holder_citizen_id="y")
    await opened(memory, mine, theirs, elsewhere)
    cases = memory.unit_of_work().cases
    every = sorted((mine, theirs, elsewhere), key=lambda case: case.case_id)
    assert await cases.page() == every
    assert await cases.page(limit=2) == every[:2]
    assert await cases.page(after=every[1].case_id) == every[2:]
    assert await cases.page(kind=CaseKind.DISPUTE) == [theirs]
    assert await cases.page(client_id="other", status=CaseStatus.OPEN) == [elsewhere]
    assert await cases.page(status=CaseStatus.CLOSED) == []
    assert await cases.page(overdue_at=NOW + timedelta(days=2)) == []
    assert await cases.page(overdue_at=NOW + timedelta(days=3), kind=CaseKind.DISPUTE) == [theirs]
    found = {case.case_id for case in await cases.of_citizen("citizen-2")}
    assert found == {mine.case_id, theirs.case_id}
    assert await cases.overdue(CaseKind.DISPUTE, NOW + timedelta(days=2)) == []
    assert await cases.overdue(CaseKind.DISPUTE, NOW + timedelta(days=3)) == [theirs]
    answered, _ = answer(theirs, {"answer": "mine"}, STAFF, NOW)
    uow = memory.unit_of_work()
    uow.cases.move(theirs, answered)
    await uow.commit()
    assert await cases.overdue(CaseKind.DISPUTE, NOW + timedelta(days=3)) == [], "waits for our staff"
