import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from keys.errors import SealedDataError, UnknownKeyError
from keys.key_pairs import from_pkcs8, make_private_key, public_jwk, public_key_of, thumbprint, to_pkcs8

VECTORS = Path(__file__).parents[1] / "vectors"


def test_the_thumbprint_is_that_of_rfc7638_3_1() -> None:
    vector = json.loads((VECTORS / "rfc7638_3_1.json").read_text(encoding="utf-8"))
    assert thumbprint(vector["jwk"]) == vector["thumbprint"]


@pytest.mark.parametrize(
    ("algorithm", "members"),
    [
        pytest.param("ES256", {"kty", "crv", "x", "y"}, id="RFC 7518 §6.2.1 EC"),
        pytest.param("RS256", {"kty", "n", "e"}, id="RFC 7518 §6.3.1 RSA"),
        pytest.param("EdDSA", {"kty", "crv", "x"}, id="RFC 8037 §2 OKP"),
    ],
)
def test_a_jwk_has_the_required_public_members_and_survives_the_way_to_disk(
    algorithm: str, members: set[str]
) -> None:
    private_key = make_private_key(algorithm)
    jwk = public_jwk(private_key)
    again = from_pkcs8(to_pkcs8(private_key))
    assert set(jwk) == members
    assert public_jwk(again) == jwk
    assert public_key_of(jwk, algorithm) == private_key.public_key()


def test_no_key_is_made_for_an_algorithm_that_has_none() -> None:
    with pytest.raises(UnknownKeyError, match="HS256"):
        make_private_key("HS256")


def test_a_jwk_with_a_private_member_is_not_taken_for_a_public_key() -> None:
    jwk = public_jwk(ec.derive_private_key(7, ec.SECP256R1())) | {
        "d": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAc"
    }
    with pytest.raises(SealedDataError):
        public_key_of(jwk, "ES256")
