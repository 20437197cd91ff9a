"""Platforms that ask from elsewhere, and people who answer: CIBA and the device grant over HTTP."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from idp.protocol.client_authentication import ASSERTION_TYPE
from idp.protocol.profiles import CIBA_GRANT, DEVICE_GRANT
from idp.web.sender_constraint import dpop_nonces
from tests.support.dpop_proofs import ProofKey
from tests.support.html_forms import Form, Html
from tests.support.platform import Platform
from tests.support.protocol_builders import JWKS, sign
from tests.support.provider import ISSUER, SECRET, Person, Provider
from tests.support.shared_provider import new_platform

TOKEN = "notify-me.0123456789"
ENDPOINT = "/backchannel-authentication"


@dataclass
class CIBAPlatform:
    """A client of profile `ciba`: private_key_jwt, DPoP, signed requests."""

    platform: Platform
    key: ProofKey = field(default_factory=ProofKey)

    @property
    def provider(self) -> Provider:
        return self.platform.provider

    @property
    def client_id(self) -> str:
        return self.platform.client.client_id

    def assertion(self, **changes: Any) -> dict[str, str]:
        algorithm = changes.pop("algorithm", "ES256")
        now = int(self.provider.clock.now.timestamp())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": ISSUER, "iat": now, "exp": now + 60}
        signed = sign(claims | {"jti": secrets.token_urlsafe(8)} | changes, algorithm)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """A good signed request; a change to None leaves a member out."""
        now = int(self.provider.clock.now.timestamp())
        members = {
            "iss": self.client_id,
            "aud": ISSUER,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": secrets.token_urlsafe(16),
            "scope": "openid",
            "binding_message": "1234",
            "client_notification_token": TOKEN,
        }
        return {name: value for name, value in (members | changes).items() if value is not None}

    def signed(self, *, algorithm: str = "ES256", headers: Any = None, **changes: Any) -> str:
        return sign(self.claims(**changes), algorithm, headers)

    async def send(self, http: httpx.AsyncClient, **sent: str) -> httpx.Response:
        return await http.post(ENDPOINT, data=self.assertion() | sent)

    async def ask(self, http: httpx.AsyncClient, person: Person, **changes: Any) -> httpx.Response:
        """Ask for a person, by their subject unless the changes say otherwise."""
        if not changes.keys() & {"login_hint", "login_hint_token", "id_token_hint"}:
            changes["login_hint"] = self.subject_of(person)
        return await self.send(http, request=self.signed(**changes))

    async def asked(self, http: httpx.AsyncClient, person: Person, **changes: Any) -> str:
        answer = await self.ask(http, person, **changes)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["auth_req_id"])

    def subject_of(self, person: Person) -> str:
        custody = self.provider.context.custody
        return custody.data.pairwise_subject(self.platform.client.sector, person.citizen_id)

    def proof(self, **claims: Any) -> dict[str, str]:
        now = self.provider.clock.now
        nonce = dpop_nonces(self.provider.context, now)[0]
        return {"DPoP": self.key.proof("POST", f"{ISSUER}/token", at=now, nonce=nonce, **claims)}

    async def token(self, http: httpx.AsyncClient, auth_req_id: str, **changes: str) -> httpx.Response:
        form = {"grant_type": CIBA_GRANT, "auth_req_id": auth_req_id}
        return await http.post("/token", data=self.assertion() | form | changes, headers=self.proof())


async def ciba_platform(
    provider: Provider, metadata: dict[str, object] | None = None, **policy: Any
) -> CIBAPlatform:
    described: dict[str, object] = {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": JWKS,
        "grant_types": ["authorization_code", CIBA_GRANT, "refresh_token"],
        "backchannel_token_delivery_mode": "poll",
        "dpop_bound_access_tokens": True,
        "id_token_signed_response_alg": "ES256",
    }
    platform = await new_platform(provider, described | (metadata or {}), profile="ciba", **policy)
    return CIBAPlatform(platform)


async def known_person(ciba: CIBAPlatform, **facts: Any) -> Person:
    """A person whom the platform knows already, as it would after a sign-in."""
    provider = ciba.provider
    person = await provider.add_person(**facts)
    basic = await new_platform(provider, sector=ciba.platform.client.sector)
    async with provider.http() as browser:
        await basic.tokens_for(browser, person, None)
    return person


@dataclass
class DevicePlatform:
    """A device without a keyboard: a public client, or one with a secret."""

    platform: Platform

    async def begin(self, http: httpx.AsyncClient, **parameters: str) -> httpx.Response:
        return await http.post("/device-authorization", data=parameters | self._named(), auth=self._auth())

    async def begun(self, http: httpx.AsyncClient, **parameters: str) -> dict[str, Any]:
        answer = await self.begin(http, **parameters)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    async def token(self, http: httpx.AsyncClient, device_code: str) -> httpx.Response:
        form = {"grant_type": DEVICE_GRANT, "device_code": device_code} | self._named()
        return await http.post("/token", data=form, auth=self._auth())

    def _named(self) -> dict[str, str]:
        client = self.platform.client
        return {"client_id": client.client_id} if client.is_public else {}

    def _auth(self) -> Any:
        client = self.platform.client
        return httpx.USE_CLIENT_DEFAULT if client.is_public else (client.client_id, SECRET)


async def device_platform(
    provider: Provider, metadata: dict[str, object] | None = None, **policy: Any
) -> DevicePlatform:
    described: dict[str, object] = {
        "grant_types": [DEVICE_GRANT, "refresh_token"],
        "redirect_uris": [],
        "token_endpoint_auth_method": "none",
    }
    return DevicePlatform(await new_platform(provider, described | (metadata or {}), **policy))


async def arrive(provider: Provider, browser: httpx.AsyncClient, person: Person, path: str) -> httpx.Response:
    """Open a page of a person's own, signing in on the way as far as it asks."""
    response = await browser.get(path)
    for _ in range(8):
        if response.status_code != 303:
            return response
        location = response.headers["location"]
        if "/sign-in/" in location:
            form = {"identifier": person.personal_number, "password": person.password}
            response = await browser.post(location, data=form)
        elif "/second-factor/" in location:
            provider.clock.advance(seconds=30)
            response = await browser.post(location, data={"code": person.code(provider.clock.now)})
        else:
            response = await browser.get(location)
    raise AssertionError("the way does not end")


async def waiting_for(provider: Provider, browser: httpx.AsyncClient, person: Person) -> list[str]:
    """The addresses of the requests that a person finds in their list."""
    page = await arrive(provider, browser, person, "/approvals")
    return [link for link in Html(page.text).links if "/approvals/" in link]


async def press(
    browser: httpx.AsyncClient, form: Form, decision: str = "allow", ticked: tuple[str, ...] = ()
) -> httpx.Response:
    sent: dict[str, Any] = {**form.fields, "decision": decision, "claim": list(ticked)}
    return await browser.post(form.action, data=sent)


async def answer_newest(
    provider: Provider,
    browser: httpx.AsyncClient,
    person: Person,
    decision: str = "allow",
    ticked: tuple[str, ...] = (),
) -> httpx.Response:
    """Let a person find the newest request in their list, read it and answer."""
    newest = (await waiting_for(provider, browser, person))[0]
    form = Html((await browser.get(newest)).text).forms["approval"]
    answer = await press(browser, form, decision, ticked)
    assert answer.status_code == 200, answer.text
    return answer


async def type_code(
    provider: Provider, browser: httpx.AsyncClient, person: Person, user_code: str
) -> httpx.Response:
    page = await arrive(provider, browser, person, "/device")
    form = Html(page.text).forms["device"]
    return await browser.post(form.action, data=form.fields | {"user_code": user_code})
