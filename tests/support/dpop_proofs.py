"""DPoP proofs as a client makes them (RFC 9449 §4.2), and as an attacker would: any member can be changed."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm

from tests.support.protocol_builders import base64url, public_jwk

_SIGNERS: Mapping[str, Any] = {
    "ES256": ECAlgorithm(ECAlgorithm.SHA256, ec.SECP256R1),
    "PS256": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256),
    "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),
    "EdDSA": OKPAlgorithm(),
}
_MAKERS: Mapping[str, Callable[[], Any]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
_REQUIRED = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}


def sha256_of(value: str) -> str:
    """SHA-256 as base64url: `ath` of an access token (RFC 9449 §4.2)."""
    return base64url(hashlib.sha256(value.encode()).digest())


def private_jwk(key: Any) -> dict[str, Any]:
    """What must never stand in a header."""
    algorithm = ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else OKPAlgorithm
    return dict(algorithm.to_jwk(key, as_dict=True))


@dataclass
class ProofKey:
    """A client's DPoP key."""

    algorithm: str = "ES256"
    private_key: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.private_key is None:
            self.private_key = _MAKERS[self.algorithm]()

    @property
    def jwk(self) -> dict[str, Any]:
        return public_jwk(self.private_key)

    @property
    def jkt(self) -> str:
        """RFC 7638: what `cnf.jkt` and `dpop_jkt` hold."""
        jwk = self.jwk
        required = {name: jwk[name] for name in _REQUIRED[jwk["kty"]]}
        return sha256_of(json.dumps(required, separators=(",", ":"), sort_keys=True))

    def proof(
        self,
        method: str,
        url: str,
        *,
        at: datetime,
        access_token: str | None = None,
        nonce: str | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Make a fresh proof; a header member or claim given as None is left out."""
        members = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.jwk} | dict(header or {})
        content = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url,
            "iat": int(at.timestamp()),
            "ath": None if access_token is None else sha256_of(access_token),
            "nonce": nonce,
        } | claims
        return self.sign(
            json.dumps({name: value for name, value in members.items() if value is not None}).encode(),
            json.dumps({name: value for name, value in content.items() if value is not None}).encode(),
        )

    def sign(self, header: bytes, payload: bytes) -> str:
        """Sign bytes as they are, however odd they may be."""
        signing_input = f"{base64url(header)}.{base64url(payload)}"
        signature = _SIGNERS[self.algorithm].sign(signing_input.encode(), self.private_key)
        return f"{signing_input}.{base64url(signature)}"


def parts_of(proof: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a proof, unverified."""
    header, payload, _ = proof.split(".")
    read = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload))
    return next(read), next(read)
