"""Time-based one-time codes. RFC 6238 (SHA-1, 6 digits, 30 seconds), RFC 4226 §5.

SHA-1 because authenticator apps know nothing else; HMAC does not suffer from its collisions.
"""

import hmac
from datetime import datetime

import pyotp

STEP_SECONDS = 30
_DIGITS = 6
_STEPS_BESIDE = 1
"""RFC 6238 §5.2: a code of the step before or after is accepted, for clocks that go wrong."""


class WrongCodeError(Exception):
    """The code is wrong, too old or used before; which of these is told to nobody."""

    def __init__(self) -> None:
        super().__init__("the one-time code does not match")


def verify_totp(secret: str, code: str, now: datetime, last_used_step: int | None) -> int:
    """Verify a code and return its time step, to be kept as the last one used.

    A step at or before `last_used_step` is refused: a code is good for one use (RFC 6238 §5.2). The
    store must write the step only where it is later than the one it holds, and count a sign-in as
    failed when it wrote nothing, or two requests at once would both succeed with one code.
    Raises WrongCodeError.
    """
    digits = code.replace(" ", "")
    if not (len(digits) == _DIGITS and digits.isascii() and digits.isdigit()):
        raise WrongCodeError
    generator = pyotp.TOTP(secret, digits=_DIGITS, interval=STEP_SECONDS)
    current = step_at(now)
    matched: int | None = None
    # All steps are always computed and compared, so that the time taken does not tell which one it was.
    for step in range(max(current - _STEPS_BESIDE, 0), current + _STEPS_BESIDE + 1):
        is_match = hmac.compare_digest(generator.generate_otp(step), digits)
        is_unused = last_used_step is None or step > last_used_step
        if is_match and is_unused:
            matched = step
    if matched is None:
        raise WrongCodeError
    return matched


def step_at(now: datetime) -> int:
    """Return the time step T of RFC 6238 §4.2 for T0 = 0."""
    return int(now.timestamp()) // STEP_SECONDS


def provisioning_uri(secret: str, account_name: str, issuer_name: str) -> str:
    """Return the otpauth URI that an authenticator app reads, as text or as a QR code.

    `account_name` is shown in the app on the person's phone: never the whole personal number.
    """
    return pyotp.TOTP(
        secret, digits=_DIGITS, interval=STEP_SECONDS, name=account_name, issuer=issuer_name
    ).provisioning_uri()
