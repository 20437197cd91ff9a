"""A link whose validity is over: renewed by its person's own decision, with the assurance of today."""

from pathlib import Path

import pytest

from idp.housekeeping.expiry import let_time_pass
from idp.identity.account_links import Status
from idp.identity.assurance import Acr
from tests.support.platform import Platform, go_on, query_of
from tests.support.provider import Person, Provider, running_provider

pytestmark = pytest.mark.anyio


async def _linked(provider: Provider, person: Person) -> tuple[Platform, str]:
    platform = Platform(provider, await provider.add_client(link_validity="P30D"))
    async with provider.http() as browser:
        tokens = await platform.tokens_for(browser, person)
    return platform, tokens["authorization_details"][0]["link_id"]


@pytest.mark.parametrize("housekeeping_was_here", [True, False])
async def test_an_overdue_link_is_renewed_under_its_own_id_with_new_assurance(
    database_url: str, tmp_path: Path, *, housekeeping_was_here: bool
) -> None:
    async with running_provider(database_url, tmp_path) as provider:
        person = await provider.add_person()
        platform, link_id = await _linked(provider, person)
        provider.clock.advance(days=31)
        if housekeeping_was_here:
            await let_time_pass(provider.unit_of_work(), provider.clock.now)
        async with provider.http() as browser:
            again = await platform.tokens_for(browser, person, acr_values="vn-2")
        assert again["authorization_details"][0]["link_id"] == link_id
        link = await provider.unit_of_work().account_links.find(link_id)
        assert link is not None
        assert (link.status, link.acr) == (Status.ACTIVE, Acr.VN_2)
        history = [event.type for event in await provider.unit_of_work().ledger.of_link(link_id)]
        assert {"account_link:lapsed", "account_link:renewed"} <= set(history)


async def test_an_overdue_link_is_never_renewed_without_asking(database_url: str, tmp_path: Path) -> None:
    async with running_provider(database_url, tmp_path, session_absolute_hours=168) as provider:
        person = await provider.add_person()
        platform, _ = await _linked(provider, person)
        provider.clock.advance(days=31)
        async with provider.http() as browser:
            await platform.code_for(browser, person, None)
            silent = await browser.get("/authorize", params=platform.request(prompt="none"))
            assert query_of(silent.headers["location"])["error"] == "consent_required"


async def test_links_with_different_purposes_do_not_forget_each_other(
    database_url: str, tmp_path: Path
) -> None:
    async with running_provider(database_url, tmp_path) as provider, provider.http() as browser:
        platform = Platform(provider, await provider.add_client())
        person = await provider.add_person()
        asked = {
            account_id: f'[{{"type":"account_link","account_id":"{account_id}","purpose":"{purpose}"}}]'
            for account_id, purpose in (("acc_1", "post"), ("acc_2", "livestream"))
        }
        for details in asked.values():
            await platform.tokens_for(browser, person, None, authorization_details=details)
        for details in asked.values():
            response = await browser.get(
                "/authorize", params=platform.request(None, authorization_details=details, prompt="none")
            )
            assert "code" in query_of(await go_on(provider, browser, person, response))
