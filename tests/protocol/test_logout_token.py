"""The logout token, member by member: Back-Channel Logout 1.0 §2.4. SLO-02."""

import json
from pathlib import Path

from idp.protocol.logout_token import EVENT, LOGOUT_TOKEN_TYPE, logout_token_claims
from tests.support.protocol_builders import ISSUER, NOW, POLICY

GOLDEN = Path(__file__).parent.parent / "golden" / "logout_token.json"


def test_slo_02_the_reviewed_token() -> None:
    claims = logout_token_claims(POLICY, "network", subject="pairwise-subject", sid="sid-1", jti="1", now=NOW)
    golden = json.loads(GOLDEN.read_text())
    assert claims == golden["claims"]
    assert golden["header"] == {"alg": "ES256", "kid": "a key of ours", "typ": LOGOUT_TOKEN_TYPE}
    assert list(claims["events"]) == [EVENT]
    assert claims["iss"] == ISSUER


def test_it_can_be_taken_for_no_id_token() -> None:
    claims = logout_token_claims(POLICY, "network", subject="s", sid="sid", jti="1", now=NOW)
    assert "nonce" not in claims
    assert LOGOUT_TOKEN_TYPE != "JWT"
