"""What a standard upstream publishes about itself: metadata and keys, kept for a while.

OpenID Connect Discovery §4, RFC 8414 §3, RFC 9207 §3, RFC 9126 §5. The document is believed only when it
names the issuer that was configured (CVE-2026-104056), and every address in it is one that we would take.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from idp.protocol.jose import JOSEError, PublicKey, parse_jwk_set, read_json_object
from idp.protocol.web_uris import WebURIError, read_web_uri
from idp.upstreams.exchange import Answer, Fault, UpstreamError, Wire
from idp.upstreams.messages import check_metadata

KEPT_FOR = timedelta(minutes=10)
ASK_AGAIN_AFTER = timedelta(seconds=15)
"""How long a provider that failed is not asked again: not every person waits for its outage anew."""
NEW_KEYS_AFTER = timedelta(seconds=60)
"""How often an unknown key may have the keys fetched anew: nobody makes us ask without end."""


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The members that we use."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    pushed_authorization_request_endpoint: str | None
    sends_iss: bool
    """`authorization_response_iss_parameter_supported`: then an answer without `iss` is refused."""


class PublishedByProvider:
    """Metadata and keys of one upstream, as they were last read."""

    def __init__(self, issuer: str, wire: Wire, clock: Callable[[], datetime]) -> None:
        self._issuer = issuer
        self._wire = wire
        self._clock = clock
        self._metadata: ProviderMetadata | None = None
        self._metadata_until: datetime | None = None
        self._failures: dict[str, tuple[UpstreamError, datetime]] = {}
        """What failed, by its address, and until when it is not asked again."""
        self._keys: tuple[PublicKey, ...] = ()
        self._keys_read_at: datetime | None = None
        # Many people may find the same document too old at once: one of them reads it for all.
        self._reads_metadata, self._reads_keys = asyncio.Lock(), asyncio.Lock()

    async def metadata(self) -> ProviderMetadata:
        """Return the metadata, read anew when they are old. Raises UpstreamError."""
        async with self._reads_metadata:
            return await self._fresh_metadata(self._clock())

    async def _fresh_metadata(self, now: datetime) -> ProviderMetadata:
        if self._metadata is not None and self._metadata_until is not None and now < self._metadata_until:
            return self._metadata
        uri = f"{self._issuer}/.well-known/openid-configuration"
        with self._remembered(uri, now):
            answer = await self._wire.call("GET", uri, {})
            self._metadata = read_metadata(json_object(answer, "metadata"), self._issuer)
        self._metadata_until = now + KEPT_FOR
        return self._metadata

    async def keys(self, *, is_one_missing: bool = False) -> tuple[PublicKey, ...]:
        """Return the keys that sign ID tokens; read anew when they are old, or one is missing.

        Raises UpstreamError.
        """
        async with self._reads_keys:
            return await self._fresh_keys(self._clock(), is_one_missing=is_one_missing)

    async def _fresh_keys(self, now: datetime, *, is_one_missing: bool) -> tuple[PublicKey, ...]:
        limit = NEW_KEYS_AFTER if is_one_missing else KEPT_FOR
        if self._keys_read_at is not None and now < self._keys_read_at + limit:
            return self._keys
        uri = (await self.metadata()).jwks_uri
        with self._remembered(uri, now):
            self._keys = _read_keys(await self._wire.call("GET", uri, {}))
        self._keys_read_at = now
        return self._keys

    @contextlib.contextmanager
    def _remembered(self, uri: str, now: datetime) -> Iterator[None]:
        """Remember a failure: whoever waits behind it gets it at once, and not their own in its turn."""
        failed, until = self._failures.get(uri, (None, now))
        if failed is not None and now < until:
            raise UpstreamError(failed.fault, failed.reason)
        try:
            yield
        except UpstreamError as error:
            self._failures[uri] = error, now + ASK_AGAIN_AFTER
            raise
        self._failures.pop(uri, None)


def _read_keys(answer: Answer) -> tuple[PublicKey, ...]:
    try:
        return parse_jwk_set(json_object(answer, "jwks"))
    except JOSEError as error:
        raise UpstreamError(Fault.UNTRUSTED, f"jwks: {error}") from error


def json_object(answer: Answer, what: str) -> dict[str, Any]:
    """Return the JSON object of a 200 answer. Raises UpstreamError, naming `what` and quoting nothing."""
    if answer.status >= 500 or answer.status == 429:
        raise UpstreamError(Fault.UNAVAILABLE, f"{what}: status {answer.status}")
    if answer.status in {401, 403}:
        raise UpstreamError(Fault.UNAVAILABLE, f"{what}: we are refused")
    if answer.status not in {200, 201}:
        raise UpstreamError(Fault.UNTRUSTED, f"{what}: status {answer.status}")
    if answer.content_type not in {"application/json", "application/jwk-set+json"}:
        raise UpstreamError(Fault.UNTRUSTED, f"{what}: is not JSON")
    try:
        return read_json_object(answer.body)
    except JOSEError as error:
        raise UpstreamError(Fault.UNTRUSTED, f"{what}: {error}") from error


def read_metadata(document: Mapping[str, Any], issuer: str) -> ProviderMetadata:
    """Read metadata that name this issuer: Discovery §4.3, RFC 8414 §3.3. Raises UpstreamError."""
    if document.get("issuer") != issuer:
        raise UpstreamError(Fault.UNTRUSTED, "metadata: names another issuer")
    try:
        check_metadata(document)
    except (ValueError, TypeError, AttributeError) as error:
        # The judge is Authlib's, which expects values of the right types; its words may quote the document.
        raise UpstreamError(Fault.UNTRUSTED, "metadata: against Discovery or RFC 8414") from error
    return ProviderMetadata(
        issuer=issuer,
        authorization_endpoint=_address(document, "authorization_endpoint"),
        token_endpoint=_address(document, "token_endpoint"),
        jwks_uri=_address(document, "jwks_uri"),
        userinfo_endpoint=_address_or_none(document, "userinfo_endpoint"),
        pushed_authorization_request_endpoint=_address_or_none(
            document, "pushed_authorization_request_endpoint"
        ),
        sends_iss=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _address_or_none(document: Mapping[str, Any], name: str) -> str | None:
    return None if document.get(name) is None else _address(document, name)


def _address(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    try:
        read_web_uri(value if isinstance(value, str) else "")
    except WebURIError as error:
        raise UpstreamError(Fault.UNTRUSTED, f"metadata: {name}: {error}") from error
    return str(value)
