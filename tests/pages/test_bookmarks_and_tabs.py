"""What people do with pages: bookmark, reload, go back, open several. A kind page, never a fault."""

import httpx
import pytest

from tests.support.html_forms import Html
from tests.support.platform import Platform, go_on, query_of
from tests.support.provider import Person, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

PAGES = ("sign-in", "enrolment", "second-factor", "consent", "account-choice", "refused", "authorize")


def is_kind(answer: httpx.Response, *, is_for_a_network: bool = True) -> bool:
    """A page that says what to do next: a reference to ask about, a way back or to what is one's own."""
    page = Html(answer.text)
    ways_on = [link for link in page.links if link.startswith("https://") or "/my/accounts" in link]
    return (
        answer.status_code in {400, 403, 404}
        and answer.headers["content-type"].startswith("text/html")
        and "error-reference" in page.ids
        and (bool(ways_on) or not is_for_a_network)
    )


async def first_page(http: httpx.AsyncClient, platform: Platform, **changes: str) -> str:
    answer = await http.get("/authorize", params=platform.request(None, **changes))
    location: str = answer.headers["location"]
    return location


async def sign_in(http: httpx.AsyncClient, page: str, person: Person) -> httpx.Response:
    return await http.post(page, data={"identifier": person.personal_number, "password": person.password})


@pytest.mark.parametrize("page", PAGES)
async def test_a_bookmark_of_a_page_that_is_over_is_answered_kindly(provider: Provider, page: str) -> None:
    """Once its request was answered, once it expired, and when it never was."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        answered = await first_page(http, platform)
        await go_on(provider, http, person, await sign_in(http, answered, person))
        provider.clock.advance(seconds=1)
        expired = await first_page(http, platform, prompt="login")
        provider.clock.advance(hours=1)
        for bookmark in (answered, expired, "/sign-in/never-was", "/sign-in/" + "x" * 200):
            assert is_kind(await http.get(bookmark.replace("/sign-in/", f"/{page}/"))), bookmark


@pytest.mark.parametrize("page", PAGES)
async def test_a_bookmark_in_another_browser_is_answered_kindly(provider: Provider, page: str) -> None:
    platform = await new_platform(provider)
    async with provider.http() as http, provider.http() as elsewhere:
        bookmark = (await first_page(http, platform)).replace("/sign-in/", f"/{page}/")
        answer = await elsewhere.get(bookmark)
    assert answer.status_code == 403
    assert is_kind(answer)


@pytest.mark.parametrize("address", ["/sign-in", "/sign-in/", "/consent/", "/authorize/", "/sign-in/a/b"])
async def test_half_an_address_is_answered_kindly(provider: Provider, address: str) -> None:
    async with provider.http() as http:
        answer = await http.get(address, follow_redirects=True)
    assert is_kind(answer, is_for_a_network=False)


async def test_the_address_without_a_network_signs_in_to_ones_own_accounts(provider: Provider) -> None:
    async with provider.http() as http:
        assert (await http.get("/sign-in/my")).status_code == 200


async def test_a_form_of_a_page_that_is_over_is_answered_kindly(provider: Provider) -> None:
    """A reload that sends the form again: after the answer it is over, and nothing happens twice."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        page = await first_page(http, platform, prompt="consent")
        consent = (await http.get((await sign_in(http, page, person)).headers["location"])).headers[
            "location"
        ]
        decided = await http.post(consent, data={"decision": "allow"})
        assert "code" in query_of(await go_on(provider, http, person, decided))
        for address, form in (
            (consent, {"decision": "allow"}),
            (page, {"identifier": person.personal_number, "password": person.password}),
            (page.replace("/sign-in/", "/authorize/") + "/cancel", {}),
        ):
            assert is_kind(await http.post(address, data=form))


async def test_a_reload_shows_the_same_page_and_a_second_sign_in_does_no_harm(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        page = await first_page(http, platform)
        first, second = await http.get(page), await http.get(page)
        assert first.status_code == second.status_code == 200
        assert Html(first.text).forms["sign-in"].action == Html(second.text).forms["sign-in"].action
        await sign_in(http, page, person)
        again = await sign_in(http, page, person)
        assert "code" in query_of(await go_on(provider, http, person, again))


async def test_back_to_the_sign_in_page_goes_on_from_there(provider: Provider) -> None:
    """Whoever is signed in and goes back sees the form again, and the way on is still open."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        page = await first_page(http, platform)
        onward = await sign_in(http, page, person)
        assert (await http.get(page)).status_code == 200
        assert "code" in query_of(await go_on(provider, http, person, onward))


async def test_back_to_the_network_and_forth_again_is_answered_anew(provider: Provider) -> None:
    """The address of the request itself, from the history: a new code for whoever is signed in."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        request = platform.request(None)
        first = query_of(await go_on(provider, http, person, await http.get("/authorize", params=request)))
        again = query_of((await http.get("/authorize", params=request)).headers["location"])
    assert first["code"] != again["code"]
    assert first["state"] == again["state"]


async def test_several_tabs_finish_in_any_order(provider: Provider) -> None:
    platforms = [await new_platform(provider) for _ in range(3)]
    person = await provider.add_person()
    async with provider.http() as http:
        tabs = [await first_page(http, platform) for platform in platforms]
        tabs.append(await first_page(http, platforms[0], state="fourth"))
        for platform, page in reversed(list(zip([*platforms, platforms[0]], tabs, strict=True))):
            location = await go_on(provider, http, person, await sign_in(http, page, person))
            assert location.startswith(platform.client.redirect_uris[0])
            assert "code" in query_of(location)


async def test_signed_in_by_one_tab_the_other_goes_on_without_asking(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        first, second = await first_page(http, platform), await first_page(http, platform, state="second")
        await go_on(provider, http, person, await sign_in(http, first, person))
        onward = await http.get(second.replace("/sign-in/", "/authorize/"))
    assert query_of(onward.headers["location"])["state"] == "second"


async def test_a_tab_that_turned_back_leaves_the_other_alone(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        first, second = await first_page(http, platform), await first_page(http, platform)
        back = Html((await http.get(first)).text).forms["back-to-network"]
        denied = await http.post(back.action)
        assert query_of(denied.headers["location"])["error"] == "access_denied"
        assert is_kind(await http.get(first))
        assert "code" in query_of(await go_on(provider, http, person, await sign_in(http, second, person)))


@pytest.mark.parametrize("length", [1000, 2048])
async def test_a_long_state_comes_through_every_page(provider: Provider, length: int) -> None:
    """AUTHZ-03."""
    platform, person = await new_platform(provider), await provider.add_person()
    async with provider.http() as http:
        answer = await platform.answer_for(http, person, None, state="s" * length)
    assert query_of(answer)["state"] == "s" * length
