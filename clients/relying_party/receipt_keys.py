"""The keys that receipts are verified with, kept by you: those of now, and those of former times.

Fetch them once a day and after every notice of a compromised key, and keep what `to_json` writes: with it a
receipt is verified without anybody's help, years later. OpenID Federation 1.0 §8.7, RFC 7517.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .errors import ConfigurationError, MetadataError, TokenError
from .keys import usable_keys
from .provider import Provider
from .receipts import RECEIPT_TYPE, ExpectedReceipt, LinkReceipt, SigningKey, verify_receipt
from .tokens import SIGNING_ALGORITHMS, SignedClaims, read_header, verify_signature
from .transport import Answer, send

HISTORY_TYPE = "jwk-set+jwt"
_LARGEST_HISTORY = 256 * 1024


@dataclass(frozen=True, slots=True)
class ReceiptKeys:
    """Every key that may have signed a receipt, as it was published."""

    issuer: str
    jwks: Mapping[str, Any]
    """The JWK set of now (RFC 7517 §5)."""
    history: str | None
    """The signed set of former keys; None where the provider has none."""
    by_kid: Mapping[str, SigningKey]

    @classmethod
    def read(cls, issuer: str, jwks: Mapping[str, Any], history: str | None) -> "ReceiptKeys":
        """Verify the keys of former times by those of now. Raises MetadataError, TokenError."""
        by_kid = {kid: SigningKey(key) for kid, key in usable_keys(jwks).items()}
        if history is not None:
            for kid, former in _former_keys(issuer, by_kid, history).items():
                # A key that was lost is revoked wherever else it stands: one of the two copies is older.
                if former.is_revoked or kid not in by_kid:
                    by_kid[kid] = former
        return cls(issuer, jwks, history, by_kid)

    def to_json(self) -> str:
        """Serialise for a file of yours."""
        kept = {"issuer": self.issuer, "jwks": self.jwks, "history": self.history}
        return json.dumps(kept, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "ReceiptKeys":
        """Read what `to_json` wrote, and verify it again. Raises ConfigurationError."""
        try:
            kept = json.loads(text)
            return cls.read(kept["issuer"], kept["jwks"], kept["history"])
        except (ValueError, TypeError, KeyError, AttributeError, MetadataError, TokenError) as error:
            raise ConfigurationError("the kept keys are not ones that were written here") from error

    def read_receipt(self, receipt: str, *, client_id: str, now: datetime) -> LinkReceipt:
        """Verify a receipt; nothing is asked of anybody. Raises TokenError."""
        header = read_header(receipt, SIGNING_ALGORITHMS, typ=RECEIPT_TYPE)
        key = self.by_kid.get(header.kid)
        if key is None:
            raise TokenError(f"no key {header.kid!r} was kept")
        return verify_receipt(receipt, header, key, ExpectedReceipt(self.issuer, client_id, now))


async def fetch_receipt_keys(provider: Provider) -> ReceiptKeys:
    """Fetch both sets. Raises MetadataError, TokenError, ProviderUnavailableError."""
    jwks = (await _get(provider, provider.metadata.jwks_uri, "application/json")).json_object()
    address, history = provider.metadata.historical_keys_endpoint, None
    if address is not None:
        answer = await _get(provider, address, f"application/{HISTORY_TYPE}")
        history = answer.body.decode("ascii", "replace")
    return ReceiptKeys.read(provider.metadata.issuer, jwks, history)


async def _get(provider: Provider, address: str, media_type: str) -> Answer:
    request = provider.http.build_request("GET", address, headers={"Accept": media_type})
    answer = await send(provider.http, request)
    if answer.status != 200:
        raise MetadataError(f"{address} answered {answer.status}")
    return answer


def _former_keys(issuer: str, present: Mapping[str, SigningKey], history: str) -> dict[str, SigningKey]:
    """Verify the signed set and read its keys: OpenID Federation 1.0 §8.7.2."""
    header = read_header(history, SIGNING_ALGORITHMS, typ=HISTORY_TYPE, largest=_LARGEST_HISTORY)
    signer = present.get(header.kid)
    if signer is None:
        raise TokenError(f"the former keys are signed by {header.kid!r}, which is not published")
    claims = verify_signature(history, header, signer.key)
    if claims.get("iss") != issuer:
        raise TokenError("the former keys are those of another issuer")
    keys = usable_keys(claims)
    members = {member.get("kid"): member for member in claims["keys"] if isinstance(member, dict)}
    return {kid: _former(SigningKey(key), members[kid]) for kid, key in keys.items()}


def _former(key: SigningKey, member: Mapping[str, Any]) -> SigningKey:
    """§8.7.2: `exp` is required; `revoked` says that the key did not merely run out."""
    expires_at = _time(SignedClaims(dict(member)), "exp")
    not_before = _time(SignedClaims(dict(member)), "nbf") if "nbf" in member else None
    return SigningKey(key.key, not_before, expires_at, is_revoked="revoked" in member)


def _time(members: SignedClaims, name: str) -> datetime:
    value: Any = members.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"{name} of a former key is no time")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise TokenError(f"{name} of a former key is no time") from error
