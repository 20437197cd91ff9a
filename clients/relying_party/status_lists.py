"""What became of your links, of a million of them by one download. Token Status List, draft 21.

    receipts ─▶ StatusLists.check ─▶ one GET for each list, or 304, or nothing while it is fresh
                     │                      │ signed token ─▶ verify_status_list ─▶ StatusList
                     └── LinkStatus of each, two bits at its index

Nothing that comes over the wire is unpacked further than a bound, however small it was sent.
"""

import asyncio
import base64
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import httpx

from .errors import ProviderUnavailableError, TokenError
from .keys import Clock, KeyCache, system_clock
from .model import LEEWAY
from .receipts import LinkReceipt, SigningKey
from .tokens import SIGNING_ALGORITHMS, Header, SignedClaims, read_header, verify_signature
from .transport import send

STATUS_LIST_TYPE = "statuslist+jwt"
MEDIA_TYPE = "application/statuslist+jwt"
LARGEST_TOKEN = 2 * 1024 * 1024
"""A list of 2^20 links, each in a state of its own, is sent in half a megabyte."""
LARGEST_ARRAY = 1024 * 1024
"""Unpacked; a list of 2^20 links has a quarter of it."""
SHORTEST_TTL, LONGEST_TTL = timedelta(seconds=5), timedelta(days=1)
"""Bounds of how long a list is taken for fresh, whatever it says itself (§11.5)."""


class LinkStatus(IntEnum):
    """What a list says of a link (§7.1)."""

    VALID = 0
    INVALID = 1
    """Ended: remove the mark. It does not come back; the member links anew."""
    SUSPENDED = 2
    """For the time being; do not trust the link, and do not forget it."""
    LAPSED = 3
    """The assurance ran out; the member links again."""


@dataclass(frozen=True, slots=True)
class StatusList:
    """One list, verified and unpacked."""

    uri: str
    as_of: datetime
    """Every change before it is in the list."""
    expires_at: datetime
    ttl: timedelta
    """How long a copy is fresh."""
    bits: int
    array: bytes = field(repr=False)
    fresh_until: datetime
    etag: str = ""

    def status_at(self, index: int) -> LinkStatus:
        """Return what the list says at an index. Raises TokenError outside the list (§8.3, 6)."""
        per_byte = 8 // self.bits
        if not 0 <= index < len(self.array) * per_byte:
            raise TokenError("the status list has no such index")
        value = self.array[index // per_byte] >> index % per_byte * self.bits & ((1 << self.bits) - 1)
        if value > max(LinkStatus):
            raise TokenError(f"the status list says {value}, which means nothing here")
        return LinkStatus(value)


def verify_status_list(token: str, header: Header, key: SigningKey, uri: str, now: datetime) -> StatusList:
    """Verify a status list token completely (§8.3) and unpack it. Raises TokenError."""
    if key.is_revoked:
        raise TokenError("the key of the status list was revoked")
    claims = verify_signature(token, header, key.key)
    if claims.get("sub") != uri:
        raise TokenError("this is another status list than was asked for")
    issued_at, expires_at = _time(claims, "iat"), _time(claims, "exp")
    if issued_at > now + LEEWAY:
        raise TokenError("the status list is from the future")
    if now >= expires_at:
        raise TokenError("the status list has expired")
    ttl = _ttl(claims)
    bits, array = _unpacked(claims)
    return StatusList(uri, issued_at, expires_at, ttl, bits, array, min(expires_at, now + ttl))


class StatusLists:
    """The lists of one provider that were downloaded, each once for as long as it is fresh."""

    def __init__(
        self, issuer: str, keys: KeyCache, http: httpx.AsyncClient, clock: Clock = system_clock
    ) -> None:
        self._issuer = issuer
        self._keys = keys
        self._http = http
        self._clock = clock
        self._kept: dict[str, StatusList] = {}
        self._fetching: dict[str, asyncio.Lock] = {}

    async def get(self, uri: str) -> StatusList:
        """Return a list, from memory while it is fresh.

        When the provider does not answer, the list that is kept serves until it expires: an outage there
        locks nobody out. Raises ProviderUnavailableError, TokenError, MetadataError.
        """
        if not uri.startswith(f"{self._issuer}/"):
            raise TokenError("the status list is not this provider's")
        async with self._fetching.setdefault(uri, asyncio.Lock()):
            kept = self._kept.get(uri)
            if kept is None or self._clock() >= kept.fresh_until:
                try:
                    kept = self._kept[uri] = await self._fetch(uri, kept)
                except ProviderUnavailableError:
                    if kept is None or self._clock() >= kept.expires_at:
                        raise
            return kept

    async def check(self, receipts: Iterable[LinkReceipt]) -> dict[str, LinkStatus]:
        """Return the state of each link by its `link_id`: as many downloads as there are lists.

        A link whose own time is over has lapsed, whatever its list says (§7.1). Raises as `get` does.
        """
        found: dict[str, LinkStatus] = {}
        lists: dict[str, StatusList] = {}
        now = self._clock()
        for receipt in receipts:
            reference = receipt.status
            status_list = lists.get(reference.uri)
            if status_list is None:
                status_list = lists[reference.uri] = await self.get(reference.uri)
            status = status_list.status_at(reference.index)
            is_over = status is LinkStatus.VALID and now >= receipt.expires_at
            found[receipt.link_id] = LinkStatus.LAPSED if is_over else status
        return found

    async def _fetch(self, uri: str, kept: StatusList | None) -> StatusList:
        headers = {"Accept": MEDIA_TYPE}
        if kept is not None and kept.etag:
            headers["If-None-Match"] = kept.etag
        request = self._http.build_request("GET", uri, headers=headers)
        answer = await send(self._http, request, largest=LARGEST_TOKEN)
        now = self._clock()
        if answer.status == 304 and kept is not None and now < kept.expires_at:
            return replace(kept, fresh_until=min(kept.expires_at, now + kept.ttl))
        if answer.status != 200:
            raise ProviderUnavailableError(f"{uri} answered {answer.status}")
        token = answer.body.decode("ascii", "replace")
        header = read_header(token, SIGNING_ALGORITHMS, typ=STATUS_LIST_TYPE, largest=LARGEST_TOKEN)
        key = SigningKey(await self._keys.get_key(header.kid))
        fetched = await asyncio.to_thread(verify_status_list, token, header, key, uri, now)
        return replace(fetched, etag=answer.headers.get("etag", ""))


def _ttl(claims: SignedClaims) -> timedelta:
    """§5.1, §13.7: how long a copy may be kept, within our own bounds."""
    ttl = claims.get("ttl", SHORTEST_TTL.total_seconds())
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not ttl > 0:
        raise TokenError("the ttl of the status list is no positive number")
    return timedelta(seconds=min(max(ttl, SHORTEST_TTL.total_seconds()), LONGEST_TTL.total_seconds()))


def _unpacked(claims: SignedClaims) -> tuple[int, bytes]:
    """§4.2, §4.1: bits and array. Whatever would be larger than the bound is refused before it is made."""
    members = claims.get("status_list")
    if not isinstance(members, dict):
        raise TokenError("the token holds no status list")
    bits, lst = members.get("bits"), members.get("lst")
    if type(bits) is not int or bits not in {1, 2, 4, 8} or not isinstance(lst, str):
        raise TokenError("the status list is not one")
    return bits, _decompressed(lst)


def _decompressed(lst: str) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        packed = base64.b64decode(lst + "=" * (-len(lst) % 4), altchars=b"-_", validate=True)
        array = unpacking.decompress(packed, LARGEST_ARRAY)
    except (ValueError, zlib.error) as error:
        raise TokenError("the status list cannot be unpacked") from error
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise TokenError("the status list is cut short, or larger than any that we take")
    return array


def _time(claims: SignedClaims, name: str) -> datetime:
    value: Any = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"{name} is no time in the status list")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise TokenError(f"{name} is no time in the status list") from error
