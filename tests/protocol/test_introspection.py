"""Who may learn of a token, and what. RFC 7662, RFC 9701."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.protocol.confirmation import Confirmation
from idp.protocol.introspection import (
    access_token_introspection,
    is_signed_response_due,
    may_introspect,
    refresh_token_introspection,
    signed_response_claims,
    signing_algorithm,
)
from idp.protocol.model import Client
from idp.protocol.profiles import Profile
from idp.protocol.tokens import AccessToken
from tests.support.protocol_builders import (
    ISSUER,
    NOW,
    POLICY,
    make_client,
    make_grant,
    make_refresh_token,
)

TOKEN = AccessToken(
    jti="at-1",
    client_id="network",
    subject="pairwise-subject",
    grant_id="grant-1",
    audience=f"{ISSUER}/userinfo",
    scope=frozenset({"openid", "email"}),
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=10),
)


def server_of(path: str) -> Client:
    return make_client(client_id="other", introspects=frozenset({path}))


@pytest.mark.parametrize(
    ("client", "audience", "may"),
    [
        (make_client(), f"{ISSUER}/userinfo", True),
        (make_client(client_id="other"), f"{ISSUER}/userinfo", False),
        (server_of("/userinfo"), f"{ISSUER}/userinfo", True),
        (server_of("/account-links"), f"{ISSUER}/userinfo", False),
        (server_of("/userinfo"), ISSUER, False),
    ],
)
def test_its_own_tokens_and_those_of_its_resources(client: Client, audience: str, may: object) -> None:
    """RFC 7662 §4; abuse class 7: a token for everything is nobody else's either."""
    assert may_introspect(client, replace(TOKEN, audience=audience), POLICY) is may


@pytest.mark.parametrize(
    ("confirmation", "token_type", "cnf"),
    [
        (None, "Bearer", None),
        (Confirmation(jkt="thumbprint"), "DPoP", {"jkt": "thumbprint"}),
        (Confirmation(x5t_s256="thumbprint"), "Bearer", {"x5t#S256": "thumbprint"}),
    ],
)
def test_a_bound_token_says_to_what(
    confirmation: Confirmation | None, token_type: str, cnf: dict[str, str] | None
) -> None:
    """INTRO-02; RFC 9449 §6.2, RFC 8705 §3.2."""
    told = access_token_introspection(replace(TOKEN, confirmation=confirmation), make_grant(), POLICY)
    assert (told["token_type"], told.get("cnf")) == (token_type, cnf)


def test_nothing_of_our_own_is_told() -> None:
    """Ids of grants, sessions, people and links are nobody's business."""
    told = str(access_token_introspection(TOKEN, make_grant(), POLICY))
    told += str(refresh_token_introspection(make_refresh_token(), make_grant(), POLICY))
    for ours in ("grant-1", "session-1", "citizen-1", "link-1", "consent-1"):
        assert ours not in told


@pytest.mark.parametrize(
    ("accept", "is_due"),
    [
        ("application/token-introspection+jwt", True),
        ("application/json, application/token-introspection+jwt;q=0.9", True),
        ("APPLICATION/TOKEN-INTROSPECTION+JWT", True),
        ("application/jwt", False),
        ("application/*", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_signed_where_it_is_asked_for(accept: str, is_due: object) -> None:
    """RFC 9701 §4."""
    assert is_signed_response_due(make_client(), accept) is is_due
    assert is_signed_response_due(make_client(profile=Profile.FAPI2_MESSAGE_SIGNING), accept)


def test_the_registered_algorithm_or_what_its_profile_allows() -> None:
    """RFC 9701 §6; FAPI 2.0 §5.4.1."""
    assert signing_algorithm(make_client()) == "RS256"
    assert signing_algorithm(make_client(profile=Profile.FAPI2)) == "ES256"
    assert signing_algorithm(make_client(introspection_signed_response_alg="EdDSA")) == "EdDSA"


def test_a_signed_response_is_no_token_itself() -> None:
    """RFC 9701 §5, §8.1: no sub, no exp, no scope beside what it tells of."""
    claims = signed_response_claims({"active": False}, make_client(), POLICY, NOW)
    assert claims == {
        "iss": ISSUER,
        "aud": "network",
        "iat": int(NOW.timestamp()),
        "token_introspection": {"active": False},
    }
