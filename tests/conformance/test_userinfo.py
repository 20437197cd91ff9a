"""UI-01 to UI-07, UI-13, UI-14: what UserInfo tells, and how it is asked."""

import re
import uuid
from typing import Any

import httpx
import pytest

from tests.support.columns import Column
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.refusals import assert_resource_refused
from tests.support.served_here import ServedHere

EVERYTHING = "openid profile email phone address"


def told(party: Party, browser: httpx.Client, person: Person, scope: str) -> dict[str, Any]:
    """Return UserInfo of a person who agrees to everything."""
    response = party.use(party.sign_in(browser, person, scope=scope)["access_token"])
    assert response.status_code == 200, response.text
    claims: dict[str, Any] = response.json()
    return claims


@pytest.fixture
def known_person(op: ServedHere) -> Person:
    return op.add_person(
        gender="female",
        nationality="VNM",
        phone_number="+84000000001",
        email="lan@thu.example",
        address="12 Hàng Bạc, Hà Nội",
    )


@pytest.mark.item("UI-01")
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_ui_01_get_and_post_answer_json_about_the_same_person(
    party: Party, browser: httpx.Client, person: Person, column: Column, verb: str
) -> None:
    tokens = party.sign_in(browser, person)
    response = party.use(tokens["access_token"], verb)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json()["sub"] == party.id_token(tokens)["sub"]


@pytest.mark.item("UI-02")
def test_ui_02_a_token_in_a_form_is_accepted(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = party.sign_in(browser, person)
    response = party.back.post("/userinfo", data={"access_token": tokens["access_token"]})
    assert response.status_code == 200


@pytest.mark.item("UI-03")
def test_ui_03_profile_tells_what_the_register_knows_of_it(
    op: ServedHere, party: Party, known_person: Person, column: Column
) -> None:
    claims = told(party, op.browser(), known_person, "openid profile")
    assert {"sub", "name", "birthdate"} <= claims.keys()


@pytest.mark.item("UI-04")
def test_ui_04_email_phone_and_address_come_with_what_belongs_to_them(
    op: ServedHere, party: Party, known_person: Person, column: Column
) -> None:
    claims = told(party, op.browser(), known_person, EVERYTHING)
    assert claims["email"] == "lan@thu.example"
    assert isinstance(claims["email_verified"], bool)
    assert claims["phone_number"] == "+84000000001"
    assert isinstance(claims["phone_number_verified"], bool)
    assert claims["address"]["formatted"]


@pytest.mark.item("UI-05")
def test_ui_05_claims_have_their_types_and_none_is_empty(
    op: ServedHere, party: Party, known_person: Person, column: Column
) -> None:
    claims = told(party, op.browser(), known_person, EVERYTHING)
    assert re.fullmatch(r"[0-9]{4}(-[0-9]{2}-[0-9]{2})?", claims["birthdate"])
    assert isinstance(claims.get("updated_at", 0), int)
    texts = [value for value in claims.values() if isinstance(value, str)]
    assert all(text.strip() and text != "null" for text in texts)
    assert None not in claims.values()


@pytest.mark.item("UI-06")
def test_ui_06_who_registered_it_gets_it_signed(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column
) -> None:
    party = Party.registered(op, column, userinfo_signed_response_alg="RS256")
    response = party.use(party.sign_in(browser, person)["access_token"])
    assert response.headers["content-type"] == "application/jwt"
    claims = party.verified(response.text, "RS256")
    assert (claims["iss"], claims["aud"]) == (op.issuer, party.client_id)
    assert "nonce" not in claims


@pytest.mark.item("UI-07")
def test_ui_07_the_resource_answers_with_a_date(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    response = party.use(party.sign_in(browser, person)["access_token"])
    assert response.status_code == 200, response.text
    assert response.headers["date"].endswith("GMT")


@pytest.mark.item("UI-08")
def test_ui_08_a_token_in_the_address_is_refused(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    token = party.sign_in(browser, person)["access_token"]
    response = party.back.get("/userinfo", params={"access_token": token})
    assert response.status_code in {400, 401}


@pytest.mark.item("UI-09")
def test_ui_09_a_bound_token_is_refused_from_anybody_else(
    party: Party, other_party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    token = party.sign_in(browser, person)["access_token"]
    path = party.resource
    assert_resource_refused(party.back.get(path, headers={"authorization": f"Bearer {token}"}))
    assert_resource_refused(other_party.use(token))
    assert party.use(token).status_code == 200


@pytest.mark.item("UI-13", columns=["fapi2"])
def test_ui_13_the_interaction_id_comes_back(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    token, sent = party.sign_in(browser, person)["access_token"], str(uuid.uuid4())
    response = party.use(token, headers={"x-fapi-interaction-id": sent})
    assert response.headers["x-fapi-interaction-id"] == sent


@pytest.mark.item("UI-14")
@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html;q=0.5", None])
def test_ui_14_any_accept_header_is_fine(
    party: Party, browser: httpx.Client, person: Person, column: Column, accept: str | None
) -> None:
    party.back.headers.pop("accept", None)
    response = party.use(party.sign_in(browser, person)["access_token"], headers={"accept": accept})
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
