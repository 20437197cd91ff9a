"""The keys and secrets that a configuration names, read from files of their own beside it."""

import re
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, import_key

from idp.protocol.jose import JOSEError, read_json_object
from idp.upstreams.configuration import EncryptedBody, PrivateKeyJWT, UpstreamConfigurationError

_SECRET = re.compile(r"[!-~]{16,512}")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_SECRET_BITS = {"A128GCM": 128, "A256GCM": 256, "A128CBC-HS256": 256, "A256CBC-HS512": 512}
"""RFC 7518 §5: with `dir` the shared secret is the content encryption key itself."""


def read_secret(path: Path, method: str) -> str:
    """Read a client secret: one line of ASCII. Raises UpstreamConfigurationError."""
    try:
        secret = _read(path).decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise UpstreamConfigurationError(f"{path.name}: must be ASCII") from error
    if not _SECRET.fullmatch(secret):
        raise UpstreamConfigurationError(f"{path.name}: one line of 16 to 512 characters is needed")
    if method == "client_secret_basic" and not _PLAIN.fullmatch(secret):
        raise UpstreamConfigurationError(
            f"{path.name}: holds characters that need client_secret_post, for encoders of Basic differ"
        )
    return secret


def read_signing_key(path: Path, configured: PrivateKeyJWT) -> Key:
    """Read the private JWK that signs client assertions. Raises UpstreamConfigurationError."""
    key = _read_jwk(path)
    fitting = {"ES256": "EC", "PS256": "RSA", "RS256": "RSA", "EdDSA": "OKP"}[configured.algorithm]
    if key.key_type != fitting or not key.is_private:
        raise UpstreamConfigurationError(f"{path.name}: a private {fitting} key is needed")
    if not key.kid:
        raise UpstreamConfigurationError(f"{path.name}: a kid is needed")
    return key


def read_decryption_key(path: Path, configured: EncryptedBody) -> OctKey | ECKey:
    """Read the JWK that opens an encrypted body. Raises UpstreamConfigurationError."""
    key = _read_jwk(path)
    if configured.algorithm == "ECDH-ES":
        if isinstance(key, ECKey) and key.is_private and key.curve_name in {"P-256", "P-384"}:
            return key
        raise UpstreamConfigurationError(f"{path.name}: a private EC key on P-256 or P-384 is needed")
    bits = _SECRET_BITS[configured.encryption]
    if isinstance(key, OctKey) and len(key.raw_value) * 8 == bits:
        return key
    raise UpstreamConfigurationError(f"{path.name}: a key of type oct with exactly {bits} bits is needed")


def _read_jwk(path: Path) -> Key:
    try:
        return import_key(read_json_object(_read(path)))
    except (JOSEError, JoseError, ValueError) as error:
        # What the library says may quote the key.
        raise UpstreamConfigurationError(f"{path.name}: is no JWK that can be used") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UpstreamConfigurationError(f"{path.name}: {error.strerror}") from error
