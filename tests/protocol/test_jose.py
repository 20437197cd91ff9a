import json
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.api_jws import PyJWS

from idp.protocol.jose import (
    MAX_KEYS,
    MAX_TOKEN_LENGTH,
    SIGNING_ALGORITHMS,
    JOSEError,
    PublicKey,
    UnknownKeyError,
    decode_base64url,
    media_type,
    parse_jwk_set,
    peek_claims,
    read_json_object,
    verify_jws,
)
from tests.support.protocol_builders import (
    ED25519,
    ES256,
    ES384,
    JWKS,
    OTHER,
    PRIVATE_KEYS,
    RS256,
    base64url,
    public_jwk,
    sign,
    sign_header,
    sign_raw,
)

KEYS = parse_jwk_set(JWKS)
CLAIMS: dict[str, Any] = {"sub": "a", "exp": 1_800_000_000, "iat": 1_700_000_000.5, "jti": "x"}
HEADER = b'{"alg":"ES256","kid":"ec"}'


def verify(token: str, keys: tuple[PublicKey, ...] = KEYS, **options: Any) -> dict[str, Any]:
    return dict(verify_jws(token, keys, **{"algorithms": SIGNING_ALGORITHMS, **options}).claims)


@pytest.mark.parametrize("algorithm", sorted(PRIVATE_KEYS))
def test_what_is_signed_verifies(algorithm: str) -> None:
    verified = verify_jws(sign(CLAIMS, algorithm), KEYS, algorithms=SIGNING_ALGORITHMS)
    assert verified.claims == CLAIMS
    assert verified.header["alg"] == algorithm


def test_es384_verifies_where_a_caller_allows_it() -> None:
    token = jwt.encode(CLAIMS, ES384, "ES384")
    keys = parse_jwk_set({"keys": [public_jwk(ES384)]})
    assert verify(token, keys, algorithms=frozenset({"ES384"})) == CLAIMS
    with pytest.raises(JOSEError):
        verify(token, keys)


def test_rfc_8037_appendix_a_4_vector() -> None:
    """The published Ed25519 signature verifies; its payload is no JSON, which is refused only afterwards."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    token = (
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )
    with pytest.raises(JOSEError, match="not JSON"):
        verify(token, parse_jwk_set({"keys": [jwk]}))
    with pytest.raises(JOSEError, match="signature"):
        verify(token.replace("RXhh", "RXhi"), parse_jwk_set({"keys": [jwk]}))


HMAC_WITH_PUBLIC_KEY = jwt.encode(CLAIMS, base64url(json.dumps(JWKS).encode()), "HS256", {"kid": "ec"})


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(
            jwt.encode(CLAIMS, None, "none", {"kid": "ec"}), id="RFC 8725 §2.1 alg none CVE-2026-28802"
        ),
        pytest.param(sign_header(alg="None"), id="RFC 8725 §2.1 alg None in capitals"),
        pytest.param(sign_header(alg=""), id="alg empty"),
        pytest.param(sign_header(alg=None), id="alg null"),
        pytest.param(sign_header(alg=["ES256"]), id="alg a list"),
        pytest.param(HMAC_WITH_PUBLIC_KEY, id="RFC 8725 §2.1 HMAC with the public key CVE-2024-37568"),
        pytest.param(sign_header(alg="RS256"), id="RFC 8725 §3.1 alg of another key type"),
        pytest.param(sign_header(crit=["exp"], exp=1), id="RFC 7515 §4.1.11 crit CVE-2025-59420"),
        pytest.param(sign_header(crit=[]), id="RFC 7515 §4.1.11 crit empty"),
        pytest.param(sign_header(b64=False, crit=["b64"]), id="RFC 7797 §3 unencoded payload"),
        pytest.param(sign_header(b64=True), id="RFC 7797 §3 b64 at all"),
        pytest.param(sign_header(zip="DEF"), id="RFC 8725 §3.6 zip CVE-2025-62706"),
        pytest.param(sign_header(kid=7), id="RFC 7515 §4.1.4 kid a number"),
        pytest.param(sign_raw(b'{"alg":"none","alg":"ES256","kid":"ec"}', b"{}"), id="RFC 7515 §4 alg twice"),
        pytest.param(sign_raw(HEADER, b'{"sub":"a","sub":"b"}'), id="RFC 7519 §4 claim twice"),
        pytest.param(sign_raw(HEADER, b'{"x":[{"a":1,"a" :2}]}'), id="RFC 7519 §4 inner member twice"),
        pytest.param(sign_raw(HEADER, b'["sub"]'), id="RFC 7519 §7.2 claims a list"),
        pytest.param(sign_raw(HEADER, b"null"), id="RFC 7519 §7.2 claims null"),
        pytest.param(sign_raw(HEADER, b""), id="RFC 7519 §7.2 claims empty"),
        pytest.param(sign_raw(HEADER, b'{"sub":"\xff"}'), id="RFC 8725 §3.7 claims not UTF-8"),
        pytest.param(sign_raw(HEADER, b'{"exp":NaN}'), id="RFC 8259 §6 NaN"),
        pytest.param(sign_raw(HEADER, b'{"exp":1e999}'), id="RFC 8259 §6 infinity"),
        pytest.param(sign_raw(HEADER, b'{"a":' * 5000 + b"1" + b"}" * 5000), id="nested without end"),
        pytest.param(sign_raw(HEADER, b'{"exp":true}'), id="RFC 7519 §2 exp a boolean"),
        pytest.param(sign_raw(HEADER, b'{"exp":"1800000000"}'), id="RFC 7519 §2 exp a string"),
        pytest.param(sign_raw(HEADER, b'{"exp":null}'), id="RFC 7519 §2 exp null"),
        pytest.param(sign_raw(HEADER, b'{"nbf":[1]}'), id="RFC 7519 §2 nbf a list"),
        pytest.param(sign_raw(HEADER, b'{"iat":{}}'), id="RFC 7519 §2 iat an object"),
        pytest.param(sign({"x": "y" * MAX_TOKEN_LENGTH}), id="RFC 8725 §3 oversize CVE-2025-61920"),
        pytest.param(sign(CLAIMS) + "=", id="RFC 7515 §2 padding"),
        pytest.param(sign(CLAIMS) + ".", id="RFC 7515 §3.1 four parts"),
        pytest.param(sign(CLAIMS).rpartition(".")[0], id="RFC 7515 §3.1 two parts"),
        pytest.param(sign(CLAIMS).rpartition(".")[0] + ".", id="RFC 7515 §5.2 signature empty"),
        pytest.param("", id="empty"),
        pytest.param("..", id="nothing but dots"),
        pytest.param("ệ.ệ.ệ", id="not ASCII"),
        pytest.param(json.dumps({"payload": "e30", "signatures": []}), id="RFC 7515 §7.2 JSON serialization"),
    ],
)
def test_refused(token: str) -> None:
    with pytest.raises(JOSEError):
        verify(token)


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"jwk": public_jwk(OTHER, "ec")}, id="embedded jwk header CVE-2026-27962"),
        pytest.param({"jku": "https://evil.example/jwks"}, id="jku header"),
        pytest.param({"x5u": "https://evil.example/x.pem"}, id="x5u header"),
        pytest.param({"x5c": ["AAAA"]}, id="x5c header"),
    ],
)
def test_a_key_that_the_token_brings_along_is_never_looked_at(members: dict[str, Any]) -> None:
    with pytest.raises(JOSEError, match="signature"):
        verify(jwt.encode(CLAIMS, OTHER, "ES256", {"kid": "ec", **members}))
    assert verify(sign(CLAIMS, headers=members)) == CLAIMS


@pytest.mark.parametrize("algorithm", sorted(PRIVATE_KEYS))
def test_a_token_truncated_at_any_byte_is_refused(algorithm: str) -> None:
    """ZIT CVE-2026-27840."""
    token = sign({"sub": "a"}, algorithm)
    for length in range(len(token)):
        with pytest.raises(JOSEError):
            verify(token[:length])
        with pytest.raises(JOSEError):
            verify(token[:length] + token[length + 1 :])


def test_the_last_character_has_one_spelling() -> None:
    """RFC 4648 §3.5: unused bits are zero, or one signature would have four spellings."""
    token = sign(CLAIMS)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = 0
    for character in alphabet:
        try:
            verify(token[:-1] + character)
        except JOSEError:
            continue
        accepted += 1
    assert accepted == 1


class TestKid:
    def test_unknown_is_told_apart_so_that_the_keys_are_fetched_again(self) -> None:
        with pytest.raises(UnknownKeyError):
            verify(sign(CLAIMS, headers={"kid": "new"}))

    def test_may_be_absent_when_one_key_fits(self) -> None:
        assert verify(jwt.encode(CLAIMS, ES256, "ES256")) == CLAIMS

    def test_absent_with_two_keys_that_fit_is_refused(self) -> None:
        keys = parse_jwk_set({"keys": [public_jwk(ES256, "a"), public_jwk(OTHER, "b")]})
        with pytest.raises(JOSEError, match="exactly one"):
            verify(jwt.encode(CLAIMS, ES256, "ES256"), keys)

    def test_of_another_key_type_is_refused(self) -> None:
        with pytest.raises(JOSEError, match="not for this algorithm"):
            verify(jwt.encode(CLAIMS, ES256, "ES256", {"kid": "rsa"}))


def test_algorithms_are_the_callers() -> None:
    with pytest.raises(JOSEError, match="algorithm"):
        verify(sign(CLAIMS, "RS256"), algorithms=frozenset({"ES256"}))


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_typ_is_compared_without_case_and_prefix(typ: str) -> None:
    """RFC 7515 §4.1.9."""
    assert verify(sign(CLAIMS, headers={"typ": typ}), typ="at+jwt") == CLAIMS


@pytest.mark.parametrize("typ", ["JWT", "", None, 1, "dpop+jwt"])
def test_another_typ_is_refused(typ: object) -> None:
    """RFC 8725 §3.11: an ID token is no access token."""
    with pytest.raises(JOSEError, match="type"):
        verify(sign_header(typ=typ), typ="at+jwt")
    assert media_type({}) is None


@pytest.mark.parametrize("claims", [{}, {"sub": None}])
def test_a_required_claim_that_is_missing_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(JOSEError, match="sub is missing"):
        verify(sign_raw(HEADER, json.dumps(claims).encode()), required=("sub",))


def test_peeking_reads_what_is_not_yet_verified() -> None:
    assert peek_claims(jwt.encode(CLAIMS, OTHER, "ES256")) == CLAIMS


EC, RSA, ED = public_jwk(ES256), public_jwk(RS256), public_jwk(ED25519)
WEAK = public_jwk(rsa.generate_private_key(65537, 1024))


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(None, id="RFC 7517 §5.1 no keys"),
        pytest.param("x", id="RFC 7517 §5.1 keys a string"),
        pytest.param([], id="empty set"),
        pytest.param(["x"], id="key a string"),
        pytest.param([{**EC, "kid": str(n)} for n in range(MAX_KEYS + 1)], id="too many keys"),
        pytest.param([{**EC, "d": "AAAA"}], id="RFC 7518 §6.2.2 private EC key"),
        pytest.param([EC, {**RSA, "p": "AAAA"}], id="RFC 7518 §6.3.2 private RSA key"),
        pytest.param([{"kty": "oct", "k": "AAAA"}], id="RFC 7518 §6.4 symmetric key"),
        pytest.param([{**EC, "use": "enc"}], id="RFC 7517 §4.2 only for encryption"),
        pytest.param([{**EC, "key_ops": ["sign"]}], id="RFC 7517 §4.3 not for verifying"),
        pytest.param([{**EC, "key_ops": "verify"}], id="RFC 7517 §4.3 key_ops a string"),
        pytest.param([{**EC, "kid": 1}], id="RFC 7517 §4.5 kid a number"),
        pytest.param([{**EC, "kid": "k" * 256}], id="kid too long"),
        pytest.param([{**EC, "kid": "a"}, {**public_jwk(OTHER), "kid": "a"}], id="RFC 7517 §4.5 kid twice"),
        pytest.param([WEAK], id="RFC 7518 §3.3 RSA key under 2048 bits"),
        pytest.param([{**RSA, "e": "AQ"}], id="RSA exponent one"),
        pytest.param([{**RSA, "e": RSA["n"]}], id="RSA exponent huge"),
        pytest.param([{**RSA, "n": "A" * 2049}], id="RSA modulus huge"),
        pytest.param([{**RSA, "n": 5}], id="RSA modulus a number"),
        pytest.param([{**RSA, "alg": "HS256"}], id="RFC 8725 §3.1 alg of another type"),
        pytest.param([{**RSA, "alg": ["RS256"]}], id="alg a list"),
        pytest.param([{**EC, "x": ED["x"]}], id="RFC 7518 §6.2.1 point off the curve"),
        pytest.param([{**EC, "x": "AA"}], id="RFC 7518 §6.2.1.2 coordinate short"),
        pytest.param([{**EC, "x": "é" * 43}], id="coordinate not ASCII"),
        pytest.param([{**EC, "crv": "secp256k1"}], id="curve not ours"),
        pytest.param([{**EC, "crv": "P-384"}], id="curve exchanged"),
        pytest.param([{**ED, "x": "AAAA"}], id="RFC 8037 §2 Ed25519 key short"),
        pytest.param([{"kty": "XYZ"}], id="RFC 7517 §5 only unknown types"),
    ],
)
def test_a_key_set_is_refused(keys: object) -> None:
    with pytest.raises(JOSEError):
        parse_jwk_set({"keys": keys})


def test_keys_for_other_uses_are_passed_over() -> None:
    """RFC 7517 §5."""
    keys = parse_jwk_set(
        {"keys": [{"kty": "XYZ"}, {**EC, "use": "enc"}, {**RSA, "alg": "PS256", "use": "sig"}]}
    )
    assert [key.algorithms for key in keys] == [{"PS256"}]


@pytest.mark.parametrize(
    "text", [b"", b"A", b"AB", b"AAB", b"A=", b"AA==", b"A+A", b"A/AA", b"AA\nA", b" AAA"]
)
def test_base64url_has_one_spelling(text: bytes) -> None:
    if text == b"":
        assert decode_base64url(text) == b""
    else:
        with pytest.raises(JOSEError):
            decode_base64url(text)


@given(st.binary(max_size=64))
def test_base64url_round_trip(value: bytes) -> None:
    assert decode_base64url(base64url(value).encode()) == value


@given(st.binary(max_size=24))
def test_base64url_same_verdict_as_stock_pyjwt(segment: bytes) -> None:
    """PyJWT alone also takes trailing padding; ours never does."""
    try:
        expected: bytes | None = PyJWS._decode_base64url_segment(segment, "segment")
    except jwt.DecodeError:
        expected = None
    if segment.endswith(b"="):
        expected = None
    try:
        ours: bytes | None = decode_base64url(segment)
    except JOSEError:
        ours = None
    assert ours == expected


TOKEN = {algorithm: sign({"sub": "a", "exp": 1}, algorithm) for algorithm in sorted(PRIVATE_KEYS)}
BASE64URL = st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= ")


@given(st.sampled_from(sorted(PRIVATE_KEYS)), st.integers(min_value=0, max_value=400), BASE64URL)
def test_a_changed_token_gets_the_same_verdict_as_from_stock_pyjwt(
    algorithm: str, position: int, character: str
) -> None:
    token = TOKEN[algorithm]
    position %= len(token)
    changed = token[:position] + character + token[position + 1 :]
    if changed.endswith("="):
        changed = changed[:-1] + "A"
    stock: object
    try:
        stock = jwt.decode(
            changed,
            PRIVATE_KEYS[algorithm].public_key(),
            sorted(SIGNING_ALGORITHMS),
            {"verify_exp": False},
        )
    except jwt.InvalidTokenError:
        stock = None
    try:
        ours: object = verify(changed)
    except JOSEError:
        ours = None
    assert ours == stock


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
def test_no_token_raises_anything_else(token: str) -> None:
    with pytest.raises(JOSEError):
        verify(token)


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "x5c"]), JSON | st.just("ES256")),
    JSON,
)
def test_no_signed_content_raises_anything_else(header: dict[str, Any], claims: object) -> None:
    token = sign_raw(json.dumps({"alg": "ES256", **header}).encode(), json.dumps(claims).encode())
    try:
        verify(token, typ="jwt", required=("sub",))
    except JOSEError:
        return


@given(
    st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "use", "key_ops", "alg"]), JSON)
)
def test_no_key_raises_anything_else(changes: dict[str, Any]) -> None:
    for jwk in (EC, RSA, ED):
        try:
            parse_jwk_set({"keys": [{**jwk, **changes}]})
        except JOSEError:
            continue


@given(st.binary(max_size=64) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_text_raises_anything_else(text: bytes) -> None:
    try:
        value = read_json_object(text)
    except JOSEError:
        return
    assert value == orjson.loads(text)


def test_the_signature_of_a_p_256_key_is_64_octets() -> None:
    """RFC 7518 §3.4: the DER form that other programs write is refused."""
    signing_input = sign(CLAIMS).rpartition(".")[0]
    from_der = ES256.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(JOSEError):
        verify(f"{signing_input}.{base64url(from_der)}")
