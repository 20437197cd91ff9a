"""Consents: every decision as it was made, until it is withdrawn. Which one answers: see test_sessions."""

from datetime import timedelta

import pytest

from idp.identity.consents import Consent
from tests.support.stores import NOW, Memory, make_consent, make_person

pytestmark = pytest.mark.anyio
LATER = NOW + timedelta(microseconds=1)


async def with_consents(memory: Memory, *consents: Consent) -> None:
    await memory.add_people(make_person(), make_person("citizen-2"))
    uow = memory.unit_of_work()
    for consent in consents:
        uow.consents.add(consent)
    await uow.commit()


async def test_a_decision_comes_back_as_it_was_made(memory: Memory) -> None:
    bare = make_consent(consent_id="bare", decision="deny", purpose=None, claims=frozenset())
    await with_consents(memory, make_consent(), bare)
    consents = memory.unit_of_work().consents
    assert await consents.find("consent-1") == make_consent()
    assert await consents.find("bare") == bare
    assert await consents.find("nothing") is None


async def test_all_decisions_of_a_person_are_listed_newest_first(memory: Memory) -> None:
    first, second = make_consent(), make_consent(consent_id="second", decision="deny", decided_at=LATER)
    await with_consents(memory, first, second, make_consent(consent_id="x", citizen_id="citizen-2"))
    consents = memory.unit_of_work().consents
    assert await consents.of_citizen("citizen-1", 10) == [second, first]
    assert await consents.of_citizen("citizen-1", 1) == [second]


async def test_a_withdrawal_reaches_every_consent_for_the_client_and_keeps_its_first_time(
    memory: Memory,
) -> None:
    await with_consents(
        memory,
        make_consent(),
        make_consent(consent_id="latest", decided_at=LATER),
        make_consent(consent_id="elsewhere", client_id="other"),
    )
    uow = memory.unit_of_work()
    for at in (LATER, LATER + timedelta(1)):
        uow.consents.withdraw("citizen-1", "network", at)
        await uow.commit()
    withdrawn = {
        consent.consent_id: consent.withdrawn_at for consent in await uow.consents.of_citizen("citizen-1", 9)
    }
    assert withdrawn == {"consent-1": LATER, "latest": LATER, "elsewhere": None}
