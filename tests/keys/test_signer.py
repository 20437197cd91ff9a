from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import jwt
import pytest
from joserfc import jwk as joserfc_jwk
from joserfc import jws as joserfc_jws

from keys import Custody, UnknownKeyError

ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA"]
CLAIMS = {"iss": "https://id.example", "sub": "abc", "exp": 4102444800, "name": "Y Moan (giả lập)"}


@pytest.fixture
def full(full_directory: Path, now: datetime) -> Custody:
    return Custody.open(full_directory, None, now)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_signed_verifies_with_the_published_key_set(full: Custody, algorithm: str) -> None:
    token = full.signing.signer(algorithm).sign(CLAIMS, typ="JWT")
    header = jwt.get_unverified_header(token)
    published = jwt.PyJWKSet.from_dict(full.signing.public_jwks())[header["kid"]]
    assert header == {"alg": algorithm, "kid": header["kid"], "typ": "JWT"}
    assert jwt.decode(token, published, algorithms=[algorithm]) == CLAIMS


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_implementation_verifies_it_too(full: Custody, algorithm: str) -> None:
    token = full.signing.signer(algorithm).sign(CLAIMS, typ="at+jwt")
    key_set = joserfc_jwk.KeySet.import_key_set(full.signing.public_jwks())
    verified = joserfc_jws.deserialize_compact(token, key_set, algorithms=[algorithm])
    assert verified.headers()["typ"] == "at+jwt"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_verification_key_names_the_one_algorithm_it_is_for(full: Custody, algorithm: str) -> None:
    signer = full.signing.signer(algorithm)
    key = full.signing.verification_key(signer.kid)
    assert key is not None
    assert (key.kid, key.algorithm) == (signer.kid, algorithm)
    assert jwt.decode(signer.sign(CLAIMS, typ="JWT"), key.public_key, algorithms=[key.algorithm]) == CLAIMS


def test_any_mapping_is_signed_and_a_datetime_is_refused(full: Custody, now: datetime) -> None:
    signer = full.signing.signer("ES256")
    assert signer.sign(MappingProxyType(CLAIMS), typ="JWT").count(".") == 2
    with pytest.raises(TypeError):
        signer.sign({"exp": now}, typ="JWT")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES512", ""])
def test_there_is_no_signer_for_another_algorithm(full: Custody, algorithm: str) -> None:
    with pytest.raises(UnknownKeyError, match="no key that signs"):
        full.signing.signer(algorithm)


def test_a_signer_shows_its_kid_and_nothing_of_its_key(full: Custody) -> None:
    signer = full.signing.signer("ES256")
    assert repr(signer) == f"Signer(kid='{signer.kid}', algorithm='ES256')"
