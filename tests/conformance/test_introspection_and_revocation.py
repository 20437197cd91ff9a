"""INTRO: what a client learns of its tokens, and how it ends them."""

from typing import Any

import httpx
import pytest

from tests.support.columns import Column
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.refusals import assert_refused


def introspect(party: Party, token: str) -> dict[str, Any]:
    """Return what is told of a token: as JSON, or signed for a client that registered it (RFC 9701)."""
    response = party.post(party.op.path("introspection_endpoint"), {"token": token})
    assert response.status_code == 200, response.text
    if not party.column.is_signed:
        told: dict[str, Any] = response.json()
        return told
    assert response.headers["content-type"] == "application/token-introspection+jwt"
    inside: dict[str, Any] = party.verified(response.text, "ES256")["token_introspection"]
    return inside


def revoke(party: Party, token: str, **hint: str) -> httpx.Response:
    return party.post(party.op.path("revocation_endpoint"), {"token": token, **hint})


@pytest.mark.item("INTRO-01")
def test_intro_01_a_client_learns_whether_its_token_lives(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = party.sign_in(browser, person)
    for name in ("access_token", "refresh_token"):
        told = introspect(party, tokens[name])
        assert (told["active"], told["client_id"]) == (True, party.client_id)
    assert introspect(party, "unknown") == {"active": False}
    party.op.wait(seconds=tokens["expires_in"] + 1)
    assert introspect(party, tokens["access_token"]) == {"active": False}


@pytest.mark.item("INTRO-01")
def test_intro_01_everybody_else_learns_nothing(
    party: Party, other_party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    token = party.sign_in(browser, person)["access_token"]
    assert introspect(other_party, token) == {"active": False}
    form = {"client_id": "nobody", "token": token}
    nobody = party.post(party.op.path("introspection_endpoint"), form, is_authenticated=False)
    assert_refused(nobody, "invalid_client")
    assert nobody.status_code == 401


@pytest.mark.item("INTRO-02")
def test_intro_02_of_a_bound_token_the_binding_is_told(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    told = introspect(party, party.sign_in(browser, person)["access_token"])
    if column.sender_constraint == "dpop":
        assert told["cnf"] == {"jkt": party.proof_key.jkt}
        assert told["token_type"] == "DPoP"
    else:
        assert told["cnf"] == {"x5t#S256": party.certificate.x5t_s256}


@pytest.mark.item("INTRO-03")
def test_intro_03_an_unknown_token_is_revoked_and_another_clients_is_not(
    party: Party, other_party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    assert revoke(party, "unknown").status_code == 200
    tokens = party.sign_in(browser, person)
    for name in ("access_token", "refresh_token"):
        theirs = revoke(other_party, tokens[name])
        if theirs.status_code != 200:
            assert_refused(theirs, "invalid_client", "unauthorized_client", "invalid_grant")
    assert party.use(tokens["access_token"]).status_code == 200
    assert party.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.item("INTRO-03")
def test_intro_03_a_type_that_cannot_be_revoked_is_said_to_be_none(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    token = party.sign_in(browser, person)["refresh_token"]
    assert_refused(revoke(party, token, token_type_hint="something-else"), "unsupported_token_type")
    assert party.refresh(token).status_code == 200


@pytest.mark.item("INTRO-04")
def test_intro_04_a_revoked_refresh_token_takes_its_access_tokens_along(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = party.sign_in(browser, person)
    assert revoke(party, tokens["refresh_token"], token_type_hint="refresh_token").status_code == 200
    response = party.use(tokens["access_token"])
    assert response.status_code == 401
    assert "invalid_token" in response.headers["www-authenticate"]
    assert_refused(party.refresh(tokens["refresh_token"]), "invalid_grant")
    assert introspect(party, tokens["access_token"]) == {"active": False}
