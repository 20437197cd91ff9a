"""Abuse class 24: who may open which address. Whatever is registered below these is in the matrix."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from idp import app as program
from idp import endpoints
from idp.audit.events import Actor, ActorKind
from idp.identity.activation_grounds import Ground
from idp.identity.cases import CaseKind
from idp.store.cases import new_case
from idp.web.activations import open_recovery
from idp.web.sender_constraint import dpop_nonces
from tests.support.families import family, own_page, questions
from tests.support.html_forms import Html
from tests.support.passkeys import authenticator_of, give_passkey, sign_in_by_passkey
from tests.support.platform_api import MANAGE, READ, PlatformAPI, new_platform_api
from tests.support.provider import ISSUER, Person, Provider
from tests.support.public_log import sign_all

pytestmark = pytest.mark.anyio

EVERYBODY, PLATFORM, RECEIVER, PERSON = "everybody", "platform", "receiver", "person"
WHO = (
    ("/account-links/policy", EVERYBODY),
    ("/account-links/openapi.json", EVERYBODY),
    ("/account-links", PLATFORM),
    ("/.well-known/", EVERYBODY),
    ("/status-lists/", EVERYBODY),
    ("/transparency/", EVERYBODY),
    ("/jwks", EVERYBODY),
    ("/ssf/", RECEIVER),
    ("/my", PERSON),
)
"""Who opens what lies below an address; the first that fits holds."""
BOTH_SCOPES = f"{READ} {MANAGE}"
SCOPES: dict[str, object] = {"scope": f"openid {BOTH_SCOPES} ssf.read ssf.manage"}
FORM = {"decision": "end", "findable": "yes", "answer": "release", "session": "x", "choice": "yes"}


def doors() -> Iterator[tuple[str, str, str]]:
    """Every registered method and address below those, with who opens it."""
    for module in [*vars(endpoints).values(), *vars(program).values()]:
        for route in getattr(getattr(module, "router", None), "routes", ()):
            if not isinstance(route, APIRoute):
                continue
            who = next((who for prefix, who in WHO if route.path.startswith(prefix)), None)
            if who is not None:
                yield from ((method, route.path, who) for method in sorted(route.methods - {"HEAD"}))


DOORS = sorted(set(doors()))
NAMED_BY_PEOPLE = [(method, path) for method, path, who in DOORS if who == PERSON and re.search(r"\{", path)]


@dataclass
class World:
    """A platform, a person with everything a person can have, and strangers to both."""

    provider: Provider
    api: PlatformAPI
    receiver_token: str
    person_token: str
    names: dict[str, str]
    children_link: str
    owner: httpx.AsyncClient
    owner_id: str
    other: httpx.AsyncClient
    other_csrf: str

    def address(self, path: str) -> str:
        names = self.names | ({"link_id": self.children_link} if "{guardianship_id}" in path else {})
        return path.format(**names)

    async def knock(self, role: str, method: str, path: str) -> httpx.Response:
        address, headers = self.address(path), {}
        browser = {"person": self.owner, "another person": self.other}.get(role, self.api.http)
        body: dict[str, Any] = {}
        if path.startswith("/my/"):
            body = {} if method == "GET" else {"data": FORM | {"csrf": self.other_csrf}}
        elif method != "GET":
            body = {"json": {"stream_id": self.names["stream_id"]}}
            headers["Idempotency-Key"] = '"a"'
        if role == PLATFORM:
            token, now = await self.api.token(BOTH_SCOPES), self.provider.clock.now
            [nonce, *_] = dpop_nonces(self.provider.context, now)
            url = ISSUER + address
            proof = self.api.key.proof(method, url, at=now, nonce=nonce, access_token=token)
            headers |= {"Authorization": f"DPoP {token}", "DPoP": proof}
        elif role in {RECEIVER, "somebody's token"}:
            token = self.receiver_token if role == RECEIVER else self.person_token
            headers["Authorization"] = f"Bearer {token}"
        query = {"stream_id": self.names["stream_id"]} if path.startswith("/ssf/st") else None
        return await browser.request(method, address, headers=headers, params=query, **body)

    async def standing(self) -> list[object]:
        """What a stranger could have changed."""
        uow = self.provider.unit_of_work()
        return [
            await uow.account_links.find(self.names["link_id"]),
            await uow.account_links.find(self.children_link),
            await uow.cases.find_by_reference(self.names["reference"]),
            await uow.activations.find(self.names["activation_id"]),
            await uow.guardianships.find(self.names["guardianship_id"]),
            [each.name for each in await uow.passkeys.of_citizen(self.owner_id, limit=9)],
            await uow.event_streams.find(self.names["stream_id"]),
            (await self.owner.get("/my/sessions")).status_code,
        ]


async def csrf_of(provider: Provider, browser: httpx.AsyncClient, person: Person) -> str:
    page = await own_page(provider, browser, person, "/my/freeze")
    return Html(page.text).forms["freeze"].fields["csrf"]


@pytest.fixture(scope="module")
async def world(provider: Provider) -> AsyncIterator[World]:
    async with (
        provider.http() as http,
        provider.http() as owner,
        provider.http() as other,
        provider.http() as child,
    ):
        api = await new_platform_api(provider, http, SCOPES)
        home, stranger = await family(provider), await provider.add_person(has_totp=False)
        tokens = await api.platform.tokens_for(owner, home.guardian, "acc_owner")
        await home.asks(child, api.platform)
        await home.answers(owner)
        childs = await home.links(child, api.platform)
        await home.asks(child, api.platform, account_id="acc_waiting")
        [waiting] = await questions(provider, owner, home.guardian)
        link_id = tokens["authorization_details"][0]["link_id"]
        actor = Actor(ActorKind.CITIZEN, home.guardian.citizen_id)
        case = new_case(
            CaseKind.NOT_ME,
            actor,
            provider.clock.now,
            client_id=api.client_id,
            link_id=link_id,
            citizen_id=home.guardian.citizen_id,
        )
        uow = provider.unit_of_work()
        uow.cases.open(case)
        recovery = open_recovery(
            uow,
            home.guardian.citizen_id,
            Ground.STRONG_SESSION,
            provider.context.recovery_waiting,
            provider.clock.now,
        )
        await uow.commit()
        form = {"grant_type": "client_credentials", "scope": "ssf.read ssf.manage"}
        receiver_token = (await http.post("/token", data=form, auth=api.platform.auth)).json()["access_token"]
        bearer = {"Authorization": f"Bearer {receiver_token}"}
        stream = (await http.post("/ssf/streams", json={}, headers=bearer)).json()
        provider.clock.advance(minutes=2)
        await sign_all(provider.unit_of_work(), provider.context.custody, provider.clock.now)
        [event, *_] = await provider.unit_of_work().ledger.of_link(link_id)
        link = await provider.unit_of_work().account_links.find(link_id)
        assert link is not None
        assert link.status_list_id is not None
        device = authenticator_of(provider)
        passkey = await give_passkey(provider, home.guardian, device)
        assert (await sign_in_by_passkey(owner, device)).status_code == 303
        names = {
            "link_id": link_id,
            "passkey_id": passkey.passkey_id,
            "event_id": event.event_id,
            "activation_id": recovery.activation.activation_id,
            "reference": case.reference,
            "guardianship_id": home.guardianship_id,
            "request_id": waiting.rpartition("/")[2],
            "client_id": api.client_id,
            "list_id": link.status_list_id,
            "stream_id": stream["stream_id"],
            "level": "0",
            "index": "0",
        }
        yield World(
            provider,
            api,
            receiver_token,
            tokens["access_token"],
            names,
            childs["authorization_details"][0]["link_id"],
            owner,
            home.guardian.citizen_id,
            other,
            await csrf_of(provider, other, stranger),
        )


def is_refused(answer: httpx.Response) -> bool:
    """Refused, or asked to sign in first."""
    is_asked = answer.status_code == 303 and "/sign-in/" in answer.headers["location"]
    return is_asked or answer.status_code in {401, 403, 404}


def test_the_matrix_has_every_kind_of_door() -> None:
    assert {who for _, _, who in DOORS} == {EVERYBODY, PLATFORM, RECEIVER, PERSON}
    assert len(DOORS) > 50
    assert len(NAMED_BY_PEOPLE) > 15


@pytest.mark.parametrize("role", ["stranger", PLATFORM, RECEIVER, "somebody's token", "another person"])
async def test_nobody_opens_what_is_not_theirs_to_open(world: World, role: str) -> None:
    """Every role at every door: refused wherever the door is another's, and nothing is changed by it."""
    before = await world.standing()
    tried = 0
    for method, path, who in DOORS:
        if who in {EVERYBODY, role} or (role == "another person" and who == PERSON):
            continue
        answer = await world.knock(role, method, path)
        assert is_refused(answer), (role, method, path, answer.status_code)
        assert answer.status_code != 404, (role, method, path)
        tried += 1
    assert tried > 20
    assert await world.standing() == before


async def test_another_persons_things_are_not_there(world: World) -> None:
    """With a session and a form token of their own, nobody sees, answers or ends what is another's."""
    before, own = await world.standing(), {*world.names.values(), world.children_link}
    for method, path in NAMED_BY_PEOPLE:
        if "{client_id}" in path:
            continue  # their own relation to that network, which they have not
        answer = await world.knock("another person", method, path)
        assert answer.status_code == 404, (method, path, answer.status_code)
        shown = {name for name in own if len(name) > 8 and name in answer.text}
        assert shown <= {world.address(path).rpartition("/")[2]}, (method, path)
    assert await world.standing() == before


async def test_whoever_it_is_for_is_let_in(world: World) -> None:
    """The matrix refuses nobody who belongs there: it is no matrix of broken doors."""
    for method, path, who in DOORS:
        if method == "GET":
            answer = await world.knock(who, method, path)
            assert not is_refused(answer), (who, path, answer.status_code, answer.text[:200])
