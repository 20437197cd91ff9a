import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from authlib.oidc.core import CodeIDToken
from authlib.oidc.core.util import create_half_hash
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.account_link_details import enriched
from idp.protocol.confirmation import Confirmation
from idp.protocol.errors import InvalidRequestError, InvalidTokenError
from idp.protocol.jose import parse_jwk_set
from idp.protocol.tokens import (
    access_token_claims,
    check_access_token,
    check_audience,
    half_hash,
    id_token_claims,
    pairwise_sid,
    scope_value,
    token_response,
    verify_access_token,
    verify_id_token_hint,
)
from tests.support.protocol_builders import (
    ISSUER,
    JWKS,
    NOW,
    OTHER,
    POLICY,
    make_client,
    make_grant,
    make_link,
    sign,
)

GOLDEN = Path(__file__).parent.parent / "golden"
KEYS = parse_jwk_set(JWKS)
SCOPE = frozenset({"openid", "profile"})
AT = {"typ": "at+jwt"}
VERIFIED = {
    "verification": {"trust_framework": "vn_nd69_2024", "assurance_level": "vn2"},
    "claims": {"age_over_16": True},
}


def golden(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def id_token(**changes: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "grant": make_grant(),
        "client": make_client(),
        "policy": POLICY,
        "access_token": "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        "link": make_link(),
        "released": {"verified_claims": VERIFIED},
        "refreshed": False,
        "now": NOW,
    }
    return id_token_claims(**{**sent, **changes})


class TestIDToken:
    def test_golden(self) -> None:
        """IDT-01 … IDT-04 and point 5 of the issue: exactly this leaves, and nothing else."""
        assert id_token() == golden("id_token.json")

    def test_by_default_nothing_about_the_person(self) -> None:
        """Domain rule R4; IDT-06."""
        assert id_token(released={}, link=None).keys() == {
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash",
        }  # fmt: skip

    def test_authlib_accepts_it(self) -> None:
        """OpenID Connect Core §3.1.3.7, by code that is not ours."""
        claims = id_token()
        for name in ("exp", "iat", "auth_time"):
            claims[name] += 10**10
        token = CodeIDToken(
            claims,
            {"alg": "ES256"},
            {"iss": {"value": ISSUER}, "aud": {"value": "network"}},
            {
                "nonce": "nonce-1",
                "access_token": "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
                "max_age": 600,
            },
        )
        token.validate(now=int(NOW.timestamp()) + 10**10, leeway=0)

    def test_a_refreshed_one_has_no_nonce_and_the_same_authentication(self) -> None:
        """OpenID Connect Core §12.2; TOK-21."""
        first, later = id_token(), id_token(refreshed=True, now=NOW + timedelta(hours=1))
        assert "nonce" not in later
        assert later["iat"] == first["iat"] + 3600
        same = ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid")
        assert {name: later[name] for name in same} == {name: first[name] for name in same}

    def test_without_a_nonce_in_the_request_there_is_none(self) -> None:
        assert "nonce" not in id_token(grant=make_grant(nonce=None))

    def test_nothing_released_replaces_a_claim_of_the_token(self) -> None:
        forged = {"sub": "x", "iss": "x", "aud": "x", "acr": "x", "account_link": {}, "exp": 0}
        assert id_token(released=forged) == {
            name: value for name, value in golden("id_token.json").items() if name != "verified_claims"
        }

    def test_times_are_whole_seconds(self) -> None:
        odd = timedelta(microseconds=999_999)
        claims = id_token(
            now=NOW + odd,
            grant=make_grant(auth_time=NOW + odd),
            link=make_link(linked_at=NOW + odd, expires_at=None),
        )
        assert {type(claims[name]) for name in ("exp", "iat", "auth_time")} == {int}
        assert claims["account_link"]["linked_at"] == int(NOW.timestamp())
        assert claims["account_link"]["expires_at"] is None


class TestHalfHash:
    def test_openid_core_appendix_a_3_vector(self) -> None:
        assert half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"

    @given(st.text(alphabet=st.characters(max_codepoint=127)))
    def test_agrees_with_authlib(self, value: str) -> None:
        for algorithm in ("ES256", "RS256", "PS256", "ES384", "EdDSA"):
            assert half_hash(value, algorithm) == create_half_hash(value, algorithm).decode()

    @pytest.mark.parametrize("algorithm", ["none", "", "XS999", "HS256"])
    def test_an_algorithm_without_hash_fails_closed(self, algorithm: str) -> None:
        """CVE-2026-28498: Authlib left the check out."""
        with pytest.raises(ValueError, match="no hash"):
            half_hash("x", algorithm)


def test_sid_is_another_at_every_platform() -> None:
    """Abuse P7: two platforms cannot find one person by the session."""
    assert pairwise_sid("s", "a.example") == pairwise_sid("s", "a.example")
    assert len({pairwise_sid(s, sector) for s in ("s", "t") for sector in ("a.example", "b.example")}) == 4
    assert "session-1" not in json.dumps(id_token())


def own_at_claims(**changes: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "client_id": "network",
        "grant": make_grant(),
        "audience": ISSUER,
        "scope": SCOPE,
        "confirmation": None,
        "jti": "at-1",
        "now": NOW,
    }
    return access_token_claims(POLICY, **{**sent, **changes})


def at_claims(**changes: Any) -> dict[str, Any]:
    return {**own_at_claims(), **changes}


class TestAccessToken:
    def test_round_trip(self) -> None:
        """RFC 9068 §2, §4."""
        token = verify_access_token(sign(at_claims(), headers=AT), KEYS, POLICY, NOW)
        assert (token.jti, token.client_id, token.subject) == ("at-1", "network", "pairwise-subject")
        assert (token.grant_id, token.scope) == ("grant-1", SCOPE)
        assert (token.issued_at, token.expires_at) == (NOW, NOW + POLICY.lifetimes.access_token)

    def test_holds_the_required_claims_and_nothing_about_the_person(self) -> None:
        """RFC 9068 §2.2."""
        required = {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"}
        assert at_claims().keys() == required | {"scope", "auth_time", "acr", "grant_id"}

    def test_without_a_grant_the_client_is_its_own_subject(self) -> None:
        """RFC 9068 §2.2: and nothing is said about a sign-in that never happened."""
        scope = frozenset({"account_links.read"})
        claims = own_at_claims(grant=None, audience=f"{ISSUER}/account-links", scope=scope)
        assert claims.keys() == {"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope"}
        token = verify_access_token(sign(claims, headers=AT), KEYS, POLICY, NOW)
        assert (token.subject, token.grant_id, token.confirmation) == ("network", None, None)
        assert (token.audience, token.scope) == (f"{ISSUER}/account-links", scope)

    @pytest.mark.parametrize(
        ("confirmation", "cnf"),
        [
            (Confirmation(jkt="thumbprint"), {"jkt": "thumbprint"}),
            (Confirmation(x5t_s256="thumbprint"), {"x5t#S256": "thumbprint"}),
        ],
    )
    def test_a_bound_one_names_its_key(self, confirmation: Confirmation, cnf: dict[str, str]) -> None:
        """RFC 7800 §3.1, RFC 9449 §6.1, RFC 8705 §3.1."""
        claims = own_at_claims(confirmation=confirmation)
        assert claims["cnf"] == cnf
        assert verify_access_token(sign(claims, headers=AT), KEYS, POLICY, NOW).confirmation == confirmation

    @pytest.mark.parametrize(
        ("audience", "opens"),
        [
            (ISSUER, {"/userinfo", "/account-links"}),
            (f"{ISSUER}/userinfo", {"/userinfo"}),
            (f"{ISSUER}/account-links", {"/account-links"}),
        ],
    )
    def test_opens_the_resource_it_names_and_no_other(self, audience: str, opens: set[str]) -> None:
        """RFC 9068 §4, RFC 8707 §2; abuse 7."""
        token = verify_access_token(sign(own_at_claims(audience=audience), headers=AT), KEYS, POLICY, NOW)
        for path in ("/userinfo", "/account-links"):
            if path in opens:
                check_audience(token, POLICY, path)
            else:
                with pytest.raises(InvalidTokenError):
                    check_audience(token, POLICY, path)

    @pytest.mark.parametrize(
        "token",
        [
            pytest.param(sign(at_claims()), id="RFC 9068 §4 typ missing"),
            pytest.param(sign(id_token()), id="RFC 8725 §3.11 ID token as access token"),
            pytest.param(sign({**id_token(), "aud": ISSUER}), id="ID token for our own audience"),
            pytest.param(sign(at_claims(), "RS256", AT), id="algorithm not the one of access tokens"),
            pytest.param(jwt.encode(at_claims(), None, "none", AT), id="alg none"),
            pytest.param(jwt.encode(at_claims(), OTHER, "ES256", {**AT, "kid": "ec"}), id="another key"),
            pytest.param(jwt.encode(at_claims(), OTHER, "ES256", {**AT, "kid": "x"}), id="unknown key"),
            pytest.param("", id="empty"),
        ],
    )
    def test_forged_or_foreign_is_refused(self, token: str) -> None:
        with pytest.raises(InvalidTokenError) as caught:
            verify_access_token(token, KEYS, POLICY, NOW)
        assert caught.value.status == 401

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"iss": "https://evil.example"}, id="iss"),
            pytest.param({"aud": "https://other.example"}, id="RFC 9068 §4 aud of another resource"),
            pytest.param({"aud": [ISSUER, "https://other.example"]}, id="aud an array"),
            pytest.param({"exp": int(NOW.timestamp())}, id="expired this second"),
            pytest.param({"exp": None}, id="abuse 11 exp missing"),
            pytest.param({"exp": True}, id="exp a boolean"),
            pytest.param({"exp": 1e300}, id="exp beyond any calendar"),
            pytest.param({"exp": float("nan")}, id="exp NaN"),
            pytest.param({"iat": None}, id="iat missing"),
            pytest.param({"sub": None}, id="sub missing"),
            pytest.param({"sub": ""}, id="sub empty"),
            pytest.param({"client_id": 1}, id="client_id a number"),
            pytest.param({"grant_id": None}, id="grant_id missing"),
            pytest.param({"jti": None}, id="jti missing"),
            pytest.param({"scope": ["openid"]}, id="scope an array"),
            pytest.param({"cnf": None}, id="RFC 7800 cnf null is a binding that was lost"),
            pytest.param({"cnf": {}}, id="cnf empty"),
            pytest.param({"cnf": {"jwk": {}}}, id="cnf of a kind that is not understood"),
            pytest.param({"cnf": {"jkt": "a", "x5t#S256": "b"}}, id="cnf of two kinds"),
            pytest.param({"cnf": {"jkt": None}}, id="cnf without its thumbprint"),
            pytest.param({"cnf": {"jkt": ["a"]}}, id="cnf thumbprint a list"),
            pytest.param({"cnf": {"jkt": ""}}, id="cnf thumbprint empty"),
        ],
    )
    def test_refused(self, changes: dict[str, Any]) -> None:
        with pytest.raises(InvalidTokenError):
            check_access_token(at_claims(**changes), AT, POLICY, NOW)

    def test_another_typ_is_refused_again(self) -> None:
        with pytest.raises(InvalidTokenError):
            check_access_token(at_claims(), {"typ": "JWT"}, POLICY, NOW)

    def test_truncated_at_any_byte_is_refused(self) -> None:
        """Abuse 28, ZIT CVE-2026-27840."""
        token = sign(at_claims(), headers=AT)
        for length in range(len(token)):
            with pytest.raises(InvalidTokenError):
                verify_access_token(token[:length], KEYS, POLICY, NOW)

    @given(st.text())
    def test_no_token_raises_anything_else(self, token: str) -> None:
        with pytest.raises(InvalidTokenError):
            verify_access_token(token, KEYS, POLICY, NOW)

    @given(
        st.dictionaries(
            st.sampled_from(sorted(at_claims())),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
        )
    )
    def test_no_claims_raise_anything_else(self, changes: dict[str, Any]) -> None:
        try:
            check_access_token(at_claims(**changes), AT, POLICY, NOW)
        except InvalidTokenError:
            return


def test_token_response_golden() -> None:
    """TOK-01; RFC 9396 §7: the enriched authorization details, with the link's id."""
    response = token_response(
        POLICY,
        access_token="access-token",
        scope=SCOPE,
        id_token="id-token",
        refresh_token="refresh-token",
        authorization_details=enriched(make_link()),
    )
    assert response == golden("token_response.json")


def test_a_token_response_leaves_out_what_was_not_issued() -> None:
    response = token_response(POLICY, access_token="a", scope=frozenset({"openid"}))
    assert response.keys() == {"access_token", "token_type", "expires_in", "scope"}


@pytest.mark.parametrize(
    ("confirmation", "token_type"),
    [
        (None, "Bearer"),
        (Confirmation(jkt="a"), "DPoP"),
        (Confirmation(x5t_s256="a"), "Bearer"),
    ],
)
def test_the_type_says_how_a_token_is_used(confirmation: Confirmation | None, token_type: str) -> None:
    """TOK-19; RFC 9449 §5; a certificate-bound token stays Bearer (RFC 8705 §3)."""
    scope = frozenset({"openid"})
    response = token_response(POLICY, access_token="a", scope=scope, confirmation=confirmation)
    assert response["token_type"] == token_type


def test_scope_begins_with_openid() -> None:
    assert scope_value({"address", "openid", "profile"}) == "openid address profile"


class TestIDTokenHint:
    @pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
    def test_gives_the_subject_even_when_expired(self, algorithm: str) -> None:
        """OpenID Connect Core §3.1.2.1."""
        long_ago = id_token(now=NOW - timedelta(days=400))
        hint = sign(long_ago, algorithm)
        assert verify_id_token_hint(hint, KEYS, make_client(), POLICY) == "pairwise-subject"

    @pytest.mark.parametrize(
        "hint",
        [
            pytest.param(jwt.encode(id_token(), None, "none"), id="END-04 alg none"),
            pytest.param(
                jwt.encode(id_token(), OTHER, "ES256", {"kid": "ec"}), id="END-04 foreign signature"
            ),
            pytest.param(sign(at_claims(aud="network"), headers=AT), id="an access token"),
            pytest.param(sign({**id_token(), "aud": "other"}), id="issued to another client"),
            pytest.param(sign({**id_token(), "iss": "https://evil.example"}), id="another issuer"),
            pytest.param(sign({"iss": ISSUER, "aud": "network"}), id="no subject"),
            pytest.param("x", id="no token"),
        ],
    )
    def test_refused(self, hint: str) -> None:
        with pytest.raises(InvalidRequestError):
            verify_id_token_hint(hint, KEYS, make_client(), POLICY)


def test_at_hash_follows_the_algorithm_of_the_id_token() -> None:
    """IDT-05; OpenID Connect Core §3.1.3.6."""
    client = replace(make_client(), id_token_signed_response_alg="EdDSA")
    assert id_token(client=client)["at_hash"] != id_token()["at_hash"]
