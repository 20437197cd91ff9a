"""Receipts of account links: signed once, verified offline for years. Pure.

    receipt ─▶ read_header ─▶ (key of that kid) ─▶ verify_receipt ─▶ LinkReceipt ─▶ .status
              typ account-link+jwt     published now, or kept               which list, which index

A receipt says what was so when it was signed. What became of the link since says its status list
(`status_lists.py`). RFC 7519, RFC 8725; Token Status List §6.2, §8.3.
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc.jwk import Key

from .errors import TokenError
from .model import LEEWAY, LinkedAccount
from .tokens import Header, SignedClaims, short_acr, verify_signature

RECEIPT_TYPE = "account-link+jwt"
_LEVELS = frozenset({"vn1", "vn2", "vnf"})
_LARGEST_INDEX = 2**32


@dataclass(frozen=True, slots=True)
class StatusReference:
    """Where the present state of a link is to be read."""

    uri: str
    index: int


@dataclass(frozen=True, slots=True)
class LinkReceipt:
    """What the provider signed about one link of yours."""

    issuer: str
    client_id: str
    link_id: str
    account_id: str
    subject: str
    assurance_level: str
    """`vn1`, `vn2` or `vnf`: how the identity was proofed when the link was made or last renewed."""
    acr: str
    """How strongly the person signed in for it, in short: `vn-1` … `vn-4`."""
    issued_at: datetime
    linked_at: datetime
    expires_at: datetime
    policy_version: int | None
    """The feature policy under which it was made."""
    status: StatusReference


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of the provider's, and when it was one."""

    key: Key
    not_before: datetime | None = None
    expires_at: datetime | None = None
    is_revoked: bool = False
    """It was lost to somebody: nothing that it signed is believed."""


@dataclass(frozen=True, slots=True)
class ExpectedReceipt:
    """What a receipt must agree with, and the time."""

    issuer: str
    client_id: str
    now: datetime


def verify_receipt(receipt: str, header: Header, key: SigningKey, expected: ExpectedReceipt) -> LinkReceipt:
    """Verify a receipt completely. Raises TokenError. Whether the link still stands says its status list."""
    if key.is_revoked:
        raise TokenError("the key of the receipt was revoked; ask for a new receipt")
    claims = verify_signature(receipt, header, key.key)
    if claims.get("iss") != expected.issuer:
        raise TokenError("the receipt is from another issuer")
    if claims.get("client_id") != expected.client_id:
        raise TokenError("the receipt was given to somebody else")
    issued_at = _time(claims, "iat")
    if issued_at > expected.now + LEEWAY:
        raise TokenError("the receipt is from the future")
    _check_key_was_in_use(key, issued_at)
    level = _text(claims, "assurance_level")
    if level not in _LEVELS:
        raise TokenError("the assurance level is not one that we know")
    return LinkReceipt(
        issuer=expected.issuer,
        client_id=expected.client_id,
        link_id=_text(claims, "link_id"),
        account_id=_text(claims, "account_id"),
        subject=_text(claims, "sub"),
        assurance_level=level,
        acr=short_acr(_text(claims, "acr"), expected.issuer),
        issued_at=issued_at,
        linked_at=_time(claims, "linked_at"),
        expires_at=_time(claims, "expires_at"),
        policy_version=_policy_version(claims),
        status=_status(claims, expected.issuer),
    )


def check_receipt_of(receipt: LinkReceipt, linked: LinkedAccount) -> None:
    """Check that a receipt is of the link that an ID token attests (abuse: one for another account)."""
    told = (receipt.link_id, receipt.account_id, receipt.subject)
    attested = (linked.link_id, linked.account_id, linked.subject)
    if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(told, attested, strict=True)):
        raise TokenError("the receipt is of another link than the ID token attests")


def _check_key_was_in_use(key: SigningKey, issued_at: datetime) -> None:
    """OpenID Federation 1.0 §8.7.2: a key is believed for its own time only."""
    if key.not_before is not None and issued_at < key.not_before - LEEWAY:
        raise TokenError("the receipt is older than its key")
    if key.expires_at is not None and issued_at > key.expires_at + LEEWAY:
        raise TokenError("the receipt is younger than its key may sign")


def _status(claims: SignedClaims, issuer: str) -> StatusReference:
    """Token Status List §6.2. The list is the issuer's: whoever checks it dials nobody else's address."""
    status = claims.get("status")
    reference = status.get("status_list") if isinstance(status, dict) else None
    if not isinstance(reference, dict):
        raise TokenError("the receipt does not say where its status is")
    uri, index = reference.get("uri"), reference.get("idx")
    if not isinstance(uri, str) or not uri.startswith(f"{issuer}/"):
        raise TokenError("the status list of the receipt is not the issuer's")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < _LARGEST_INDEX:
        raise TokenError("the receipt has no index in its status list")
    return StatusReference(uri, index)


def _policy_version(claims: SignedClaims) -> int | None:
    version = claims.get("policy_version")
    if version is None:
        return None
    if not isinstance(version, int) or isinstance(version, bool):
        raise TokenError("the policy version of the receipt is no number")
    return version


def _text(claims: SignedClaims, name: str) -> str:
    value: Any = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 1024:
        raise TokenError(f"{name} is missing in the receipt")
    return value


def _time(claims: SignedClaims, name: str) -> datetime:
    value: Any = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"{name} is no time in the receipt")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise TokenError(f"{name} is no time in the receipt") from error
