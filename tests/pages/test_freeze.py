"""Freezing new links: anybody signed in turns it on, two fresh proofs alone turn it off. P1, P4."""

from datetime import timedelta

import httpx
import pytest

from idp.identity.assurance import Acr, AuthenticationContext
from idp.identity.freezes import LIFTED_WITHIN, may_lift
from idp.identity.notices import NoticeKind
from tests.support.html_forms import Html
from tests.support.people import linked
from tests.support.platform import Platform, go_on, query_of
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio


async def press(http: httpx.AsyncClient) -> httpx.Response:
    form = Html((await http.get("/my/freeze")).text).forms["freeze"]
    return await http.post(form.action, data=form.fields)


async def is_frozen(provider: Provider, person: Person) -> bool:
    citizen = await provider.unit_of_work().citizens.find(person.citizen_id)
    assert citizen is not None
    return citizen.links_frozen_at is not None


async def sign_in(
    provider: Provider, http: httpx.AsyncClient, person: Person, address: str
) -> httpx.Response:
    """Answer the sign-in pages until one of another kind comes."""
    response = await http.get(address)
    for _ in range(6):
        if response.status_code != 303:
            return response
        location = response.headers["location"]
        if "/sign-in/" in location:
            form = {"identifier": person.personal_number, "password": person.password}
            response = await http.post(location, data=form)
        elif "/second-factor/" in location and person.totp_secret is not None:
            provider.clock.advance(seconds=30)
            response = await http.post(location, data={"code": person.code(provider.clock.now)})
        else:
            response = await http.get(location)
    raise AssertionError("the way does not end")


async def answer_at(provider: Provider, platform: Platform, http: httpx.AsyncClient, person: Person) -> str:
    """Ask for a new link; return the page on which the person stays."""
    response = await http.get("/authorize", params=platform.request("acc_new"))
    while response.status_code == 303 and response.headers["location"].startswith(ISSUER):
        response = await http.get(response.headers["location"])
    return response.text


async def test_frozen_means_that_no_new_link_is_made_and_what_is_linked_goes_on(provider: Provider) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
        assert "/my/freeze" in (await http.get("/my")).text
        assert (await press(http)).headers["location"] == f"{ISSUER}/my/freeze"
        assert await is_frozen(provider, it.person)
        assert "Liên kết mới đang bị chặn" in (await http.get("/my")).text
        refused = await answer_at(provider, await new_platform(provider), http, it.person)
        assert "Bạn đã khoá liên kết mới" in refused
        assert f"{ISSUER}/my/freeze" in Html(refused).links
        renewed = await it.platform.refresh(http, it.tokens["refresh_token"])
        assert renewed.status_code == 200
        again = await it.platform.answer_for(http, it.person)
        assert "code" in query_of(again), "the link that stands is no new one"


async def test_a_link_agreed_to_before_the_freeze_is_not_made_after_it(provider: Provider) -> None:
    """At the token endpoint, too: somebody else may hold the code while the person freezes."""
    async with provider.http() as http, provider.http() as own:
        platform = await new_platform(provider)
        person = await provider.add_person(has_totp=False)
        code = await platform.code_for(http, person)
        await sign_in(provider, own, person, "/my/freeze")
        await press(own)
        refused = await platform.redeem(http, code)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        links = await provider.unit_of_work().account_links.of_citizen(person.citizen_id)
        assert links == []


async def test_only_a_fresh_sign_in_with_two_proofs_lifts_it(provider: Provider) -> None:
    async with provider.http() as http:
        person = await provider.add_person()
        page = await sign_in(provider, http, person, "/my/freeze")
        assert page.status_code == 200
        await press(http)
        provider.clock.advance(seconds=LIFTED_WITHIN.total_seconds())
        stale = await press(http)
        assert stale.headers["location"] == f"{ISSUER}/sign-in/freeze"
        assert await is_frozen(provider, person)
        form = {"identifier": person.personal_number, "password": person.password}
        once = await http.post("/sign-in/freeze", data=form)
        page_after_password = await http.get(once.headers["location"])
        assert page_after_password.headers["location"] == f"{ISSUER}/second-factor/freeze"
        page = await sign_in(provider, http, person, "/my/freeze")
        await press(http)
        assert not await is_frozen(provider, person)
        kinds = [
            kept.notice.kind for kept in await provider.unit_of_work().notices.of_citizen(person.citizen_id)
        ]
        assert sorted(kinds) == [NoticeKind.FREEZE_OFF, NoticeKind.FREEZE_ON]
        platform = await new_platform(provider)
        response = await http.get("/authorize", params=platform.request())
        assert "code" in query_of(await go_on(provider, http, person, response))


async def test_a_password_alone_never_lifts_it(provider: Provider) -> None:
    async with provider.http() as http:
        person = await provider.add_person(has_totp=False)
        await sign_in(provider, http, person, "/my/freeze")
        await press(http)
        page = Html((await http.get("/my/freeze")).text)
        assert "freeze" not in page.forms, "the page says where to go instead"
        token = Html((await http.get("/my/accounts")).text).forms["sign-out"].fields
        await http.post("/my/freeze", data=token | {"freeze": "off"})
        assert await is_frozen(provider, person)


@pytest.mark.parametrize("fields", [{"freeze": "on"}, {"freeze": "on", "csrf": "0" * 64}])
async def test_another_site_freezes_nobody(provider: Provider, fields: dict[str, str]) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
        assert (await http.post("/my/freeze", data=fields)).status_code == 403
        token = Html((await http.get("/my/freeze")).text).forms["freeze"].fields
        foreign = await http.post("/my/freeze", data=token, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403
        nonsense = await http.post("/my/freeze", data=token | {"freeze": "maybe"})
        assert nonsense.status_code == 303
        assert not await is_frozen(provider, it.person)


async def test_pressed_twice_it_is_frozen_once(provider: Provider) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
        form = Html((await http.get("/my/freeze")).text).forms["freeze"]
        for _ in range(2):
            assert (await http.post(form.action, data=form.fields)).status_code == 303
        kinds = [
            kept.notice.kind
            for kept in await provider.unit_of_work().notices.of_citizen(it.person.citizen_id)
        ]
        assert kinds.count(NoticeKind.FREEZE_ON) == 1


@pytest.mark.parametrize(
    ("acr", "age", "is_enough"),
    [
        (Acr.VN_2, timedelta(0), True),
        (Acr.VN_4, LIFTED_WITHIN - timedelta(microseconds=1), True),
        (Acr.VN_2, LIFTED_WITHIN, False),
        (Acr.VN_1, timedelta(0), False),
    ],
)
async def test_what_is_a_stronger_and_fresh_sign_in(
    provider: Provider, acr: Acr, age: timedelta, *, is_enough: bool
) -> None:
    now = provider.clock.now
    assert may_lift(AuthenticationContext(acr, ("pwd",), now - age), now) is is_enough
