"""Housekeeping on both engines: sealing, vanishing, lapsing, removing."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from idp.audit.chain import ChainVerifier
from idp.housekeeping.expiry import let_time_pass
from idp.housekeeping.sequencer import seal_waiting
from idp.identity.account_links import Status
from tests.support.activations import issue, use
from tests.support.passkeys import authenticator_of, give_passkey
from tests.support.platform import Platform
from tests.support.provider import Provider, running_provider

pytestmark = pytest.mark.anyio


async def _sealed_chain_is_sound(provider: Provider) -> bool:
    ledger = provider.unit_of_work().ledger
    verifier = ChainVerifier(await ledger.head())
    for event in await ledger.sealed(None, 1000):
        verifier.add(event)
    return verifier.report().finding is None


async def test_events_of_a_journey_are_sealed_and_many_sequencers_never_fork_the_chain(
    database_url: str, tmp_path: Path
) -> None:
    async with running_provider(database_url, tmp_path) as provider, provider.http() as browser:
        platform = Platform(provider, await provider.add_client())
        await platform.tokens_for(browser, await provider.add_person())
        waiting, _ = await provider.unit_of_work().ledger.waiting()
        assert waiting > 0
        done = await asyncio.gather(
            *(seal_waiting(provider.unit_of_work(), provider.clock.now) for _ in range(8))
        )
        assert sum(done) == waiting
        assert (await provider.unit_of_work().ledger.waiting())[0] == 0
        assert await _sealed_chain_is_sound(provider)


async def test_a_link_that_was_never_redeemed_vanishes_and_frees_its_account(
    database_url: str, tmp_path: Path
) -> None:
    async with running_provider(database_url, tmp_path) as provider:
        platform = Platform(provider, await provider.add_client())
        async with provider.http() as browser:
            await platform.code_for(browser, await provider.add_person())
        assert (await provider.unit_of_work().account_links.counts()) == {"pending": 1}
        assert await let_time_pass(provider.unit_of_work(), provider.clock.now) == 0
        provider.clock.advance(minutes=4)
        assert await let_time_pass(provider.unit_of_work(), provider.clock.now) == 1
        assert (await provider.unit_of_work().account_links.counts()) == {}


async def test_a_link_lapses_when_its_validity_is_over_and_is_renewed_by_linking_again(
    database_url: str, tmp_path: Path
) -> None:
    async with running_provider(database_url, tmp_path) as provider:
        platform = Platform(provider, await provider.add_client(link_validity="P30D"))
        person = await provider.add_person()
        async with provider.http() as browser:
            first = await platform.tokens_for(browser, person)
        provider.clock.advance(days=31)
        assert await let_time_pass(provider.unit_of_work(), provider.clock.now) == 1
        link_id = first["authorization_details"][0]["link_id"]
        link = await provider.unit_of_work().account_links.find(link_id)
        assert link is not None
        assert link.status is Status.LAPSED
        async with provider.http() as browser:
            again = await platform.tokens_for(browser, person)
        assert again["authorization_details"][0]["link_id"] == link_id
        link = await provider.unit_of_work().account_links.find(link_id)
        assert link is not None
        assert link.status is Status.ACTIVE


async def test_remains_are_removed_long_after_their_end_and_not_before(
    database_url: str, tmp_path: Path
) -> None:
    async with running_provider(database_url, tmp_path) as provider:
        platform = Platform(provider, await provider.add_client())
        async with provider.http() as browser:
            code = await platform.code_for(browser, await provider.add_person())
        for later, is_known in ((timedelta(hours=1), True), (timedelta(days=40), False)):
            uow = provider.unit_of_work()
            uow.remains.remove(provider.clock.now + later)
            await uow.commit()
            found = await uow.codes.find(code, provider.clock.now)
            assert (found is not None) is is_known


async def test_what_let_somebody_in_is_removed_a_month_after_it_ended(
    database_url: str, tmp_path: Path
) -> None:
    async with running_provider(database_url, tmp_path) as provider:
        person, ended_at = await provider.add_person(), provider.clock.now
        lost, kept = authenticator_of(provider), authenticator_of(provider)
        lost_passkey = await give_passkey(provider, person, lost)
        kept_passkey = await give_passkey(provider, person, kept)
        newcomer = await provider.add_person(has_password=False, has_totp=False)
        used, handed = await issue(provider, newcomer), await issue(provider, person)
        async with provider.http() as browser:
            assert (await use(browser, newcomer, used)).answer.status_code == 303
        uow = provider.unit_of_work()
        uow.passkeys.revoke(person.citizen_id, lost_passkey.passkey_id, "removed", ended_at)
        await uow.commit()
        for later, is_known in ((timedelta(days=29), True), (timedelta(days=60), False)):
            uow = provider.unit_of_work()
            uow.remains.remove(ended_at + later)
            await uow.commit()
            found = await uow.passkeys.find(lost_passkey.credential.credential_id)
            assert (found is not None) is is_known
            assert (await uow.activations.find(handed.activation.activation_id) is not None) is is_known
            assert await uow.passkeys.find(kept_passkey.credential.credential_id) is not None
            # Or one operator alone could enrol somebody who was here before (abuse case P9).
            assert await uow.activations.was_ever_used(newcomer.citizen_id)


async def test_one_process_holds_the_lease_until_it_runs_out(database_url: str, tmp_path: Path) -> None:
    async with running_provider(database_url, tmp_path) as provider:
        leases, now, validity = provider.unit_of_work().leases, provider.clock.now, timedelta(seconds=10)
        assert await leases.take("job", "a", now, validity)
        assert not await leases.take("job", "b", now + timedelta(seconds=9), validity)
        assert await leases.take("job", "a", now + timedelta(seconds=9), validity)
        assert await leases.take("job", "b", now + timedelta(seconds=20), validity)
