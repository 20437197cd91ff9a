"""Activation codes as operators and holders come by them, and the pages on which they are used."""

import re
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from idp.audit.events import Actor, ActorKind
from idp.authenticators.recovery_codes import ALPHABET, LENGTH
from idp.identity.activation_grounds import Ground, Identified, Purpose, SeenDocument
from idp.identity.activations import Activation, approve, issued, proposal
from idp.identity.evidence import DocumentType
from idp.web.activations import Handed, issue_approved, issue_enrolment, new_activation_id, open_recovery
from tests.support.html_forms import Html
from tests.support.provider import ISSUER, Person, Provider

NGA, HOA = Actor(ActorKind.OPERATOR, "nga"), Actor(ActorKind.OPERATOR, "hoa")
CHOSEN = "bèo dạt mây trôi 27"
"""A password that nobody chose before."""


def seen(ground: Ground = Ground.IN_PERSON) -> Identified:
    return Identified(ground, "1990-01-02", SeenDocument(DocumentType.IDCARD, "HS-7/2026"))


async def issue(
    provider: Provider,
    person: Person,
    purpose: Purpose = Purpose.ENROLMENT,
    ground: Ground = Ground.IN_PERSON,
) -> Handed:
    """Give a person a code, as one operator does."""
    uow, now = provider.unit_of_work(), provider.clock.now
    activation = issued(new_activation_id(), person.citizen_id, purpose, seen(ground), NGA, now)
    handed = issue_enrolment(uow, activation, NGA, now)
    await uow.commit()
    return handed


async def recover_in_person(provider: Provider, person: Person) -> Handed:
    """Give a person a code for a recovery, as two operators do."""
    uow, now = provider.unit_of_work(), provider.clock.now
    proposed = proposal(new_activation_id(), person.citizen_id, seen(), NGA, now)
    uow.activations.add(proposed)
    await uow.commit()
    waiting = provider.context.recovery_waiting
    handed = issue_approved(uow, approve(proposed, HOA, waiting, now), HOA, now)
    await uow.commit()
    return handed


async def opened_recovery(
    provider: Provider, person: Person, ground: Ground = Ground.STRONG_SESSION
) -> Handed:
    """Open a recovery past the pages."""
    uow = provider.unit_of_work()
    waiting = provider.context.recovery_waiting
    handed = open_recovery(uow, person.citizen_id, ground, waiting, provider.clock.now)
    await uow.commit()
    return handed


async def give_sheet(provider: Provider, person: Person) -> tuple[str, ...]:
    """Give a person recovery codes; return them."""
    uow = provider.unit_of_work()
    sheet = tuple("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(3))
    uow.recovery_codes.replace(person.citizen_id, sheet, provider.clock.now)
    await uow.commit()
    return sheet


async def typed(
    browser: httpx.AsyncClient, number: str, code: str, *, visit: str | None = None, **headers: str
) -> httpx.Response:
    """Type number and code."""
    address = "/activate" if visit is None else f"/activate/{visit}"
    return await browser.post(address, data={"identifier": number, "code": code}, headers=headers)


async def chosen(browser: httpx.AsyncClient, address: str, **fields: Any) -> httpx.Response:
    """Choose a password where `typed` led."""
    return await browser.post(address, data={"password": CHOSEN, "password_again": CHOSEN} | fields)


@dataclass
class Used:
    """How an activation went from its code to its end."""

    address: str
    answer: httpx.Response


async def use(browser: httpx.AsyncClient, person: Person, handed: Handed, **fields: Any) -> Used:
    """Type the code and choose a password."""
    answer = await typed(browser, person.personal_number, handed.code)
    assert answer.status_code == 303, Html(answer.text).text
    address = answer.headers["location"]
    assert re.fullmatch(rf"{ISSUER}/activate/my/[A-Za-z0-9_-]+", address)
    return Used(address, await chosen(browser, address, **fields))


async def stop_address(provider: Provider, citizen_id: str) -> str:
    """Return the address in the newest message by which something is stopped."""
    uow = provider.unit_of_work()
    for kept in await uow.notices.of_citizen(citizen_id):
        delivery = await uow.outbox.find(f"citizen_notice:{kept.notice_id}")
        assert delivery is not None
        if delivery.content["token"] is not None and kept.notice.link_id is None:
            return f"{ISSUER}/recovery/stop/{delivery.content['token']}"
    raise AssertionError("this person was told of nothing that can be stopped")


async def state_of(provider: Provider, handed: Handed) -> Activation:
    found = await provider.unit_of_work().activations.find(handed.activation.activation_id)
    assert found is not None
    return found
