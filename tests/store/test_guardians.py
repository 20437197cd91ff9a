"""Who speaks for whom, and what is asked of them: every statement and every gate, on both engines."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from idp.identity.account_links import AccountLinkRequest
from idp.identity.citizens import CitizenStatus
from idp.identity.guardian_requests import (
    ANSWER_WITHIN,
    APPROVAL_VALIDITY,
    GuardianRequest,
    RequestStatus,
    Verdict,
)
from idp.identity.guardians import Guardianship, Source, turns_16_at
from idp.store.guardian_requests import DECIDED_GATE, PENDING_INDEX, USED_GATE
from idp.store.guardianships import ENDED_GATE, RELATION_INDEX
from idp.store.writes import GateClosedError, UniquenessError
from tests.support.stores import NOW, Memory, make_person

pytestmark = pytest.mark.anyio

ACCOUNT = AccountLinkRequest("an-0601", "an.be", "https://network.example/an", "post")
LATER = NOW + timedelta(days=1)


def make_relation(name: str = "relation", **changes: Any) -> Guardianship:
    relation = Guardianship(
        guardianship_id=name,
        guardian_citizen_id="mother",
        child_citizen_id="child",
        source=Source.OPERATOR,
        child_turns_16_at=turns_16_at("2013-05-01"),
        valid_from=NOW,
        evidence="HS-7/2026",
    )
    return replace(relation, **changes)


def make_question(request_id: str = "question", **changes: Any) -> GuardianRequest:
    question = GuardianRequest(
        request_id=request_id,
        child_citizen_id="child",
        client_id="network",
        account=ACCOUNT,
        claims=frozenset({"assurance_level"}),
        created_at=NOW,
        expires_at=NOW + ANSWER_WITHIN,
        consent_id="consent-1",
    )
    return replace(question, **changes)


async def family(memory: Memory, *relations: Guardianship) -> None:
    await memory.add_people(*map(make_person, ("mother", "father", "child", "other-child")))
    uow = memory.unit_of_work()
    for relation in relations or (make_relation(),):
        uow.guardianships.add(relation)
    await uow.commit()


async def asked(memory: Memory, *questions: GuardianRequest) -> None:
    uow = memory.unit_of_work()
    for question in questions:
        uow.guardian_requests.add(question)
    await uow.commit()


async def decided(memory: Memory, verdict: Verdict = Verdict.APPROVE) -> None:
    uow = memory.unit_of_work()
    uow.guardian_requests.decide("question", "relation", verdict, NOW)
    await uow.commit()


async def test_a_relation_comes_back_as_it_was_entered(memory: Memory) -> None:
    bare = make_relation("bare", child_citizen_id="other-child", source=Source.REGISTER, evidence=None)
    await family(memory, make_relation(), bare)
    found = memory.unit_of_work().guardianships
    assert await found.find("relation") == make_relation()
    assert await found.find("bare") == bare
    assert await found.find("none") is None
    assert await found.find_between("mother", "child", NOW) == make_relation()
    assert await found.find_between("child", "mother", NOW) is None


async def test_two_people_stand_in_one_relation_at_a_time(memory: Memory) -> None:
    await family(memory)
    uow = memory.unit_of_work()
    uow.guardianships.add(make_relation("again"))
    with pytest.raises(UniquenessError) as refused:
        await uow.commit()
    assert refused.value.index == RELATION_INDEX
    uow.guardianships.import_many([make_relation("imported", source=Source.REGISTER)])
    await uow.commit()
    assert await uow.guardianships.of_citizen("child", 9) == [make_relation()]
    uow.guardianships.end("relation", LATER)
    await uow.commit()
    uow.guardianships.add(make_relation("again", valid_from=LATER))
    await uow.commit()
    both = await uow.guardianships.of_citizen("mother", 9)
    assert [relation.guardianship_id for relation in both] == ["relation", "again"]
    assert both[0].ended_at == LATER


async def test_a_relation_ends_once(memory: Memory) -> None:
    await family(memory)
    uow = memory.unit_of_work()
    uow.guardianships.end("relation", NOW)
    await uow.commit()
    uow.guardianships.end("relation", LATER)
    with pytest.raises(GateClosedError, match=ENDED_GATE):
        await uow.commit()


async def test_only_relations_in_force_count(memory: Memory) -> None:
    """Ended ones do not, nor those whose child is 16, nor guardians who may not act."""
    ended = make_relation("ended", guardian_citizen_id="father")
    grown = make_relation("grown", child_citizen_id="other-child", child_turns_16_at=NOW)
    await family(memory, make_relation(), ended, grown)
    uow = memory.unit_of_work()
    uow.guardianships.end("ended", NOW)
    await uow.commit()
    (only,) = await uow.guardianships.children_of("mother", NOW, limit=9)
    assert (only[0].guardianship_id, only[1].citizen_id) == ("relation", "child")
    assert await uow.guardianships.has_children("mother", NOW)
    assert not await uow.guardianships.has_children("father", NOW)
    (guardian,) = await uow.guardianships.guardians_of("child", NOW)
    assert guardian[1].citizen_id == "mother"
    assert await uow.guardianships.guardians_of("other-child", NOW) == []
    uow.citizens.set_status("mother", CitizenStatus.ACTIVE, CitizenStatus.LOCKED, NOW)
    await uow.commit()
    assert await uow.guardianships.guardians_of("child", NOW) == []


async def test_children_come_in_pages(memory: Memory) -> None:
    names = ["a", "b", "c"]
    children = [f"child-{name}" for name in names]
    await memory.add_people(make_person("mother"), *map(make_person, children))
    uow = memory.unit_of_work()
    uow.guardianships.import_many([make_relation(name, child_citizen_id=f"child-{name}") for name in names])
    await uow.commit()
    first = await uow.guardianships.children_of("mother", NOW, limit=2)
    rest = await uow.guardianships.children_of("mother", NOW, after="b", limit=2)
    assert [relation.guardianship_id for relation, _ in (*first, *rest)] == names
    many = await uow.guardianships.of_guardians(["mother", *map(str, range(150))])
    assert sorted(relation.guardianship_id for relation in many) == names


async def test_whoever_turned_16_is_handed_over_once_and_again_after_a_correction(memory: Memory) -> None:
    await family(memory)
    uow = memory.unit_of_work()
    at = turns_16_at("2013-05-01")
    assert await uow.guardianships.to_hand_over(at - timedelta(seconds=1), 9) == []
    assert await uow.guardianships.to_hand_over(at, 9) == [make_relation()]
    uow.guardianships.handed_over("relation", at)
    await uow.commit()
    assert await uow.guardianships.to_hand_over(at, 9) == []
    corrected = turns_16_at("2013-06-01")
    uow.guardianships.correct_age("child", corrected)
    await uow.commit()
    (relation,) = await uow.guardianships.to_hand_over(corrected, 9)
    assert relation.child_turns_16_at == corrected


async def test_a_question_comes_back_as_it_was_asked(memory: Memory) -> None:
    await family(memory)
    bare = make_question("bare", account=AccountLinkRequest("bare"), claims=frozenset(), consent_id=None)
    await asked(memory, make_question(), bare)
    found = memory.unit_of_work().guardian_requests
    assert await found.find("question") == make_question()
    assert await found.find("bare") == bare
    assert await found.find("none") is None
    assert await found.of_account("child", "network", "an-0601", NOW) == [make_question()]
    assert await found.waiting_of("child", NOW) == 2
    assert await found.waiting_of("child", NOW + ANSWER_WITHIN) == 0


async def test_one_question_about_an_account_waits_at_a_time(memory: Memory) -> None:
    await family(memory)
    await asked(memory, make_question())
    with pytest.raises(UniquenessError) as refused:
        await asked(memory, make_question("second"))
    assert refused.value.index == PENDING_INDEX
    uow = memory.unit_of_work()
    open_one = await uow.guardian_requests.open_about("child", "network", "an-0601")
    assert open_one is not None
    uow.guardian_requests.close(open_one.request_id)
    await uow.commit()
    await asked(memory, make_question("second"))
    found = await uow.guardian_requests.of_account("child", "network", "an-0601", NOW)
    assert [request.request_id for request in found] == ["second"]
    closed = await uow.guardian_requests.find("question")
    assert closed is not None
    assert closed.status is RequestStatus.CLOSED


@pytest.mark.parametrize(
    ("verdict", "status", "stands"),
    [
        (Verdict.APPROVE, RequestStatus.APPROVED, APPROVAL_VALIDITY),
        (Verdict.REFUSE, RequestStatus.REFUSED, ANSWER_WITHIN),
    ],
)
async def test_a_question_is_answered_once(
    memory: Memory, verdict: Verdict, status: RequestStatus, stands: timedelta
) -> None:
    await family(memory)
    await asked(memory, make_question())
    await decided(memory, verdict)
    for other in Verdict:
        with pytest.raises(GateClosedError, match=DECIDED_GATE):
            await decided(memory, other)
    found = await memory.unit_of_work().guardian_requests.find("question")
    assert found is not None
    assert (found.status, found.guardianship_id, found.decided_at) == (status, "relation", NOW)
    assert found.expires_at == NOW + stands
    assert found.is_backed


async def test_nobody_answers_too_late(memory: Memory) -> None:
    await family(memory)
    await asked(memory, make_question(expires_at=NOW))
    with pytest.raises(GateClosedError, match=DECIDED_GATE):
        await decided(memory)


async def test_an_approval_is_used_once(memory: Memory) -> None:
    await family(memory)
    await asked(memory, make_question())
    uow = memory.unit_of_work()
    uow.guardian_requests.use("question", NOW)
    with pytest.raises(GateClosedError, match=USED_GATE):
        await uow.commit()
    await decided(memory)
    uow.guardian_requests.use("question", LATER)
    await uow.commit()
    uow.guardian_requests.use("question", LATER)
    with pytest.raises(GateClosedError, match=USED_GATE):
        await uow.commit()
    found = await uow.guardian_requests.find("question")
    assert found is not None
    assert found.used_at == LATER


async def test_p10_an_approval_falls_with_the_relation_and_with_the_guardian(memory: Memory) -> None:
    await family(memory)
    await asked(memory, make_question())
    await decided(memory)
    uow = memory.unit_of_work()
    uow.citizens.set_status("mother", CitizenStatus.ACTIVE, CitizenStatus.LOCKED, NOW)
    await uow.commit()
    (found,) = await uow.guardian_requests.of_account("child", "network", "an-0601", NOW)
    assert not found.is_backed
    uow.citizens.set_status("mother", CitizenStatus.LOCKED, CitizenStatus.ACTIVE, NOW)
    uow.guardianships.end("relation", NOW)
    await uow.commit()
    (found,) = await uow.guardian_requests.of_account("child", "network", "an-0601", NOW)
    assert not found.is_backed
    uow.guardian_requests.use("question", NOW)
    with pytest.raises(GateClosedError, match=USED_GATE):
        await uow.commit()


async def test_p10_a_question_is_there_for_the_childs_guardians_alone(memory: Memory) -> None:
    father = make_relation("father-s", guardian_citizen_id="father", child_citizen_id="other-child")
    await family(memory, make_relation(), father)
    elsewhere = make_question("elsewhere", account=replace(ACCOUNT, account_id="an-0602"))
    await asked(memory, make_question(), elsewhere)
    found = memory.unit_of_work().guardian_requests
    first, second = await found.waiting_for("mother", NOW, limit=9)
    assert [first.request.request_id, second.request.request_id] == ["elsewhere", "question"]
    assert (first.guardianship_id, first.child.citizen_id) == ("relation", "child")
    assert await found.waiting_for("mother", NOW, after="elsewhere", limit=9) == [second]
    assert await found.waiting_for("father", NOW, limit=9) == []
    assert await found.find_for("mother", "question", NOW) == second
    assert await found.find_for("father", "question", NOW) is None
    assert await found.find_for("child", "question", NOW) is None
    grown = turns_16_at("2013-05-01")
    assert await found.find_for("mother", "question", grown) is None
