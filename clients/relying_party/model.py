"""What linking takes and gives, as frozen values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from .errors import ConfigurationError

TRUST_FRAMEWORK = "vn_nd69_2024"


@dataclass(frozen=True, slots=True)
class Started:
    """A linking that was started: keep it server-side, in the person's session, until they come back.

    It holds what makes the answer believable, so it must not travel through the browser.
    """

    authorization_url: str
    """Send the person here."""
    issuer: str
    client_id: str
    account_id: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None

    def to_json(self) -> str:
        """Serialise for the session store of the platform."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Started":
        """Read what `to_json` wrote. Raises ConfigurationError for anything else."""
        try:
            members = json.loads(text)
            started = cls(**{**members, "acr_values": tuple(members["acr_values"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigurationError("the stored session is not one of a started linking") from error
        texts = [getattr(started, member.name) for member in fields(cls) if member.type is str]
        if not all(isinstance(value, str) and value for value in (*texts, *started.acr_values)):
            raise ConfigurationError("the stored session is not one of a started linking")
        return started


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one linking. The refresh token is replaced at every use: store the new one at once."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedClaims:
    """What was attested, and by which rules (OpenID Connect for Identity Assurance §5)."""

    trust_framework: str
    assurance_level: str | None
    """`vn1`, `vn2` or `vnf`: how the identity was proofed."""
    claims: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """An account of yours is now linked to a verified person. Store it with the account."""

    subject: str
    """Stable for this person at your platform, different at every other one."""
    link_id: str
    account_id: str
    status: str
    linked_at: datetime
    expires_at: datetime
    acr: str
    """How strongly the person signed in, in short: `vn-1` … `vn-4`."""
    amr: tuple[str, ...]
    auth_time: datetime
    verified_claims: VerifiedClaims | None
    tokens: Tokens
    sid: str | None = None
    """The session at the provider: keep it with yours, and a logout token names it when it is over."""
    guardian_consented: bool = False
    """Whether the person is a minor and a guardian agreed; nothing is told about the guardian."""
    receipt: str | None = field(default=None, repr=False)
    """The signed receipt, verified: keep it as it is, and check it whenever you like (`receipts.py`)."""


def account_link_details(account: Mapping[str, str | None]) -> str:
    """Return the account to be linked as rich authorization request (RFC 9396 §2)."""
    if not 1 <= len(account.get("account_id") or "") <= 255:
        raise ConfigurationError("account_id has 1 to 255 characters")
    given = {name: value for name, value in account.items() if value is not None}
    return json.dumps([{"type": "account_link", **given}], ensure_ascii=False, separators=(",", ":"))


def verified_claims(
    names: Sequence[str], *, purposes: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """Build a `claims` parameter that asks for attested claims, such as `age_over_16`.

    OpenID Connect for Identity Assurance §5.3. The person may refuse each of them and link all the same.
    """
    purposes = purposes or {}
    asked = {name: {"purpose": purposes[name]} if name in purposes else None for name in names}
    verification = {"trust_framework": {"value": TRUST_FRAMEWORK}, "assurance_level": None}
    return {"id_token": {"verified_claims": {"verification": verification, "claims": asked}}}


LEEWAY = timedelta(seconds=30)
"""How far two honest clocks may differ."""
