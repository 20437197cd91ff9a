"""Consents: every decision as it was made, until it is withdrawn. Which one answers: see test_sessions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.identity.account_links import Status
from idp.identity.consents import Consent
from tests.support.protocol_builders import make_grant, make_link
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


async def test_a_client_without_link_is_listed_while_its_consent_or_a_grant_of_it_lives(
    memory: Memory,
) -> None:
    early = NOW - timedelta(days=366)
    await with_consents(
        memory,
        make_consent(decided_at=NOW - timedelta(1)),
        make_consent(consent_id="again", claims=frozenset()),
        make_consent(consent_id="refused", client_id="refused", decision="deny"),
        make_consent(consent_id="early", client_id="early", decided_at=early),
        make_consent(consent_id="kept", client_id="kept", decided_at=early),
        make_consent(consent_id="linked", client_id="linked"),
        make_consent(consent_id="tried", client_id="tried"),
        make_consent(consent_id="withdrawn", client_id="withdrawn"),
        make_consent(consent_id="of-another", client_id="other", citizen_id="citizen-2"),
    )
    uow = memory.unit_of_work()
    for name in ("kept", "early"):
        grant = make_grant(grant_id=name, client_id=name, consent_id=name)
        uow.grants.add(replace(grant, citizen_id="citizen-1", expires_at=LATER))
    for client_id, status in {"linked": Status.LAPSED, "tried": Status.PENDING}.items():
        link = make_link(link_id=client_id, client_id=client_id, status=status, account_id=client_id)
        uow.account_links.add(replace(link, citizen_id="citizen-1"), NOW)
    await uow.commit()
    uow.grants.revoke("early", "test", NOW)
    uow.consents.withdraw("citizen-1", "withdrawn", NOW)
    await uow.commit()
    consents = memory.unit_of_work().consents
    listed = [("kept", early), ("network", NOW), ("tried", NOW)]
    assert await consents.without_link("citizen-1", NOW, limit=9) == listed
    assert await consents.without_link("citizen-1", NOW, limit=2) == listed[:2]
    assert await consents.without_link("citizen-1", NOW, after="network", limit=9) == listed[2:]
    assert await consents.without_link("citizen-1", LATER, limit=9) == listed[1:], "the grant is over"
    assert await consents.find_without_link("citizen-1", "network", NOW) == NOW
    for client_id in ("linked", "refused", "early", "withdrawn", "other", "nothing"):
        assert await consents.find_without_link("citizen-1", client_id, NOW) is None


async def test_the_grants_of_one_person_to_one_client_end_and_no_others(memory: Memory) -> None:
    await memory.add_people(make_person(), make_person("citizen-2"))
    uow = memory.unit_of_work()
    grants = [
        make_grant(grant_id="one"),
        make_grant(grant_id="two", consent_id=None),
        make_grant(grant_id="elsewhere", client_id="other"),
        make_grant(grant_id="of-another", citizen_id="citizen-2"),
    ]
    for grant in grants:
        uow.grants.add(grant)
    await uow.commit()
    uow.consents.revoke_grants(grants[0].citizen_id, grants[0].client_id, "consent_withdrawn", NOW)
    await uow.commit()
    found = [await uow.grants.find(grant.grant_id, NOW) for grant in grants]
    assert [each.grant.revoked_at for each in found if each is not None] == [NOW, NOW, None, None]
