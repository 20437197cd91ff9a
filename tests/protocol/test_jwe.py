"""Encryption to a client. RFC 7516; RFC 7518 §4, §5; OpenID Connect Core §10.2."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from idp.protocol.jose import MAX_KEYS, JOSEError, parse_jwk_set, read_public_key
from idp.protocol.jwe import (
    CONTENT_ENCRYPTION_ALGORITHMS,
    KEY_MANAGEMENT_ALGORITHMS,
    encrypt,
    find_encryption_key,
)
from tests.support.protocol_builders import ED25519, ES256, ES384, JWKS, RS256, public_jwk

EC, RSA = {**public_jwk(ES256, "e"), "use": "enc"}, {**public_jwk(RS256, "r"), "use": "enc"}
PRIVATE: dict[str, Any] = {"ECDH-ES": ECKey.import_key(ES256), "RSA-OAEP-256": RSAKey.import_key(RS256)}
ALGORITHMS = [*KEY_MANAGEMENT_ALGORITHMS, *CONTENT_ENCRYPTION_ALGORITHMS]


def found(algorithm: str, *keys: Any) -> str | None:
    key = find_encryption_key({"keys": list(keys)}, algorithm)
    return None if key is None else key.kid


@pytest.mark.parametrize("encryption", CONTENT_ENCRYPTION_ALGORITHMS)
@pytest.mark.parametrize("algorithm", KEY_MANAGEMENT_ALGORITHMS)
def test_the_client_decrypts_and_finds_its_key_by_kid(algorithm: str, encryption: str) -> None:
    """IDT-07."""
    key = find_encryption_key({"keys": [EC, RSA]}, algorithm)
    assert key is not None
    token = encrypt("a.signed.token", key, encryption, is_nested=True)
    opened = jwe.decrypt_compact(token, PRIVATE[algorithm], ALGORITHMS)
    assert opened.plaintext == b"a.signed.token"
    header = opened.headers()
    assert (header["alg"], header["enc"], header["cty"]) == (algorithm, encryption, "JWT")
    assert header["kid"] == key.kid


def test_bare_claims_are_not_nested_and_a_key_without_name_stays_so() -> None:
    key = find_encryption_key({"keys": [public_jwk(ES256)]}, "ECDH-ES")
    assert key is not None
    opened = jwe.decrypt_compact(encrypt(b"{}", key, "A256GCM", is_nested=False), PRIVATE["ECDH-ES"])
    assert not {"cty", "kid"} & opened.headers().keys()


def test_every_message_has_its_own_key_and_nonce() -> None:
    key = find_encryption_key({"keys": [RSA]}, "RSA-OAEP-256")
    assert key is not None
    first, second = (encrypt("x" * 64, key, "A256GCM", is_nested=True).split(".") for _ in range(2))
    assert all(a != b for a, b in zip(first[1:], second[1:], strict=True))


def test_the_first_key_for_encryption_goes_before_one_that_says_nothing() -> None:
    unnamed = public_jwk(ES384, "says nothing")
    assert found("ECDH-ES", unnamed, EC) == "e"
    assert found("ECDH-ES", unnamed) == "says nothing"


@pytest.mark.parametrize(
    "jwk",
    [
        pytest.param({**EC, "use": "sig"}, id="RFC 7517 §4.2 for signatures"),
        pytest.param({**EC, "use": None}, id="use null"),
        pytest.param({**EC, "key_ops": ["verify"]}, id="RFC 7517 §4.3 not for encryption"),
        pytest.param({**EC, "key_ops": "deriveKey"}, id="key_ops a string"),
        pytest.param({**EC, "key_ops": [["deriveKey"]]}, id="key_ops a list of lists"),
        pytest.param({**EC, "alg": "ECDH-ES+A256KW"}, id="RFC 7517 §4.4 for another algorithm"),
        pytest.param({**EC, "d": "AAAA"}, id="RFC 7518 §6.2.2 private"),
        pytest.param({**EC, "kid": 1}, id="kid a number"),
        pytest.param({**EC, "x": "AAAA"}, id="RFC 7518 §6.2.1.2 coordinate short"),
        pytest.param({**EC, "crv": "P-521"}, id="curve not ours"),
        pytest.param(RSA, id="of another type"),
        pytest.param(public_jwk(ED25519, "x"), id="RFC 8037 §3.1 Ed25519 only signs"),
        pytest.param("x", id="no object"),
    ],
)
def test_a_key_that_does_not_do_is_passed_over(jwk: Any) -> None:
    assert found("ECDH-ES", jwk) is None
    assert found("ECDH-ES", jwk, {**EC, "kid": "good"}) == "good"


@pytest.mark.parametrize("keys", [None, "x", [EC] * (MAX_KEYS + 1)], ids=["none", "string", "too many"])
def test_no_set_no_key(keys: object) -> None:
    assert find_encryption_key({"keys": keys}, "ECDH-ES") is None


def test_keys_for_encryption_verify_nothing() -> None:
    """RFC 7517 §4.2: the readers of signatures pass over them, as before."""
    assert len(parse_jwk_set({"keys": [*JWKS["keys"], EC, RSA]})) == len(parse_jwk_set(JWKS))
    with pytest.raises(JOSEError):
        parse_jwk_set({"keys": [EC, RSA]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "use", "key_ops", "alg"])


@given(st.dictionaries(NAMES, JSON), st.sampled_from(KEY_MANAGEMENT_ALGORITHMS))
def test_no_key_raises_anything(changes: dict[str, Any], algorithm: str) -> None:
    for jwk in (EC, RSA):
        key = find_encryption_key({"keys": [json.loads(json.dumps({**jwk, **changes}))]}, algorithm)
        assert key is None or encrypt("x", key, "A256GCM", is_nested=True).count(".") == 4


def test_a_public_key_is_read_strictly() -> None:
    assert read_public_key({"kty": "XYZ"}) is None
    with pytest.raises(JOSEError):
        read_public_key({**EC, "y": EC["x"]})
