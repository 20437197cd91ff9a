"""RFC 9449 §4.3: what is a proof of possession for this request, and what is none."""

import base64
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.dpop import (
    ALGORITHMS,
    CLOCK_SKEW,
    MAX_AGE,
    DPoPProof,
    access_token_hash,
    verify_proof,
)
from idp.protocol.embedded_key import thumbprint
from idp.protocol.errors import InvalidDPoPProofError, UseDPoPNonceError
from tests.support.dpop_proofs import ProofKey, parts_of, private_jwk
from tests.support.protocol_builders import JWKS, NOW, OTHER, public_jwk

URL = "https://idp.example/token"
KEY = ProofKey()
RSA = ProofKey("PS256")
TOKEN = "an-access-token"
SECOND = timedelta(seconds=1)


def verify(*headers: str, **options: Any) -> DPoPProof:
    expected: dict[str, Any] = {
        "method": "POST",
        "urls": (URL,),
        "access_token": None,
        "nonces": None,
        "now": NOW,
    }
    return verify_proof(headers, **(expected | options))


def proof(key: ProofKey = KEY, **changes: Any) -> str:
    method, url = changes.pop("method", "POST"), changes.pop("url", URL)
    return key.proof(method, url, **({"at": NOW} | changes))


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_proof_is_verified(algorithm: str) -> None:
    key = ProofKey(algorithm)
    verified = verify(proof(key, jti="once"))
    assert verified == DPoPProof(key.jkt, "once", NOW + MAX_AGE)


def test_rfc_9449_section_4_2_example() -> None:
    """Figure 2 of the RFC; its thumbprint is that of §6.1, figure 9."""
    example = (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa"
        "0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6Il"
        "AtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY2"
        "9tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FN"
        "yJK70nfbV37xRZT3Lg"
    )
    verified = verify(
        example, urls=("https://server.example.com/token",), now=datetime.fromtimestamp(1562262616, UTC)
    )
    assert verified.jkt == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    assert verified.jti == "-BwC3ESc6acc2lTc"


def test_rfc_9449_section_7_1_example_hashes_its_access_token() -> None:
    access_token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    assert access_token_hash(access_token) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


def test_rfc_7638_section_3_1_vector() -> None:
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"
        "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
        "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
        "kEgU8awapJzKnqDKgw"
    )
    jwk = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert thumbprint(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


HMAC_PROOF = jwt.encode(
    parts_of(proof())[1], "a-secret-of-32-bytes-0123456789abcd", "HS256", {"typ": "dpop+jwt", "jwk": KEY.jwk}
)
UNSIGNED_PROOF = jwt.encode(parts_of(proof())[1], None, "none", {"typ": "dpop+jwt", "jwk": KEY.jwk})
TWICE = KEY.sign(
    json.dumps({"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.jwk}).encode(),
    b'{"jti":"a","jti":"b","htm":"POST","htu":"' + URL.encode() + b'","iat":1}',
)


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(proof(header={"typ": None}), id="typ missing"),
        pytest.param(proof(header={"typ": "JWT"}), id="typ wrong"),
        pytest.param(proof(header={"typ": "at+jwt"}), id="typ of an access token"),
        pytest.param(proof(header={"typ": ["dpop+jwt"]}), id="typ a list"),
        pytest.param(proof(header={"alg": None}), id="alg missing"),
        pytest.param(proof(header={"alg": "none"}), id="alg none over a signature"),
        pytest.param(UNSIGNED_PROOF, id="unsigned"),
        pytest.param(HMAC_PROOF, id="a MAC"),
        pytest.param(proof(ProofKey("RS256")), id="RS256"),
        pytest.param(proof(RSA, header={"alg": "ES256"}), id="alg of another kind of key"),
        pytest.param(proof(header={"alg": "ES384"}), id="ES384"),
        pytest.param(proof(header={"jwk": None}), id="jwk missing"),
        pytest.param(proof(header={"jwk": "key"}), id="jwk a string"),
        pytest.param(proof(header={"jwk": [KEY.jwk]}), id="jwk a list"),
        pytest.param(proof(header={"jwk": {}}), id="jwk empty"),
        pytest.param(proof(header={"jwk": public_jwk(OTHER)}), id="jwk of another key: bad signature"),
        pytest.param(proof(header={"jwk": private_jwk(KEY.private_key)}), id="jwk private"),
        pytest.param(proof(header={"jwk": {"kty": "oct", "k": "AAAA"}}), id="jwk symmetric"),
        pytest.param(proof(header={"jwk": KEY.jwk | {"crv": "P-384"}}), id="jwk of another curve"),
        pytest.param(proof(header={"jwk": KEY.jwk | {"x": KEY.jwk["y"]}}), id="jwk no point of the curve"),
        pytest.param(proof(header={"jwk": KEY.jwk | {"use": "enc"}}), id="jwk for encryption"),
        pytest.param(proof(header={"jwk": KEY.jwk | {"alg": "ES512"}}), id="jwk for another algorithm"),
        pytest.param(proof(header={"jwk": JWKS}), id="jwk a key set"),
        pytest.param(proof(header={"crit": ["exp"]}), id="crit"),
        pytest.param(proof(header={"b64": True}), id="b64"),
        pytest.param(proof(header={"zip": "DEF"}), id="zip"),
        pytest.param(proof(jti=None), id="jti missing"),
        pytest.param(proof(jti=""), id="jti empty"),
        pytest.param(proof(jti=7), id="jti a number"),
        pytest.param(proof(jti="x" * 256), id="jti too long"),
        pytest.param(proof(htm=None), id="htm missing"),
        pytest.param(proof(htm="GET"), id="htm of another method"),
        pytest.param(proof(htm="post"), id="htm in lower case: methods have a case"),
        pytest.param(proof(htm=["POST"]), id="htm a list"),
        pytest.param(proof(htu=None), id="htu missing"),
        pytest.param(proof(htu=[URL]), id="htu a list"),
        pytest.param(proof(htu="https://idp.example/par"), id="htu of another endpoint"),
        pytest.param(proof(htu="https://idp.example/token/"), id="htu with a slash more"),
        pytest.param(proof(htu="https://idp.example/TOKEN"), id="htu with another path"),
        pytest.param(proof(htu="http://idp.example/token"), id="htu of another scheme"),
        pytest.param(proof(htu="https://idp.example:444/token"), id="htu of another port"),
        pytest.param(proof(htu="https://idp.example:80/token"), id="htu with the port of the other scheme"),
        pytest.param(proof(htu="https://attacker.example/token"), id="htu of another host"),
        pytest.param(proof(htu="https://idp.example@attacker.example/token"), id="htu with user information"),
        pytest.param(proof(htu="https://idp.example%2Ftoken"), id="htu with an escaped slash"),
        pytest.param(proof(htu="/token"), id="htu a path"),
        pytest.param(proof(htu=""), id="htu empty"),
        pytest.param(proof(iat=None), id="iat missing"),
        pytest.param(proof(iat=str(int(NOW.timestamp()))), id="iat a string"),
        pytest.param(proof(iat=True), id="iat a boolean"),
        pytest.param(proof(at=NOW - timedelta(hours=1)), id="iat an hour ago"),
        pytest.param(proof(at=NOW + timedelta(hours=1)), id="iat in an hour"),
        pytest.param(proof(at=NOW - MAX_AGE - SECOND), id="iat too old"),
        pytest.param(proof(at=NOW + CLOCK_SKEW + SECOND), id="iat too far ahead"),
        pytest.param(proof(iat=10**30), id="iat beyond all time"),
        pytest.param(proof(exp=1), id="exp long past"),
        pytest.param(proof(nbf=int(NOW.timestamp()) + 3600), id="nbf in an hour"),
        pytest.param(proof(exp="soon"), id="exp a string"),
        pytest.param(proof() + "=", id="padding"),
        pytest.param(proof() + "." + proof(), id="two in one"),
        pytest.param(f"{proof()}, {proof()}", id="two joined by a comma"),
        pytest.param(" " + proof(), id="a space in front"),
        pytest.param("", id="empty"),
        pytest.param("..", id="dots"),
        pytest.param("é.é.é", id="not ASCII"),
        pytest.param(proof(x="y" * 20_000), id="huge"),
        pytest.param(TWICE, id="a claim twice"),
    ],
)
def test_refused(refused: str) -> None:
    """UI-10, abuse class 23 (KC #38333)."""
    with pytest.raises(InvalidDPoPProofError):
        verify(refused)


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param(proof(at=NOW - 10 * SECOND), id="iat 10 s ago"),
        pytest.param(proof(at=NOW + 8 * SECOND), id="iat in 8 s"),
        pytest.param(proof(at=NOW - MAX_AGE), id="iat as old as may be"),
        pytest.param(proof(iat=NOW.timestamp() - 0.5), id="iat with a fraction"),
        pytest.param(proof(exp=int(NOW.timestamp()) + 60, nbf=int(NOW.timestamp()) - 1), id="exp and nbf"),
        pytest.param(proof(sub="x", extra={"a": [1]}, ath="whatever"), id="claims beyond those asked for"),
        pytest.param(proof(nonce="not-asked-for"), id="a nonce that nobody asked for"),
        pytest.param(
            proof(header={"kid": "x", "x5c": ["AAAA"], "jku": "https://a.example"}), id="more header"
        ),
        pytest.param(
            proof(header={"jwk": KEY.jwk | {"kid": "a", "use": "sig", "alg": "ES256"}}), id="more jwk"
        ),
        pytest.param(proof(header={"typ": "DPoP+JWT"}), id="typ in any case (RFC 7515 §4.1.9)"),
        pytest.param(proof(htu=URL + "?a=b"), id="htu with a query"),
        pytest.param(proof(htu=URL + "#x"), id="htu with a fragment"),
        pytest.param(proof(htu="HTTPS://IDP.Example/token"), id="htu with scheme and host in capitals"),
        pytest.param(proof(htu="https://idp.example:443/token"), id="htu with the default port"),
        pytest.param(proof(htu="https://idp.example/%74oke%6e"), id="htu with what needs no escape escaped"),
        pytest.param(proof(jti="x" * 255), id="jti as long as may be"),
    ],
)
def test_taken(taken: str) -> None:
    """TOK-17, UI-11, UI-12."""
    assert verify(taken).jkt == KEY.jkt


@pytest.mark.parametrize("count", [0, 2, 3])
def test_there_is_exactly_one_header(count: int) -> None:
    with pytest.raises(InvalidDPoPProofError, match="exactly one"):
        verify(*[proof()] * count)


def test_a_proof_signed_by_another_key_than_it_names_proves_nothing() -> None:
    stolen = proof(header={"jwk": public_jwk(OTHER)})
    with pytest.raises(InvalidDPoPProofError, match="signature"):
        verify(stolen)


def test_an_endpoint_may_have_several_addresses() -> None:
    mtls = "https://mtls.idp.example/token"
    assert verify(proof(url=mtls), urls={URL, mtls}).jkt == KEY.jkt
    assert verify(proof(url="https://mtls.idp.example:443/token"), urls={URL, mtls}).jkt == KEY.jkt
    with pytest.raises(InvalidDPoPProofError):
        verify(proof(htu=[URL]), urls={URL})


@pytest.mark.parametrize(
    "ath", [None, "", TOKEN, access_token_hash("another"), 7, [access_token_hash(TOKEN)]]
)
def test_a_proof_for_another_access_token_is_refused(ath: object) -> None:
    with pytest.raises(InvalidDPoPProofError, match="ath"):
        verify(proof(access_token=TOKEN, ath=ath), access_token=TOKEN)


def test_a_proof_names_its_access_token() -> None:
    assert verify(proof(access_token=TOKEN), access_token=TOKEN).jkt == KEY.jkt


def test_an_access_token_of_odd_characters_is_no_fault_of_ours() -> None:
    with pytest.raises(InvalidDPoPProofError, match="ath"):
        verify(proof(access_token=TOKEN), access_token="\udcff")


@pytest.mark.parametrize("nonce", [None, "", "stale", 7, ["fresh"], "FRESH"])
def test_without_a_fresh_nonce_the_answer_brings_one(nonce: object) -> None:
    """TOK-18, abuse class 23: nonce absent."""
    with pytest.raises(UseDPoPNonceError) as refused:
        verify(proof(nonce=nonce), nonces=("fresh", "older"))
    assert refused.value.headers["DPoP-Nonce"] == "fresh"


@pytest.mark.parametrize("nonce", ["fresh", "older"])
def test_every_nonce_that_still_holds_does(nonce: str) -> None:
    assert verify(proof(nonce=nonce), nonces=("fresh", "older")).jkt == KEY.jkt


def test_a_nonce_that_is_only_offered_may_be_left_out_and_not_be_wrong() -> None:
    assert verify(proof(), nonces=("fresh",), is_nonce_required=False).jkt == KEY.jkt
    with pytest.raises(UseDPoPNonceError):
        verify(proof(nonce="stale"), nonces=("fresh",), is_nonce_required=False)


def test_what_is_wrong_beside_the_nonce_is_told_first() -> None:
    """A client must not be sent for a nonce again and again when something else is wrong."""
    with pytest.raises(InvalidDPoPProofError):
        verify(proof(htm="GET"), nonces=("fresh",))


def test_the_jti_is_remembered_as_long_as_the_proof_could_be_used() -> None:
    ahead = verify(proof(at=NOW + CLOCK_SKEW))
    with pytest.raises(InvalidDPoPProofError):
        verify(proof(at=NOW + CLOCK_SKEW), now=ahead.expires_at + SECOND)


def test_a_proof_truncated_at_any_byte_is_refused() -> None:
    """Abuse class 28 (ZIT CVE-2026-27840)."""
    whole = proof()
    for length in range(len(whole)):
        with pytest.raises(InvalidDPoPProofError):
            verify(whole[:length])


@given(st.text(max_size=300))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(InvalidDPoPProofError):
        verify(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(["jti", "htm", "htu", "iat", "exp", "nbf", "ath", "nonce"]), value=JSON)
def test_no_signed_claim_raises_anything_but_a_registered_error(name: str, value: Any) -> None:
    claims = {"ath": access_token_hash(TOKEN), "nonce": "fresh", name: value}
    with contextlib.suppress(InvalidDPoPProofError, UseDPoPNonceError):
        assert verify(proof(**claims), access_token=TOKEN, nonces=("fresh",)).jkt == KEY.jkt


@given(name=st.sampled_from(["typ", "alg", "jwk", "kid", "crit", "x5c"]), value=JSON)
def test_no_signed_header_raises_anything_but_a_registered_error(name: str, value: Any) -> None:
    with contextlib.suppress(InvalidDPoPProofError):
        assert verify(proof(header={name: value})).jkt == KEY.jkt


@given(member=st.sampled_from(["kty", "crv", "x", "y", "kid", "use", "key_ops", "alg"]), value=JSON)
def test_no_key_in_a_header_raises_anything_but_a_registered_error(member: str, value: Any) -> None:
    with contextlib.suppress(InvalidDPoPProofError):
        assert verify(proof(header={"jwk": KEY.jwk | {member: value}})).jkt == KEY.jkt


def test_a_description_quotes_nothing_of_the_proof() -> None:
    secret = base64.urlsafe_b64encode(b"do not quote me").decode()
    for made in (proof(htm=secret), proof(htu=secret), proof(jti=[secret]), proof(header={"typ": secret})):
        with pytest.raises(InvalidDPoPProofError) as refused:
            verify(made)
        assert secret not in refused.value.description
