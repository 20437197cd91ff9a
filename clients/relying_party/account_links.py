"""Your links at the provider: read them, follow what becomes of them, keep them in order.

    links = AccountLinks(provider, client_id, key=…)
    async for page in links.follow(cursor):        # hourly, say; `page.cursor` is where to go on
        for change in page.changes: …
    await links.reattach(link_id, "acc_renamed")   # sent again under the same key if the answer is lost

Every request carries a fresh proof of a key that only this process has (RFC 9449); every POST a key under
which it happens once, however often it is sent (draft-ietf-httpapi-idempotency-key-header).
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final
from urllib.parse import quote, urlencode

from .account_link_documents import (
    AccountLink,
    ChangePage,
    ReportedCase,
    Suspicion,
    problem_name,
    read_case,
    read_changes,
    read_document,
    read_link,
    read_links,
)
from .client_authentication import KeyMaterial, choose_authentication
from .errors import ProviderUnavailableError
from .own_token import USE_NONCE, OwnToken
from .provider import Provider
from .transport import Answer, send

SCOPE = "account_links.read account_links.manage"
TRIES = 3
LARGEST_PAGE = 200


class _Unchanged(Enum):
    UNCHANGED = "unchanged"


UNCHANGED: Final = _Unchanged.UNCHANGED
"""What `update` leaves as it is; None removes."""


class AccountLinks:
    """The platform API. One for a process: it holds a token and the key that the token is bound to."""

    def __init__(
        self,
        provider: Provider,
        client_id: str,
        *,
        key: KeyMaterial | None = None,
        secret: str | None = None,
        scope: str = SCOPE,
        back_off: timedelta = timedelta(seconds=1),
    ) -> None:
        """Give the private key of private_key_jwt, or a client secret. Raises ConfigurationError."""
        self._provider = provider
        self._base = f"{provider.metadata.issuer}/account-links"
        self._token = OwnToken(provider, client_id, choose_authentication(key, secret), scope)
        self._back_off = back_off

    async def read(self, link_id: str) -> AccountLink:
        """Return one link. Raises RequestRefusedError (`no_such_link`)."""
        answer = await self._send("GET", _path(link_id))
        return read_link(read_document(answer), answer.headers.get("etag"))

    async def find(self, account_id: str) -> AccountLink | None:
        """Return the live link of an account: active, suspended or lapsed; None when it has none."""
        links, _ = read_links(await self._get("", {"account_id": account_id}))
        return links[0] if links else None

    async def all(self, *, status: str | None = None) -> AsyncIterator[AccountLink]:
        """Yield every link, or every one that counts as `status`, page after page."""
        cursor: str | None = None
        while True:
            query = {"status": status, "cursor": cursor, "limit": str(LARGEST_PAGE)}
            links, cursor = read_links(await self._get("", query))
            for link in links:
                yield link
            if cursor is None:
                return

    async def changes(self, cursor: str | None = None, *, begin: str = "beginning") -> ChangePage:
        """Return the changes behind a cursor; without one, from the `beginning` or from `now` on."""
        query = {"cursor": cursor, "from": begin if cursor is None else None, "limit": str(LARGEST_PAGE)}
        return read_changes(await self._get("/changes", query))

    async def follow(
        self, cursor: str | None = None, *, begin: str = "beginning"
    ) -> AsyncIterator[ChangePage]:
        """Yield pages of changes until there are no more. Store a page's cursor when you are done with it."""
        while True:
            page = await self.changes(cursor, begin=begin)
            yield page
            cursor = page.cursor
            if not page.has_more:
                return

    async def end(self, link_id: str, *, key: str | None = None) -> AccountLink:
        """End a link for good. Raises RequestRefusedError."""
        return read_link(await self._post(f"{_path(link_id)}/end", {}, key))

    async def reattach(self, link_id: str, account_id: str, *, key: str | None = None) -> AccountLink:
        """Attach a link to the new id of its account.

        Raises RequestRefusedError (`account_already_linked`).
        """
        return read_link(await self._post(f"{_path(link_id)}/reattach", {"account_id": account_id}, key))

    async def reverify(
        self, link_id: str, due_at: datetime | None = None, *, key: str | None = None
    ) -> AccountLink:
        """Ask the holder to link again by a date, a week to a year ahead; a month without one.

        `RelyingParty.start_linking` with `max_age=0` is how they do it. Raises RequestRefusedError.
        """
        body = {} if due_at is None else {"due_at": int(due_at.timestamp())}
        return read_link(await self._post(f"{_path(link_id)}/reverify", body, key))

    async def report_misuse(
        self, link_id: str, suspicion: Suspicion, *, key: str | None = None
    ) -> ReportedCase:
        """Report an account. It opens a case and does nothing to the link. Raises RequestRefusedError."""
        return read_case(await self._post(f"{_path(link_id)}/misuse", {"suspicion": suspicion.value}, key))

    async def update(
        self,
        link_id: str,
        *,
        handle: str | _Unchanged | None = UNCHANGED,
        profile_uri: str | _Unchanged | None = UNCHANGED,
        etag: str | None = None,
    ) -> AccountLink:
        """Change how the account is shown. With `etag`, only if the link is as you read it.

        Raises RequestRefusedError (`precondition_failed`).
        """
        members = {"handle": handle, "profile_uri": profile_uri}
        patch = {name: value for name, value in members.items() if value is not UNCHANGED}
        headers = {"Content-Type": "application/merge-patch+json"}
        if etag is not None:
            headers["If-Match"] = etag
        answer = await self._send("PATCH", _path(link_id), json.dumps(patch), headers)
        return read_link(read_document(answer), answer.headers.get("etag"))

    async def _get(self, path: str, query: Mapping[str, str | None]) -> dict[str, Any]:
        stated = {name: value for name, value in query.items() if value is not None}
        return read_document(await self._send("GET", path, query=f"?{urlencode(stated)}" if stated else ""))

    async def _post(self, path: str, body: Mapping[str, object], key: str | None) -> dict[str, Any]:
        """Send a request until there is an answer: the same key, so that it happens once."""
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f'"{key or secrets.token_urlsafe(24)}"',
        }
        for attempt in range(1, TRIES):
            try:
                return read_document(await self._send("POST", path, json.dumps(body), headers))
            except ProviderUnavailableError:
                await asyncio.sleep(self._back_off.total_seconds() * attempt)
        return read_document(await self._send("POST", path, json.dumps(body), headers))

    async def _send(
        self,
        method: str,
        path: str,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        query: str = "",
    ) -> Answer:
        """Send with a fresh proof; a nonce that is asked for or a token that is over costs one more round."""
        for _ in range(TRIES):
            token = await self._token.get()
            answer = await self._send_with(token, method, path, query, body, headers or {})
            self._token.note_nonce(answer)
            if answer.status != 401:
                return answer
            refusal = problem_name(answer.json_object())
            if refusal == "invalid_token":
                self._token.forget(token)
            elif refusal != USE_NONCE:
                return answer
        return answer

    async def _send_with(
        self,
        token: str,
        method: str,
        path: str,
        query: str,
        body: str | None,
        headers: Mapping[str, str],
    ) -> Answer:
        http, url = self._provider.http, f"{self._base}{path}"
        proof = self._token.proof_key.proof(
            method, url, self._provider.clock(), access_token=token, nonce=self._token.nonce
        )
        sent = {
            "Authorization": f"DPoP {token}",
            "DPoP": proof,
            "Accept": "application/json, application/problem+json",
            **headers,
        }
        return await send(http, http.build_request(method, url + query, content=body, headers=sent))


def _path(link_id: str) -> str:
    return f"/{quote(link_id, safe='')}"
