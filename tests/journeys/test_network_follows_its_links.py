"""The sample network hears what becomes of its links, and shows it within seconds, without being asked."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from clients.relying_party.receipts import RECEIPT_TYPE
from clients.relying_party.tokens import SIGNING_ALGORITHMS, read_header
from clients.social_network.words import VIETNAMESE
from tests.support.html_forms import Html
from tests.support.main_job import Person, Scene
from tests.support.walk import visitor, walk

WITHIN_SECONDS = 15.0
"""A busy machine; in quiet it is one or two."""


@dataclass
class Member:
    """One browser: at the network as Lan, at the provider as the person behind her account."""

    http: httpx.Client
    scene: Scene
    file: Path

    def page(self, path: str = "/") -> str:
        return self.http.get(f"{self.scene.network.url}{path}").text

    def press(self, path: str, form_id: str, **typed: str) -> httpx.Response:
        form = Html(self.page(path)).forms[form_id]
        fields = {**form.fields, **dict(form.buttons[:1]), **typed}
        return self.http.post(f"{self.scene.network.url}{form.action}", data=fields)

    def presses_there(self, path: str, form_id: str) -> None:
        """Press a button on a page of the provider; the person is signed in there."""
        page = self.http.get(f"{self.scene.provider.url}{path}")
        form = Html(page.text).forms[form_id]
        fields = {**form.fields, **dict(form.buttons[:1])}
        answer = self.http.post(urljoin(str(page.url), form.action), data=fields)
        assert answer.status_code in {200, 303}, answer.text

    def goes_and_returns(self, sent: httpx.Response, person: Person) -> str:
        """Follow to the provider, agree there, come back; return the page that the network shows then."""
        assert sent.headers["location"].startswith(self.scene.provider.url), sent.text
        back = self.http.get(walk(self.http, sent.headers["location"], person))
        return self.page(back.headers["location"])

    def sees(self, path: str, is_shown: Callable[[str], bool]) -> str:
        """Wait until a page shows something; nobody presses anything meanwhile."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while not is_shown(page := self.page(path)):
            assert time.monotonic() < deadline, page
            time.sleep(0.2)
        return page

    def kept(self, statement: str) -> list[sqlite3.Row]:
        kept = sqlite3.connect(self.file, isolation_level=None)
        kept.row_factory = sqlite3.Row
        try:
            return kept.execute(statement).fetchall()
        finally:
            kept.close()


@pytest.fixture
def member(scene: Scene, tmp_path: Path) -> Iterator[Member]:
    """Give a member who has linked; afterwards no link is left."""
    with visitor() as http:
        member = Member(http, scene, tmp_path / "network" / "social_network.sqlite")
        member.press("/", "sign-in-as")
        page = member.goes_and_returns(member.press("/", "link-account"), scene.person("Nguyễn Thị Lan"))
        assert 'id="badge-verified"' in page
        yield member
    for link in scene.provider.run("links", "list", "--status", "active")["links"]:
        scene.provider.run("links", "end", link["link_id"], "--reason", "test_is_over")


def link_id_of(member: Member) -> str:
    ((link_id,),) = member.kept("SELECT link_id FROM links")
    return str(link_id)


def wears_badge(page: str) -> bool:
    return 'id="badge-verified"' in page


def test_a_suspended_link_shows_and_comes_back(member: Member) -> None:
    link_id, run = link_id_of(member), member.scene.provider.run
    ((receipt,),) = member.kept("SELECT receipt FROM told")
    assert read_header(receipt, SIGNING_ALGORITHMS, typ=RECEIPT_TYPE).kid
    shown = member.sees("/settings", lambda page: 'id="receipt"' in page)
    assert member.scene.provider.url in Html(shown).text

    run("links", "suspend", link_id, "--reason", "rented_out")
    page = member.sees("/", lambda page: 'id="composer-locked"' in page)
    assert not wears_badge(page)
    assert VIETNAMESE["lack_link_suspended"] in page
    assert "rented" not in page
    assert f"{member.scene.provider.url}/my/accounts" in Html(page).links
    assert VIETNAMESE["status_suspended"] in member.page("/settings")

    run("links", "reinstate", link_id, "--reason", "not_rented_out")
    page = member.sees("/", wears_badge)
    assert '<form id="composer"' in page
    (streams,) = {row["jti"] for row in member.kept("SELECT count(DISTINCT jti) AS jti FROM remembered")}
    assert streams >= 3, "linked, suspended, reinstated: each was told once"


def test_a_link_that_its_holder_ends_is_gone_here_without_a_press(member: Member) -> None:
    member.presses_there(f"/my/accounts/{link_id_of(member)}/end", "end-link")
    page_there = member.sees("/@lan", lambda page: not wears_badge(page))
    assert VIETNAMESE["not_verified"] in page_there
    assert '<form id="link-account"' in member.page("/")
    # The badge goes with the status list already; that the link ended, and was not suspended, comes by event.
    assert member.sees("/settings", lambda page: VIETNAMESE["status_ended"] in page)


def test_a_public_mark_that_is_switched_on_is_shown(member: Member) -> None:
    member.presses_there(f"/my/accounts/{link_id_of(member)}", "mark-switch")
    page = member.sees("/settings", lambda page: "public-mark" in page)
    ((mark_uri,),) = member.kept("SELECT mark_uri FROM told")
    assert mark_uri.startswith(f"{member.scene.provider.url}/verify/")
    assert mark_uri in Html(page).links
    assert mark_uri in Html(member.page("/@lan")).links, "and to whoever looks"
    assert member.http.get(mark_uri).status_code == 200


def test_selling_live_asks_for_a_sign_in_of_just_now(member: Member) -> None:
    assert '<form id="live"' in member.page("/live"), "linked a moment ago"
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="microseconds")
    member.kept(f"UPDATE sign_ins SET at = '{an_hour_ago}'")
    page = member.page("/live")
    assert VIETNAMESE["lack_not_fresh"] in page
    assert '<form id="composer"' in member.page("/"), "a post needs none"
    page = member.goes_and_returns(member.press("/live", "step-up"), member.scene.person("Nguyễn Thị Lan"))
    assert VIETNAMESE["notice_confirmed"] in page
    assert member.press("/live", "live", text="Chè sen mười nghìn một bát").status_code == 303
    assert "Chè sen mười nghìn một bát" in member.page("/")
