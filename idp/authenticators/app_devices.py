"""The citizen's phone: a key that never leaves it, and a PIN that is verified here. NIST SP 800-63B §3.1.6.

The phone's browser makes the key (WebCrypto, P-256, not extractable) and keeps it for our origin alone.
What it signs is a text that begins with its purpose, so that no signature serves another one: ECDSA with
SHA-256 as in ES256 (RFC 7518 §3.4), `r ‖ s` of 32 bytes each. The key proves possession (`swk`: software
holds it, for all we know), the PIN knowledge (`pin`): together `vn-2`.

It is never `phr`: who signs looks at one screen and types what stands on another, and nothing binds the two
screens but the person (`phone_approvals` says what that is worth).

The PIN has six digits, which nobody could keep secret from whoever may guess: so it is verified at the
server alone, counted per device *before* it is verified, and the fifth wrong one in a row revokes the
device. What is kept is argon2id over a keyed hash: a stolen database without the key lets nobody try the
million PINs.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

PIN_DIGITS = 6
PIN_TRIES = 5
"""The wrong PIN of this number in a row revokes the device."""
DEVICES_PER_PERSON = 5
"""More phones than anybody carries; an attacker who got in once cannot hide one among a hundred."""
LONGEST_NAME = 40

_VERSION = "lienket-app/1"
_POINT_BYTES = 65
_SCALAR_BYTES = 32
_LONGEST_ENCODED = 128


class SignedPurpose(StrEnum):
    """What a device signs for."""

    ENROL = "enrol"
    ENTER = "enter"
    """It opens the app: reads what waits."""
    SIGN_IN = "sign-in"
    """The person signs in with the browser of the phone itself."""
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class AppDevice:
    """A phone that was set up; a person may have several."""

    device_id: str
    citizen_id: str
    public_key: str
    """The uncompressed point, base64url without padding."""
    pin_hash: str
    name: str
    created_at: datetime
    pin_failures: int = 0
    """Wrong PINs in a row."""
    number: str | None = None
    """What the phone shows until the page that began the enrolment was told it."""
    session_id: str | None = None
    """In which session the enrolment began."""
    confirmed_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def is_usable(self) -> bool:
        """Tell whether it may approve anything."""
        return self.confirmed_at is not None and self.revoked_at is None


class PINRefusedError(ValueError):
    """The PIN may not be chosen; `reason` is not_six_digits or too_simple."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WrongSignatureError(Exception):
    """What was signed is not what was asked for, or not by this device."""

    def __init__(self) -> None:
        super().__init__("the signature of the device does not match")


class WrongNumberError(Exception):
    """The number is not the one on the other screen."""

    def __init__(self) -> None:
        super().__init__("the number does not match")


class KeyRefusedError(ValueError):
    """What was sent is no public key on P-256."""

    def __init__(self) -> None:
        super().__init__("no public key on P-256")


def check_pin(pin: str) -> None:
    """Check that a PIN may be chosen. Raises PINRefusedError.

    Refused is what is tried first: one digit alone, two or three that repeat, and runs up or down.
    """
    if not (len(pin) == PIN_DIGITS and pin.isascii() and pin.isdigit()):
        raise PINRefusedError("not_six_digits")
    digits = [int(digit) for digit in pin]
    steps = {(after - before) % 10 for before, after in pairwise(digits)}
    is_run = len(steps) == 1 and steps <= {0, 1, 9}
    is_repeated = pin == pin[:2] * 3 or pin == pin[:3] * 2
    is_paired = all(first == second for first, second in zip(digits[::2], digits[1::2], strict=True))
    if is_run or is_repeated or is_paired:
        raise PINRefusedError("too_simple")


def read_public_key(encoded: str) -> str:
    """Return a device's public key as it is kept: the same point, written one way. Raises KeyRefusedError."""
    point = _decoded(encoded)
    if point is None or len(point) != _POINT_BYTES:
        raise KeyRefusedError
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    except ValueError:
        raise KeyRefusedError from None
    return urlsafe_b64encode(point).rstrip(b"=").decode()


def device_id_of(public_key: str) -> str:
    """Return the id of a device: the hash of its key, which the phone can compute, too."""
    return urlsafe_b64encode(sha256(public_key.encode()).digest()).rstrip(b"=").decode()


def signed_text(purpose: SignedPurpose, issuer: str, fields: Sequence[str]) -> str:
    """Return what a device signs: version, purpose, issuer and fields, one a line.

    Raises ValueError for a field with a line break: two fields could be read as three.
    """
    if any("\n" in field for field in (issuer, *fields)):
        raise ValueError("a signed field holds no line break")
    return "\n".join((_VERSION, purpose.value, issuer, *fields))


def verify_signature(public_key: str, text: str, signature: str) -> None:
    """Verify that a device signed a text: ES256 (RFC 7518 §3.4). Raises WrongSignatureError."""
    raw, point = _decoded(signature), _decoded(public_key)
    if raw is None or len(raw) != 2 * _SCALAR_BYTES or point is None:
        raise WrongSignatureError
    r, s = (int.from_bytes(half, "big") for half in (raw[:_SCALAR_BYTES], raw[_SCALAR_BYTES:]))
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    try:
        key.verify(encode_dss_signature(r, s), text.encode(), ECDSA(SHA256()))
    except InvalidSignature:
        raise WrongSignatureError from None


def check_number(expected: str, typed: str) -> None:
    """Check that the number of the other screen was typed. Raises WrongNumberError."""
    if not hmac.compare_digest(expected.encode(), typed.strip().encode()):
        raise WrongNumberError


def shown_name_of(typed: str) -> str:
    """Return the name of a device as it is kept: one line, printable, not too long; may be empty."""
    one_line = " ".join(typed.split())
    return "".join(character for character in one_line if character.isprintable())[:LONGEST_NAME]


def _decoded(encoded: str) -> bytes | None:
    if len(encoded) > _LONGEST_ENCODED or not encoded.isascii():
        return None
    try:
        return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (NotBase64Error, ValueError):
        return None
