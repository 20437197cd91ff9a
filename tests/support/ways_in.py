"""Every way to try a secret over HTTP: somebody before a door, with all done but the last step.

Tests of abuse walk over `WAYS`: whatever holds for one way in has to hold for all. A new way that is not here
fails `security/test_every_path_is_counted.py`.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from idp.authenticators.throttling import CredentialPath
from idp.identity.assurance import authentication_context
from idp.identity.sessions import Session
from tests.support.decoupled import device_platform
from tests.support.html_forms import Html
from tests.support.provider import Person, Provider
from tests.support.shared_provider import new_platform

SESSION = "lienket-session"
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


@dataclass(frozen=True)
class Way:
    """One way; `doors` are the registered addresses at which its secret is taken."""

    name: str
    path: CredentialPath
    doors: frozenset[str]
    stand: Callable[[Provider, httpx.AsyncClient], Awaitable[Standing]]
    begins_session: bool = False
    lifts_session: bool = False
    names_person: bool = False
    """Whether the form says who it is: then nobody may learn who is known here."""
    refusal: int = 400
    """How a wrong secret is answered."""
    slowed: int = field(default=429, kw_only=True)


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


WAYS = [
    Way(
        "password",
        CredentialPath.PASSWORD,
        frozenset({"POST /sign-in/{visit_id}"}),
        before_the_password,
        begins_session=True,
        names_person=True,
    ),
    Way(
        "password for a network",
        CredentialPath.PASSWORD,
        frozenset({"POST /sign-in/{visit_id}"}),
        before_the_password_for_a_network,
        begins_session=True,
        names_person=True,
    ),
    Way(
        "one-time code",
        CredentialPath.ONE_TIME_PASSWORD,
        frozenset({"POST /second-factor/{visit_id}"}),
        before_the_code,
        lifts_session=True,
    ),
    Way(
        "password after something held",
        CredentialPath.PASSWORD,
        frozenset({"POST /second-factor/{visit_id}/password"}),
        before_the_second_password,
        lifts_session=True,
    ),
    Way(
        "code of a device",
        CredentialPath.USER_CODE,
        frozenset({"POST /device"}),
        before_a_devices_code,
    ),
]
