"""Interactions: one browser, one decision, one answer; the request in them never changes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.store.encoding import hash_secret
from idp.store.interactions import Interaction
from idp.store.writes import GateClosedError
from tests.support.stores import NOW, REQUEST, Memory

pytestmark = pytest.mark.anyio

INTERACTION = Interaction(hash_secret("interaction-1"), REQUEST, NOW, NOW + timedelta(minutes=30))


async def with_interaction(memory: Memory, interaction: Interaction = INTERACTION) -> None:
    uow = memory.unit_of_work()
    uow.interactions.add(interaction)
    await uow.commit()


async def test_an_interaction_comes_back_as_it_went_and_its_id_is_nowhere(memory: Memory) -> None:
    bound = replace(INTERACTION, browser_hash=b"browser", request_uri_hash=b"uri")
    await with_interaction(memory, bound)
    interactions = memory.unit_of_work().interactions
    assert await interactions.find("interaction-1") == bound
    assert await interactions.find("interaction-2") is None
    assert await memory.contains("interaction-1") == []


async def test_abuse_p1_a_browser_is_bound_once(memory: Memory) -> None:
    await with_interaction(memory)
    uow = memory.unit_of_work()
    uow.interactions.bind(INTERACTION, b"first")
    await uow.commit()
    for browser in (b"second", b"first"):
        uow.interactions.bind(INTERACTION, browser)
        with pytest.raises(GateClosedError, match="interaction_bound"):
            await uow.commit()
    found = await uow.interactions.find("interaction-1")
    assert found is not None
    assert found.browser_hash == b"first"


async def test_until_the_answer_choices_and_decisions_are_kept_and_afterwards_none(memory: Memory) -> None:
    await with_interaction(memory)
    uow = memory.unit_of_work()
    uow.interactions.choose(INTERACTION, "session-1")
    await uow.commit()
    uow.interactions.decide(INTERACTION, consent_id=None, denied_because="denied_by_person")
    await uow.commit()
    uow.interactions.choose(INTERACTION, None)
    await uow.commit()
    uow.interactions.decide(INTERACTION, consent_id="consent-1", denied_because=None)
    await uow.commit()
    uow.interactions.finish(INTERACTION, NOW)
    await uow.commit()
    finished = replace(INTERACTION, consent_id="consent-1", finished_at=NOW)
    assert await uow.interactions.find("interaction-1") == finished
    uow.interactions.choose(INTERACTION, "session-2")
    with pytest.raises(GateClosedError, match="interaction_chosen"):
        await uow.commit()
    uow.interactions.decide(INTERACTION, consent_id=None, denied_because="denied_by_person")
    with pytest.raises(GateClosedError, match="interaction_decided"):
        await uow.commit()
    uow.interactions.finish(INTERACTION, NOW + timedelta(1))
    with pytest.raises(GateClosedError, match="interaction_finished"):
        await uow.commit()
    assert await uow.interactions.find("interaction-1") == finished
