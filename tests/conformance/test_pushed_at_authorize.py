"""AUTHZ-30 to AUTHZ-37: what FAPI adds when a pushed request comes to the authorization endpoint."""

import httpx
import jwt
import pytest

from tests.support.columns import Column
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.visits import Answer

OF_A_REQUEST_URI = {"invalid_request", "invalid_request_uri", "invalid_request_object"}


def is_refused(answer: Answer, errors: set[str]) -> bool:
    """Tell whether the client is told one of the errors, or the person sees a page with an error's status."""
    if answer.is_page:
        return 400 <= answer.response.status_code < 500
    return answer.parameters["error"] in errors


@pytest.mark.item("AUTHZ-30")
def test_authz_30_a_request_that_was_not_pushed_is_refused(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    direct = party.request()
    if column.is_signed:
        direct = {"client_id": party.client_id, "request": party.request_object(direct)}
    assert is_refused(party.carried(browser, person, direct), {"invalid_request"})


@pytest.mark.item("AUTHZ-31")
def test_authz_31_client_id_and_request_uri_are_enough_and_have_to_match(
    party: Party, other_party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    front = party.front()
    theirs = front | {"client_id": other_party.client_id}
    assert is_refused(party.carried(browser, person, theirs), OF_A_REQUEST_URI)
    assert "code" in party.carried(browser, person, party.front()).parameters


@pytest.mark.item("AUTHZ-32")
def test_authz_32_a_pushed_request_can_be_opened_twice_before_it_is_answered(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    front = party.front(prompt="consent")
    assert browser.get("/authorize", params=front).status_code == 303
    assert "code" in party.carried(browser, person, front).parameters


@pytest.mark.item("AUTHZ-33")
def test_authz_33_an_answered_request_cannot_be_used_again(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    front = party.front()
    assert "code" in party.carried(browser, person, front).parameters
    assert is_refused(party.carried(browser, person, front), OF_A_REQUEST_URI)


@pytest.mark.item("AUTHZ-34")
def test_authz_34_a_request_that_has_expired_is_refused(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    pushed = party.push().json()
    party.op.wait(seconds=pushed["expires_in"] + 1)
    front = {"client_id": party.client_id, "request_uri": pushed["request_uri"]}
    assert is_refused(party.carried(browser, person, front), OF_A_REQUEST_URI)


@pytest.mark.item("AUTHZ-35")
def test_authz_35_state_and_nonce_beside_a_pushed_request_are_not_looked_at(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    beside = {"state": "state-2", "nonce": "nonce-2"}
    answer = party.carried(browser, person, party.front() | beside).parameters
    assert answer["state"] == "state-1"
    if column.is_openid:
        tokens = party.redeem(answer["code"]).json()
        assert party.id_token(tokens)["nonce"] == "nonce-1"
    assert "state" not in party.carried(browser, person, party.front(state=None) | beside).parameters


@pytest.mark.item("AUTHZ-36")
@pytest.mark.parametrize("response_type", ["code id_token", "code token", "token"])
def test_authz_36_response_types_with_a_token_in_them_are_refused(
    party: Party, column: Column, response_type: str
) -> None:
    response = party.push(response_type=response_type)
    assert response.status_code == 400
    errors = {"unsupported_response_type", "invalid_request", "unauthorized_client"}
    assert response.json()["error"] in errors


@pytest.mark.item("AUTHZ-37")
def test_authz_37_a_signed_response_is_one_jwt_from_the_issuer_to_the_client(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    for decision, expected in (("deny", "error"), ("allow", "code")):
        answer = party.answer(browser, person, decision=decision, prompt="consent")
        assert answer.raw.keys() == {"response"}
        inside = party.verified(answer.raw["response"], "ES256")
        assert (inside["iss"], inside["aud"]) == (party.op.issuer, party.client_id)
        assert 10 <= inside["exp"] - party.op.now <= 600
        assert inside[expected]
        assert jwt.get_unverified_header(answer.raw["response"])["kid"]
