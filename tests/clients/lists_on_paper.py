"""Receipts, status lists and former keys as a provider would sign them, and a server that has them."""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from joserfc.jwk import ECKey, KeySet

from clients.relying_party import Provider, StatusLists
from clients.relying_party.keys import KeyCache
from clients.relying_party.provider import Metadata
from tests.clients.scripted_provider import CLIENT_ID, ISSUER, NOW, make_key, sign

SECONDS = int(NOW.timestamp())
LIST_URI = f"{ISSUER}/status-lists/list-1"
OTHER_LIST_URI = f"{ISSUER}/status-lists/list-2"


def receipt_claims(**changes: object) -> dict[str, Any]:
    """Claims of a good receipt; a change to None leaves one out."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "client_id": CLIENT_ID,
        "sub": "pairwise-lan",
        "iat": SECONDS,
        "link_id": "lnk_1",
        "account_id": "acc_lan",
        "assurance_level": "vn2",
        "acr": f"{ISSUER}/acr/vn-2",
        "linked_at": SECONDS,
        "expires_at": SECONDS + 730 * 86_400,
        "policy_version": 3,
        "status": {"status_list": {"idx": 1, "uri": LIST_URI}},
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def signed_receipt(key: ECKey, **changes: object) -> str:
    return sign(receipt_claims(**changes), key, typ="account-link+jwt")


def packed(statuses: Mapping[int, int], size: int = 1 << 20, bits: int = 2) -> str:
    per_byte = 8 // bits
    array = bytearray(size // per_byte)
    for index, value in statuses.items():
        array[index // per_byte] |= value << index % per_byte * bits
    return base64.urlsafe_b64encode(zlib.compress(bytes(array))).rstrip(b"=").decode()


def list_claims(lst: str, **changes: object) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "sub": LIST_URI,
        "iat": SECONDS,
        "exp": SECONDS + 86_400,
        "ttl": 20,
        "status_list": {"bits": 2, "lst": lst},
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def signed_list(key: ECKey, lst: str, **changes: object) -> str:
    return sign(list_claims(lst, **changes), key, typ="statuslist+jwt")


def former_key(key: ECKey, **changes: object) -> dict[str, Any]:
    member = {**key.as_dict(private=False), "nbf": SECONDS - 1000, "exp": SECONDS + 1000}
    return {name: value for name, value in (member | changes).items() if value is not None}


def signed_history(key: ECKey, *members: dict[str, Any], **changes: object) -> str:
    claims = {"iss": ISSUER, "iat": SECONDS, "keys": list(members)} | changes
    return sign(claims, key, typ="jwk-set+jwt")


@dataclass
class ListServer:
    """Serves key sets and lists, with entity tags, and counts what it was asked."""

    key: ECKey = field(default_factory=lambda: make_key("op-1"))
    now: datetime = NOW
    bodies: dict[str, str] = field(default_factory=dict)
    history: str | None = None
    status: int | None = None
    requests: list[httpx.Request] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def jwks(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(json.dumps(KeySet([self.key]).as_dict(private=False)))
        return document

    def downloads(self) -> int:
        return sum("/status-lists/" in request.url.path for request in self.requests)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path == "/jwks":
            return httpx.Response(200, json=self.jwks(), headers={"cache-control": "max-age=300"})
        if self.status is not None:
            return httpx.Response(self.status)
        if request.url.path == "/jwks/historical" and self.history is not None:
            return httpx.Response(200, text=self.history)
        body = self.bodies.get(str(request.url))
        if body is None:
            return httpx.Response(404)
        etag = f'W/"{zlib.crc32(body.encode())}"'
        if request.headers.get("if-none-match") == etag:
            return httpx.Response(304, headers={"etag": etag})
        return httpx.Response(200, text=body, headers={"etag": etag})

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    def lists(self) -> StatusLists:
        http = self.http()
        return StatusLists(ISSUER, KeyCache(f"{ISSUER}/jwks", http, self.clock), http, self.clock)

    def provider(self, *, has_history: bool = True) -> Provider:
        http = self.http()
        address = f"{ISSUER}/jwks/historical" if has_history else None
        metadata = Metadata(
            issuer=ISSUER,
            authorization_endpoint=f"{ISSUER}/authorize",
            pushed_authorization_request_endpoint=f"{ISSUER}/par",
            token_endpoint=f"{ISSUER}/token",
            userinfo_endpoint=f"{ISSUER}/userinfo",
            jwks_uri=f"{ISSUER}/jwks",
            algorithms=frozenset({"ES256"}),
            historical_keys_endpoint=address,
        )
        return Provider(metadata, KeyCache(metadata.jwks_uri, http, self.clock), http, self.clock)
