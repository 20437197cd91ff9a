"""The ring of signing keys as the provider uses it: who signs, what is published. RFC 7517 §5.

The rules of the life cycle are in `keys.lifecycle`; this is one state of the ring with its private keys,
and the live view on it that endpoints hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from keys import lifecycle
from keys.errors import UnknownKeyError
from keys.key_pairs import ALSO_SIGNS, PrivateKey, make_private_key, public_jwk, public_key_of, thumbprint
from keys.lifecycle import HISTORICAL, HOLDS_PRIVATE_KEY, PUBLISHED, KeyRecord, KeyState
from keys.policy import SigningPolicy
from keys.signer import Signer, VerificationKey


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """One state of the ring: every record there ever was, and the private keys that still may sign."""

    records: lifecycle.Records
    private_keys: Mapping[str, PrivateKey] = field(repr=False)
    """By kid; only of next and active keys."""


def begin_missing(keys: SigningKeys, algorithms: tuple[str, ...], now: datetime) -> SigningKeys:
    """Give every algorithm that has no keys yet its first active and its first next key."""
    for algorithm in missing_algorithms(keys, algorithms):
        first, first_key = _made(algorithm, now)
        successor, successor_key = _made(algorithm, now)
        records = lifecycle.begin(keys.records, first, successor, now)
        keys = _kept(records, {**keys.private_keys, first.kid: first_key, successor.kid: successor_key})
    return keys


def missing_algorithms(keys: SigningKeys, algorithms: tuple[str, ...]) -> tuple[str, ...]:
    """Return the algorithms of the policy that have no keys yet."""
    have = {record.algorithm for record in keys.records}
    return tuple(algorithm for algorithm in algorithms if algorithm not in have)


class _View:
    """What endpoints ask for, computed once for each state of the ring. Immutable, swapped as a whole."""

    __slots__ = ("jwks", "keys", "next_retirement_at", "signers", "verification_keys")

    def __init__(self, keys: SigningKeys) -> None:
        self.keys = keys
        self.signers: dict[str, Signer] = {}
        self.verification_keys: dict[str, VerificationKey] = {}
        self.jwks: list[dict[str, str]] = []
        published = [record for state in PUBLISHED for record in keys.records if record.state is state]
        for record in published:
            public_key = public_key_of(record.jwk, record.algorithm)
            for kid, algorithm in _names(record):
                self.jwks.append({**record.jwk, "use": "sig", "alg": algorithm, "kid": kid})
                self.verification_keys[kid] = VerificationKey(kid, algorithm, public_key)
                if record.state is KeyState.ACTIVE:
                    self.signers[algorithm] = Signer(kid, algorithm, keys.private_keys[record.kid])
        self.next_retirement_at = min(
            (record.retires_at for record in published if record.retires_at is not None), default=None
        )


class Keyring:
    """The signing keys of one key directory, always as they stand on disk now."""

    __slots__ = ("_change", "_policy", "_refresh", "_view")

    def __init__(
        self,
        keys: SigningKeys,
        policy: SigningPolicy,
        *,
        change: Callable[[Callable[[SigningKeys], SigningKeys]], None],
        refresh: Callable[[], bool],
    ) -> None:
        self._policy = policy
        self._change = change
        self._refresh = refresh
        self._view = _View(keys)

    def adopt(self, keys: SigningKeys) -> None:
        """Take over a newer state of the ring. For the custody alone."""
        self._view = _View(keys)

    def retire_due(self, now: datetime) -> bool:
        """Stop publishing the keys whose time has come; tell whether there were any.

        In memory, in every process by itself; the next change writes it down.
        """
        due_at = self._view.next_retirement_at
        if due_at is None or now < due_at:
            return False
        keys = self._view.keys
        self.adopt(SigningKeys(lifecycle.retire(keys.records, now), keys.private_keys))
        return True

    def signer(self, algorithm: str) -> Signer:
        """Return the active key for ES256, RS256, PS256 or EdDSA. Ask again for each token: it changes."""
        signer = self._view.signers.get(algorithm)
        if signer is None:
            raise UnknownKeyError(f"there is no key that signs {algorithm}")
        return signer

    def verification_key(self, kid: str) -> VerificationKey | None:
        """Return a next, active or retiring key; None for all others.

        A kid that is not known here may be younger than the last look at the disk: another process has
        rotated and signed. One more look, which is one stat, closes that gap.
        """
        known = self._view.verification_keys.get(kid)
        if known is None and self._refresh():
            return self._view.verification_keys.get(kid)
        return known

    def public_jwks(self) -> dict[str, Any]:
        """Return the JWK set (RFC 7517 §5): active keys first, then next, then retiring ones."""
        return {"keys": [dict(jwk) for jwk in self._view.jwks]}

    def historical_jwks(self) -> tuple[dict[str, Any], ...]:
        """Return the keys that signed once: OpenID Federation 1.0 §8.7.2, with `exp` and `revoked`.

        A key that was lost to somebody is among them, so that whoever kept it stops believing it.
        """
        return tuple(
            _historical(record, kid, algorithm)
            for record in self._view.keys.records
            if record.state in HISTORICAL and record.activated_at is not None
            for kid, algorithm in _names(record)
        )

    def changed_at(self) -> datetime:
        """Return when a key of this ring last moved from one state to the next."""
        return max(record.changed_at for record in self._view.keys.records)

    def list(self) -> lifecycle.Records:
        """Return every key there ever was, oldest first."""
        return self._view.keys.records

    def algorithms_due(self, now: datetime) -> tuple[str, ...]:
        """Return the algorithms whose active key is older than the policy wants."""
        return tuple(
            record.algorithm
            for record in self._view.keys.records
            if record.state is KeyState.ACTIVE
            and record.activated_at is not None
            and record.activated_at + self._policy.rotate_after <= now
        )

    def rotate(self, now: datetime, algorithm: str | None = None) -> None:
        """Let the next key sign, the active one retire, and make a new next key; for one algorithm or all."""
        chosen = self._policy.algorithms if algorithm is None else (algorithm,)

        def rotated(keys: SigningKeys) -> SigningKeys:
            records, private_keys = lifecycle.retire(keys.records, now), dict(keys.private_keys)
            for name in chosen:
                successor, private_key = _made(name, now)
                records = lifecycle.rotate(records, successor, now, self._policy.retiring_for)
                private_keys[successor.kid] = private_key
            return _kept(records, private_keys)

        self._change(rotated)

    def compromise(self, kid: str, now: datetime) -> None:
        """Unpublish a key at once, in every process within its next look; the next key takes over."""
        kid = kid.partition(".")[0]

        def compromised(keys: SigningKeys) -> SigningKeys:
            lost = lifecycle.get_record(keys.records, kid)
            private_keys, successor = dict(keys.private_keys), None
            if lost.state in HOLDS_PRIVATE_KEY:
                successor, private_keys[successor.kid] = _made(lost.algorithm, now)
            return _kept(lifecycle.compromise(keys.records, kid, successor, now), private_keys)

        self._change(compromised)


def _made(algorithm: str, now: datetime) -> tuple[KeyRecord, PrivateKey]:
    private_key = make_private_key(algorithm)
    jwk = public_jwk(private_key)
    return KeyRecord(thumbprint(jwk), algorithm, KeyState.NEXT, jwk, created_at=now), private_key


def _kept(records: lifecycle.Records, private_keys: Mapping[str, PrivateKey]) -> SigningKeys:
    """Erase the private keys that will never sign again: what is not held cannot leak."""
    needed = {record.kid for record in records if record.state in HOLDS_PRIVATE_KEY}
    return SigningKeys(records, {kid: key for kid, key in private_keys.items() if kid in needed})


def _historical(record: KeyRecord, kid: str, algorithm: str) -> dict[str, Any]:
    if record.activated_at is None or record.ended_at is None:
        raise ValueError(f"key {record.kid} has not signed, or not ended")
    jwk: dict[str, Any] = {
        **record.jwk,
        "use": "sig",
        "alg": algorithm,
        "kid": kid,
        "iat": int(record.created_at.timestamp()),
        "nbf": int(record.activated_at.timestamp()),
        "exp": int((record.retires_at or record.ended_at).timestamp()),
    }
    if record.state is KeyState.COMPROMISED:
        jwk["revoked"] = {"revoked_at": int(record.ended_at.timestamp()), "reason": "compromised"}
    return jwk


def _names(record: KeyRecord) -> tuple[tuple[str, str], ...]:
    """Return the (kid, alg) pairs under which a key is published."""
    second = ALSO_SIGNS.get(record.algorithm)
    own = (record.kid, record.algorithm)
    return (own,) if second is None else (own, (f"{record.kid}.{second}", second))
