"""Signing and the keys that verify. RFC 7515 (JWS), RFC 7518 §3, RFC 8037.

Key objects are parsed once, when the ring is read: a PEM string given to each call would cost 33 ms.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from jwt import PyJWS

from keys.key_pairs import PrivateKey, PublicKey

_JWS = PyJWS(algorithms=["ES256", "RS256", "PS256", "EdDSA"], options={"enforce_minimum_key_length": True})


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A published key: what it verifies and by which algorithm, and by no other (RFC 8725 §3.1)."""

    kid: str
    algorithm: str
    public_key: PublicKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """The active key of one algorithm. It signs; it does not give its key away."""

    kid: str
    algorithm: str
    _private_key: PrivateKey = field(repr=False)

    def sign(self, claims: Mapping[str, object], *, typ: str) -> str:
        """Return the compact JWS of the claims. `typ` is required: it tells the kinds apart (RFC 8725 §3.11).

        Times are NumericDate integers (RFC 7519 §2); a datetime would become a string and raises TypeError.
        """
        payload = orjson.dumps(dict(claims), option=orjson.OPT_PASSTHROUGH_DATETIME)
        headers = {"kid": self.kid, "typ": typ}
        return _JWS.encode(payload, self._private_key, algorithm=self.algorithm, headers=headers)
