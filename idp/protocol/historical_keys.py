"""Keys that signed once: what they signed is still verified, for years. OpenID Federation 1.0 §8.7. Pure.

A federation's response shape, used here without a federation: a signed JWK set in which every key says until
when it is believed, and whether it was lost to somebody (§8.7.2, §8.7.3).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

HISTORICAL_KEYS = "/jwks/historical"
"""Where they are, below the issuer."""
HISTORICAL_KEYS_TYPE = "jwk-set+jwt"
"""`typ` of the response (§8.7.2)."""
MEDIA_TYPE = "application/jwk-set+jwt"


def historical_keys_claims(
    issuer: str, keys: Sequence[Mapping[str, object]], changed_at: datetime
) -> dict[str, Any]:
    """Return the claims of the response: §8.7.2. `iat` is when the keys last changed."""
    return {"iss": issuer, "iat": int(changed_at.timestamp()), "keys": [dict(key) for key in keys]}
