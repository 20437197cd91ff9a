"""The operations, in the order in which each leaves what the next one needs, and their measurement."""

import base64
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt

from tests.bench.client import Answer, Connection, spread
from tests.bench.measured_server import BARE, COUNTERS
from tests.bench.population import BASIC, PASSWORD, REDIRECT_URI, SIGNED, Population
from tests.bench.report import Cost

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code and what its owner needs to redeem it."""

    code: str
    verifier: str
    session: Mapping[str, str]
    account_id: str


@dataclass(slots=True)
class Measurement:
    """One run against one server."""

    issuer: str
    pool: Sequence[Connection]
    costs: dict[str, Cost] = field(default_factory=dict)

    async def measure(
        self,
        name: str,
        items: Sequence[Item],
        operation: Callable[[Connection, Item], Awaitable[Result]],
    ) -> list[Result]:
        """Perform the operation on every item and keep what it cost on the average."""
        before = await self._counters()
        results = await spread(self.pool, items, operation)
        after = await self._counters()
        spent = {key: (after[key] - before[key]) / len(items) for key in before}
        self.costs[name] = Cost(spent["cpu"] * 1000, spent["statements"], spent["commits"])
        return results

    async def _counters(self) -> dict[str, float]:
        counters: dict[str, float] = json.loads((await self.pool[0].get(COUNTERS)).expect(200).body)
        return counters


async def measure_bare_route(measurement: Measurement, operations: int) -> Cost:
    """Measure the yardstick."""

    async def get(connection: Connection, _: int) -> Answer:
        return (await connection.get(BARE)).expect(200)

    await spread(measurement.pool, range(operations), get)
    await measurement.measure("bare", range(3 * operations), get)
    return measurement.costs["bare"]


async def measure_provider(measurement: Measurement, population: Population, operations: int) -> None:
    """Measure every operation of the report."""
    journey = Journey(measurement.issuer, population)
    began = await spread(measurement.pool, population.citizens, journey.begin)
    sessions = await measurement.measure("sign-in without the hash", began, journey.sign_in)
    wanted = [(session, f"{number}-0") for session, number in zip(sessions, population.citizens, strict=True)]
    codes = await spread(measurement.pool, wanted, journey.link)
    tokens = await measurement.measure("code exchange, link activated", codes, journey.redeem)
    await measurement.measure("userinfo", tokens, journey.userinfo)
    await measurement.measure("refresh with rotation", tokens, journey.refresh)
    await measurement.measure("returning sign-in", codes, journey.return_signed_in)
    assertions = [journey.assertion() for _ in range(operations)]
    await measurement.measure("pushed request, private_key_jwt", assertions, journey.push)
    await measurement.measure("discovery", range(operations), journey.discover)


class Journey:
    """What browsers and platforms send."""

    def __init__(self, issuer: str, population: Population) -> None:
        self._issuer = issuer
        self._population = population
        credentials = f"{BASIC}:{population.client_secret}".encode()
        self._basic = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}
        self._verifier = secrets.token_urlsafe(32)

    async def begin(self, connection: Connection, number: str) -> tuple[str, str, Mapping[str, str]]:
        """Arrive as a stranger; return the person, the sign-in page and the cookies."""
        answer = await connection.get(self._authorize(BASIC, f"{number}-0"))
        return number, self._path(answer.location), answer.cookies

    async def sign_in(
        self, connection: Connection, began: tuple[str, str, Mapping[str, str]]
    ) -> Mapping[str, str]:
        """Open the sign-in page and send its form; return the cookies."""
        number, page, cookies = began
        form = (await connection.get(page, self._as_browser(cookies))).expect(200).hidden_fields
        form |= {"identifier": number, "password": PASSWORD}
        answer = await connection.post(page, form, self._as_browser(cookies))
        answer.expect(303)
        return {**cookies, **answer.cookies}

    async def link(self, connection: Connection, wanted: tuple[Mapping[str, str], str]) -> Code:
        """Ask for a link that does not exist yet, and agree."""
        cookies, account_id = wanted
        headers = self._as_browser(cookies)
        location = (await connection.get(self._authorize(BASIC, account_id), headers)).location
        page = self._path(location)
        form = (await connection.get(page, headers)).expect(200).hidden_fields
        location = (await connection.post(page, {**form, "decision": "allow"}, headers)).location
        while not location.startswith(REDIRECT_URI):
            location = (await connection.get(self._path(location), headers)).location
        return Code(_code(location), self._verifier, cookies, account_id)

    async def return_signed_in(self, connection: Connection, known: Code) -> Code:
        """Ask for the same again, with the session and the consent of the first time."""
        headers = self._as_browser(known.session)
        answer = await connection.get(self._authorize(BASIC, known.account_id), headers)
        return Code(_code(answer.location), self._verifier, known.session, known.account_id)

    async def redeem(self, connection: Connection, code: Code) -> Mapping[str, str]:
        form = {
            "grant_type": "authorization_code",
            "code": code.code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": code.verifier,
        }
        return _document(await connection.post("/token", form, self._basic))

    async def refresh(self, connection: Connection, tokens: Mapping[str, str]) -> Mapping[str, str]:
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        return _document(await connection.post("/token", form, self._basic))

    async def userinfo(self, connection: Connection, tokens: Mapping[str, str]) -> Mapping[str, str]:
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        return _document(await connection.get("/userinfo", bearer))

    async def push(self, connection: Connection, assertion: str) -> Answer:
        form = self._request(SIGNED, secrets.token_hex(8)) | {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }
        return (await connection.post("/par", form)).expect(201)

    async def discover(self, connection: Connection, _: int) -> Answer:
        return (await connection.get("/.well-known/openid-configuration")).expect(200)

    def assertion(self) -> str:
        """Return what a platform with a key of its own authenticates with, once."""
        now = int(datetime.now(UTC).timestamp())
        claims = {"iss": SIGNED, "sub": SIGNED, "aud": self._issuer, "iat": now, "exp": now + 60}
        header = {"alg": "ES256", "kid": "bench"}
        return jwt.encode(header, {**claims, "jti": secrets.token_hex(16)}, self._population.client_key)

    def _authorize(self, client_id: str, account_id: str) -> str:
        return f"/authorize?{urlencode(self._request(client_id, account_id))}"

    def _request(self, client_id: str, account_id: str) -> dict[str, str]:
        digest = hashlib.sha256(self._verifier.encode()).digest()
        details = [
            {"type": "account_link", "account_id": account_id, "handle": f"@{account_id}", "purpose": "post"}
        ]
        return {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": "openid offline_access",
            "state": "af0ifjsldkj",
            "nonce": secrets.token_hex(8),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "authorization_details": json.dumps(details),
        }

    def _as_browser(self, cookies: Mapping[str, str]) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return {"Cookie": cookie, "Origin": self._issuer}

    def _path(self, location: str) -> str:
        return location.removeprefix(self._issuer)


def _code(location: str) -> str:
    codes = parse_qs(urlsplit(location).query).get("code")
    if not codes:
        raise AssertionError(f"no code in {location}")
    return codes[0]


def _document(answer: Answer) -> Mapping[str, str]:
    document: Mapping[str, str] = json.loads(answer.expect(200).body)
    return document
