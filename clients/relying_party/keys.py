"""The provider's public keys: cached, refetched when a token names an unknown one. RFC 7517.

    token with kid ─▶ cached and fresh? ──yes──▶ key
                            │ no
                            ▼
                  asked less than N s ago? ──yes──▶ refused, no request
                            │ no
                            ▼
                  one fetch, all others wait for it ─▶ key or refused

OpenID Connect Core §10.1.1 rotates keys this way: the provider publishes, the relying party looks
again when it meets a `kid` it does not know. The back-off keeps forged tokens from turning us
into a flood against the provider.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, RSAKey

from .errors import MetadataError, ProviderUnavailableError, TokenError
from .transport import Answer, send

Clock = Callable[[], datetime]

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=(\d{1,9})(?:$|[,\s])", re.ASCII)


def system_clock() -> datetime:
    """Return the time of this machine, aware, in UTC."""
    return datetime.now(UTC)


def read_key_set(answer: Answer) -> dict[str, Key]:
    """Read a JWK set into its verification keys by `kid`. Raises MetadataError.

    RFC 7517 §5: keys that are not understood are ignored. So are keys without `kid`, for another use,
    symmetric ones and private ones. The same `kid` twice makes the whole set unusable.
    """
    if answer.status != 200:
        raise MetadataError(f"the key set answered {answer.status}")
    keys = usable_keys(answer.json_object())
    if not keys:
        raise MetadataError("the key set holds no usable key")
    return keys


def usable_keys(document: Mapping[str, Any]) -> dict[str, Key]:
    """Return the verification keys of a JWK set by `kid`, which may be none. Raises MetadataError."""
    members = document.get("keys")
    if not isinstance(members, list):
        raise MetadataError("the key set has no keys")
    keys: dict[str, Key] = {}
    for member in members:
        key = _find_verification_key(member)
        if key is None or key.kid is None:
            continue
        if key.kid in keys:
            raise MetadataError(f"the key set names {key.kid} twice")
        keys[key.kid] = key
    return keys


def _find_verification_key(member: object) -> Key | None:
    if not isinstance(member, Mapping) or member.get("kty") not in {"EC", "RSA", "OKP"}:
        return None
    if not isinstance(member.get("kid"), str) or member.get("use", "sig") != "sig" or "d" in member:
        return None
    try:
        key = JWKRegistry.import_key(dict(member))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey) and key.public_key.key_size < 2048:
        return None
    return key


def read_max_age(answer: Answer, *, shortest: timedelta, longest: timedelta) -> timedelta:
    """Return how long an answer may be kept (RFC 9111 §5.2.2.1), within our own bounds."""
    found = _MAX_AGE.search(answer.headers.get("cache-control", ""))
    if found is None:
        return shortest
    return min(max(timedelta(seconds=int(found.group(1))), shortest), longest)


class KeyCache:
    """The key set of one provider. Safe to share between tasks of one event loop."""

    def __init__(
        self,
        jwks_uri: str,
        http: httpx.AsyncClient,
        clock: Clock = system_clock,
        *,
        back_off: timedelta = timedelta(seconds=10),
        longest_age: timedelta = timedelta(days=1),
    ) -> None:
        self._jwks_uri = jwks_uri
        self._http = http
        self._clock = clock
        self._back_off = back_off
        self._longest_age = longest_age
        self._keys: Mapping[str, Key] = {}
        self._fresh_until: datetime | None = None
        self._asked_at: datetime | None = None
        self._fetching = asyncio.Lock()

    async def get_key(self, kid: str) -> Key:
        """Return the key with this `kid`. Raises TokenError, ProviderUnavailableError or MetadataError."""
        key = self._find_fresh(kid)
        if key is not None:
            return key
        async with self._fetching:
            key = self._find_fresh(kid)
            if key is None:
                self._check_back_off(kid)
                await self._fetch()
                key = self._find_fresh(kid)
        if key is None:
            raise TokenError(f"the provider publishes no key {kid!r}")
        return key

    def _find_fresh(self, kid: str) -> Key | None:
        return self._keys.get(kid) if self._is_fresh() else None

    def _is_fresh(self) -> bool:
        return self._fresh_until is not None and self._clock() < self._fresh_until

    def _check_back_off(self, kid: str) -> None:
        if self._asked_at is None or self._clock() - self._asked_at >= self._back_off:
            return
        if self._is_fresh():
            raise TokenError(f"the provider published no key {kid!r} a moment ago")
        raise ProviderUnavailableError("the key set could not be had a moment ago")

    async def _fetch(self) -> None:
        self._asked_at = self._clock()
        request = self._http.build_request("GET", self._jwks_uri, headers={"Accept": "application/json"})
        answer = await send(self._http, request)
        self._keys = read_key_set(answer)
        kept_for = read_max_age(answer, shortest=self._back_off, longest=self._longest_age)
        self._fresh_until = self._clock() + kept_for
