"""Stands in for the SDK behind the sample network, and a browser's few moves there."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from clients.relying_party import (
    LinkedAccount,
    LinkReceipt,
    LoggedOut,
    RelyingPartyError,
    Started,
    StatusReference,
    TokenError,
    Tokens,
    VerifiedClaims,
)
from clients.relying_party.messages import CallbackParameters
from tests.clients.scripted_provider import NOW

ADDRESS = "http://localhost:8100"
ISSUER = "http://localhost:8000"
RECEIPT = LinkReceipt(
    issuer=ISSUER,
    client_id="quan-coc",
    link_id="lnk_1",
    account_id="acc_1",
    subject="pairwise-lan",
    assurance_level="vn2",
    acr="vn-2",
    issued_at=NOW,
    linked_at=NOW,
    expires_at=NOW + timedelta(days=730),
    policy_version=1,
    status=StatusReference(f"{ISSUER}/status-lists/list-1", 1),
)


@dataclass
class FakeRelyingParty:
    """Stands in for the SDK; `failure` is raised by the next call."""

    now: datetime = NOW
    failure: RelyingPartyError | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    level: str | None = "vn2"
    has_refresh_token: bool = True
    over: LoggedOut | None = None
    receipt: str | None = None
    auth_time: datetime | None = None
    told: dict[str, Any] = field(default_factory=lambda: {"sub": "pairwise-lan"})

    async def connect(self) -> "FakeRelyingParty":
        return self

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    def _tokens(self) -> Tokens:
        refresh_token = f"rt-{len(self.calls)}" if self.has_refresh_token else None
        return Tokens("at", self.now + timedelta(minutes=10), refresh_token, "id-token-lan")

    async def start_linking(self, *, account_id: str, **account: Any) -> Started:
        self._call("start_linking")
        self.asked.append({"account_id": account_id, **account})
        state = f"state-{len(self.asked)}"
        return Started(f"{ISSUER}/authorize?request_uri=r", ISSUER, "quan-coc", account_id, state, "n", "v")

    async def finish(self, callback: CallbackParameters, started: Started) -> LinkedAccount:
        self._call("finish")
        assert ("state", started.state) in list(callback), "the whole query is handed over"
        attested = VerifiedClaims("vn_nd69_2024", self.level, {"age_over_16": True})
        return LinkedAccount(
            subject="pairwise-lan",
            link_id="lnk_1",
            account_id=started.account_id,
            status="active",
            linked_at=self.now,
            expires_at=self.now + timedelta(days=730),
            acr="vn-2",
            amr=("pwd", "otp"),
            auth_time=self.auth_time or self.now,
            verified_claims=attested if self.level else None,
            tokens=self._tokens(),
            sid="sid-lan",
            receipt=self.receipt,
        )

    async def read_receipt(self, receipt: str) -> LinkReceipt:
        self._call(f"read_receipt {receipt}")
        return replace(RECEIPT, assurance_level=self.level or "vn1")

    async def refresh(self, refresh_token: str, *, subject: str) -> Tokens:
        self._call(f"refresh {refresh_token} {subject}")
        return self._tokens()

    def end_session_url(self, id_token: str, post_logout_redirect_uri: str | None = None) -> str:
        self._call(f"end_session_url {id_token} {post_logout_redirect_uri}")
        return f"{ISSUER}/end_session?id_token_hint={id_token}"

    async def read_logout_token(self, token: str) -> LoggedOut:
        self._call(f"read_logout_token {token}")
        if self.over is None:
            raise TokenError("the signature is wrong")
        return self.over

    async def userinfo(self, access_token: str, *, subject: str) -> dict[str, Any]:
        self._call(f"userinfo {access_token} {subject}")
        return self.told


async def csrf(browser: httpx.AsyncClient) -> str:
    page = await browser.get("/")
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found is not None
    return found.group(1)


async def send(browser: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    return await browser.post(path, data={"csrf": await csrf(browser), **fields})


async def sign_in(browser: httpx.AsyncClient, handle: str = "lan") -> None:
    assert (await send(browser, "/sign-in", account=handle)).headers["location"] == "/"


async def link(browser: httpx.AsyncClient, party: FakeRelyingParty) -> httpx.Response:
    sent = await send(browser, "/link")
    assert sent.status_code == 303
    return await browser.get(f"/callback?code=c&iss={ISSUER}&state=state-{len(party.asked)}")
