"""An encrypted body, opened: a compact JWE with the algorithms that are configured. RFC 7516, RFC 7518.

Encryption does not say who wrote something (CVE-2026-9793). With `dir` only who holds the shared secret could
have; with `ECDH-ES` anybody could, and who did is told by TLS alone: the body came as the answer to a call of
ours to a configured address. Therefore no body is ever taken from a browser.
"""

from typing import Any

from cryptography.exceptions import InvalidTag
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry, decrypt_compact
from joserfc.jwk import ECKey, OctKey

from idp.protocol.jose import JOSEError, decode_base64url, read_json_object
from idp.upstreams.configuration import EncryptedBody

_REFUSED_HEADERS = frozenset({"zip", "crit", "b64", "p2c"})


class EncryptedBodies:
    """Opens the bodies of one upstream."""

    def __init__(self, configured: EncryptedBody, key: OctKey | ECKey) -> None:
        self._configured = configured
        self._key = key
        self._registry = JWERegistry(algorithms=[configured.algorithm, configured.encryption])

    def open(self, body: bytes) -> dict[str, Any]:
        """Return the JSON object in a JWE. Raises JOSEError, which quotes nothing of it."""
        token = body.strip()
        self._check_parts(token.split(b"."))
        try:
            found = decrypt_compact(token, self._key, registry=self._registry)
        except (JoseError, InvalidTag, ValueError, TypeError, KeyError, AssertionError) as error:
            # One answer for every way to be wrong: the difference would be an oracle.
            raise JOSEError("the body cannot be decrypted") from error
        return read_json_object(found.plaintext or b"")

    def _check_parts(self, parts: list[bytes]) -> None:
        if len(parts) != 5:
            raise JOSEError("the body is no compact JWE: five parts are needed")
        header, *_ = [decode_base64url(part) for part in parts]
        members = read_json_object(header)
        if (members.get("alg"), members.get("enc")) != (
            self._configured.algorithm,
            self._configured.encryption,
        ) or _REFUSED_HEADERS & members.keys():
            raise JOSEError("the body is encrypted in another way than configured")
