"""Signed tokens and public keys, read strictly. RFC 7515, RFC 7517, RFC 7518 §6, RFC 8037, RFC 8725.

The signature is checked by PyJWT's algorithm objects with keys that were parsed once. What stands around it
is read here, because a library has to be lenient where a provider must not be: one spelling of base64url, one
value per member, a closed list of algorithms, and no key, address or compression that a token brings along.
"""

import binascii
import hmac
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm

from idp.protocol.strict_json import StrictJSONError, read_json

MAX_TOKEN_LENGTH = 16 * 1024
MAX_KEYS = 32
RSA_BITS = range(2048, 8193)
"""NIST SP 800-131A from below; from above, so that nobody makes us compute with a giant."""

SIGNING_ALGORITHMS = frozenset({"ES256", "RS256", "PS256", "EdDSA"})
"""What the provider signs with and accepts from clients."""

_CURVES: Mapping[str, tuple[EllipticCurve, int, str]] = {
    "P-256": (SECP256R1(), 32, "ES256"),
    "P-384": (SECP384R1(), 48, "ES384"),
}

_VERIFIERS: Mapping[str, Algorithm] = {
    "ES256": ECAlgorithm(ECAlgorithm.SHA256, SECP256R1),
    "ES384": ECAlgorithm(ECAlgorithm.SHA384, SECP384R1),
    "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),
    "PS256": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256),
    "EdDSA": OKPAlgorithm(),
}

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
_REFUSED_HEADERS = frozenset({"crit", "b64", "zip"})
_TIMES = ("exp", "iat", "nbf", "auth_time")

_TO_BASE64 = bytes.maketrans(b"-_+/=", b"+/!!!")
"""base64url to base64; what belongs to base64 alone becomes a character that strict decoding refuses."""
_TAIL = {0: None, 2: frozenset(b"AQgw"), 3: frozenset(b"AEIMQUYcgkosw048")}
"""The last characters whose unused bits are zero, by length modulo four (RFC 4648 §3.5)."""


class JOSEError(ValueError):
    """A token or key that is refused. The text is for the log; it never quotes the token."""


class UnknownKeyError(JOSEError):
    """No known key has the token's `kid`: the set may be out of date and worth fetching again."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public signing key, parsed once, and the algorithms it may be used with (RFC 8725 §3.1)."""

    kid: str | None
    algorithms: frozenset[str]
    key: RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class VerifiedJWS:
    """A token whose signature was verified; made by `verify_jws` alone. Times are not yet compared."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


ChooseKey = Callable[[Mapping[str, Any], str], PublicKey]
"""Finds the key for a header and its algorithm, or raises JOSEError."""


def decode_base64url(segment: bytes) -> bytes:
    """Decode canonical, unpadded base64url: RFC 7515 §2. Raises JOSEError for any other spelling."""
    remainder = len(segment) % 4
    if remainder == 1:
        raise JOSEError("base64url of an impossible length")
    tail = _TAIL[remainder]
    if tail is not None and segment[-1] not in tail:
        raise JOSEError("base64url that is not canonical")
    padding = b"=" * (-len(segment) % 4)
    try:
        return binascii.a2b_base64(segment.translate(_TO_BASE64) + padding, strict_mode=True)
    except binascii.Error as error:
        raise JOSEError("characters outside base64url") from error


def read_json_object(text: bytes) -> dict[str, Any]:
    """Read a JSON object with unique members: RFC 7515 §4, RFC 7519 §4, RFC 8725 §2.4. Raises JOSEError."""
    try:
        value = read_json(text.decode())
    except (StrictJSONError, UnicodeDecodeError) as error:
        raise JOSEError("not JSON, or a member is repeated") from error
    if not isinstance(value, dict):
        raise JOSEError("not a JSON object")
    return value


def _segments(token: str) -> tuple[bytes, bytes, bytes]:
    if len(token) > MAX_TOKEN_LENGTH:
        raise JOSEError("the token is too long")
    if not token.isascii():
        raise JOSEError("characters outside base64url")
    parts = token.encode("ascii").split(b".")
    if len(parts) != 3:
        raise JOSEError("not a compact JWS: three parts are needed")
    return parts[0], parts[1], parts[2]


def peek_claims(token: str) -> Mapping[str, Any]:
    """Read the claims of a token before its signature is verified.

    Nothing may be decided by them except whose keys to look up. Raises JOSEError.
    """
    _, payload, _ = _segments(token)
    return read_json_object(decode_base64url(payload))


def peek_header(token: str) -> Mapping[str, Any]:
    """Read the header of a token before its signature is verified, to say better why it is refused.

    Raises JOSEError.
    """
    header, _, _ = _segments(token)
    return read_json_object(decode_base64url(header))


def is_encrypted(token: str) -> bool:
    """Tell whether a token has the five parts of a compact JWE (RFC 7516 §3.1); we decrypt none."""
    return token.count(".") == 4


def verify_jws(
    token: str,
    keys: Collection[PublicKey],
    *,
    algorithms: frozenset[str],
    typ: str | None = None,
    required: Iterable[str] = (),
) -> VerifiedJWS:
    """Verify a compact JWS of JSON claims: RFC 7515 §5.2, RFC 8725 §3.

    `typ` is compared when given (RFC 8725 §3.11); `required` names the claims that must be there. A `jwk`,
    `jku`, `x5u` or `x5c` in the header is never looked at: keys come from the caller alone. Whether the times
    fit is the caller's rule, which knows the hour. Raises JOSEError; UnknownKeyError for an unknown `kid`.
    """

    def choose(header: Mapping[str, Any], algorithm: str) -> PublicKey:
        return _choose_key(keys, header.get("kid"), algorithm)

    return verify_jws_with(token, choose, algorithms=algorithms, typ=typ, required=required)


def verify_jws_with(
    token: str,
    choose: ChooseKey,
    *,
    algorithms: frozenset[str],
    typ: str | None = None,
    required: Iterable[str] = (),
) -> VerifiedJWS:
    """As `verify_jws`, with a key that `choose` finds by the header; what it raises reaches the caller.

    For a proof of possession alone, whose header brings its key (`embedded_key`). Raises JOSEError.
    """
    header_segment, payload_segment, signature_segment = _segments(token)
    header = read_json_object(decode_base64url(header_segment))
    algorithm = _check_header(header, algorithms, typ)
    key = choose(header, algorithm)
    signature = decode_base64url(signature_segment)
    if not _VERIFIERS[algorithm].verify(header_segment + b"." + payload_segment, key.key, signature):
        raise JOSEError("the signature does not verify")
    claims = read_json_object(decode_base64url(payload_segment))
    _check_claims(claims, required)
    return VerifiedJWS(header, claims)


def verify_shared_secret_jws(
    token: str, secrets: Collection[bytes], *, required: Iterable[str] = ()
) -> VerifiedJWS:
    """Verify a compact JWS made with HS256 and one of these secrets, for client_secret_jwt alone.

    It shares no table with the asymmetric algorithms, so that no public key can ever become an HMAC secret
    (RFC 8725 §2.1). Raises JOSEError.
    """
    header_segment, payload_segment, signature_segment = _segments(token)
    header = read_json_object(decode_base64url(header_segment))
    if header.get("alg") != "HS256" or _REFUSED_HEADERS & header.keys():
        raise JOSEError("the algorithm is not HS256, or the header is not understood")
    signature = decode_base64url(signature_segment)
    signed = header_segment + b"." + payload_segment
    matches = [hmac.compare_digest(hmac.digest(key, signed, "sha256"), signature) for key in secrets if key]
    if not any(matches):
        raise JOSEError("the signature does not verify")
    claims = read_json_object(decode_base64url(payload_segment))
    _check_claims(claims, required)
    return VerifiedJWS(header, claims)


def _check_header(header: Mapping[str, Any], algorithms: frozenset[str], typ: str | None) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in _VERIFIERS:
        raise JOSEError("the algorithm is not allowed")
    refused = _REFUSED_HEADERS & header.keys()
    if refused:
        # We understand no extension, so that whatever is critical must be refused (RFC 7515 §4.1.11).
        raise JOSEError(f"the header parameter {min(refused)} is not supported")
    if typ is not None and media_type(header) != typ:
        raise JOSEError(f"the token's type is not {typ}")
    return algorithm


def media_type(header: Mapping[str, Any]) -> str | None:
    """Return `typ` in its short, lower-case form (RFC 7515 §4.1.9); None when it is absent or no text."""
    typ = header.get("typ")
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else None


def _choose_key(keys: Collection[PublicKey], kid: object, algorithm: str) -> PublicKey:
    """RFC 8725 §3.1: a key is used with the algorithms of its type only, whatever the header says."""
    if kid is None:
        fitting = [key for key in keys if algorithm in key.algorithms]
        if len(fitting) != 1:
            raise JOSEError("without a kid there must be exactly one key for the algorithm")
        return fitting[0]
    if not isinstance(kid, str):
        raise JOSEError("kid is not a string")
    named = [key for key in keys if key.kid == kid]
    if not named:
        raise UnknownKeyError("no key has this kid")
    for key in named:
        if algorithm in key.algorithms:
            return key
    raise JOSEError("the key is not for this algorithm")


def _check_claims(claims: Mapping[str, Any], required: Iterable[str]) -> None:
    for name in required:
        if claims.get(name) is None:
            raise JOSEError(f"the claim {name} is missing")
    for name in _TIMES:
        if name in claims and not _is_number(claims[name]):
            raise JOSEError(f"the claim {name} is not a number")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def parse_jwk_set(jwks: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    """Parse a JWK Set into keys that verify signatures: RFC 7517 §5, RFC 7518 §6, RFC 8037 §2.

    Keys for another use and of unknown types are passed over, as the RFC asks. A private or symmetric key, a
    weak one, a malformed one, two with one name, and a set without any key of use refuse the whole set.
    Raises JOSEError.
    """
    entries = jwks.get("keys")
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise JOSEError(f"jwks needs a member keys, a list of at most {MAX_KEYS}")
    parsed: list[PublicKey] = []
    for position, entry in enumerate(entries, start=1):
        try:
            key = parse_jwk(entry)
        except JOSEError as error:
            raise JOSEError(f"key {position}: {error}") from error
        if key is None:
            continue
        if any(other.kid == key.kid and other.algorithms & key.algorithms for other in parsed):
            raise JOSEError(f"key {position}: another key has the same kid")
        parsed.append(key)
    if not parsed:
        raise JOSEError("no key that verifies signatures is in the set")
    return tuple(parsed)


def parse_jwk(jwk: object) -> PublicKey | None:
    """Parse one public key; None for another use or an unknown type. Raises JOSEError."""
    if not isinstance(jwk, Mapping):
        raise JOSEError("not a JSON object")
    if jwk.get("kty") == "oct" or _PRIVATE_MEMBERS & jwk.keys():
        raise JOSEError("it holds private or symmetric material")
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    kid = jwk.get("kid")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= 255):
        raise JOSEError("kid is not a string of 1 to 255 characters")
    found = read_public_key(jwk)
    if found is None:
        return None
    key, algorithms = found
    if "alg" in jwk:
        algorithms &= {jwk["alg"]} if isinstance(jwk["alg"], str) else set()
    return PublicKey(kid, algorithms, key) if algorithms else None


def read_public_key(
    jwk: Mapping[str, Any],
) -> tuple[RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey, frozenset[str]] | None:
    """Return the key of a JWK, and what it could sign with; None for a type that is not ours.

    RFC 7518 §6, RFC 8037 §2. Raises JOSEError for a weak or malformed key.
    """
    try:
        return _key_material(jwk)
    except JOSEError:
        raise
    except (ValueError, UnsupportedAlgorithm) as error:
        raise JOSEError("it is not a valid key") from error


def _key_material(
    jwk: Mapping[str, Any],
) -> tuple[RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey, frozenset[str]] | None:
    match jwk.get("kty"), jwk.get("crv"):
        case "RSA", _:
            modulus, exponent = _octets(jwk, "n"), _octets(jwk, "e")
            numbers = RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus))
            if numbers.n.bit_length() not in RSA_BITS or len(exponent) > 4:
                raise JOSEError(f"an RSA key has {RSA_BITS.start} to {RSA_BITS.stop - 1} bits")
            return numbers.public_key(), frozenset({"RS256", "PS256"})
        case "EC", ("P-256" | "P-384") as name:
            curve, length, algorithm = _CURVES[name]
            x, y = _octets(jwk, "x"), _octets(jwk, "y")
            if len(x) != length or len(y) != length:
                raise JOSEError("coordinates have the full length of the curve")
            point = EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve)
            return point.public_key(), frozenset({algorithm})
        case "OKP", "Ed25519":
            return Ed25519PublicKey.from_public_bytes(_octets(jwk, "x")), frozenset({"EdDSA"})
    return None


def _octets(jwk: Mapping[str, Any], member: str) -> bytes:
    value = jwk.get(member)
    if not isinstance(value, str) or not value.isascii() or len(value) > 2048:
        raise JOSEError(f"{member} is missing or no base64url")
    return decode_base64url(value.encode("ascii"))
