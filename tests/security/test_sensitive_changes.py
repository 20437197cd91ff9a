"""What changes how a person signs in takes everything they can show, just now, and is told on every way.

Abuse classes 15, 16, 19, P5: a stolen session, a remembered browser or a password alone changes nothing.
KC CVE-2026-18963, AK CVE-2026-54730, ZIT CVE-2026-105211.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest
from fastapi.routing import APIRoute

from idp import app as program
from idp.identity.notices import NoticeKind
from idp.pages.frame import form_token
from tests.support.before_doors import form_of
from tests.support.html_forms import Html
from tests.support.passkeys import authenticator_of, give_passkey, options_on
from tests.support.phones import Phone, add_phone, enrolment_code
from tests.support.provider import ISSUER, Person, Provider

pytestmark = pytest.mark.anyio

CHOSEN = "bèo dạt mây trôi 31"
Fields = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change; `fields` are prepared from a page in a session that may make it."""

    door: str
    prepare: Callable[[Provider, httpx.AsyncClient, Person], Awaitable[tuple[str, Fields]]]
    """What is made before, and the address and fields of the form, without its token."""
    told: NoticeKind | None
    """None where a later step is told."""
    raises_level: bool = False
    """Whether a password alone would make a second factor of itself."""


async def new_passkey(provider: Provider, http: httpx.AsyncClient, _: Person) -> tuple[str, Fields]:
    page = await http.get("/my/passkeys/new")
    return "/my/passkeys/new", {"credential": authenticator_of(provider).create(options_on(page))}


async def removed_passkey(provider: Provider, _: httpx.AsyncClient, person: Person) -> tuple[str, Fields]:
    passkey = await give_passkey(provider, person, authenticator_of(provider))
    return f"/my/passkeys/{passkey.passkey_id}/remove", {}


async def new_phone(*_: object) -> tuple[str, Fields]:
    return "/my/phones/add", {}


async def confirmed_phone(provider: Provider, http: httpx.AsyncClient, _: Person) -> tuple[str, Fields]:
    async with provider.http(address="192.0.2.210") as pocket:
        phone = Phone(pocket)
        enrolled = await phone.enrol(await enrolment_code(http))
    return "/my/phones/confirm", {"device": phone.device_id, "number": Html(enrolled.text).ids["number"]}


async def removed_phone(provider: Provider, _: httpx.AsyncClient, person: Person) -> tuple[str, Fields]:
    async with provider.http(address="192.0.2.211") as pocket:
        phone = Phone(pocket)
        provider.clock.advance(seconds=30)
        await add_phone(provider, person, phone)
    return "/my/phones/remove", {"device": phone.device_id}


async def new_app(*_: object) -> tuple[str, Fields]:
    return "/my/authenticator-app", {}


async def removed_app(*_: object) -> tuple[str, Fields]:
    return "/my/authenticator-app/remove", {}


async def new_codes(*_: object) -> tuple[str, Fields]:
    return "/my/recovery-codes", {}


async def removed_codes(provider: Provider, _: httpx.AsyncClient, person: Person) -> tuple[str, Fields]:
    uow = provider.unit_of_work()
    uow.recovery_codes.replace(person.citizen_id, [person.personal_number], provider.clock.now)
    await uow.commit()
    return "/my/recovery-codes/remove", {}


async def new_password(*_: object) -> tuple[str, Fields]:
    return "/my/password", {"password": CHOSEN, "again": CHOSEN, "elsewhere": "yes"}


async def remembered_browser(*_: object) -> tuple[str, Fields]:
    return "/my/browsers", {}


async def ended_upstream(provider: Provider, _: httpx.AsyncClient, person: Person) -> tuple[str, Fields]:
    uow = provider.unit_of_work()
    uow.upstream_accounts.connect(
        "standard", f"of {person.citizen_id}", person.citizen_id, provider.clock.now
    )
    await uow.commit()
    return "/my/upstreams/end", {"upstream": "standard"}


async def opened_recovery(*_: object) -> tuple[str, Fields]:
    return "/my/recovery", {}


CHANGES = [
    Change(
        door="POST /my/passkeys/new",
        prepare=new_passkey,
        told=NoticeKind.AUTHENTICATOR_ADDED,
        raises_level=True,
    ),
    Change(
        door="POST /my/passkeys/{passkey_id}/remove",
        prepare=removed_passkey,
        told=NoticeKind.AUTHENTICATOR_REMOVED,
    ),
    Change(door="POST /my/phones/add", prepare=new_phone, told=None, raises_level=True),
    Change(
        door="POST /my/phones/confirm",
        prepare=confirmed_phone,
        told=NoticeKind.AUTHENTICATOR_ADDED,
        raises_level=True,
    ),
    Change(door="POST /my/phones/remove", prepare=removed_phone, told=NoticeKind.AUTHENTICATOR_REMOVED),
    Change(door="POST /my/authenticator-app", prepare=new_app, told=None, raises_level=True),
    Change(
        door="POST /my/authenticator-app/remove",
        prepare=removed_app,
        told=NoticeKind.AUTHENTICATOR_REMOVED,
    ),
    Change(
        door="POST /my/recovery-codes",
        prepare=new_codes,
        told=NoticeKind.AUTHENTICATOR_ADDED,
        raises_level=True,
    ),
    Change(
        door="POST /my/recovery-codes/remove",
        prepare=removed_codes,
        told=NoticeKind.AUTHENTICATOR_REMOVED,
    ),
    Change(door="POST /my/password", prepare=new_password, told=NoticeKind.PASSWORD_CHANGED),
    Change(
        door="POST /my/browsers",
        prepare=remembered_browser,
        told=NoticeKind.AUTHENTICATOR_ADDED,
        raises_level=True,
    ),
    Change(
        door="POST /my/upstreams/end",
        prepare=ended_upstream,
        told=NoticeKind.AUTHENTICATOR_REMOVED,
    ),
    Change(
        door="POST /my/recovery", prepare=opened_recovery, told=NoticeKind.RECOVERY_OPENED, raises_level=True
    ),
]
OTHERWISE = {
    "POST /my/authenticator-app/confirm": "the same call at its first line as what begins it; walked below",
    "POST /my/passkeys/{passkey_id}/name": "a name lets nobody in",
    "POST /my/browsers/forget": "forgetting makes the next visit harder, not easier",
    "POST /my/browsers/forget-all": "the same",
    "POST /my/recovery/{activation_id}/stop": "stopping too much harms less than stopping too late",
}
OF_SIGNING_IN = (
    "/my/passkeys",
    "/my/phones",
    "/my/authenticator-app",
    "/my/recovery",
    "/my/password",
    "/my/browsers",
    "/my/upstreams",
)
BY_DOOR = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.door)


def test_every_change_of_how_one_signs_in_is_here() -> None:
    doors = {
        f"{method} {route.path}"
        for module in vars(program).values()
        for route in getattr(getattr(module, "router", None), "routes", ())
        if isinstance(route, APIRoute) and route.path.startswith(OF_SIGNING_IN)
        for method in route.methods - {"GET", "HEAD"}
    }
    assert doors == {change.door for change in CHANGES} | OTHERWISE.keys()


async def strong(provider: Provider, http: httpx.AsyncClient, person: Person) -> None:
    provider.clock.advance(seconds=30)
    await http.post("/sign-in/security", data=form_of(person))
    await http.post("/second-factor/security", data={"code": person.code(provider.clock.now)})


async def token_of(provider: Provider, http: httpx.AsyncClient) -> str:
    found = await provider.unit_of_work().sessions.find(http.cookies["lienket-session"])
    assert found is not None
    return form_token(provider.context, found.session)


async def state_of(provider: Provider, person: Person) -> list[object]:
    """What a change would have changed."""
    uow, now = provider.unit_of_work(), provider.clock.now
    return [
        await uow.authenticators.find(person.citizen_id),
        [each.passkey_id for each in await uow.passkeys.of_citizen(person.citizen_id, limit=20)],
        [
            (each.device_id, each.is_usable)
            for each in await uow.app_devices.of_citizen(person.citizen_id, now)
        ],
        await uow.recovery_codes.find_set(person.citizen_id),
        [each.activation_id for each in await uow.activations.open_of_citizen(person.citizen_id, now)],
        await uow.trusted_browsers.of_citizen(person.citizen_id, now, limit=9),
        await uow.upstream_accounts.of_citizen(person.citizen_id),
        [each.notice_id for each in await uow.notices.of_citizen(person.citizen_id, limit=50)],
    ]


@BY_DOOR
async def test_it_is_done_after_a_strong_sign_in_of_these_minutes_and_told(
    provider: Provider, change: Change
) -> None:
    person = await provider.add_person(phone_number=None)
    async with provider.http() as http:
        await strong(provider, http, person)
        path, fields = await change.prepare(provider, http, person)
        before = await provider.unit_of_work().notices.of_citizen(person.citizen_id, limit=50)
        answer = await http.post(path, data=fields | {"csrf": await token_of(provider, http)})
        assert answer.status_code in {200, 303}, answer.text
        assert "/sign-in/" not in answer.headers.get("location", "")
    after = await provider.unit_of_work().notices.of_citizen(person.citizen_id, limit=50)
    known = {each.notice_id for each in before}
    new = [each for each in after if each.notice_id not in known]
    assert [each.notice.kind for each in new] == ([] if change.told is None else [change.told])
    for each in new:
        delivery = await provider.unit_of_work().outbox.find(f"citizen_notice:{each.notice_id}")
        assert delivery is not None, "told on the ways that the register knows, not on our page alone"


@BY_DOOR
async def test_neither_an_old_sign_in_nor_a_password_alone_nor_a_remembered_browser_does(
    provider: Provider, change: Change
) -> None:
    person = await provider.add_person()
    async with provider.http() as own, provider.http() as thief:
        await strong(provider, own, person)
        path, fields = await change.prepare(provider, own, person)
        await own.post("/my/browsers", data={"csrf": await token_of(provider, own)})
        before = await state_of(provider, person)
        await thief.post("/sign-in/security", data=form_of(person))
        weak = await thief.post(path, data=fields | {"csrf": await token_of(provider, thief)})
        assert "/second-factor/" in weak.headers["location"]
        provider.clock.advance(minutes=10)
        old = await own.post(path, data=fields | {"csrf": await token_of(provider, own)})
        assert "/sign-in/" in old.headers["location"]
        await own.post("/sign-in/security", data=form_of(person))
        remembered = await own.post(path, data=fields | {"csrf": await token_of(provider, own)})
        assert "/second-factor/" in remembered.headers["location"]
        assert await state_of(provider, person) == before


@BY_DOOR
async def test_no_form_without_the_sessions_token_does(provider: Provider, change: Change) -> None:
    """Class 15: nor with the token of another session of the same person."""
    person = await provider.add_person()
    async with provider.http() as http, provider.http() as other:
        await strong(provider, http, person)
        path, fields = await change.prepare(provider, http, person)
        await strong(provider, other, person)
        foreign = await token_of(provider, other)
        before = await state_of(provider, person)
        for token in ({"go": "on"}, {"csrf": ""}, {"csrf": foreign}):
            assert (await http.post(path, data=fields | token)).status_code == 403
        own = fields | {"csrf": await token_of(provider, http)}
        elsewhere = await http.post(path, data=own, headers={"Origin": "https://attacker.example"})
        assert elsewhere.status_code == 403
        assert await state_of(provider, person) == before


@pytest.mark.parametrize(
    "change", [each for each in CHANGES if each.raises_level], ids=lambda change: change.door
)
async def test_a_password_alone_makes_no_second_factor_of_itself(provider: Provider, change: Change) -> None:
    """NIST SP 800-63B §4.1.2: whoever stole the only password of somebody gains no more than that."""
    person, helper = await provider.add_person(has_totp=False), await provider.add_person()
    async with provider.http() as http, provider.http() as other:
        await strong(provider, other, helper)
        path, fields = await change.prepare(provider, other, helper)
        await http.post("/sign-in/security", data=form_of(person))
        before = await state_of(provider, person)
        answer = await http.post(path, data=fields | {"csrf": await token_of(provider, http)})
        assert answer.headers["location"] == f"{ISSUER}/my/security?needs=activation"
        assert await state_of(provider, person) == before


async def test_an_app_is_taken_with_its_code_in_the_session_that_saw_its_secret(provider: Provider) -> None:
    """AK CVE-2026-54730: neither in another person's session, nor when the sign-in has become old."""
    person, other = await provider.add_person(), await provider.add_person()
    async with provider.http() as http, provider.http() as attacker:
        await strong(provider, http, person)
        await strong(provider, attacker, other)
        page = await attacker.post("/my/authenticator-app", data={"csrf": await token_of(provider, attacker)})
        foreign = Html(page.text).forms["confirm-app"].fields
        before = await state_of(provider, person)
        sent = foreign | {"code": "000000", "csrf": await token_of(provider, http)}
        refused = await http.post("/my/authenticator-app/confirm", data=sent)
        assert refused.status_code >= 400
        provider.clock.advance(minutes=10)
        late = await attacker.post("/my/authenticator-app/confirm", data=foreign | {"code": "000000"})
        assert "/sign-in/" in late.headers["location"]
        assert await state_of(provider, person) == before
