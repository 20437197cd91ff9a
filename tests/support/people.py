"""People who are told: the real ways, to receivers on the loopback; and what follows from what happens."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from idp.deliveries.fan_out import FanOut
from idp.deliveries.ways import WaysToPeople
from idp.identity.account_links import AccountLink
from idp.identity.notices import Channel
from idp.outbound.channels import Gateway
from idp.outbound.guarded_http import GuardedHTTP, tls_context
from idp.outbound.mail import Encryption, Mail, MailServer
from tests.support import mail_server as mail
from tests.support.deliveries import work_off, world_of
from tests.support.platform import Platform
from tests.support.provider import Person, Provider
from tests.support.receiver import Receiver, receiver
from tests.support.shared_provider import new_platform

SMS_SECRET, PUSH_SECRET = "sms-secret-of-the-gateway", "push-secret-of-the-gateway"
CONTACTS = {"email": "lan@thu.example", "phone_number": "+84000123456"}


@dataclass
class Receivers:
    """Whoever carries messages on."""

    mail: mail.MailServer
    sms: Receiver
    push: Receiver
    people: WaysToPeople = field(default_factory=WaysToPeople)


@asynccontextmanager
async def all_ways() -> AsyncIterator[Receivers]:
    """Set up every way to receivers of the test's own."""
    http = GuardedHTTP(allow_loopback=True)
    async with mail.mail_server() as server, receiver() as sms, receiver() as push:
        ways: dict[Channel, Any] = {
            Channel.EMAIL: Mail(
                MailServer("127.0.0.1", server.port, None, Encryption.NONE),
                tls_context(),
                sender="no-reply@id.example",
                password=None,
                own_host="id.example",
            ),
            Channel.SMS: Gateway(http, sms.uri, SMS_SECRET),
            Channel.PUSH: Gateway(http, push.uri, PUSH_SECRET),
        }
        try:
            yield Receivers(server, sms, push, WaysToPeople(ways, "app.example", 3))
        finally:
            await http.close()


async def told(provider: Provider, people: WaysToPeople | None = None) -> None:
    """Have the delivering process follow what happened and tell whoever is to be told."""
    async with world_of(provider, people) as world:
        fan_out = FanOut(world, f"test-{secrets.token_hex(4)}")
        while await fan_out.follow():
            pass
        await work_off(world)


async def newest_token(provider: Provider, citizen_id: str) -> str:
    """Return the token of the newest message in which something can be disowned."""
    uow = provider.unit_of_work()
    for kept in await uow.notices.of_citizen(citizen_id):
        delivery = await uow.outbox.find(f"citizen_notice:{kept.notice_id}")
        assert delivery is not None
        if delivery.content["token"] is not None:
            token: str = delivery.content["token"]
            return token
    raise AssertionError("this person was told of nothing that can be disowned")


@dataclass
class Linked:
    """A person with one link, and the platform's side of it."""

    platform: Platform
    person: Person
    link_id: str
    tokens: dict[str, Any]

    async def link(self) -> AccountLink:
        found = await self.platform.provider.unit_of_work().account_links.find(self.link_id)
        assert found is not None
        return found


async def linked(provider: Provider, browser: httpx.AsyncClient, **person: Any) -> Linked:
    """Link an account of somebody new, with every contact that the register can know."""
    platform = await new_platform(provider)
    known = await provider.add_person(**(CONTACTS | {"has_totp": False} | person))
    tokens = await platform.tokens_for(browser, known)
    return Linked(platform, known, tokens["authorization_details"][0]["link_id"], tokens)
