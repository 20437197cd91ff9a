"""PAR: pushed authorization requests."""

import secrets
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.columns import Column
from tests.support.dpop_proofs import ProofKey
from tests.support.party import ASSERTION_TYPE, Party
from tests.support.protocol_builders import RS256
from tests.support.provider import Person
from tests.support.refusals import assert_refused

OF_A_CLIENT = {"invalid_client", "invalid_request"}


@pytest.mark.item("PAR-01")
def test_par_01_a_pushed_request_is_answered_with_a_name_and_its_lifetime(
    party: Party, column: Column
) -> None:
    response = party.push()
    assert (response.status_code, response.headers["content-type"]) == (201, "application/json")
    assert response.json().keys() == {"request_uri", "expires_in"}
    assert 5 <= response.json()["expires_in"] < 600
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.item("PAR-02")
def test_par_02_a_request_uri_cannot_be_guessed(party: Party, column: Column) -> None:
    one, two = (party.push().json()["request_uri"].rpartition(":")[2] for _ in range(2))
    assert one != two
    assert len(one) * 6 >= 128  # base64url


@pytest.mark.item("PAR-03")
@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
def test_par_03_only_post_is_allowed(party: Party, column: Column, verb: str) -> None:
    response = party.back.request(verb, "/par")
    assert response.status_code == 405
    assert "POST" in response.headers["allow"]


@pytest.mark.item("PAR-04")
def test_par_04_request_uri_cannot_be_pushed(party: Party, column: Column) -> None:
    named = {"request_uri": "urn:ietf:params:oauth:request_uri:another"}
    response = party.post("/par", {"client_id": party.client_id, **party.pushed(), **named})
    assert_refused(response, "invalid_request", "invalid_request_object", "request_uri_not_supported")


@pytest.mark.item("PAR-05")
def test_par_05_without_a_challenge_the_request_is_refused(party: Party, column: Column) -> None:
    assert_refused(party.push(code_challenge=None, code_challenge_method=None), "invalid_request")


@pytest.mark.item("PAR-06")
def test_par_06_the_method_plain_is_refused(party: Party, column: Column) -> None:
    assert_refused(party.push(code_challenge="p" * 43, code_challenge_method="plain"), "invalid_request")
    assert_refused(party.push(code_challenge_method=None), "invalid_request")


@pytest.mark.item("PAR-07")
def test_par_07_an_unregistered_or_missing_redirect_uri_is_refused(party: Party, column: Column) -> None:
    assert_refused(party.push(redirect_uri="https://rp.example/elsewhere"), "invalid_request")
    assert_refused(party.push(redirect_uri=None), "invalid_request")


def with_assertion(party: Party, **changes: Any) -> httpx.Response:
    assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": party.assertion(**changes)}
    return party.post("/par", {"client_id": party.client_id, **party.pushed(), **assertion})


@pytest.mark.item("PAR-08")
def test_par_08_without_authentication_the_client_is_refused(party: Party, column: Column) -> None:
    without = {"x-client-certificate": None} if "tls" in column.method else {}
    form = {"client_id": party.client_id, **party.pushed()}
    assert_refused(party.post("/par", form, is_authenticated=False, headers=without), *OF_A_CLIENT)


@pytest.mark.item("PAR-08", columns=["assertion"])
@pytest.mark.parametrize("audience", ["list", "/par", "/token", "/"])
def test_par_08_an_assertion_for_anybody_but_the_issuer_is_refused(
    party: Party, column: Column, audience: str
) -> None:
    issuer = party.op.issuer
    assert_refused(
        with_assertion(party, aud=[issuer] if audience == "list" else issuer + audience), *OF_A_CLIENT
    )


@pytest.mark.item("PAR-09")
@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_par_09_an_assertion_from_the_future_is_refused_beyond_a_small_difference(
    party: Party, column: Column, claim: str
) -> None:
    now = party.op.now
    assert_refused(with_assertion(party, **{claim: now + 62}, exp=now + 122), *OF_A_CLIENT)
    assert with_assertion(party, **{claim: now + 8}).status_code == 201


@pytest.mark.item("PAR-09")
def test_par_09_an_assertion_that_expired_a_minute_ago_is_refused(party: Party, column: Column) -> None:
    now = party.op.now
    assert_refused(with_assertion(party, iat=now - 122, exp=now - 62), *OF_A_CLIENT)


@pytest.mark.item("PAR-10")
def test_par_10_dpop_jkt_must_be_that_of_the_proof(party: Party, column: Column) -> None:
    assert_refused(party.push(dpop_jkt=ProofKey().jkt), "invalid_request", "invalid_dpop_proof")
    assert party.push(dpop_jkt=party.proof_key.jkt).status_code == 201


@pytest.mark.item("PAR-11")
@pytest.mark.parametrize("how", ["proof", "dpop_jkt", "both"])
def test_par_11_what_is_pushed_binds_the_code(
    party: Party, browser: httpx.Client, person: Person, column: Column, how: str
) -> None:
    named = {} if how == "proof" else {"dpop_jkt": party.proof_key.jkt}
    form = {"client_id": party.client_id, **party.pushed(**named)}
    pushed = party.post("/par", form, is_proven=how != "dpop_jkt").json()
    front = {"client_id": party.client_id, "request_uri": pushed["request_uri"]}
    second = ProofKey()
    code = party.carried(browser, person, front).parameters["code"]
    assert_refused(party.redeem(code, key=second), "invalid_grant", "invalid_request", "invalid_dpop_proof")
    assert party.redeem(code).status_code == 200


@pytest.mark.item("PAR-12")
def test_par_12_parameters_that_are_not_signed_are_refused(party: Party, column: Column) -> None:
    assert_refused(party.post("/par", party.request()), "invalid_request")


def signed(party: Party, **changes: Any) -> httpx.Response:
    """Push a request object whose own members are changed."""
    return party.post("/par", {"request": party.request_object(party.request(), **changes)})


@pytest.mark.item("PAR-13")
@pytest.mark.parametrize(
    "about",
    [
        {"exp": None},
        {"nbf": None},
        {"exp": -10, "nbf": -300},
        {"nbf": 0, "exp": 3700},
        {"nbf": -3700, "exp": 200},
        {"aud": "https://other.example"},
    ],
    ids=["no exp", "no nbf", "expired", "exp beyond an hour", "nbf before an hour", "other audience"],
)
def test_par_13_a_request_at_the_wrong_time_or_for_others_is_refused(
    party: Party, column: Column, about: dict[str, Any]
) -> None:
    moments = {
        name: party.op.now + value if isinstance(value, int) else value for name, value in about.items()
    }
    assert_refused(signed(party, **moments), "invalid_request_object")


@pytest.mark.item("PAR-13")
@pytest.mark.parametrize("how", ["none", "RS256", "flipped"])
def test_par_13_a_badly_signed_request_is_refused(party: Party, column: Column, how: str) -> None:
    good = party.request_object(party.request())
    claims = jwt.decode(good, options={"verify_signature": False})
    header, payload, signature = good.split(".")
    bad = {
        "none": jwt.encode(claims, None, "none", {"kid": party.client_id}),
        "RS256": jwt.encode(claims, RS256, "RS256", {"kid": party.client_id}),
        "flipped": f"{header}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
    }
    assert_refused(party.post("/par", {"request": bad[how]}), "invalid_request_object")


@pytest.mark.item("PAR-14")
def test_par_14_a_request_that_another_signed_is_refused(party: Party, column: Column) -> None:
    claims = jwt.decode(party.request_object(party.request()), options={"verify_signature": False})
    foreign = party.sign(claims, key=ec.generate_private_key(ec.SECP256R1()))
    assert_refused(party.post("/par", {"request": foreign}), "invalid_request", "invalid_request_object")


@pytest.mark.item("PAR-15")
def test_par_15_a_request_uri_inside_is_refused(party: Party, column: Column) -> None:
    named = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(24)}"
    assert_refused(signed(party, request_uri=named), "invalid_request_object")


@pytest.mark.item("PAR-16")
def test_par_16_what_a_good_client_may_do_is_accepted(party: Party, column: Column) -> None:
    assert signed(party, aud=[party.op.issuer, "https://other.example"]).status_code == 201
    assert signed(party, nbf=party.op.now + 8).status_code == 201
    claims = jwt.decode(party.request_object(party.request()), options={"verify_signature": False})
    assert party.post("/par", {"request": party.sign(claims, typ="oauth-authz-req+jwt")}).status_code == 201


@pytest.mark.item("PAR-17")
def test_par_17_authorization_details_come_back_with_the_token(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = party.sign_in(browser, person, authorization_details=party.details())
    (detail,) = tokens["authorization_details"]
    assert (detail["type"], detail["handle"]) == ("account_link", "@lan")
    assert detail["link_id"]


@pytest.mark.item("PAR-18")
def test_par_18_errors_are_json_with_registered_members(party: Party, column: Column) -> None:
    assert_refused(party.push(response_type="nonsense"), "unsupported_response_type", "invalid_request")
