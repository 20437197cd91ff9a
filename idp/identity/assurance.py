"""Assurance: how sure we are who somebody is, and that it is them now. NIST SP 800-63-4, D69.

Two axes that are never mixed: *proofing* says how an identity was established, the
*authentication context* says what happened at sign-in (OpenID Connect Core §2, `acr` and `amr`).
"""

from collections.abc import Iterable, Mapping
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


class PhishingResistance(StrEnum):
    """What an authentication context may show beside its level. OpenID EAP ACR Values 1.0 §4.

    Both are `acr` values of their own, told by the names that OpenID gave them, and stand in `amr` too.
    """

    PHR = "phr"
    """Nobody who stands between could have used what was shown: it is bound to this origin."""
    PHRH = "phrh"
    """The same, with a key that hardware holds and that cannot be copied."""


AcrValue = Acr | PhishingResistance
"""What a platform may ask for in `acr_values`."""

ACR_VALUES: tuple[AcrValue, ...] = (*Acr, *PhishingResistance)


def parse_acr(value: str, issuer: str) -> AcrValue | None:
    """Read one entry of `acr_values`, short or as URI; None for a value that is not ours."""
    short = value.removeprefix(f"{issuer}/acr/")
    return read_acr_value(short) if short in ACR_VALUES else None


def read_acr_value(short: str) -> AcrValue:
    """Read a short form. Raises ValueError when it is none of `ACR_VALUES`."""
    return Acr(short) if short in _ACR_RANK else PhishingResistance(short)


def acr_claim(value: AcrValue, issuer: str) -> str:
    """Return how a value stands in the `acr` claim: a level as our URI, the others as OpenID names them."""
    return value.uri(issuer) if isinstance(value, Acr) else value.value


class Method(StrEnum):
    """What a person can be asked to show, the best first: what no phisher can use, then what takes least."""

    PASSKEY = "passkey"
    HARDWARE_PASSKEY = "hardware_passkey"
    """A passkey whose key is proved to be held by hardware."""
    BIOMETRIC_PASSKEY = "biometric_passkey"
    """A passkey of a model that is proved to know its holder by a biometric."""
    APP = "app"
    """An approval on the person's phone, with its PIN."""
    ONE_TIME_PASSWORD = "otp"
    PASSWORD = "pwd"


AMR_OF: Mapping[Method, tuple[str, ...]] = {
    Method.PASSKEY: ("swk", "user", "phr"),
    Method.HARDWARE_PASSKEY: ("hwk", "user", "phr", "phrh"),
    Method.BIOMETRIC_PASSKEY: ("swk", "user", "fpt", "phr"),
    Method.APP: ("pin", "swk"),
    Method.ONE_TIME_PASSWORD: ("otp",),
    Method.PASSWORD: ("pwd",),
}
"""The least that each proves, in values of RFC 8176 and of EAP ACR Values; `face` is worth what `fpt` is."""

_KNOWLEDGE = frozenset({"pwd", "pin"})
_POSSESSION = frozenset({"otp", "swk", "hwk"})
BIOMETRIC = frozenset({"fpt", "face"})
"""What the person is, in values of `amr` (RFC 8176 §2)."""
_VERIFIED = frozenset({"user"})
"""The authenticator knew its holder by PIN or by a biometric, and does not say by which."""
_MULTIPLE = "mfa"
_ORDER = ("pwd", "pin", "otp", "swk", "hwk", "user", "fpt", "face", _MULTIPLE, "phr", "phrh")


@dataclass(frozen=True, slots=True)
class AuthenticationContext:
    """What really happened at sign-in: the level reached, the methods used and when."""

    acr: Acr
    amr: tuple[str, ...]
    auth_time: datetime

    def satisfies(self, wish: AcrValue) -> bool:
        """Tell whether this is at least what is wished for."""
        if isinstance(wish, Acr):
            return self.acr.satisfies(wish)
        return wish.value in self.amr


def authentication_context(amr: Iterable[str], at: datetime) -> AuthenticationContext:
    """Derive level and `amr` from what succeeded. D69 levels; RFC 8176 §2 for `mfa`.

    `amr` are values of RFC 8176 (`AMR_OF` names those of a method). A level counts different kinds: something
    known, something held, something the person is. Verification on the authenticator, whose kind it does not
    tell, counts as one that is no biometric. Raises ValueError when nothing succeeded, or what is no method.
    """
    shown = frozenset(amr) - {_MULTIPLE}
    if not shown:
        raise ValueError("an authentication context needs at least one method")
    if not shown <= frozenset(_ORDER):
        raise ValueError("an authentication method is not known")
    acr = _level(shown)
    listed = shown | {_MULTIPLE} if acr is not Acr.VN_1 else shown
    return AuthenticationContext(acr, tuple(name for name in _ORDER if name in listed), at)


def _level(shown: frozenset[str]) -> Acr:
    is_known, is_held, is_person = (bool(shown & kind) for kind in (_KNOWLEDGE, _POSSESSION, BIOMETRIC))
    is_known = is_known or bool(shown & _VERIFIED and not is_person)
    kinds = sum((is_known, is_held, is_person))
    if kinds == len((is_known, is_held, is_person)):
        return Acr.VN_4
    if kinds > 1:
        return Acr.VN_3 if is_person else Acr.VN_2
    return Acr.VN_1


def combined(before: AuthenticationContext, shown: Iterable[str], now: datetime) -> AuthenticationContext:
    """Return the context after somebody who is signed in showed more.

    What was shown stands alone, and is fresh, where nothing of before would make it stronger; else both
    count, as old as the older.
    """
    alone = authentication_context(shown, now)
    both = authentication_context({*before.amr, *alone.amr}, before.auth_time)
    is_complete = alone.acr is both.acr and all(alone.satisfies(each) for each in _resistance(both))
    return alone if is_complete else both


def _resistance(context: AuthenticationContext) -> list[PhishingResistance]:
    return [each for each in PhishingResistance if context.satisfies(each)]


def lifting_methods(have: AuthenticationContext, enrolled: Iterable[Method]) -> tuple[Method, ...]:
    """Return the ways to two factors for somebody who showed one; empty where they did, or have no other."""
    return () if have.acr.satisfies(Acr.VN_2) else methods_to_reach(have, Acr.VN_2, enrolled)


def methods_to_reach(
    have: AuthenticationContext, wish: AcrValue, enrolled: Iterable[Method]
) -> tuple[Method, ...]:
    """Return each method that alone would lift a context to what is wished for, the best first.

    Empty when none can: the request cannot be met by this person.
    """
    possible = frozenset(enrolled)
    return tuple(
        method
        for method in Method
        if method in possible and combined(have, AMR_OF[method], have.auth_time).satisfies(wish)
    )
