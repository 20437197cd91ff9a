"""Case P7, R12: two platforms lay side by side all that they hold, and learn nothing of each other's people.

What is pushed and in which order is test_event_privacy.py; receipts and indexes are in
test_receipts_and_status_lists.py. Here is the whole of it: every token, list, feed, tag, cursor, case and
mark of the same people's links.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from idp.housekeeping.status_lists import build_status_lists
from idp.identity.account_links import Status
from tests.support.event_links import told
from tests.support.html_forms import Html
from tests.support.platform_api import PlatformAPI, new_platform_api, stored
from tests.support.provider import ISSUER, Person, Provider
from tests.support.public_log import sign_all
from tests.support.receiver_of_events import METADATA, ReceiverOfEvents
from tests.support.shared_provider import move_link

pytestmark = pytest.mark.anyio

PEOPLE = 6
REASON = "court_of_canary_17"
CANARIES = {
    "name": "Kim Tước Hoàng Yến",
    "email": "hoang-yen@canary.example",
    "phone_number": "+84000777123",
    "birthdate": "1987-06-25",
}
PUBLIC = {
    ISSUER,
    f"{ISSUER}/acr/vn-1",
    f"{ISSUER}/acr/vn-2",
    "iss_sub",
    "urn:ietf:rfc:8936",
    "account_link",
    "vn2",
    "active",
    "suspended",
    "established",
    "reinstated",
    "impersonation",
    "Bearer",
    "openid",
    "pwd",
    "nonce-1",
    "@lan",
    "post",
    "None",
    "True",
    "False",
    "ES256",
    "RS256",
}
"""What two platforms may both read: vocabulary, the issuer, and what the tests themselves sent to both."""


@dataclass
class Platform:
    """One platform, and all that it was ever given."""

    api: PlatformAPI
    receiver: ReceiverOfEvents
    stream_id: str
    tokens: list[dict[str, Any]] = field(default_factory=list)
    given: list[Any] = field(default_factory=list)

    def link_ids(self) -> list[str]:
        return [each["authorization_details"][0]["link_id"] for each in self.tokens]

    async def feed(self) -> list[dict[str, Any]]:
        answer = (await self.api.get("/changes", **{"from": "beginning"})).json()
        self.given.append(answer)
        changes: list[dict[str, Any]] = answer["changes"]
        return changes

    async def gather(self) -> None:
        """Ask for everything that there is to be had."""
        self.api.tokens.clear()
        self.receiver.token = await self.receiver.own_token("ssf.read ssf.manage")
        self.given += self.tokens
        for link_id in self.link_ids():
            answer = await self.api.get(f"/{link_id}")
            self.given += [answer.json(), answer.headers["etag"]]
            report = await self.api.post(f"/{link_id}/misuse", {"suspicion": "impersonation"})
            assert report.status_code == 201, report.text
            self.given.append(report.json())
        self.given.append((await self.api.get("", limit="2")).json())
        await self.feed()
        self.given.append((await self.receiver.ask("GET", "/ssf/streams")).json())
        while waiting := (await self.receiver.poll(self.stream_id))["sets"]:
            self.given.append(waiting)
            await self.receiver.poll(self.stream_id, ack=list(waiting))


def is_token(value: object) -> bool:
    return isinstance(value, str) and value.startswith("eyJ") and value.count(".") == 2


def leaves(document: Any) -> Iterator[str]:
    """Every value in a document, and within the tokens in it, headers apart from the key's name."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from leaves(value)
            yield from (name,) if is_token(value) and len(name) > 15 else ()  # a SET stands under its jti
    elif isinstance(document, list):
        for value in document:
            yield from leaves(value)
    elif is_token(document):
        yield from leaves(jwt.decode(document, options={"verify_signature": False}))
    else:
        yield str(document)


async def platform(provider: Provider, http: httpx.AsyncClient) -> Platform:
    api = await new_platform_api(provider, http, METADATA, public_mark=True)
    receiver = ReceiverOfEvents(provider, api.platform, http, "")
    receiver.token = await receiver.own_token("ssf.read ssf.manage")
    return Platform(api, receiver, (await receiver.create())["stream_id"])


async def lives(provider: Provider, platforms: list[Platform]) -> list[Person]:
    """Let the same people link with every platform, and let something happen to each link."""
    people = []
    for number in range(PEOPLE):
        person = await provider.add_person(has_totp=False, **CANARIES)
        people.append(person)
        async with provider.http() as browser:
            for at, each in enumerate(platforms):
                provider.clock.advance(seconds=7 + 3 * at)
                account = f"acc-{at}-{number}"
                each.tokens.append(await each.api.platform.tokens_for(browser, person, account))
    # In one moment for all platforms, as the register does it: first everybody rests, then everybody is back.
    for to in (Status.SUSPENDED, Status.ACTIVE):
        for number in range(PEOPLE):
            for each in platforms:
                provider.clock.now += timedelta(microseconds=3)
                await move_link(provider, each.link_ids()[number], to)
        await told(provider)
    await build_status_lists(provider.unit_of_work, "builder", provider.clock.now)
    provider.clock.advance(minutes=2)
    await sign_all(provider.unit_of_work(), provider.context.custody, provider.clock.now)
    for each in platforms:
        provider.clock.advance(seconds=11)
        await each.gather()
    return people


async def test_p7_nothing_that_two_platforms_hold_is_the_same(provider: Provider) -> None:
    """sub, link ids, receipts, lists and indexes, tags, cursors, SETs, cases: each its own platform's."""
    async with provider.http() as http:
        platforms = [await platform(provider, http) for _ in range(2)]
        await lives(provider, platforms)
        one, other = ({value for each in it.given for value in leaves(each)} for it in platforms)
        assert min(len(one), len(other)) > 100
        shared = {
            value
            for value in (one & other) - PUBLIC
            if not value.isdecimal()
            and not value.startswith((f"{ISSUER}/events/", "https://schemas.openid.net/"))
        }
        assert shared == set()
        # Numbers: the seconds of what happened to both at once, and small constants; no index.
        now = provider.clock.now.timestamp()
        numbers = {int(value) for value in one & other if value.isdecimal()}
        assert {number for number in numbers if not now - 3600 < number < now + 800 * 86400} <= {
            1,
            2,
            30,
            60,
            600,
        }


async def test_p7_what_befell_people_in_one_order_is_fed_to_each_platform_in_another(
    provider: Provider,
) -> None:
    """A feed is in the order of each link's own changes; of different people's, in none."""
    async with provider.http() as http:
        platforms = [await platform(provider, http) for _ in range(2)]
        await lives(provider, platforms)
        orders = []
        for each in platforms:
            place = {link_id: number for number, link_id in enumerate(each.link_ids())}
            entries = [(change["kind"], place[change["link_id"]]) for change in await each.feed()]
            for number in range(PEOPLE):
                own = [kind for kind, of in entries if of == number]
                assert own == ["established", "suspended", "reinstated"]
            orders.append([of for kind, of in entries if kind in {"suspended", "reinstated"}])
        assert orders[0] != orders[1], "one in 518,400 may be"
        assert list(range(PEOPLE)) * 2 not in orders, "nor is it the order in which it happened"


async def test_p7_a_mark_is_found_under_another_address_at_each_platform(provider: Provider) -> None:
    async with provider.http() as http, provider.http() as browser:
        marks = []
        person = await provider.add_person(has_totp=False)
        for at in range(2):
            api = (await platform(provider, http)).api
            provider.clock.advance(seconds=5)
            tokens = await api.platform.tokens_for(browser, person, f"acc-{at}")
            link_id = tokens["authorization_details"][0]["link_id"]
            page = Html((await browser.get(f"/my/accounts/{link_id}")).text)
            form = page.forms["mark-switch"]
            await browser.post(form.action, data=form.fields | {"findable": "yes"})
            link = await stored(provider, link_id)
            assert link.mark_id is not None
            marks.append((link.mark_id, link.subject, link.status_list_id))
        assert not set(marks[0]) & set(marks[1])


def forms_of(secret: str) -> set[str]:
    """How a value might stand somewhere: plainly, escaped, in base64 at each of its three offsets."""
    raw = secret.encode()
    encoded = {base64.b64encode(b"x" * at + raw)[4:-4].decode() for at in range(3)}
    escaped = {secret, secret.encode("unicode_escape").decode(), secret.replace("+", "%2B")}
    return escaped | encoded | {each.replace("+", "-").replace("/", "_") for each in encoded}


async def test_r12_no_classified_fact_is_in_anything_that_leaves_or_stays_in_a_log(
    provider: Provider,
) -> None:
    """Canaries in the register: none is in a token, event, feed, list, case, proof, log or public log."""
    async with provider.http() as http:
        it = await platform(provider, http)
        people = await lives(provider, [it])
        texts = [value for each in it.given for value in leaves(each)]
        [first, *_] = [await stored(provider, link_id) for link_id in it.link_ids()]
        for path in (
            f"/status-lists/{first.status_list_id}",
            "/jwks/historical",
            "/transparency/checkpoints",
            "/transparency/tiles/0/0",
            "/account-links/policy",
        ):
            answer = await http.get(path)
            assert answer.status_code == 200, path
            texts.append(answer.content.decode("latin-1"))
            texts += [
                base64.urlsafe_b64decode(part + "==").decode("latin-1") for part in parts_of(answer.text)
            ]
        assert provider.settings.log_file is not None
        texts.append(provider.settings.log_file.read_text())
    everything = "\n".join(texts)
    secrets_told = {**CANARIES, "reason": REASON}
    for number, person in enumerate(people):
        secrets_told |= {f"number {number}": person.personal_number, f"id {number}": person.citizen_id}
    logged = provider.settings.log_file.read_text()
    for what, secret in secrets_told.items():
        for form in forms_of(secret):
            where = everything if not what.startswith("id") else everything.replace(logged, "")
            assert form not in where, (what, form)


def parts_of(token: str) -> list[str]:
    return re.findall(r"eyJ[\w-]{20,}", token)
