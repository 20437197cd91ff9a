"""Keys for data at rest: authenticated encryption, keyed lookup, pairwise subjects.

NIST SP 800-38D (AES-GCM), RFC 2104 (HMAC), OpenID Connect Core 1.0 §8.1 (pairwise subject).

An encrypted value is `key id (4 bytes) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`.
"""

import hmac
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.errors import SealedDataError
from keys.policy import EncryptionPolicy

_ID_BYTES = 4
_NONCE_BYTES = 12
_TAG_BYTES = 16


class Purpose(StrEnum):
    """What a data key is for; one key serves one purpose only."""

    ENCRYPTION = "encryption"
    LOOKUP = "lookup"
    PAIRWISE = "pairwise"


@dataclass(frozen=True, slots=True)
class DataKeyRecord:
    """What may be known about one data key: its id is public and stands in front of what it encrypted."""

    id: str
    purpose: Purpose
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DataKeyRing:
    """One state of the ring, oldest key first. The newest encryption key encrypts, every one decrypts."""

    records: tuple[DataKeyRecord, ...]
    secrets: Mapping[str, bytes] = field(repr=False)
    """By key id."""

    def get_newest(self, purpose: Purpose) -> DataKeyRecord:
        """Return the key that is used for new values of this purpose."""
        return [record for record in self.records if record.purpose is purpose][-1]


def begin_ring(now: datetime) -> DataKeyRing:
    """Make the first ring: one key for each purpose."""
    ring = DataKeyRing((), {})
    for purpose in Purpose:
        ring = _with_new_key(ring, purpose, now)
    return ring


class _Ciphers:
    """A ring made ready for use, so that no value pays for a key schedule. Immutable, swapped as a whole."""

    __slots__ = ("by_id", "lookup", "newest", "newest_id", "pairwise", "ring")

    def __init__(self, ring: DataKeyRing) -> None:
        self.ring = ring
        self.by_id = {
            bytes.fromhex(record.id): AESGCM(ring.secrets[record.id])
            for record in ring.records
            if record.purpose is Purpose.ENCRYPTION
        }
        self.newest_id = bytes.fromhex(ring.get_newest(Purpose.ENCRYPTION).id)
        self.newest = self.by_id[self.newest_id]
        self.lookup = ring.secrets[ring.get_newest(Purpose.LOOKUP).id]
        self.pairwise = ring.secrets[ring.get_newest(Purpose.PAIRWISE).id]


class DataKeys:
    """The data keys of one key directory, always as they stand on disk now."""

    __slots__ = ("_change", "_ciphers", "_policy", "_refresh")

    def __init__(
        self,
        ring: DataKeyRing,
        policy: EncryptionPolicy,
        *,
        change: Callable[[Callable[[DataKeyRing], DataKeyRing]], None],
        refresh: Callable[[], bool],
    ) -> None:
        self._policy = policy
        self._change = change
        self._refresh = refresh
        self._ciphers = _Ciphers(ring)

    def adopt(self, ring: DataKeyRing) -> None:
        """Take over a newer state of the ring. For the custody alone."""
        self._ciphers = _Ciphers(ring)

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt under the newest key. `context` names row and column, so that values cannot be swapped."""
        ciphers = self._ciphers
        nonce = os.urandom(_NONCE_BYTES)
        return (
            ciphers.newest_id + nonce + ciphers.newest.encrypt(nonce, plaintext, ciphers.newest_id + context)
        )

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt with whichever key of the ring encrypted. Raises SealedDataError.

        A key id that is not known here may be younger than the last look at the disk: another process has
        rotated. One more look closes that gap.
        """
        if len(sealed) < _ID_BYTES + _NONCE_BYTES + _TAG_BYTES:
            raise SealedDataError("the encrypted value is cut short")
        key_id, rest = sealed[:_ID_BYTES], sealed[_ID_BYTES:]
        if key_id not in self._ciphers.by_id:
            self._refresh()
        cipher = self._ciphers.by_id.get(key_id)
        if cipher is None:
            raise SealedDataError("the encrypted value was encrypted under a key that is not in this ring")
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], key_id + context)
        except InvalidTag:
            raise SealedDataError("the encrypted value was altered or belongs to another context") from None

    def lookup(self, purpose: str, value: str) -> bytes:
        """Return the digest by which an encrypted value is found: HMAC-SHA256, 32 bytes.

        Keyed, because a plain hash of every personal number there can be takes one core two hours.
        """
        return hmac.digest(self._ciphers.lookup, _joined(purpose, value), "sha256")

    def pairwise_subject(self, sector: str, citizen_id: str) -> str:
        """Return the `sub` of a citizen in one sector: OpenID Connect Core 1.0 §8.1, 43 characters."""
        digest = hmac.digest(self._ciphers.pairwise, _joined(sector, citizen_id), "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    def rotate(self, now: datetime) -> None:
        """Add a new encryption key. Old ones still open; lookup and pairwise keys stay what they are."""
        self._change(lambda ring: _with_new_key(ring, Purpose.ENCRYPTION, now))

    def list(self) -> tuple[DataKeyRecord, ...]:
        """Return what may be known about every key, oldest first."""
        return self._ciphers.ring.records

    def is_rotation_due(self, now: datetime) -> bool:
        """Tell whether the encryption key is older than the policy wants."""
        created_at = self._ciphers.ring.get_newest(Purpose.ENCRYPTION).created_at
        return created_at + self._policy.rotate_after <= now


def _with_new_key(ring: DataKeyRing, purpose: Purpose, now: datetime) -> DataKeyRing:
    key_id = next(candidate for candidate in _random_ids() if candidate not in ring.secrets)
    record = DataKeyRecord(key_id, purpose, now)
    secret = AESGCM.generate_key(bit_length=256)
    return DataKeyRing((*ring.records, record), {**ring.secrets, key_id: secret})


def _random_ids() -> Iterator[str]:
    while True:
        yield os.urandom(_ID_BYTES).hex()


def _joined(first: str, second: str) -> bytes:
    """Join two texts so that no other pair gives the same bytes: the length of the first goes in front."""
    head = first.encode()
    return len(head).to_bytes(4, "big") + head + second.encode()
