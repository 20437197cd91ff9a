"""Assurance: how sure we are who somebody is, and that it is them now. NIST SP 800-63-4, D69.

Two axes that are never mixed: *proofing* says how an identity was established, the
*authentication context* says what happened at sign-in (OpenID Connect Core §2, `acr` and `amr`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

TRUST_FRAMEWORK = "vn_nd69_2024"
"""The value of `trust_framework` in verified_claims (OpenID Connect for Identity Assurance §5)."""


class Proofing(StrEnum):
    """How an identity was proofed; the value of `assurance_level` in verified_claims."""

    VN1 = "vn1"
    """Level 01: remote, number and selfie."""
    VN2 = "vn2"
    """Level 02: in person, card, face and fingerprints against the identity database."""
    VNF = "vnf"
    """A foreigner's account: in person at immigration, passport and biometrics."""

    def satisfies(self, minimum: "Proofing") -> bool:
        """Tell whether this proofing is at least `minimum`; `vnf` is as strong as `vn2`."""
        return _PROOFING_RANK[self] >= _PROOFING_RANK[minimum]


_PROOFING_RANK = {Proofing.VN1: 1, Proofing.VN2: 2, Proofing.VNF: 2}


class Acr(StrEnum):
    """Authentication context class, short form; on the wire it is `{issuer}/acr/{short form}`."""

    VN_1 = "vn-1"
    """One factor, no biometric."""
    VN_2 = "vn-2"
    """Two different factors, no biometric."""
    VN_3 = "vn-3"
    """Two or more factors, one of them biometric."""
    VN_4 = "vn-4"
    """Biometric, possession and knowledge."""

    def satisfies(self, minimum: "Acr") -> bool:
        """Tell whether this context is at least `minimum`."""
        return _ACR_RANK[self] >= _ACR_RANK[minimum]

    def uri(self, issuer: str) -> str:
        """Return the issuer-controlled URI that stands in the `acr` claim."""
        return f"{issuer}/acr/{self.value}"


_ACR_RANK = {Acr.VN_1: 1, Acr.VN_2: 2, Acr.VN_3: 3, Acr.VN_4: 4}


def parse_acr(value: str, issuer: str) -> Acr | None:
    """Read one entry of `acr_values`, short or as URI; None for a value that is not ours."""
    short = value.removeprefix(f"{issuer}/acr/")
    return Acr(short) if short in _ACR_RANK else None


class Method(StrEnum):
    """Authentication methods as they stand in `amr` (RFC 8176)."""

    PASSWORD = "pwd"
    ONE_TIME_PASSWORD = "otp"


@dataclass(frozen=True, slots=True)
class AuthenticationContext:
    """What really happened at sign-in: the level reached, the methods used and when."""

    acr: Acr
    amr: tuple[str, ...]
    auth_time: datetime


def authentication_context(methods: Iterable[Method], at: datetime) -> AuthenticationContext:
    """Derive `acr` and `amr` from the methods that succeeded. D69 levels; RFC 8176 §2 for `mfa`.

    Raises ValueError when no method succeeded.
    """
    acr, amr = _level(methods)
    return AuthenticationContext(acr, amr, at)


def _level(methods: Iterable[Method]) -> tuple[Acr, tuple[str, ...]]:
    used = frozenset(methods)
    if not used:
        raise ValueError("an authentication context needs at least one method")
    names = tuple(method.value for method in Method if method in used)
    return (Acr.VN_2, (*names, "mfa")) if len(used) > 1 else (Acr.VN_1, names)


def missing_method(have: Iterable[str], minimum: Acr, enrolled: Iterable[Method]) -> Method | None:
    """Name the one method that would lift the `amr` values in `have` to `minimum`.

    None means that no enrolled method can: the request cannot be met by this person.
    """
    used = frozenset(have)
    for method in Method:
        if method in enrolled and method.value not in used:
            reached, _ = _level([*(Method(name) for name in used if name != "mfa"), method])
            if reached.satisfies(minimum):
                return method
    return None
