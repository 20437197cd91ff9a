"""TOK-01 to TOK-09, TOK-19: what a code gives, to whom, and how often."""

import httpx
import pytest

from tests.support.columns import Column
from tests.support.dpop_proofs import ProofKey
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.refusals import assert_refused
from tests.support.served_here import ServedHere


@pytest.mark.item("TOK-01")
def test_tok_01_a_code_gives_tokens_with_type_lifetime_and_scope(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    response = party.redeem(party.code(browser, person))
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    tokens = response.json()
    assert tokens["access_token"]
    assert tokens["token_type"]
    assert 0 < tokens["expires_in"] <= 3600
    assert set(tokens["scope"].split()) == set(column.scope.split())
    assert ("id_token" in tokens) == column.is_openid


@pytest.mark.item("TOK-02")
def test_tok_02_token_responses_are_not_stored(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    response = party.redeem(party.code(browser, person))
    assert response.headers["cache-control"] == "no-store"
    assert party.refresh(response.json()["refresh_token"]).headers["cache-control"] == "no-store"


@pytest.mark.item("TOK-03")
def test_tok_03_tokens_cannot_be_guessed(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    one, two = (party.sign_in(browser, person) for _ in range(2))
    for name in ("access_token", "refresh_token"):
        assert one[name] != two[name]
        assert min(len(one[name]), len(two[name])) * 6 >= 128  # base64url


@pytest.mark.item("TOK-04")
@pytest.mark.parametrize("later", [0, 1, 30])
def test_tok_04_a_code_works_once(
    party: Party, browser: httpx.Client, person: Person, column: Column, later: int
) -> None:
    code = party.code(browser, person)
    assert party.redeem(code).status_code == 200
    party.op.wait(seconds=later)
    assert_refused(party.redeem(code), "invalid_grant")


@pytest.mark.item("TOK-05")
def test_tok_05_a_codes_second_use_ends_what_the_first_gave(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    code = party.code(browser, person)
    tokens = party.redeem(code).json()
    assert party.use(tokens["access_token"]).status_code == 200
    party.redeem(code)
    assert party.use(tokens["access_token"]).status_code == 401
    assert_refused(party.refresh(tokens["refresh_token"]), "invalid_grant")


@pytest.mark.item("TOK-06")
def test_tok_06_a_code_is_worth_nothing_to_another_client(
    party: Party, other_party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    code = party.code(browser, person)
    theirs = other_party.redeem(code, redirect_uri=party.redirect_uri, code_verifier=party.verifier)
    assert_refused(theirs, "invalid_grant")


@pytest.mark.item("TOK-07")
def test_tok_07_a_code_is_worth_nothing_after_62_seconds(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    code = party.code(browser, person)
    party.op.wait(seconds=62)
    assert_refused(party.redeem(code), "invalid_grant")


@pytest.mark.item("TOK-08")
@pytest.mark.parametrize("verifier", [None, "w" * 43])
def test_tok_08_a_missing_or_wrong_verifier_is_refused(
    party: Party, browser: httpx.Client, person: Person, column: Column, verifier: str | None
) -> None:
    response = party.redeem(party.code(browser, person), code_verifier=verifier)
    assert_refused(response, "invalid_grant")


@pytest.mark.item("TOK-09")
@pytest.mark.parametrize("redirect_uri", [None, "https://rp.example/elsewhere"])
def test_tok_09_a_missing_or_different_redirect_uri_is_refused(
    party: Party, browser: httpx.Client, person: Person, column: Column, redirect_uri: str | None
) -> None:
    response = party.redeem(party.code(browser, person), redirect_uri=redirect_uri)
    assert_refused(response, "invalid_grant")


@pytest.mark.item("TOK-19")
def test_tok_19_token_type_says_how_the_token_is_bound(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = party.sign_in(browser, person)
    expected = "DPoP" if column.sender_constraint == "dpop" else "Bearer"
    assert tokens["token_type"] == expected
    assert ("id_token" in tokens) == column.is_openid


@pytest.mark.item("TOK-21")
def test_tok_21_a_refresh_gives_a_new_token_of_the_same_sign_in(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    before = party.sign_in(browser, person)
    party.op.wait(seconds=5)
    response = party.refresh(before["refresh_token"])
    assert response.status_code == 200, response.text
    after = response.json()
    assert after["access_token"] != before["access_token"]
    assert party.use(after["access_token"]).status_code == 200
    if column.is_openid:
        first, second = party.id_token(before), party.id_token(after)
        same = ("iss", "sub", "aud", "auth_time", "azp")
        assert [second.get(name) for name in same] == [first.get(name) for name in same]
        assert second["iat"] > first["iat"]
        assert second.get("nonce", first["nonce"]) == first["nonce"]


@pytest.mark.item("TOK-22")
def test_tok_22_a_refresh_token_is_worth_nothing_to_another_client(
    party: Party, other_party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = party.sign_in(browser, person)
    assert_refused(other_party.refresh(tokens["refresh_token"]), "invalid_grant")
    assert party.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.item("TOK-23")
def test_tok_23_a_refresh_token_still_works_half_a_minute_later(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    token = party.sign_in(browser, person)["refresh_token"]
    renewed = party.refresh(token).json()
    assert renewed.get("refresh_token", token) == token
    party.op.wait(seconds=31)
    assert party.refresh(token).status_code == 200


@pytest.mark.item("TOK-23", columns=["dpop"])
def test_tok_23_a_confidential_client_may_change_its_dpop_key(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    token = party.sign_in(browser, person)["refresh_token"]
    party.proof_key = ProofKey()
    response = party.refresh(token)
    assert response.status_code == 200, response.text
    assert party.use(response.json()["access_token"]).status_code == 200


@pytest.mark.item("TOK-24")
def test_tok_24_a_refresh_needs_client_and_sender(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    token = party.sign_in(browser, person)["refresh_token"]
    no_certificate = {"x-client-certificate": None}
    named = {"client_id": party.client_id}
    nobody = party.refresh(token, is_authenticated=False, headers=no_certificate, **named)
    assert_refused(nobody, "invalid_client", "invalid_request", "invalid_grant")
    if column.sender_constraint == "dpop":
        unbound = party.refresh(token, is_proven=False)
        assert_refused(unbound, "invalid_request", "invalid_grant", "invalid_dpop_proof")
    else:
        unbound = party.refresh(token, headers=no_certificate)
        assert_refused(unbound, "invalid_client", "invalid_request")
    assert party.refresh(token).status_code == 200


@pytest.mark.item("TOK-25")
def test_tok_25_offline_access_gives_a_refresh_token(
    op: ServedHere, party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = party.sign_in(browser, person)
    assert "offline_access" in tokens["scope"].split()
    assert tokens["refresh_token"]
    assert (
        "refresh_token" in party.back.get("/.well-known/openid-configuration").json()["grant_types_supported"]
    )
