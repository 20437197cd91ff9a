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
from joserfc.jwk import ECKey

from tests.bench.client import Answer, Connection, spread
from tests.bench.measured_server import BARE, COUNTERS
from tests.bench.population import BASIC, FAPI, OPAQUE, PASSWORD, REDIRECT_URI, SIGNED, Population
from tests.bench.report import Cost
from tests.bench.sign_in import Arrival, Ways

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
    await measurement.measure("introspection, JWT", tokens, journey.introspect)
    await measurement.measure("refresh with rotation", tokens, journey.refresh)
    await measurement.measure("client_credentials", range(operations), journey.act_for_itself)
    await measurement.measure("returning sign-in", codes, journey.return_signed_in)
    assertions = [journey.assertion() for _ in range(operations)]
    await measurement.measure("pushed request, private_key_jwt", assertions, journey.push)
    await measurement.measure("discovery", range(operations), journey.discover)
    opaque = Journey(measurement.issuer, population, OPAQUE, population.opaque_client_secret)
    codes = await spread(measurement.pool, wanted, opaque.link)
    tokens = await spread(measurement.pool, codes, opaque.redeem)
    await measurement.measure("introspection, opaque", tokens, opaque.introspect)
    await measure_fapi(measurement, journey, wanted)
    await measure_other_ways_in(measurement, journey, population)


async def measure_other_ways_in(measurement: Measurement, journey: "Journey", population: Population) -> None:
    """Measure signing in without a password; the phone's row has both screens in it, nine requests."""
    ways = Ways(measurement.issuer)
    for name, way in (("sign-in with a passkey", ways.by_passkey), ("sign-in by the phone", ways.by_phone)):
        began = await spread(measurement.pool, population.citizens, journey.begin)
        arrivals = [
            Arrival(person, page, cookies)
            for person, (_, page, cookies) in zip(population.equipped, began, strict=True)
        ]
        await measurement.measure(name, arrivals, way)


async def measure_fapi(
    measurement: Measurement, journey: "Journey", wanted: Sequence[tuple[Mapping[str, str], str]]
) -> None:
    """Measure the same way under FAPI 2.0: pushed, signed for, and bound to a key."""
    nonce = await journey.find_nonce(measurement.pool[0])
    pushes = [(account_id, journey.proof("/par", nonce)) for _, account_id in wanted]
    pushed = await measurement.measure("pushed request, private_key_jwt and DPoP", pushes, journey.push_bound)
    cookies = [session for session, _ in wanted]
    codes = await spread(measurement.pool, list(zip(cookies, pushed, strict=True)), journey.link_pushed)
    redemptions = [(code, journey.proof("/token", nonce)) for code in codes]
    await measurement.measure("code exchange, private_key_jwt and DPoP", redemptions, journey.redeem_bound)


class Journey:
    """What browsers and platforms send."""

    def __init__(
        self, issuer: str, population: Population, client_id: str = BASIC, client_secret: str = ""
    ) -> None:
        self._issuer = issuer
        self._population = population
        self._client_id = client_id
        credentials = f"{client_id}:{client_secret or population.client_secret}".encode()
        self._basic = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}
        self._verifier = secrets.token_urlsafe(32)
        self._dpop_key = ECKey.generate_key("P-256", private=True)

    async def begin(self, connection: Connection, number: str) -> tuple[str, str, Mapping[str, str]]:
        """Arrive as a stranger; return the person, the sign-in page and the cookies."""
        answer = await connection.get(self._authorize(f"{number}-0"))
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
        return await self._agree(connection, self._authorize(account_id), cookies, account_id)

    async def _agree(
        self, connection: Connection, target: str, cookies: Mapping[str, str], account_id: str
    ) -> Code:
        headers = self._as_browser(cookies)
        page = self._path((await connection.get(target, headers)).location)
        form = (await connection.get(page, headers)).expect(200).hidden_fields
        location = (await connection.post(page, {**form, "decision": "allow"}, headers)).location
        while not location.startswith(REDIRECT_URI):
            location = (await connection.get(self._path(location), headers)).location
        return Code(_code(location), self._verifier, cookies, account_id)

    async def return_signed_in(self, connection: Connection, known: Code) -> Code:
        """Ask for the same again, with the session and the consent of the first time."""
        headers = self._as_browser(known.session)
        answer = await connection.get(self._authorize(known.account_id), headers)
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

    async def introspect(self, connection: Connection, tokens: Mapping[str, str]) -> Mapping[str, str]:
        form = {"token": tokens["access_token"]}
        told = _document(await connection.post("/introspect", form, self._basic))
        if told["active"] is not True:
            raise AssertionError("the token is not active")
        return told

    async def act_for_itself(self, connection: Connection, _: int) -> Mapping[str, str]:
        form = {"grant_type": "client_credentials"}
        return _document(await connection.post("/token", form, self._basic))

    async def push(self, connection: Connection, assertion: str) -> Answer:
        form = self._request(SIGNED, secrets.token_hex(8)) | _proven_by(assertion)
        return (await connection.post("/par", form)).expect(201)

    async def find_nonce(self, connection: Connection) -> str:
        """Return the nonce that proofs must hold: the first answer to any of them brings it (RFC 9449 §8)."""
        form = {"grant_type": "client_credentials"} | _proven_by(self.assertion(FAPI))
        return (await connection.post("/token", form, {"DPoP": self.proof("/token", "")})).dpop_nonce

    async def push_bound(self, connection: Connection, wanted: tuple[str, str]) -> str:
        account_id, proof = wanted
        form = self._request(FAPI, account_id) | _proven_by(self.assertion(FAPI))
        answer = (await connection.post("/par", form, {"DPoP": proof})).expect(201)
        request_uri: str = json.loads(answer.body)["request_uri"]
        return request_uri

    async def link_pushed(self, connection: Connection, wanted: tuple[Mapping[str, str], str]) -> Code:
        cookies, request_uri = wanted
        target = f"/authorize?{urlencode({'client_id': FAPI, 'request_uri': request_uri})}"
        return await self._agree(connection, target, cookies, "")

    async def redeem_bound(self, connection: Connection, wanted: tuple[Code, str]) -> Mapping[str, str]:
        code, proof = wanted
        form = {
            "grant_type": "authorization_code",
            "code": code.code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": code.verifier,
        }
        form |= _proven_by(self.assertion(FAPI))
        return _document(await connection.post("/token", form, {"DPoP": proof}))

    async def discover(self, connection: Connection, _: int) -> Answer:
        return (await connection.get("/.well-known/openid-configuration")).expect(200)

    def proof(self, path: str, nonce: str) -> str:
        """Return a DPoP proof for one request."""
        key = self._dpop_key
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
        claims = {
            "jti": secrets.token_hex(16),
            "htm": "POST",
            "htu": f"{self._issuer}{path}",
            "iat": int(datetime.now(UTC).timestamp()),
            "nonce": nonce,
        }
        return jwt.encode(header, claims, key)

    def assertion(self, client_id: str = SIGNED) -> str:
        """Return what a platform with a key of its own authenticates with, once."""
        now = int(datetime.now(UTC).timestamp())
        claims = {"iss": client_id, "sub": client_id, "aud": self._issuer, "iat": now, "exp": now + 60}
        header = {"alg": "ES256", "kid": "bench"}
        return jwt.encode(header, {**claims, "jti": secrets.token_hex(16)}, self._population.client_key)

    def _authorize(self, account_id: str) -> str:
        return f"/authorize?{urlencode(self._request(self._client_id, account_id))}"

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


def _proven_by(assertion: str) -> dict[str, str]:
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }


def _code(location: str) -> str:
    codes = parse_qs(urlsplit(location).query).get("code")
    if not codes:
        raise AssertionError(f"no code in {location}")
    return codes[0]


def _document(answer: Answer) -> Mapping[str, str]:
    document: Mapping[str, str] = json.loads(answer.expect(200).body)
    return document
