"""The phone's key and PIN: what is signed, by whom, and which PIN may be chosen."""

from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from idp.authenticators.app_devices import (
    KeyRefusedError,
    PINRefusedError,
    SignedPurpose,
    WrongNumberError,
    WrongSignatureError,
    check_number,
    check_pin,
    read_public_key,
    shown_name_of,
    signed_text,
    verify_signature,
)
from tests.support.phones import PhoneKey

ISSUER = "https://id.example"


def point_of(curve: EllipticCurve) -> bytes:
    public = generate_private_key(curve).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("pin", ["739104", "020461", "112358", "900817"])
def test_a_pin_of_six_digits_may_be_chosen(pin: str) -> None:
    check_pin(pin)


@pytest.mark.parametrize(
    ("pin", "reason"),
    [
        ("", "not_six_digits"),
        ("73910", "not_six_digits"),
        ("7391045", "not_six_digits"),
        ("73910a", "not_six_digits"),
        ("७३९१०४", "not_six_digits"),
        ("777777", "too_simple"),
        ("123456", "too_simple"),
        ("654321", "too_simple"),
        ("789012", "too_simple"),
        ("686868", "too_simple"),
        ("123123", "too_simple"),
        ("112233", "too_simple"),
    ],
)
def test_what_is_tried_first_may_not(pin: str, reason: str) -> None:
    with pytest.raises(PINRefusedError) as refused:
        check_pin(pin)
    assert refused.value.reason == reason


def test_a_signature_serves_its_purpose_issuer_and_fields_alone() -> None:
    key = PhoneKey()
    text = signed_text(SignedPurpose.ANSWER, ISSUER, ["device", "request", "allow", "42"])
    signature = key.sign(text)
    verify_signature(key.public, text, signature)
    for other in (
        signed_text(SignedPurpose.SIGN_IN, ISSUER, ["device", "request", "allow", "42"]),
        signed_text(SignedPurpose.ANSWER, "https://other.example", ["device", "request", "allow", "42"]),
        signed_text(SignedPurpose.ANSWER, ISSUER, ["device", "request", "allow", "43"]),
        signed_text(SignedPurpose.ANSWER, ISSUER, ["device", "request", "deny", "42"]),
    ):
        with pytest.raises(WrongSignatureError):
            verify_signature(key.public, other, signature)
    with pytest.raises(WrongSignatureError):
        verify_signature(PhoneKey().public, text, signature)


def test_fields_cannot_be_shifted_into_one_another() -> None:
    with pytest.raises(ValueError, match="line break"):
        signed_text(SignedPurpose.ANSWER, ISSUER, ["device\nrequest", "allow"])


@pytest.mark.parametrize("broken", ["", "x", "é", "A" * 86, "A" * 85, "A" * 5000, "=" * 86, "*" * 86])
def test_what_is_no_signature_is_none(broken: str) -> None:
    with pytest.raises(WrongSignatureError):
        verify_signature(PhoneKey().public, "text", broken)


def test_a_der_signature_is_none() -> None:
    private: EllipticCurvePrivateKey = generate_private_key(SECP256R1())
    public = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    with pytest.raises(WrongSignatureError):
        verify_signature(encoded(public), "text", encoded(private.sign(b"text", ECDSA(SHA256()))))


def test_a_key_is_a_point_on_p_256() -> None:
    point = point_of(SECP256R1())
    assert read_public_key(encoded(point)) == encoded(point)
    assert read_public_key(encoded(point) + "=") == encoded(point)
    off_the_curve = point[:-1] + bytes([point[-1] ^ 1])
    for refused in (b"", point[:-1], off_the_curve, point_of(SECP384R1()), bytes(65), b"\x04" + bytes(64)):
        with pytest.raises(KeyRefusedError):
            read_public_key(encoded(refused))
    with pytest.raises(KeyRefusedError):
        read_public_key("không phải khoá")


def test_the_number_is_that_of_the_screen() -> None:
    check_number("42", " 42 ")
    for typed in ("", "43", "4", "420", "\uff14\uff12"):
        with pytest.raises(WrongNumberError):
            check_number("42", typed)


def test_a_name_is_one_printable_line() -> None:
    assert shown_name_of("  Máy\n của\u202e tôi  ") == "Máy của tôi"
    assert shown_name_of("\x00") == ""
    assert len(shown_name_of("x" * 500)) == 40
