"""What was done with my data: the ledger, its proofs and its export, on both engines. R8, R9, R20; P9."""

import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import select

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.assurance import Proofing
from idp.store.tables import audit_events
from tests.support import tampering
from tests.support.decoupled import arrive
from tests.support.html_forms import Html
from tests.support.provider import ISSUER, Person, Provider
from tests.support.public_log import sign_all
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

OPERATOR = Actor(ActorKind.OPERATOR, "minh")


async def look_up(provider: Provider, person: Person) -> None:
    """An operator looks at the person, as `idp citizens show --reveal` writes it down."""
    uow = provider.unit_of_work()
    details = {"because": "holder_request", "claims": "address personal_number"}
    uow.ledger.append(
        Event(
            "citizen:looked_up",
            OPERATOR,
            provider.clock.now,
            citizen_id=person.citizen_id,
            details=details,
        )
    )
    await uow.commit()


async def sign(provider: Provider) -> None:
    """Seal and sign all there is."""
    provider.clock.advance(minutes=2)
    await sign_all(provider.unit_of_work(), provider.context.custody, provider.clock.now, ISSUER)


def entries(page: httpx.Response) -> list[str]:
    return [link for link in Html(page.text).links if "/my/activity/" in link and "export" not in link]


async def entry_named(http: httpx.AsyncClient, words: str) -> httpx.Response:
    """Open the newest entry that is told in these words."""
    for link in entries(await http.get("/my/activity")):
        page = await http.get(link)
        if words in page.text:
            return page
    raise AssertionError(f"no entry says {words}")


async def test_who_used_what_how_often_and_when(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        for _ in range(3):
            provider.clock.advance(minutes=5)
            tokens = (await platform.refresh(http, tokens["refresh_token"])).json()
        said = Html((await http.get("/my/activity")).text).text
        for expected in ("Đã dùng 4 lần", "Mạng xã hội đã gia hạn", "Bạn đã đồng ý.", "Bạn đã đăng nhập."):
            assert expected in said, expected
        address = f"/my/activity?network={platform.client.client_id}"
        assert "Chỉ những gì liên quan đến" in Html((await http.get(address)).text).text
        uses = await http.get(f"{address}&kind=uses")
        assert len(entries(uses)) == 4
        assert len(entries(await http.get("/my/activity?kind=sign_ins"))) == 1
        assert entries(await http.get("/my/activity?kind=looks")) == []
        switch = [
            link for link in Html((await http.get(f"{address}&kind=uses")).text).links if "lang=" in link
        ]
        assert switch == [f"?network={platform.client.client_id}&kind=uses&lang=en"], "and stays what it was"
        assert "Không có mục nào như vậy" in Html((await http.get("/my/activity?network=no-such")).text).text


async def test_an_operators_look_is_seen_by_the_person_it_was_at(provider: Provider) -> None:
    """P9: a look is in the person's ledger, says what was revealed, and is proven by the public log."""
    person, other = [await provider.add_person(has_totp=False) for _ in range(2)]
    await look_up(provider, person)
    await sign(provider)
    async with provider.http() as http, provider.http() as stranger:
        await arrive(provider, http, person, "/my/accounts")
        (link,) = entries(await http.get("/my/activity?kind=looks"))
        page = Html((await http.get(link)).text).text
        for expected in (
            "Nhân viên của chúng tôi đã xem",
            "do nhân viên của chúng tôi",
            "Số định danh cá nhân",
            "vừa kiểm",
        ):
            assert expected in page, expected
        await arrive(provider, stranger, other, "/my/accounts")
        for hidden in (link, f"{link}/proof"):
            assert (await stranger.get(hidden)).status_code == 404
        assert entries(await stranger.get("/my/activity?kind=looks")) == []


async def test_an_entry_has_a_proof_as_soon_as_it_is_signed(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    await sign(provider)
    await look_up(provider, person)
    async with provider.http() as http:
        await arrive(provider, http, person, "/my/accounts")
        (link,) = entries(await http.get("/my/activity?kind=looks"))
        assert "chưa được ký" in (await http.get(link)).text
        assert (await http.get(f"{link}/proof")).status_code == 404
        await sign(provider)
        answer = await http.get(f"{link}/proof")
        assert answer.headers["content-disposition"].startswith('attachment; filename="lienket-')
        assert answer.headers["cache-control"] == "no-store"
        proof = answer.json()
        assert json.loads(proof["leaf"])["citizen_id"] == person.citizen_id
        assert proof["tree_size"] > proof["leaf_index"]


async def test_an_entry_that_was_altered_says_so(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    await look_up(provider, person)
    await sign(provider)
    async with provider.http() as http:
        await arrive(provider, http, person, "/my/accounts")
        (link,) = entries(await http.get("/my/activity?kind=looks"))
        event_id = link.rpartition("/")[2]
        await tampering.change(
            provider.unit_of_work(), audit_events, {"event_id": event_id}, actor_id="somebody"
        )
        assert "không đúng với nhật ký công khai đã ký" in (await http.get(link)).text
        assert (await http.get(f"{link}/proof")).status_code == 503
        await tampering.change(provider.unit_of_work(), audit_events, {"event_id": event_id}, actor_id="minh")
        assert "vừa kiểm tra" in (await http.get(link)).text


@pytest.mark.parametrize("kind", [ActorKind.CITIZEN, ActorKind.GUARDIAN])
async def test_another_person_who_acted_is_not_named_in_a_proof(provider: Provider, kind: ActorKind) -> None:
    person, guardian = [await provider.add_person(has_totp=False) for _ in range(2)]
    uow = provider.unit_of_work()
    actor = Actor(kind, guardian.citizen_id)
    uow.ledger.append(
        Event("account_link:looked_up", actor, provider.clock.now, citizen_id=person.citizen_id)
    )
    await uow.commit()
    await sign(provider)
    async with provider.http() as http:
        await arrive(provider, http, person, "/my/accounts")
        (link,) = entries(await http.get("/my/activity?kind=looks"))
        page, proof = await http.get(link), await http.get(f"{link}/proof")
        assert proof.json()["leaf"] is None
        assert "vừa kiểm tra" in page.text
        for answer in (page, proof):
            assert guardian.citizen_id not in answer.text


async def test_a_refusal_is_written_down_once(provider: Provider) -> None:
    platform = await new_platform(provider, min_proofing="vn2")
    person = await provider.add_person(has_totp=False, proofing=Proofing.VN1)
    async with provider.http() as http:
        asked = urlencode(platform.request(f"acc-{person.citizen_id}"))
        page = await arrive(provider, http, person, f"/authorize?{asked}")
        for _ in range(3):
            assert page.status_code == 403
            page = await http.get(str(page.url))
        (refused,) = entries(await http.get("/my/activity?kind=refusals"))
        assert "Không liên kết được tài khoản" in (await http.get(refused)).text


async def test_a_long_history_comes_in_pages_and_every_entry_once(provider: Provider) -> None:
    person = await provider.add_person(has_totp=False)
    for _ in range(75):
        await look_up(provider, person)
    async with provider.http() as http:
        await arrive(provider, http, person, "/my/accounts")
        seen: list[str] = []
        address: str | None = "/my/activity?kind=looks"
        while address:
            page = await http.get(address)
            assert int(page.headers["content-length"]) < 30_000
            seen += entries(page)
            address = next(
                (link for link in Html(page.text).links if "before=" in link and "lang=" not in link), None
            )
        assert (len(seen), len(set(seen))) == (75, 75)
        for nonsense in ("before=x", "kind=x", "network=%00", "before=9.%FF", "kind=" + "x" * 500):
            assert (await http.get(f"/my/activity?{nonsense}")).status_code == 200
        for nowhere in ("x", "%00", "x" * 900, "'--"):
            assert (await http.get(f"/my/activity/{nowhere}")).status_code == 404


class Texts(HTMLParser):
    """The text of a document whose tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_everything_is_exported_for_programs_and_for_people(provider: Provider) -> None:
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    for _ in range(450):
        await look_up(provider, person)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        link_id = tokens["authorization_details"][0]["link_id"]
        answer = await http.get("/my/activity/export.json")
        assert answer.headers["content-disposition"] == 'attachment; filename="lienket.json"'
        assert answer.headers["cache-control"] == "no-store"
        exported = answer.json()
        page = await http.get("/my/activity/export.html")
    assert (exported["issuer"], exported["citizen_id"]) == (ISSUER, person.citizen_id)
    assert [link["link_id"] for link in exported["links"]] == [link_id]
    (consent,) = exported["consents"]
    assert (consent["decision"], consent["text_version"]) == ("allow", "2026-11")
    looks = [event for event in exported["events"] if event["type"] == "citizen:looked_up"]
    assert len(looks) == 450
    assert {event["actor"] for event in looks} == {"operator"}
    assert len({event["event_id"] for event in exported["events"]}) == len(exported["events"])
    totals = {total["type"]: total["count"] for total in exported["totals"]}
    assert (totals["citizen:looked_up"], totals["grant:redeemed"]) == (450, 1)
    texts = Texts(page.text)
    assert texts.open == []
    assert texts.text.count("Nhân viên của chúng tôi đã xem thông tin của bạn.") == 450 + 1
    for expected in ("Liên kết:", "bạn đồng ý với", "bản 2026-11"):
        assert expected in texts.text


async def test_nobody_exports_without_signing_in(provider: Provider) -> None:
    async with provider.http() as http:
        for path, visit in (
            *((f"/activity{path}", "activity") for path in ("", "/x", "/x/proof")),
            ("/activity/export.json", "export"),
            ("/activity/export.html", "export"),
            ("/export", "export"),
        ):
            answer = await http.get(f"/my{path}")
            assert (answer.status_code, answer.headers["location"]) == (303, f"{ISSUER}/sign-in/{visit}")


async def test_a_withdrawal_starts_the_platforms_clock(provider: Provider) -> None:
    """R8: shown on the page, and kept with the event."""
    platform, person = await new_platform(provider), await provider.add_person(has_totp=False)
    async with provider.http() as http:
        tokens = await platform.tokens_for(http, person)
        link_id = tokens["authorization_details"][0]["link_id"]
        form = Html((await http.get(f"/my/accounts/{link_id}/end")).text).forms["end-link"]
        ended = Html((await http.post(form.action, data=form.fields)).text).text
    (event,) = await provider.context.database.fetch_all(
        select(audit_events)
        .where(audit_events.c.citizen_id == person.citizen_id)
        .where(audit_events.c.type == "consent:withdrawn"),
        {},
    )
    details = json.loads(event["details"])
    assert list(details) == ["answered_by", "done_by", "done_with_others_by"]
    local = (provider.clock.now.astimezone(UTC) + timedelta(hours=7)).date()
    assert details["answered_by"] > local.isoformat()
    for day in details.values():
        assert datetime.fromisoformat(day).strftime("%d/%m/%Y") in ended
