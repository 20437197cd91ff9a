"""The logout token: OpenID Connect Back-Channel Logout 1.0 §2.4, RFC 8417.

It says to one client that one session of one person is over. Made anew for each attempt, because it lives
two minutes and a delivery may be tried for days.
"""

from datetime import datetime, timedelta
from typing import Any

from idp.protocol.model import Policy

LOGOUT_TOKEN_TYPE = "logout+jwt"
"""`typ` (§2.4), so that no other token passes for one, nor this one for another (RFC 8725 §3.11)."""
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME = timedelta(minutes=2)
"""§2.4: "preferably at most two minutes in the future"."""


def logout_token_claims(
    policy: Policy, client_id: str, *, subject: str, sid: str, jti: str, now: datetime
) -> dict[str, Any]:
    """Return the claims of a logout token. There is never a `nonce`, so that none passes for an ID token.

    `subject` and `sid` are those of the ID tokens that this client was given in the session.
    """
    issued_at = int(now.timestamp())
    return {
        "iss": policy.issuer,
        "sub": subject,
        "aud": client_id,
        "iat": issued_at,
        "exp": issued_at + int(LIFETIME.total_seconds()),
        "jti": jti,
        "events": {EVENT: {}},
        "sid": sid,
    }
