"""Abuse classes 17 and 27, case P8: whoever fell is refused at every door, in the very next request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest

from idp.identity.account_links import Status
from idp.identity.citizens import CitizenStatus
from idp.protocol.model import ClientStatus
from idp.protocol.profiles import CIBA_GRANT, CLIENT_CREDENTIALS_GRANT, DEVICE_GRANT
from idp.protocol.resources import READ_ACCOUNT_LINKS
from tests.support.html_forms import Html
from tests.support.phones import Phone, person_with
from tests.support.platform import Platform, query_of
from tests.support.provider import Person, Provider
from tests.support.registrations_online import bearer, register
from tests.support.shared_provider import change_client, move_link, new_platform, set_citizen_status

pytestmark = pytest.mark.anyio

METADATA: dict[str, object] = {
    "grant_types": [
        "authorization_code",
        "refresh_token",
        CIBA_GRANT,
        DEVICE_GRANT,
        CLIENT_CREDENTIALS_GRANT,
    ],
    "backchannel_token_delivery_mode": "poll",
    "scope": f"openid offline_access {READ_ACCOUNT_LINKS}",
}


@dataclass
class Held:
    """What a platform and its person hold while all is well."""

    provider: Provider
    platform: Platform
    person: Person
    browser: httpx.AsyncClient
    http: httpx.AsyncClient
    tokens: dict[str, str]
    link_id: str
    code: str
    subject: str
    own_token: str

    def post(self, path: str, **form: str) -> Awaitable[httpx.Response]:
        return self.http.post(path, data=form, auth=self.platform.auth)

    async def answers(self) -> dict[str, bool]:
        """Try every door; tell which of them serves."""
        shown = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        own = {"Authorization": f"Bearer {self.own_token}"}
        refresh, silent = self.tokens["refresh_token"], self.platform.request(None, prompt="none")
        # Introspected before it is refreshed: a token that was rotated is over in any case.
        introspected = {
            name: (await self.post("/introspect", token=self.tokens[name])).json().get("active", False)
            for name in ("access_token", "refresh_token")
        }
        answers = {
            "userinfo": await self.http.get("/userinfo", headers=shown),
            "own link": await self.http.get(f"/account-links/{self.link_id}", headers=own),
            "code": await self.platform.redeem(self.http, self.code),
            "refresh": await self.platform.refresh(self.http, refresh),
            "client_credentials": await self.post("/token", grant_type=CLIENT_CREDENTIALS_GRANT),
            "par": await self.platform.push(self.http),
            "ciba": await self.post("/backchannel-authentication", scope="openid", login_hint=self.subject),
            "device": await self.post("/device-authorization", scope="openid"),
            "revocation": await self.post("/revoke", token="x"),
        }
        served = {name: answer.status_code < 400 for name, answer in answers.items()}
        served |= {f"introspection of the {name}": active for name, active in introspected.items()}
        front = await self.browser.get("/authorize", params=silent)
        served["front channel"] = "code" in query_of(front.headers.get("location", ""))
        for path in ("/my/accounts", "/my/sessions", "/approvals", "/device"):
            served[path] = (await self.browser.get(path)).status_code == 200
        return served


CLIENTS_OWN = {"client_credentials", "par", "device", "revocation", "own link"}
"""What a platform gets without any person."""
PEOPLES_OWN = {"/my/accounts", "/my/sessions", "/approvals", "/device"}
"""What a person gets without any platform."""


async def held(provider: Provider, browser: httpx.AsyncClient, http: httpx.AsyncClient) -> Held:
    platform = await new_platform(provider, METADATA)
    person = await provider.add_person(has_totp=False)
    scope = {"scope": "openid offline_access"}
    tokens = await platform.tokens_for(browser, person, **scope)
    provider.clock.advance(seconds=1)
    own = {"grant_type": CLIENT_CREDENTIALS_GRANT, "scope": READ_ACCOUNT_LINKS}
    own_token = (await http.post("/token", data=own, auth=platform.auth)).json()["access_token"]
    return Held(
        provider,
        platform,
        person,
        browser,
        http,
        tokens,
        tokens["authorization_details"][0]["link_id"],
        await platform.code_for(browser, person, **scope),
        provider.context.custody.data.pairwise_subject(platform.client.sector, person.citizen_id),
        own_token,
    )


async def test_while_all_is_well_every_door_serves(provider: Provider) -> None:
    """Without this the tests below would prove nothing."""
    async with provider.http() as browser, provider.http() as http:
        served = await (await held(provider, browser, http)).answers()
    assert [name for name, serves in served.items() if not serves] == []


@pytest.mark.parametrize("status", [each for each in CitizenStatus if each is not CitizenStatus.ACTIVE])
async def test_a_person_who_fell_is_served_nowhere(provider: Provider, status: CitizenStatus) -> None:
    """CVE-2023-22492, CVE-2026-1486, CVE-2026-8922; what is the platform's own goes on."""
    async with provider.http() as browser, provider.http() as http:
        here = await held(provider, browser, http)
        await set_citizen_status(provider, here.person, status)
        served = await here.answers()
    assert {name for name, serves in served.items() if serves} == CLIENTS_OWN


@pytest.mark.parametrize("status", [each for each in ClientStatus if each is not ClientStatus.ACTIVE])
async def test_a_client_that_fell_is_served_nowhere(provider: Provider, status: ClientStatus) -> None:
    """CVE-2025-53942, CVE-2025-64521: with its secret, its tokens and its people's browsers."""
    async with provider.http() as browser, provider.http() as http:
        here = await held(provider, browser, http)
        await change_client(provider, here.platform.client.client_id, status=status)
        served = await here.answers()
    assert {name for name, serves in served.items() if serves} == PEOPLES_OWN


async def withdraw_consent(here: Held) -> None:
    uow = here.provider.unit_of_work()
    uow.consents.withdraw(here.person.citizen_id, here.platform.client.client_id, here.provider.clock.now)
    await uow.commit()


async def suspend_link(here: Held) -> None:
    await move_link(here.provider, here.link_id, Status.SUSPENDED)


async def end_link(here: Held) -> None:
    await move_link(here.provider, here.link_id, Status.ENDED)


async def revoke_family(here: Held) -> None:
    assert (await here.post("/revoke", token=here.tokens["refresh_token"])).status_code == 200


async def raise_policy(here: Held) -> None:
    policy = here.platform.client.policy
    stronger = type(policy)(**{**_members(policy), "min_acr": type(policy.min_acr)("vn-2")})
    await change_client(here.provider, here.platform.client.client_id, policy=stronger)


def _members(policy: object) -> dict[str, object]:
    return {name: getattr(policy, name) for name in type(policy).__dataclass_fields__}


TOKENS = {"userinfo", "refresh", "introspection of the access_token", "introspection of the refresh_token"}


@pytest.mark.parametrize(
    "happens",
    [withdraw_consent, suspend_link, end_link, revoke_family, raise_policy],
    ids=lambda each: each.__name__,
)
async def test_what_tokens_rest_on_holds_at_every_door(
    provider: Provider, happens: Callable[[Held], Awaitable[None]]
) -> None:
    """Class 27 (KC CVE-2026-8922, DOT): consent, link, family, assurance."""
    async with provider.http() as browser, provider.http() as http:
        here = await held(provider, browser, http)
        await happens(here)
        served = await here.answers()
    assert not {name for name, serves in served.items() if serves} & TOKENS


async def test_signing_out_ends_what_is_not_offline_at_every_door(provider: Provider) -> None:
    """Class 27: what was granted for longer than the session lives on, and nothing else."""
    async with provider.http() as browser, provider.http() as http:
        here = await held(provider, browser, http)
        platform = here.platform
        tokens = await platform.tokens_for(browser, here.person, None)
        form = Html((await browser.get("/my/accounts")).text).forms["sign-out"]
        await browser.post(form.action, data=form.fields)
        assert (await platform.refresh(http, tokens["refresh_token"])).status_code == 400
        told = await here.post("/introspect", token=tokens["refresh_token"])
        assert told.json() == {"active": False}
        served = await here.answers()
    assert not {name for name, serves in served.items() if serves} & (PEOPLES_OWN | {"code", "front channel"})
    assert served["refresh"]


async def test_a_client_that_removed_itself_manages_nothing_any_more(provider: Provider) -> None:
    """Class 17 at the registration: its own token is dead with it."""
    async with provider.http() as http:
        registered = await register(http, provider)
        headers = bearer(registered.token)
        assert (await http.delete(registered.uri, headers=headers)).status_code == 204
        for method in ("GET", "PUT", "DELETE"):
            answer = await http.request(method, registered.uri, headers=headers, json=registered.metadata())
            assert answer.status_code == 401, method


@pytest.mark.parametrize("status", [CitizenStatus.LOCKED, CitizenStatus.DECEASED])
async def test_the_phone_of_whoever_is_locked_or_dead_opens_nothing(
    provider: Provider, status: CitizenStatus
) -> None:
    async with provider.http() as pocket:
        phone = Phone(pocket)
        person = await person_with(provider, phone)
        assert (await phone.enter()).status_code == 200
        assert (await pocket.get("/app/requests")).status_code == 200
        await set_citizen_status(provider, person, status)
        assert (await pocket.get("/app/requests/state")).json() == {"mark": "closed"}
        await phone.enter()
        for path in ("/app/requests", "/app/here/my"):
            await phone.enter()
            told = await pocket.get(path)
            assert told.status_code == 403, path
            assert "Hiện không dùng được ứng dụng" in told.text
            assert "scan" not in Html(told.text).forms
