"""IDT and JWKS: what is signed, with what, and what stands in it."""

import base64
import hashlib
import json
from typing import Any

import httpx
import jwt
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from tests.support.columns import Column
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.served_here import ServedHere

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
ABOUT_THE_SIGN_IN = {
    *{"iss", "sub", "aud", "exp", "iat", "nonce", "at_hash"},
    *{"auth_time", "acr", "amr", "sid"},
}
FIVE_MINUTES = 300
YEARS_50 = 50 * 365 * 86400


def keys_of(op: ServedHere) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = op.browser().get("/jwks").json()["keys"]
    return keys


@pytest.mark.item("JWKS-01")
def test_jwks_01_the_key_set_is_well_formed(op: ServedHere, column: Column) -> None:
    response = op.browser().get("/jwks")
    assert response.status_code == 200
    assert response.headers["content-type"] in {"application/json", "application/jwk-set+json"}
    assert response.json().keys() == {"keys"}
    assert jwt.PyJWKSet.from_dict(response.json()).keys


@pytest.mark.item("JWKS-02")
def test_jwks_02_only_public_members_of_asymmetric_keys(op: ServedHere, column: Column) -> None:
    assert all(not key.keys() & PRIVATE for key in keys_of(op))
    assert {key["kty"] for key in keys_of(op)} <= {"RSA", "EC", "OKP"}


@pytest.mark.item("JWKS-03")
def test_jwks_03_every_key_has_its_own_id_and_tokens_name_one(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    ids = [key["kid"] for key in keys_of(party.op)]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    token = party.sign_in(browser, person)["id_token"]
    assert jwt.get_unverified_header(token)["kid"] in ids


@pytest.mark.item("JWKS-04")
def test_jwks_04_keys_are_large_enough(op: ServedHere, column: Column) -> None:
    for key in keys_of(op):
        if key["kty"] == "RSA":
            assert len(base64.urlsafe_b64decode(key["n"] + "==")) >= 256
        else:
            assert key["crv"] in {"P-256", "P-384", "Ed25519"}


@pytest.mark.item("JWKS-05")
def test_jwks_05_a_rotation_brings_a_new_key_and_keeps_the_former(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    custody = party.op.provider.context.custody
    before = party.sign_in(browser, person)["id_token"]
    former = {key["kid"] for key in keys_of(party.op)}
    party.op.run(in_loop(lambda: custody.signing.rotate(party.op.clock.now)))
    party.op.run(in_loop(party.op.provider.context.published.renew))
    after = party.sign_in(browser, person)["id_token"]
    kids = [jwt.get_unverified_header(token)["kid"] for token in (before, after)]
    assert kids[0] != kids[1]
    published = {key["kid"] for key in keys_of(party.op)}
    assert former <= published
    assert published - former
    assert party.verified(before, column.algorithm)["sub"] == party.verified(after, column.algorithm)["sub"]


async def in_loop(work: Any) -> Any:
    return work()


@pytest.mark.item("JWKS-06")
def test_jwks_06_what_is_signed_verifies_with_what_is_published(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column
) -> None:
    party = Party.registered(op, column, userinfo_signed_response_alg=column.algorithm)
    tokens = party.sign_in(browser, person)
    claims = party.id_token(tokens)
    told = party.verified(party.use(tokens["access_token"]).text, column.algorithm)
    assert told["sub"] == claims["sub"]


@pytest.mark.item("IDT-01")
def test_idt_01_who_for_whom_and_when(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    claims = party.id_token(party.sign_in(browser, person, nonce="n-0S6_WzA2Mj"))
    assert (claims["iss"], claims["aud"]) == (party.op.issuer, party.client_id)
    assert 0 < len(claims["sub"]) <= 255
    assert claims["sub"].isascii()
    assert abs(claims["iat"] - party.op.now) <= FIVE_MINUTES
    assert claims["nonce"] == "n-0S6_WzA2Mj"


@pytest.mark.item("IDT-02")
@pytest.mark.parametrize(
    "asked", [{"max_age": "600"}, {"claims": '{"id_token": {"auth_time": {"essential": true}}}'}]
)
def test_idt_02_it_ends_and_tells_when_the_person_signed_in(
    party: Party, browser: httpx.Client, person: Person, column: Column, asked: dict[str, str]
) -> None:
    claims = party.id_token(party.sign_in(browser, person, **asked))
    assert claims["iat"] < claims["exp"] < claims["iat"] + YEARS_50
    assert claims["auth_time"] <= claims["iat"]


@pytest.mark.item("IDT-03")
def test_idt_03_the_algorithm_is_the_registered_one(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column
) -> None:
    for registered in (None, "PS256", "ES256"):
        party = Party.registered(op, column, id_token_signed_response_alg=registered)
        header = jwt.get_unverified_header(party.sign_in(browser, person)["id_token"])
        default = "RS256" if column.algorithm == "RS256" else "ES256"
        assert header["alg"] == (registered or default)


@pytest.mark.item("IDT-04")
def test_idt_04_acr_is_a_string_and_an_essential_one_holds(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    assert isinstance(party.id_token(party.sign_in(browser, person))["acr"], str)
    wanted = f"{party.op.issuer}/acr/vn-2"
    claims = {"id_token": {"acr": {"essential": True, "values": [wanted]}}}
    assert party.id_token(party.sign_in(browser, person, claims=json.dumps(claims)))["acr"] == wanted


@pytest.mark.item("IDT-04")
def test_idt_04_an_essential_acr_that_nobody_can_reach_fails(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    claims = {"id_token": {"acr": {"essential": True, "value": f"{party.op.issuer}/acr/vn-4"}}}
    answer = party.answer(browser, person, claims=json.dumps(claims))
    assert answer.parameters["error"] == "unmet_authentication_requirements"


@pytest.mark.item("IDT-05")
def test_idt_05_at_hash_is_that_of_the_access_token(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = party.sign_in(browser, person)
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert party.id_token(tokens)["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.mark.item("IDT-06")
def test_idt_06_nothing_is_told_that_nobody_asked_for(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    claims = party.id_token(party.sign_in(browser, person, scope="openid profile email phone address"))
    about_the_sign_in = {
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "sid",
        "at_hash",
    }
    assert sorted(claims.keys() - about_the_sign_in) == []


@pytest.mark.item("IDT-07")
def test_idt_07_an_encrypted_token_names_its_key(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column
) -> None:
    key = ECKey.generate_key("P-256", {"use": "enc", "alg": "ECDH-ES", "kid": "enc-1"})
    registered = {
        "jwks": {"keys": [key.as_dict(private=False)]},
        "id_token_encrypted_response_alg": "ECDH-ES",
        "id_token_encrypted_response_enc": "A256GCM",
    }
    party = Party.registered(op, column, **registered)
    sealed = party.sign_in(browser, person)["id_token"]
    header = json.loads(base64.urlsafe_b64decode(sealed.partition(".")[0] + "=="))
    assert (header["kid"], header["alg"], header["enc"]) == ("enc-1", "ECDH-ES", "A256GCM")
    opened = jwe.decrypt_compact(sealed, key, algorithms=["ECDH-ES", "A256GCM"]).plaintext
    assert opened is not None
    assert party.verified(opened.decode(), column.algorithm)["sub"]
