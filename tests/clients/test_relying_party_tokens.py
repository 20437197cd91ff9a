"""ID tokens: one good one passes, and every single departure from it does not."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from jwt.api_jws import PyJWS

from clients.relying_party import LinkedAccount, TokenError, Tokens
from clients.relying_party.tokens import (
    Expected,
    Header,
    read_header,
    satisfies,
    verify_linked_account,
    verify_refreshed,
)
from tests.clients.scripted_provider import CLIENT_ID, ISSUER, NOW, good_claims, make_key, sign

KEY = make_key("op-1")
ALGORITHMS = frozenset({"ES256", "RS256", "EdDSA"})
TOKENS = Tokens("at-1", NOW + timedelta(minutes=10))
EXPECTED = Expected(
    issuer=ISSUER,
    client_id=CLIENT_ID,
    now=NOW,
    algorithm="ES256",
    access_token="at-1",
    nonce="n-1",
    acr_values=("vn-2",),
    max_age=300,
    account_id="acc_lan",
)
SECONDS = int(NOW.timestamp())


def claims_with(**changes: object) -> dict[str, Any]:
    return {**good_claims("n-1", "acc_lan", NOW), **changes}


def verify(token: str, expected: Expected = EXPECTED, key: ECKey | RSAKey | OKPKey = KEY) -> LinkedAccount:
    header = read_header(token, ALGORITHMS)
    return verify_linked_account(token, header, key, replace(expected, algorithm=header.algorithm), TOKENS)


def test_a_complete_token_becomes_a_linked_account() -> None:
    linked = verify(sign(claims_with(), KEY))
    assert (linked.subject, linked.link_id, linked.account_id) == ("pairwise-lan", "lnk_1", "acc_lan")
    assert (linked.status, linked.acr, linked.amr) == ("active", "vn-2", ("pwd", "otp", "mfa"))
    assert linked.linked_at == NOW
    assert linked.expires_at == NOW + timedelta(days=730)
    assert linked.auth_time == NOW - timedelta(seconds=20)
    assert linked.verified_claims is not None
    assert linked.verified_claims.assurance_level == "vn2"
    assert linked.verified_claims.claims == {"age_over_16": True}
    assert "at-1" not in repr(linked)


@pytest.mark.parametrize("name", sorted(set(good_claims("", "", NOW)) - {"at_hash", "verified_claims"}))
def test_a_missing_claim_fails(name: str) -> None:
    claims = claims_with()
    del claims[name]
    with pytest.raises(TokenError):
        verify(sign(claims, KEY))


@pytest.mark.parametrize("name", ["at_hash", "verified_claims"])
def test_a_claim_that_may_be_absent_may_be_absent(name: str) -> None:
    claims = claims_with()
    del claims[name]
    verify(sign(claims, KEY))


@pytest.mark.parametrize("name", sorted(good_claims("", "", NOW)))
@pytest.mark.parametrize(
    "value",
    [None, "", 0, -1, True, [], {}, "x", ["x"], {"x": "y"}, 10**40, "9999", [None], "2026-11-20T09:00:00"],
    ids=repr,
)
def test_a_claim_of_a_foolish_value_fails(name: str, value: object) -> None:
    if (name, value) in [("sub", "x"), ("sub", "9999"), ("sub", "2026-11-20T09:00:00"), ("amr", ["x"])]:
        return
    with pytest.raises(TokenError):
        verify(sign(claims_with(**{name: value}), KEY))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"iss": ISSUER + "/"}, id="Core §3.1.3.7 (2) almost the issuer"),
        pytest.param({"aud": "somebody-else"}, id="Core §3.1.3.7 (3) other audience"),
        pytest.param({"aud": [CLIENT_ID, "somebody-else"]}, id="Core §3.1.3.7 (3) untrusted second audience"),
        pytest.param({"azp": "somebody-else"}, id="Core §3.1.3.7 (5) other authorized party"),
        pytest.param({"exp": SECONDS - 31}, id="Core §3.1.3.7 (9) expired"),
        pytest.param({"iat": SECONDS + 31}, id="issued in the future"),
        pytest.param({"iat": SECONDS - 700}, id="Core §3.1.3.7 (10) issued long ago"),
        pytest.param({"exp": SECONDS - 5, "iat": SECONDS - 5}, id="expires when it is issued"),
        pytest.param({"nbf": SECONDS + 60}, id="RFC 7519 §4.1.5 not valid yet"),
        pytest.param({"nonce": "n-2"}, id="Core §3.1.3.7 (11) other nonce"),
        pytest.param({"acr": f"{ISSUER}/acr/vn-1"}, id="Core §3.1.3.7 (12) lower acr"),
        pytest.param({"acr": "https://other.example/acr/vn-2"}, id="acr of somebody else"),
        pytest.param({"auth_time": SECONDS - 400}, id="Core §3.1.3.7 (13) older than max_age"),
        pytest.param({"auth_time": SECONDS + 60}, id="signed in in the future"),
        pytest.param({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, id="Core §3.1.3.8 other access token"),
        pytest.param({"sub": "x" * 256}, id="Core §2 subject too long"),
        pytest.param({"sub": "lần"}, id="Core §2 subject not ASCII"),
    ],
)
def test_a_wrong_claim_fails(changes: dict[str, object]) -> None:
    with pytest.raises(TokenError):
        verify(sign(claims_with(**changes), KEY))


@pytest.mark.parametrize(
    "changes",
    [
        {"account_id": "acc_minh"},
        {"account_id": None},
        {"status": "pending"},
        {"status": "suspended"},
        {"status": None},
        {"link_id": ""},
        {"link_id": None},
        {"linked_at": SECONDS + 60},
        {"linked_at": "yesterday"},
        {"linked_at": "2026-11-20T09:00:00"},
        {"expires_at": SECONDS},
        {"expires_at": None},
    ],
    ids=repr,
)
def test_a_wrong_account_link_fails(changes: dict[str, object]) -> None:
    link = {**claims_with()["account_link"], **changes}
    with pytest.raises(TokenError):
        verify(sign(claims_with(account_link={k: v for k, v in link.items() if v is not None}), KEY))


def test_times_of_the_link_may_be_written_out() -> None:
    link = {**claims_with()["account_link"], "linked_at": "2026-11-20T08:59:00Z"}
    assert verify(sign(claims_with(account_link=link), KEY)).linked_at == NOW - timedelta(minutes=1)


@pytest.mark.parametrize(
    "verification",
    [{}, {"trust_framework": "eidas"}, {"trust_framework": "vn_nd69_2024", "assurance_level": "vn9"}],
    ids=repr,
)
def test_claims_verified_by_unknown_rules_fail(verification: dict[str, str]) -> None:
    verified = {"verification": verification, "claims": {"age_over_16": True}}
    with pytest.raises(TokenError):
        verify(sign(claims_with(verified_claims=verified), KEY))


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"kid": None}, id="no kid"),
        pytest.param({"kid": ""}, id="empty kid"),
        pytest.param({"typ": "at+jwt"}, id="RFC 8725 §3.11 access token"),
        pytest.param({"typ": "logout+jwt"}, id="RFC 8725 §3.11 logout token"),
    ],
)
def test_a_wrong_header_fails(header: dict[str, object]) -> None:
    with pytest.raises(TokenError):
        verify(sign(claims_with(), KEY, **header))


def encode(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(None, id="absent"),
        pytest.param("", id="empty"),
        pytest.param("a.b", id="two parts"),
        pytest.param("a.b.c.d.e", id="encrypted"),
        pytest.param("!!!.b.c", id="not base64url"),
        pytest.param(encode([]) + ".b.c", id="header is a list"),
        pytest.param(
            encode({"alg": "none", "kid": "op-1"}) + "." + encode(claims_with()) + ".",
            id="RFC 8725 §2.1 none",
        ),
        pytest.param(
            encode({"alg": "ES256", "kid": "op-1", "crit": ["exp"]}) + ".b.c", id="RFC 7515 §4.1.11 crit"
        ),
        pytest.param(encode({"alg": ["ES256"], "kid": "op-1"}) + ".b.c", id="alg is a list"),
        pytest.param("a" * 40_000, id="very long"),
    ],
)
def test_what_is_no_token_fails(token: str | None) -> None:
    with pytest.raises(TokenError):
        read_header(token, ALGORITHMS)


def test_a_shared_secret_made_of_the_public_key_fails() -> None:
    """RFC 8725 §2.1: the public key must not serve as an HMAC secret."""
    secret = OctKey.import_key(KEY.as_pem(private=False).replace(b"-----", b"*****"))
    token = jws.serialize_compact(
        {"alg": "HS256", "kid": "op-1"}, json.dumps(claims_with()), secret, ["HS256"]
    )
    with pytest.raises(TokenError):
        verify(token)


def test_another_key_of_the_same_name_fails() -> None:
    with pytest.raises(TokenError, match="signature"):
        verify(sign(claims_with(), make_key("op-1")))


def test_a_changed_payload_fails() -> None:
    head, _, signature = sign(claims_with(), KEY).split(".")
    with pytest.raises(TokenError, match="signature"):
        verify(".".join([head, encode(claims_with(sub="somebody")), signature]))


@pytest.mark.parametrize("payload", ["[]", "text", "null"])
def test_a_signed_payload_that_is_no_object_fails(payload: str) -> None:
    token = jws.serialize_compact({"alg": "ES256", "kid": "op-1"}, payload, KEY, ["ES256"])
    with pytest.raises(TokenError):
        verify(token)


def test_a_key_serves_only_its_own_algorithm() -> None:
    key = RSAKey.generate_key(2048, {"kid": "op-2"}, private=True)
    meant = RSAKey.import_key({**key.as_dict(private=False), "alg": "PS256"})
    token = jws.serialize_compact({"alg": "RS256", "kid": "op-2"}, json.dumps(claims_with()), key, ["RS256"])
    assert verify(token, key=key).link_id == "lnk_1"
    with pytest.raises(TokenError, match="another algorithm"):
        verify(token, key=meant)


def test_a_key_of_another_kind_fails() -> None:
    key = RSAKey.generate_key(2048, {"kid": "op-1"}, private=True)
    token = sign(claims_with(), KEY)
    with pytest.raises(TokenError):
        verify(token, key=key)


def test_edwards_curve_signatures_pass_with_their_longer_hash() -> None:
    key = OKPKey.generate_key("Ed25519", {"kid": "op-3"}, private=True)
    digest = hashlib.sha512(b"at-1").digest()[:32]
    claims = claims_with(at_hash=base64.urlsafe_b64encode(digest).rstrip(b"=").decode())
    signer, header = PyJWS(), {"kid": "op-3"}
    token = signer.encode(json.dumps(claims).encode(), key.private_key, algorithm="EdDSA", headers=header)
    assert verify(token, key=key).subject == "pairwise-lan"


@pytest.mark.parametrize(
    ("reached", "asked", "is_enough"),
    [
        ("vn-2", "vn-1", True),
        ("vn-2", f"{ISSUER}/acr/vn-2", True),
        ("vn-1", "vn-2", False),
        ("vn-2", "phr", False),
        ("phr", "phr", True),
        ("gold", "vn-1", False),
    ],
)
def test_levels_are_ordered(reached: str, asked: str, *, is_enough: bool) -> None:
    assert satisfies(reached, asked, ISSUER) is is_enough


def test_without_a_nonce_of_our_own_no_nonce_passes() -> None:
    with pytest.raises(TokenError, match="nonce"):
        verify(sign(claims_with(), KEY), replace(EXPECTED, nonce=None))


def test_a_refreshed_token_may_lack_nonce_but_not_change_the_person() -> None:
    claims = claims_with()
    del claims["nonce"]
    header = Header("ES256", "op-1")
    same, other = replace(EXPECTED, subject="pairwise-lan"), replace(EXPECTED, subject="pairwise-minh")
    assert verify_refreshed(sign(claims, KEY), header, KEY, same)["sub"] == "pairwise-lan"
    with pytest.raises(TokenError, match="another person"):
        verify_refreshed(sign(claims, KEY), header, KEY, other)
