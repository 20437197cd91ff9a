"""CIBA-01 to CIBA-12, CIBA-21: the request for a person who is elsewhere."""

import re
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.asking import PATH, approved, ask, asked, began, collect, decide
from tests.support.columns import Column
from tests.support.party import ASSERTION_TYPE, Party
from tests.support.protocol_builders import RS256
from tests.support.provider import Person
from tests.support.refusals import assert_refused
from tests.support.served_here import ServedHere

HOUR = 3600


@pytest.fixture
def person(op: ServedHere) -> Person:
    return op.add_person()


@pytest.fixture
def browser(op: ServedHere) -> httpx.Client:
    return op.browser()


@pytest.mark.item("CIBA-01")
def test_ciba_01_a_signed_request_is_answered_with_its_id_and_how_long_to_wait(
    party: Party, person: Person, column: Column
) -> None:
    response = ask(party, person)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json().keys() == {"auth_req_id", "expires_in", "interval"}
    assert response.json()["expires_in"] > 0
    assert response.json()["interval"] >= 0


@pytest.mark.item("CIBA-02")
def test_ciba_02_the_id_cannot_be_guessed_and_is_plain(party: Party, person: Person, column: Column) -> None:
    one, two = (began(party, person) for _ in range(2))
    assert one != two
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{27,}", each) for each in (one, two))


@pytest.mark.item("CIBA-03")
@pytest.mark.parametrize("member", ["iss", "aud", "iat", "exp", "nbf", "jti"])
def test_ciba_03_a_request_that_does_not_say_what_it_is_is_refused(
    party: Party, person: Person, column: Column, member: str
) -> None:
    assert_refused(ask(party, person, **{member: None}), "invalid_request")


@pytest.mark.item("CIBA-04")
@pytest.mark.parametrize(
    "moments",
    [
        {"exp": -10, "nbf": -100},
        {"exp": 70 * 60},
        {"nbf": 10 * 60, "exp": 15 * 60},
        {"nbf": -70 * 60, "exp": 60},
    ],
    ids=["expired", "exp in 70 minutes", "nbf in 10 minutes", "nbf 70 minutes ago"],
)
def test_ciba_04_a_request_at_the_wrong_time_is_refused(
    party: Party, person: Person, column: Column, moments: dict[str, int]
) -> None:
    changes = {name: party.op.now + seconds for name, seconds in moments.items()}
    assert_refused(ask(party, person, **changes), "invalid_request")


@pytest.mark.item("CIBA-04")
def test_ciba_04_a_request_for_or_from_others_is_refused(
    party: Party, person: Person, column: Column
) -> None:
    assert_refused(ask(party, person, aud="https://other.example"), "invalid_request")
    assert_refused(ask(party, person, iss="another"), "invalid_request", "invalid_client")


@pytest.mark.item("CIBA-05")
@pytest.mark.parametrize("how", ["none", "RS256", "tampered", "foreign key"])
def test_ciba_05_a_badly_signed_request_is_refused(
    party: Party, person: Person, column: Column, how: str
) -> None:
    claims = asked(party, person)
    header, _, signature = party.sign(claims).split(".")
    payload = party.sign(claims | {"scope": "openid profile"}).split(".")[1]
    bad = {
        "none": jwt.encode(claims, None, "none", {"kid": party.client_id}),
        "RS256": jwt.encode(claims, RS256, "RS256", {"kid": party.client_id}),
        "tampered": f"{header}.{payload}.{signature}",
        "foreign key": party.sign(claims, key=ec.generate_private_key(ec.SECP256R1())),
    }
    assert_refused(party.post(PATH, {"request": bad[how]}), "invalid_request")


@pytest.mark.item("CIBA-06")
def test_ciba_06_unsigned_parameters_and_two_hints_are_refused(
    party: Party, person: Person, column: Column
) -> None:
    unsigned = {"scope": "openid", "login_hint": person.personal_number}
    assert_refused(party.post(PATH, unsigned), "invalid_request")
    assert_refused(ask(party, person, login_hint_token="a.b.c"), "invalid_request")
    assert_refused(ask(party, person, login_hint=None), "invalid_request")


@pytest.mark.item("CIBA-07")
def test_ciba_07_a_client_that_does_not_authenticate_well_is_refused(
    party: Party, person: Person, column: Column
) -> None:
    request = {"client_id": party.client_id, "request": party.sign(asked(party, person))}
    assert_refused(party.post(PATH, request, is_authenticated=False), "invalid_client")
    weak = party.assertion(algorithm="RS256", key=RS256)
    signed = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": weak}
    assert_refused(party.post(PATH, request | signed), "invalid_client")


@pytest.mark.item("CIBA-08")
@pytest.mark.parametrize("path", ["", "/token", PATH])
def test_ciba_08_an_assertion_may_name_issuer_token_endpoint_or_this_endpoint(
    party: Party, person: Person, column: Column, path: str
) -> None:
    assertion = party.assertion(aud=party.op.issuer + path)
    form = {
        "request": party.sign(asked(party, person)),
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    response = party.post(PATH, form)
    assert response.status_code == 200, response.text


@pytest.mark.item("CIBA-09")
def test_ciba_09_who_is_not_the_client_of_the_request_is_refused(
    party: Party, other_party: Party, person: Person, column: Column
) -> None:
    theirs = {"request": other_party.sign(asked(other_party, person))}
    response = party.post(PATH, theirs)
    assert_refused(response, "invalid_client")
    assert response.status_code == 401
    assert_refused(party.post(PATH, theirs | {"client_id": other_party.client_id}), "invalid_client")


@pytest.mark.item("CIBA-09")
def test_ciba_09_a_certificate_of_another_client_is_refused(
    op: ServedHere, column: Column, person: Person
) -> None:
    by_certificate = {"token_endpoint_auth_method": "self_signed_tls_client_auth"}
    party, other = (Party.registered(op, column, **by_certificate) for _ in range(2))
    assert ask(party, person).status_code == 200
    party.certificate = other.certificate
    assert_refused(ask(party, person), "invalid_client")


@pytest.mark.item("CIBA-10")
@pytest.mark.parametrize("expiry", [120, "120"], ids=["number", "text"])
def test_ciba_10_requested_expiry_may_be_a_number_or_a_string(
    party: Party, person: Person, column: Column, expiry: Any
) -> None:
    assert ask(party, person, requested_expiry=expiry).json()["expires_in"] == 120


@pytest.mark.item("CIBA-11")
def test_ciba_11_an_odd_binding_message_has_its_error(party: Party, person: Person, column: Column) -> None:
    assert ask(party, person, binding_message="1234").status_code == 200
    for odd in ("x" * 1000, "1234 \u2063\u26a0\u202e"):
        assert_refused(ask(party, person, binding_message=odd), "invalid_binding_message")


@pytest.mark.item("CIBA-12")
def test_ciba_12_each_kind_of_hint_finds_the_person(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = approved(party, browser, person)
    subject = party.id_token(tokens)["sub"]
    about = {
        "iss": party.client_id,
        "aud": party.op.issuer,
        "exp": party.op.now + 300,
        "sub_id": {"format": "opaque", "id": subject},
    }
    hints = (
        {"login_hint": subject},
        {"id_token_hint": tokens["id_token"]},
        {"login_hint_token": party.sign(about)},
    )
    for hint in hints:
        auth_req_id = began(party, person, **({"login_hint": None} | hint))
        decide(party, browser, person)
        assert party.id_token(collect(party, auth_req_id).json())["sub"] == subject


@pytest.mark.item("CIBA-21")
def test_ciba_21_errors_have_their_status(party: Party, person: Person, column: Column) -> None:
    assert ask(party, person, scope=None).status_code == 400
    request = {"client_id": party.client_id, "request": "x"}
    assert party.post(PATH, request, is_authenticated=False).status_code == 401
    for _ in range(40):
        response = ask(party, person)
        if response.status_code != 200:
            break
    assert (response.status_code, response.json()["error"]) == (403, "access_denied")
    assert response.json().keys() <= {"error", "error_description", "error_uri"}
