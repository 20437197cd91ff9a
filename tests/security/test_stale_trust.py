"""Case P8: what befalls a person reaches whoever trusts their badge, by every way there is, and soon."""

from dataclasses import dataclass
from typing import Any

import jwt
import pytest

from idp.audit.events import Actor, ActorKind
from idp.housekeeping.expiry import let_time_pass
from idp.housekeeping.status_lists import build_status_lists
from idp.identity.citizens import CitizenStatus
from idp.identity.link_status import LinkStatus
from idp.operators.citizen_status import change_status
from idp.operators.desk import Desk
from idp.protocol.status_list import value_at
from tests.support.event_links import told
from tests.support.platform_api import PlatformAPI, new_platform_api
from tests.support.provider import ISSUER, Person, Provider
from tests.support.receiver_of_events import METADATA, ReceiverOfEvents

pytestmark = pytest.mark.anyio

OPERATOR = Actor(ActorKind.OPERATOR, "minh")


@dataclass
class Badge:
    """A link, and everything from which its platform may learn how it stands."""

    api: PlatformAPI
    receiver: ReceiverOfEvents
    stream_id: str
    person: Person
    tokens: dict[str, Any]
    heard: list[str]

    @property
    def link_id(self) -> str:
        link_id: str = self.tokens["authorization_details"][0]["link_id"]
        return link_id

    async def known(self) -> dict[str, Any]:
        """Ask everywhere, a few seconds after whatever happened."""
        provider, http = self.api.provider, self.api.http
        await told(provider)
        await build_status_lists(provider.unit_of_work, "builder", provider.clock.now)
        provider.clock.advance(seconds=3)
        self.api.tokens.clear()
        self.receiver.token = await self.receiver.own_token("ssf.read ssf.manage")
        # Of one person the next event waits for the one before it to be acknowledged.
        while waiting := (await self.receiver.poll(self.stream_id))["sets"]:
            await self.receiver.poll(self.stream_id, ack=list(waiting))
            for token in waiting.values():
                events = jwt.decode(token, options={"verify_signature": False})["events"]
                self.heard += [uri.rpartition("/")[2] for uri in events]
        receipt = jwt.decode(
            self.tokens["authorization_details"][0]["receipt"], options={"verify_signature": False}
        )
        place = receipt["status"]["status_list"]
        token_list = (await http.get(place["uri"].removeprefix(ISSUER))).text
        claims = jwt.decode(token_list, options={"verify_signature": False, "verify_exp": False})
        array = jwt.utils.base64url_decode(claims["status_list"]["lst"])
        form, auth = {"token": self.tokens["access_token"]}, self.api.platform.auth
        changes = (await self.api.get("/changes", **{"from": "beginning"})).json()["changes"]
        return {
            "link": (await self.api.get(f"/{self.link_id}")).json()["status"],
            "last change": changes[-1]["kind"],
            "list": LinkStatus(value_at(array, place["idx"])),
            "token": (await http.post("/introspect", data=form, auth=auth)).json()["active"],
            "receipt": (await self.api.get(f"/{self.link_id}/receipt")).status_code,
        }


async def badge(provider: Provider, http: Any) -> Badge:
    api = await new_platform_api(provider, http, METADATA)
    receiver = ReceiverOfEvents(provider, api.platform, http, "")
    receiver.token = await receiver.own_token("ssf.read ssf.manage")
    stream_id = (await receiver.create())["stream_id"]
    person = await provider.add_person(has_totp=False)
    async with provider.http() as browser:
        tokens = await api.platform.tokens_for(browser, person)
    return Badge(api, receiver, stream_id, person, tokens, [])


async def become(provider: Provider, person: Person, status: CitizenStatus) -> None:
    """Bring a person to a status, as the register's import and `idp citizens` do."""
    context = provider.context
    desk = Desk(provider.settings, context.database, context.custody, OPERATOR, provider.clock)
    citizen = await provider.unit_of_work().citizens.find(person.citizen_id)
    assert citizen is not None
    provider.clock.advance(seconds=1)
    await change_status(desk, citizen, status, "register", dry_run=False)


@pytest.mark.parametrize("status", [each for each in CitizenStatus if each is not CitizenStatus.ACTIVE])
async def test_p8_who_fell_is_told_of_by_every_way(provider: Provider, status: CitizenStatus) -> None:
    """API, change feed, status list, event, introspection: none still says that the badge holds."""
    async with provider.http() as http:
        it = await badge(provider, http)
        good = {
            "link": "active",
            "last change": "established",
            "list": LinkStatus.VALID,
            "token": True,
            "receipt": 200,
        }
        assert await it.known() == good
        await become(provider, it.person, status)
        assert await it.known() == {
            "link": "suspended",
            "last change": "suspended",
            "list": LinkStatus.SUSPENDED,
            "token": False,
            "receipt": 409,
        }
        assert "account-link-suspended" in it.heard
        await become(provider, it.person, CitizenStatus.ACTIVE)
        again = good | {"last change": "reinstated", "token": False}
        assert await it.known() | {"token": False} == again
        assert "account-link-reinstated" in it.heard


async def test_p8_a_badge_that_was_not_renewed_is_told_of_by_every_way(provider: Provider) -> None:
    """Re-verification due dates hold: for what is asked at once, for what is published soon after."""
    async with provider.http() as http:
        it = await badge(provider, http)
        await it.known()
        provider.clock.advance(days=731)
        it.api.tokens.clear()
        assert (await it.api.get(f"/{it.link_id}")).json()["status"] == "lapsed", "before anybody moved it"
        await let_time_pass(provider.unit_of_work(), provider.clock.now)
        told_of = await it.known()
        assert told_of == {
            "link": "lapsed",
            "last change": "lapsed",
            "list": LinkStatus.LAPSED,
            "token": False,
            "receipt": 409,
        }
        assert "account-link-lapsed" in it.heard
