"""Phones that approve, without a browser: a key that signs as WebCrypto does, and the forms around it."""

import json
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from idp.authenticators.app_devices import SignedPurpose, device_id_of, signed_text
from tests.support.decoupled import arrive
from tests.support.html_forms import Html
from tests.support.provider import ISSUER, Person, Provider


class PhoneKey:
    """A key that was just made."""

    def __init__(self) -> None:
        self._private = generate_private_key(SECP256R1())
        point = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public = urlsafe_b64encode(point).rstrip(b"=").decode()

    def sign(self, text: str) -> str:
        """Sign as WebCrypto does: `r ‖ s` (RFC 7518 §3.4), base64url without padding."""
        r, s = decode_dss_signature(self._private.sign(text.encode(), ECDSA(SHA256())))
        return urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=").decode()


PIN = "739104"


@dataclass
class Phone:
    """A browser on a phone with the app: what its script does, done here."""

    http: httpx.AsyncClient
    key: PhoneKey = field(default_factory=PhoneKey)
    pin: str = PIN

    @property
    def device_id(self) -> str:
        return device_id_of(self.key.public)

    def signed(self, purpose: SignedPurpose, *fields: str) -> str:
        return self.key.sign(signed_text(purpose, ISSUER, (self.device_id, *fields)))

    async def enrol(self, code: str, /, **changes: str) -> httpx.Response:
        """Send what the page that sets a phone up sends."""
        signature = self.signed(SignedPurpose.ENROL, code.replace("-", ""))
        form = {
            "code": code,
            "name": "Máy của Lan",
            "public_key": self.key.public,
            "signature": signature,
            "pin": self.pin,
            "pin_again": self.pin,
        }
        return await self.http.post("/app/enrol", data=form | changes)

    async def enter(self, **changes: str) -> httpx.Response:
        """Open the app, as its door does."""
        challenge = (await self.http.get("/app/challenge")).json()["challenge"]
        form = {
            "device_id": self.device_id,
            "challenge": challenge,
            "signature": self.signed(SignedPurpose.ENTER, challenge),
        }
        return await self.http.post("/app/enter", data=form | changes)

    async def scan(self, code: str) -> httpx.Response:
        """Open the app and send a code that was scanned or typed."""
        entered = (await self.enter()).json()
        return await self.http.post("/app/requests", data={"code": code, "csrf": entered["csrf"]})

    async def taken(self, code: str) -> str:
        """Scan a good code; return the path of the request's page."""
        answer = await self.scan(code)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].removeprefix(ISSUER)

    async def answer(
        self,
        path: str,
        number: str,
        decision: str = "allow",
        *,
        pin: str | None = None,
        sent_instead: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Answer the request whose page this is; `sent_instead` of what was signed."""
        page = await self.http.get(path)
        form = Html(page.text).forms["answer"]
        name, asked_at = json.loads(form.data["fields"])
        sent = {
            "csrf": form.fields["csrf"],
            "decision": decision,
            "number": number,
            "pin": self.pin if pin is None else pin,
            "signature": self.signed(SignedPurpose.ANSWER, name, asked_at, decision, number),
        }
        return await self.http.post(path, data=sent | (sent_instead or {}))

    async def answer_blindly(self, path: str, number: str) -> httpx.Response:
        """Answer a request whose page is not shown (any more)."""
        await self.enter()
        page = Html((await self.http.get("/app/requests")).text)
        signature = self.signed(SignedPurpose.ANSWER, path.rpartition("/")[2], "0", "allow", number)
        sent = {"csrf": page.forms["scan"].fields["csrf"], "decision": "allow", "number": number}
        return await self.http.post(path, data=sent | {"pin": self.pin, "signature": signature})

    async def sign_in_here(self, visit_id: str, *, pin: str | None = None) -> httpx.Response:
        """Sign in with the phone's own browser."""
        await self.enter()
        path = f"/app/here/{visit_id}"
        form = Html((await self.http.get(path)).text).forms["here"]
        fields = json.loads(form.data["fields"])
        sent = form.fields | {
            "pin": self.pin if pin is None else pin,
            "signature": self.signed(SignedPurpose.SIGN_IN, *fields),
        }
        return await self.http.post(path, data=sent)


@dataclass
class Desk:
    """The browser that asks: a laptop in front of whoever signs in."""

    http: httpx.AsyncClient
    path: str = "/sign-in/my/phone"

    async def ask(self) -> str:
        """Ask, and return the code that is shown."""
        begun = await self.http.post(self.path, data={"go": "on"})
        assert begun.status_code == 303, begun.text
        return await self.code()

    async def page(self) -> Html:
        return Html((await self.http.get(self.path)).text)

    async def code(self) -> str:
        found = re.search(r"<code>([A-Z]{4}-[A-Z]{4})</code>", (await self.http.get(self.path)).text)
        assert found is not None
        return found[1]

    async def number(self) -> str:
        return (await self.page()).ids["number"]

    async def mark(self) -> str:
        mark: str = (await self.http.get(f"{self.path}/state")).json()["mark"]
        return mark

    async def finish(self) -> httpx.Response:
        return await self.http.post(f"{self.path}/finish", data={"go": "on"})


async def add_phone(provider: Provider, person: Person, phone: Phone) -> None:
    """Set a phone up from a signed-in page of the person, with the number compared."""
    async with provider.http() as laptop:
        await arrive(provider, laptop, person, "/my/phones")
        code = await enrolment_code(laptop)
        enrolled = await phone.enrol(code)
        assert enrolled.status_code == 200, enrolled.text
        confirmed = await confirm(laptop, Html(enrolled.text).ids["number"])
        assert confirmed.headers["location"].endswith("?done=added"), confirmed.text


async def enrolment_code(laptop: httpx.AsyncClient) -> str:
    """Return the code that the page of phones shows to whoever is signed in there."""
    form = Html((await laptop.get("/my/phones")).text).forms["add-phone"]
    shown = await laptop.post(form.action, data=form.fields)
    found = re.search(r"<code>([A-Z]{4}-[A-Z]{4})</code>", shown.text)
    assert found is not None, shown.text
    return found[1]


async def confirm(laptop: httpx.AsyncClient, number: str) -> httpx.Response:
    """Type a number for the phone that waits on the page of phones."""
    page = await laptop.get("/my/phones")
    [fields] = re.findall(r'action="[^"]*/my/phones/confirm">\s*(.*?)<label', page.text, re.DOTALL)
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', fields))
    return await laptop.post("/my/phones/confirm", data=sent | {"number": number})


async def person_with(provider: Provider, phone: Phone) -> Person:
    """Return a new person who has set this phone up."""
    person = await provider.add_person()
    await add_phone(provider, person, phone)
    return person
