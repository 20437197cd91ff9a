"""A scripted platform and a scripted person: the whole journey over HTTP, one step a method."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from idp.protocol.model import Client
from tests.support.provider import ISSUER, SECRET, Person, Provider

LINK = {"type": "account_link", "account_id": "acc_lan_1", "handle": "@lan", "purpose": "post"}


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def query_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@dataclass
class Platform:
    """One relying party's side of the wire."""

    provider: Provider
    client: Client
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def auth(self) -> tuple[str, str]:
        return (self.client.client_id, SECRET)

    def request(self, account_id: str | None = "acc_lan_1", **changes: Any) -> dict[str, str]:
        """The parameters of a good authorization request; a change to None leaves one out."""
        parameters: dict[str, Any] = {
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uris[0],
            "response_type": "code",
            "scope": "openid",
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }
        if account_id is not None:
            parameters["authorization_details"] = json.dumps([LINK | {"account_id": account_id}])
        return {name: value for name, value in (parameters | changes).items() if value is not None}

    async def push(self, http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
        return await http.post("/par", data=self.request(**changes), auth=self.auth)

    async def redeem(self, http: httpx.AsyncClient, code: str, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uris[0],
            "code_verifier": self.verifier,
        }
        return await http.post("/token", data=form | changes, auth=self.auth)

    async def refresh(self, http: httpx.AsyncClient, refresh_token: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await http.post("/token", data=form | changes, auth=self.auth)

    async def code_for(
        self, browser: httpx.AsyncClient, person: Person, account_id: str | None = "acc_lan_1", **changes: Any
    ) -> str:
        """Take the person through every page and return the code."""
        answer = await self.answer_for(browser, person, account_id, **changes)
        return query_of(answer)["code"]

    async def answer_for(
        self, browser: httpx.AsyncClient, person: Person, account_id: str | None = "acc_lan_1", **changes: Any
    ) -> str:
        """Take the person through every page, agreeing; return the address the browser is sent to."""
        response = await browser.get("/authorize", params=self.request(account_id, **changes))
        return await go_on(self.provider, browser, person, response)

    async def tokens_for(
        self, browser: httpx.AsyncClient, person: Person, account_id: str | None = "acc_lan_1", **changes: Any
    ) -> dict[str, Any]:
        code = await self.code_for(browser, person, account_id, **changes)
        response = await self.redeem(browser, code)
        assert response.status_code == 200, response.text
        content: dict[str, Any] = response.json()
        return content


async def go_on(
    provider: Provider,
    browser: httpx.AsyncClient,
    person: Person,
    response: httpx.Response,
    *,
    decision: str = "allow",
    ticked: tuple[str, ...] = (),
) -> str:
    """Answer page after page until the browser leaves the provider; return where it goes."""
    for _ in range(12):
        assert response.status_code == 303, f"{response.status_code} {response.text[:2000]}"
        location = response.headers["location"]
        if not location.startswith(ISSUER):
            return location
        page = urlsplit(location).path.split("/")[1]
        if page == "sign-in":
            form = {"identifier": person.personal_number, "password": person.password}
            response = await browser.post(location, data=form)
        elif page == "second-factor":
            provider.clock.advance(seconds=30)
            response = await browser.post(location, data={"code": person.code(provider.clock.now)})
        elif page == "consent":
            response = await browser.post(location, data={"decision": decision, "claim": list(ticked)})
        else:
            response = await browser.get(location)
    raise AssertionError("the journey does not end")
