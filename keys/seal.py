"""The seal: private material is written only as AES-256-GCM ciphertext under a key derived from one secret.

RFC 5869 (HKDF), NIST SP 800-38D (GCM). The secret is random, so it needs neither salt nor stretching.
"""

import binascii
import hmac
import os
from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.errors import CustodyError, SealedDataError

SECRET_BYTES = 32
NONCE_BYTES = 12


class Seal:
    """Three keys derived from the secret, each for one use. It has no attribute that shows any of them."""

    __slots__ = ("_aead", "_index_key", "id")

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES:
            raise CustodyError(f"the seal must hold at least {SECRET_BYTES} random bytes as base64")
        self._aead = AESGCM(_derived(secret, b"private material"))
        self._index_key = _derived(secret, b"index")
        self.id = _derived(secret, b"public name of the seal")[:8].hex()
        """Public: it tells a wrong seal from an altered file."""

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt. The context is authenticated, so that one sealed value cannot stand in for another."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plaintext, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt. Raises SealedDataError for anything that was not sealed here, in this context."""
        try:
            return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise SealedDataError(
                "a sealed key was altered or moved; restore the file from a backup"
            ) from None

    def authenticate(self, message: bytes) -> bytes:
        """Return the tag that proves that the holder of the seal wrote the message."""
        return hmac.digest(self._index_key, message, "sha256")


def make_secret() -> bytes:
    """Return the content of a new seal file: 32 random bytes as one line of base64."""
    return b64encode(os.urandom(SECRET_BYTES)) + b"\n"


def parse_secret(content: bytes) -> Seal:
    """Read the content of a seal file. White space is ignored: `openssl rand -base64 48` may fold lines."""
    try:
        return Seal(b64decode(b"".join(content.split()), validate=True))
    except binascii.Error:
        # The cause is cut off: its traceback would lead to the content of the file.
        raise CustodyError("the seal must hold random bytes as base64, and nothing else") from None


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"lienket keys: " + purpose).derive(secret)
