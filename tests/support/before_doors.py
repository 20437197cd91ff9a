"""Before every door at which a secret is taken, all but the last step done. Over HTTP, without a browser."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from idp.authenticators.app_devices import SignedPurpose
from idp.authenticators.recovery_codes import ALPHABET, LENGTH
from idp.identity.activation_grounds import Purpose
from idp.identity.assurance import authentication_context
from idp.identity.sessions import Session
from tests.support.activations import CHOSEN, issue, typed
from tests.support.decoupled import device_platform
from tests.support.html_forms import Html
from tests.support.passkeys import authenticator_of, give_passkey, options_on
from tests.support.phones import Desk, Phone, add_phone, enrolment_code, person_with
from tests.support.provider import Person, Provider
from tests.support.shared_provider import new_platform
from tests.support.software_authenticator import SoftwareAuthenticator

WRONG = "không phải cái này"


@dataclass
class Standing:
    """Somebody who has only to send the secret. `person` is whose secret it is."""

    http: httpx.AsyncClient
    person: Person
    identifier: str | None
    """What stands in the counters' keys; None where sources alone are counted."""
    address: str
    right: dict[str, str]
    wrong: dict[str, str]

    async def send(self, *, is_right: bool, headers: dict[str, str] | None = None) -> httpx.Response:
        sent = self.right if is_right else self.wrong
        return await self.http.post(self.address, data=sent, headers=headers)


def form_of(person: Person, password: str | None = None) -> dict[str, str]:
    return {
        "identifier": person.personal_number,
        "password": person.password if password is None else password,
    }


async def arrived_by_possession(provider: Provider, http: httpx.AsyncClient, person: Person) -> str:
    """Begin a session that rests on something held alone, as an upstream may have told; return its cookie."""
    now, cookie = provider.clock.now, secrets.token_urlsafe(32)
    uow = provider.unit_of_work()
    session = Session(
        session_id=secrets.token_urlsafe(16),
        citizen_id=person.citizen_id,
        context=authentication_context(("otp",), now),
        created_at=now,
        last_seen_at=now,
    )
    uow.sessions.add(session, cookie, now + provider.context.session_limits.absolute)
    await uow.commit()
    http.cookies.set("lienket-session", cookie, domain="localhost.local", path="/")
    return cookie


async def before_the_second_password(provider: Provider, http: httpx.AsyncClient) -> Standing:
    person = await provider.add_person(has_totp=False)
    await arrived_by_possession(provider, http, person)
    right, wrong = {"password": person.password}, {"password": WRONG}
    return Standing(http, person, person.citizen_id, "/second-factor/my/password", right, wrong)


async def before_the_password(provider: Provider, http: httpx.AsyncClient) -> Standing:
    person = await provider.add_person(has_totp=False)
    wrong = form_of(person, WRONG)
    return Standing(http, person, person.personal_number, "/sign-in/my", form_of(person), wrong)


async def before_the_password_for_a_network(provider: Provider, http: httpx.AsyncClient) -> Standing:
    standing = await before_the_password(provider, http)
    platform = await new_platform(provider)
    begun = await http.get("/authorize", params=platform.request(None))
    standing.address = begun.headers["location"]
    return standing


async def before_the_code(provider: Provider, http: httpx.AsyncClient) -> Standing:
    person = await provider.add_person()
    await http.post("/sign-in/my", data=form_of(person))
    right = {"code": person.code(provider.clock.now)}
    return Standing(http, person, person.citizen_id, "/second-factor/my", right, {"code": "000000"})


async def before_a_devices_code(provider: Provider, http: httpx.AsyncClient) -> Standing:
    person = await provider.add_person(has_totp=False)
    device = await device_platform(provider)
    async with provider.http(address="192.0.2.200") as tv:
        begun = await device.begun(tv)
    await http.post("/sign-in/my", data=form_of(person))
    form = Html((await http.get("/device")).text).forms["device"]
    right = form.fields | {"user_code": begun["user_code"]}
    wrong = form.fields | {"user_code": "BCDF-GHJK"}
    return Standing(http, person, person.citizen_id, "/device", right, wrong)


def tampered(credential: str) -> str:
    """Return what an authenticator answered, with another signature."""
    told: dict[str, Any] = json.loads(credential)
    signature = told["response"]["signature"]
    told["response"]["signature"] = signature[:-4] + ("AAAA" if not signature.endswith("AAAA") else "BBBB")
    return json.dumps(told)


async def with_passkey(provider: Provider) -> tuple[Person, SoftwareAuthenticator]:
    person, authenticator = await provider.add_person(has_totp=False), authenticator_of(provider)
    await give_passkey(provider, person, authenticator)
    return person, authenticator


async def before_the_passkey(provider: Provider, http: httpx.AsyncClient) -> Standing:
    person, authenticator = await with_passkey(provider)
    platform = await new_platform(provider)
    begun = await http.get("/authorize", params=platform.request(None))
    page = await http.get(begun.headers["location"])
    shown = authenticator.get(options_on(page))
    form = Html(page.text).forms["passkey"]
    wrong = {"credential": tampered(shown)}
    return Standing(http, person, None, form.action, {"credential": shown}, wrong)


async def before_the_second_passkey(provider: Provider, http: httpx.AsyncClient) -> Standing:
    person, authenticator = await with_passkey(provider)
    await http.post("/sign-in/my", data=form_of(person))
    page = await http.get("/second-factor/my")
    shown = authenticator.get(options_on(page))
    form = Html(page.text).forms["passkey"]
    wrong = {"credential": tampered(shown)}
    return Standing(http, person, None, form.action, {"credential": shown}, wrong)


async def before_the_door_of_the_app(provider: Provider, http: httpx.AsyncClient) -> Standing:
    phone = Phone(http)
    person = await person_with(provider, phone)
    challenge = (await http.get("/app/challenge")).json()["challenge"]
    right = {
        "device_id": phone.device_id,
        "challenge": challenge,
        "signature": phone.signed(SignedPurpose.ENTER, challenge),
    }
    wrong = right | {"signature": Phone(http).signed(SignedPurpose.ENTER, challenge)}
    return Standing(http, person, None, "/app/enter", right, wrong)


async def before_the_pin(provider: Provider, http: httpx.AsyncClient) -> Standing:
    """On the phone itself."""
    phone = Phone(http)
    person = await person_with(provider, phone)
    await phone.enter()
    path = "/app/here/my"
    form = Html((await http.get(path)).text).forms["here"]
    signature = phone.signed(SignedPurpose.SIGN_IN, *json.loads(form.data["fields"]))
    right = form.fields | {"pin": phone.pin, "signature": signature}
    return Standing(http, person, phone.device_id, path, right, right | {"pin": "184620"})


async def before_the_pin_for_another_screen(provider: Provider, http: httpx.AsyncClient) -> Standing:
    phone = Phone(http)
    person = await person_with(provider, phone)
    desk = Desk(provider.http(address="192.0.2.201"))
    path = await phone.taken(await desk.ask())
    number = await desk.number()
    form = Html((await http.get(path)).text).forms["answer"]
    name, asked_at = json.loads(form.data["fields"])
    signature = phone.signed(SignedPurpose.ANSWER, name, asked_at, "allow", number)
    right = {
        "csrf": form.fields["csrf"],
        "decision": "allow",
        "number": number,
        "pin": phone.pin,
        "signature": signature,
    }
    return Standing(http, person, phone.device_id, path, right, right | {"pin": "184620"})


async def before_the_code_of_another_screen(provider: Provider, http: httpx.AsyncClient) -> Standing:
    phone = Phone(http)
    person = await person_with(provider, phone)
    desk = Desk(provider.http(address="192.0.2.202"))
    code = await desk.ask()
    csrf = (await phone.enter()).json()["csrf"]
    right, wrong = {"code": code, "csrf": csrf}, {"code": "BCDF-GHJK", "csrf": csrf}
    return Standing(http, person, phone.device_id, "/app/requests", right, wrong)


async def before_the_code_that_sets_a_phone_up(provider: Provider, http: httpx.AsyncClient) -> Standing:
    person, phone = await provider.add_person(), Phone(http)
    async with provider.http(address="192.0.2.203") as laptop:
        provider.clock.advance(seconds=30)
        await laptop.post("/sign-in/phones", data=form_of(person))
        await laptop.post("/second-factor/phones", data={"code": person.code(provider.clock.now)})
        code = await enrolment_code(laptop)
    right = {
        "code": code,
        "name": "Máy của Lan",
        "public_key": phone.key.public,
        "signature": phone.signed(SignedPurpose.ENROL, code.replace("-", "")),
        "pin": phone.pin,
        "pin_again": phone.pin,
    }
    return Standing(http, person, None, "/app/enrol", right, right | {"code": "BCDF-GHJK"})


async def before_an_approved_request(provider: Provider, http: httpx.AsyncClient) -> Standing:
    """At the other screen: the phone has said yes, nothing is left to be tried."""
    phone, desk = Phone(provider.http(address="192.0.2.204")), Desk(http)
    person = await person_with(provider, phone)
    path = await phone.taken(await desk.ask())
    await phone.answer(path, await desk.number())
    return Standing(http, person, None, f"{desk.path}/finish", {"go": "on"}, {})


async def before_an_approved_step_up(provider: Provider, http: httpx.AsyncClient) -> Standing:
    person = await provider.add_person()
    phone, desk = Phone(provider.http(address="192.0.2.205")), Desk(http, "/second-factor/my/phone")
    await add_phone(provider, person, phone)
    await http.post("/sign-in/my", data=form_of(person))
    path = await phone.taken(await desk.ask())
    await phone.answer(path, await desk.number())
    return Standing(http, person, None, f"{desk.path}/finish", {"go": "on"}, {})


async def before_the_activation_code(provider: Provider, http: httpx.AsyncClient) -> Standing:
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    right = {"identifier": person.personal_number, "code": handed.code}
    wrong = right | {"code": (await issue(provider, await provider.add_person())).code}
    return Standing(http, person, person.personal_number, "/activate", right, wrong)


async def before_the_first_password(provider: Provider, http: httpx.AsyncClient) -> Standing:
    """The code was typed in this browser: nothing is left to be tried."""
    person = await provider.add_person(has_password=False, has_totp=False)
    handed = await issue(provider, person)
    begun = await typed(http, person.personal_number, handed.code)
    chosen = {"password": CHOSEN, "password_again": CHOSEN}
    return Standing(http, person, None, begun.headers["location"], chosen, {})


async def before_the_first_passkey(provider: Provider, http: httpx.AsyncClient) -> Standing:
    """The same, for whoever wants no password."""
    standing = await before_the_first_password(provider, http)
    options = options_on(await http.get(standing.address))
    standing.address += "/passkey"
    standing.right = {"credential": authenticator_of(provider).create(options)}
    return standing


async def before_the_password_beside_a_code(provider: Provider, http: httpx.AsyncClient) -> Standing:
    person = await provider.add_person(has_totp=False)
    handed = await issue(provider, person, Purpose.ADDITION)
    begun = await typed(http, person.personal_number, handed.code)
    right, wrong = {"password": person.password}, {"password": WRONG}
    return Standing(http, person, person.citizen_id, begun.headers["location"], right, wrong)


async def before_the_recovery_code(provider: Provider, http: httpx.AsyncClient) -> Standing:
    person = await provider.add_person(has_totp=False)
    sheet = ["".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(2)]
    uow = provider.unit_of_work()
    uow.recovery_codes.replace(person.citizen_id, sheet[:1], provider.clock.now)
    await uow.commit()
    right, wrong = ({"identifier": person.personal_number, "code": code} for code in sheet)
    return Standing(http, person, person.personal_number, "/recovery/code", right, wrong)
