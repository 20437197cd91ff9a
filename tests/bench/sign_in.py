"""Signing in without a password: by a passkey, and by a phone beside the browser that asks."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape

from idp.authenticators.app_devices import SignedPurpose, signed_text
from tests.bench.authenticators import Equipped
from tests.bench.client import Answer, Connection, UnexpectedAnswerError
from tests.support.phones import PIN

_CODE = re.compile(r"<code>([A-Z]{4}-[A-Z]{4})</code>")
_NUMBER = re.compile(r'id="number">(\d\d)<')
_OPTIONS = re.compile(r'data-options="([^"]*)"')
_FIELDS = re.compile(r'data-fields="([^"]*)"')

Cookies = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody at the sign-in page, who was sent there by a network."""

    person: Equipped
    page: str
    cookies: Cookies


class Ways:
    """What browsers and phones send."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    async def by_passkey(self, connection: Connection, arrival: Arrival) -> Cookies:
        """Open the sign-in page and show a passkey; return the cookies."""
        headers = self._as_browser(arrival.cookies)
        page = (await connection.get(arrival.page, headers)).expect(200)
        credential = arrival.person.passkey.get(unescape(_found(_OPTIONS, page)))
        answer = await connection.post(f"{arrival.page}/passkey", {"credential": credential}, headers)
        return {**arrival.cookies, **answer.expect(303).cookies}

    async def by_phone(self, connection: Connection, arrival: Arrival) -> Cookies:
        """Ask a phone, scan the code, type the number and the PIN, go on; return the cookies."""
        asking = f"{arrival.page}/phone"
        asked = await connection.post(asking, {"go": "on"}, self._as_browser(arrival.cookies))
        headers = self._as_browser({**arrival.cookies, **asked.expect(303).cookies})
        code = _found(_CODE, await connection.get(asking, headers))
        phone, csrf = await self._enter(connection, arrival.person)
        taken = await connection.post("/app/requests", {"code": code, "csrf": csrf}, phone)
        path = taken.location.removeprefix(self._issuer)
        request = (await connection.get(path, phone)).expect(200)
        number = _found(_NUMBER, await connection.get(asking, headers))
        name, asked_at = json.loads(unescape(_found(_FIELDS, request)))
        form = {
            **request.hidden_fields,
            "decision": "allow",
            "number": number,
            "pin": PIN,
            "signature": self._signed(arrival.person, SignedPurpose.ANSWER, name, asked_at, "allow", number),
        }
        (await connection.post(path, form, phone)).expect(200)
        answer = await connection.post(f"{asking}/finish", {"go": "on"}, headers)
        return {**arrival.cookies, **answer.expect(303).cookies}

    async def _enter(self, connection: Connection, person: Equipped) -> tuple[dict[str, str], str]:
        """Open the app; return what its browser sends along, and the token of its forms."""
        challenge = json.loads((await connection.get("/app/challenge")).expect(200).body)["challenge"]
        form = {
            "device_id": person.device_id,
            "challenge": challenge,
            "signature": self._signed(person, SignedPurpose.ENTER, challenge),
        }
        entered = (await connection.post("/app/enter", form, {"Origin": self._issuer})).expect(200)
        return self._as_browser(entered.cookies), json.loads(entered.body)["csrf"]

    def _signed(self, person: Equipped, purpose: SignedPurpose, *fields: str) -> str:
        return person.phone.sign(signed_text(purpose, self._issuer, (person.device_id, *fields)))

    def _as_browser(self, cookies: Cookies) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return {"Cookie": cookie, "Origin": self._issuer}


def _found(pattern: re.Pattern[str], answer: Answer) -> str:
    found = pattern.search(answer.body.decode())
    if found is None:
        raise UnexpectedAnswerError(f"no {pattern.pattern} in {answer.status}: {answer.body[:600].decode()}")
    return found[1]
