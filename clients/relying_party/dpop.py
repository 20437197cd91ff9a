"""A key that your tokens are bound to: stolen without it, they are worth nothing. RFC 9449."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from joserfc import jwt
from joserfc.jwk import ECKey

PROOF_TYPE = "dpop+jwt"
ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class ProofKey:
    """An EC P-256 key, made here and never written down: with the process, its tokens are over, too."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", private=True), repr=False)

    def proof(
        self,
        method: str,
        url: str,
        now: datetime,
        *,
        access_token: str | None = None,
        nonce: str | None = None,
    ) -> str:
        """Sign a proof for one request: RFC 9449 §4.2. `url` without query."""
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url,
            "iat": int(now.timestamp()),
            "ath": None if access_token is None else _digest(access_token),
            "nonce": nonce,
        }
        header = {"typ": PROOF_TYPE, "alg": ALGORITHM, "jwk": self.key.as_dict(private=False)}
        stated = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, stated, self.key, [ALGORITHM])


def _digest(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
