"""What the provider publishes, as bytes made once: metadata and keys. RFC 8414, RFC 7517.

A request costs no more than sending them. When keys change, `renew` makes them again.
"""

from dataclasses import dataclass, field
from hashlib import sha256

import orjson
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.historical_keys import HISTORICAL_KEYS_TYPE, historical_keys_claims
from idp.protocol.historical_keys import MEDIA_TYPE as HISTORY
from idp.protocol.jose import PublicKey, parse_jwk_set
from idp.protocol.metadata import resource_metadata, server_metadata
from idp.protocol.model import Policy
from idp.protocol.platform_api import openapi_document
from idp.protocol.resources import RESOURCES
from idp.protocol.tokens import ACCESS_TOKEN_ALGORITHM
from idp.protocol.transmitter_metadata import transmitter_metadata
from keys import Custody


@dataclass(frozen=True, slots=True)
class Document:
    """A public document with its entity tag."""

    body: bytes
    max_age: int
    """Seconds that a cache may keep it."""
    media_type: str = "application/json"
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        headers = {
            "Cache-Control": f"public, max-age={self.max_age}",
            "ETag": f'"{sha256(self.body).hexdigest()[:32]}"',
            "Access-Control-Allow-Origin": "*",
        }
        object.__setattr__(self, "headers", headers)

    def answer(self, http: Request) -> Response:
        """Return the document, or 304 where the caller has it already (RFC 9110 §13.1.2)."""
        sent = http.headers.get("if-none-match", "")
        # Weak comparison: a proxy that compresses on the way weakens the tag, and a cache may name several.
        if self.headers["ETag"] in {tag.strip().removeprefix("W/") for tag in sent.split(",")}:
            return Response(status_code=304, headers=self.headers)
        return Response(self.body, headers=self.headers, media_type=self.media_type)


class Published:
    """The public documents, and our own verification keys as the token rules take them."""

    def __init__(self, policy: Policy, custody: Custody) -> None:
        self._issuer = policy.issuer
        self._custody = custody
        self.metadata = Document(orjson.dumps(server_metadata(policy)), max_age=3600)
        self.transmitter = Document(orjson.dumps(transmitter_metadata(policy)), max_age=3600)
        self.resources = {
            path: Document(orjson.dumps(resource_metadata(policy, path)), max_age=3600) for path in RESOURCES
        }
        self.platform_api = Document(orjson.dumps(openapi_document(policy.issuer)), max_age=3600)
        self.renew()

    def renew(self) -> None:
        """Make the key documents again, after a rotation."""
        jwks = self._custody.signing.public_jwks()
        self.jwks = Document(orjson.dumps(jwks), max_age=300)
        self.verification_keys: tuple[PublicKey, ...] = parse_jwk_set(jwks)
        self.historical_keys = Document(self._signed_history(), max_age=300, media_type=HISTORY)

    def _signed_history(self) -> bytes:
        """Sign the keys that signed once, with one that signs now (OpenID Federation 1.0 §8.7.2)."""
        ring = self._custody.signing
        claims = historical_keys_claims(self._issuer, ring.historical_jwks(), ring.changed_at())
        return ring.signer(ACCESS_TOKEN_ALGORITHM).sign(claims, typ=HISTORICAL_KEYS_TYPE).encode()
