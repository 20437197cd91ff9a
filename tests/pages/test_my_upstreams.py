"""Other providers on a page of one's own: seen, ended, connected again; never the last way in."""

from pathlib import Path

import httpx
import pytest

from tests.support.before_doors import form_of
from tests.support.html_forms import Html
from tests.support.provider import Person
from tests.support.upstream_scene import UpstreamScene, trouble_of, upstream_scene

pytestmark = pytest.mark.anyio

PAGE = "/my/upstreams"


async def strong(scene: UpstreamScene, browser: httpx.AsyncClient, person: Person) -> None:
    await browser.post("/sign-in/upstreams", data=form_of(person))
    scene.provider.clock.advance(seconds=30)
    answer = await browser.post(
        "/second-factor/upstreams", data={"code": person.code(scene.provider.clock.now)}
    )
    assert answer.headers["location"].endswith(PAGE)


async def test_whoever_ends_one_is_signed_out_elsewhere_and_connects_it_again_alone(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with (
        upstream_scene(sqlite_url, tmp_path) as scene,
        scene.provider.http() as thief,
        scene.provider.http() as browser,
    ):
        person = await scene.provider.add_person()
        scene.at("standard", person.personal_number)
        await scene.come(thief, "standard")
        assert await scene.who_is_in(thief) == person.citizen_id
        await strong(scene, browser, person)
        page = Html((await browser.get(PAGE)).text)
        [other] = [link for link in page.links if "/upstream/" in link]
        assert other.endswith("/sign-in/upstreams/upstream/dialect")
        assert any(link.endswith(PAGE) for link in Html((await browser.get("/my/security")).text).links)
        token = Html((await browser.get("/my/freeze")).text).forms["freeze"].fields["csrf"]
        wrong = await browser.post(f"{PAGE}/end", data={"csrf": token, "upstream": "dialect"})
        assert wrong.status_code == 404
        ended = await browser.post(f"{PAGE}/end", data={"csrf": token, "upstream": "standard"})
        assert ended.headers["location"].endswith(PAGE)
        assert await scene.who_is_in(thief) is None, "signed out where the account there had led in"
        assert trouble_of(await scene.come(thief, "standard")) == "disconnected"
        page = Html((await browser.get(PAGE)).text)
        [again] = [link for link in page.links if link.endswith("/upstream/standard")]
        assert again.endswith("/sign-in/upstreams/upstream/standard")
        back = await scene.come(browser, "standard", "upstreams")
        assert back.headers["location"].endswith(PAGE)
        accounts = await scene.provider.unit_of_work().upstream_accounts.of_citizen(person.citizen_id)
        assert [each.upstream_id for each in accounts] == ["standard"]


async def test_nobody_ends_their_only_way_in(sqlite_url: str, tmp_path: Path) -> None:
    async with upstream_scene(sqlite_url, tmp_path) as scene, scene.provider.http() as browser:
        person = await scene.provider.add_person(has_password=False, has_totp=False)
        scene.at("standard", person.personal_number)
        await scene.come(browser, "standard")
        page = await browser.get(f"{PAGE}?lang=en")
        assert "your only way to sign in" in page.text
        assert f"{PAGE}/end" not in page.text
        token = Html((await browser.get("/my/freeze")).text).forms["freeze"].fields["csrf"]
        answer = await browser.post(f"{PAGE}/end", data={"csrf": token, "upstream": "standard"})
        assert answer.headers["location"].endswith(PAGE)
        accounts = await scene.provider.unit_of_work().upstream_accounts.of_citizen(person.citizen_id)
        assert len(accounts) == 1
