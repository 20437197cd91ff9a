"""AUTHZ-17 to AUTHZ-23: when a person is asked again, and what is carried through."""

from typing import Any

import httpx
import pytest

from tests.support.columns import Column
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.served_here import ServedHere


@pytest.fixture
def browser(op: ServedHere) -> httpx.Client:
    return op.browser()


@pytest.fixture
def person(op: ServedHere) -> Person:
    return op.add_person()


def signed_in(party: Party, browser: httpx.Client, person: Person, **changes: Any) -> dict[str, Any]:
    """Return the claims of the ID token."""
    return party.id_token(party.sign_in(browser, person, **changes))


def asks_to_sign_in(party: Party, browser: httpx.Client, **changes: Any) -> bool:
    """Tell whether the first page is the one where people sign in."""
    opened = browser.get("/authorize", params=party.front(**changes))
    while opened.is_redirect and opened.headers["location"].startswith((party.op.issuer, "/")):
        opened = browser.get(opened.headers["location"])
    return 'id="sign-in"' in opened.text


@pytest.mark.item("AUTHZ-17")
def test_authz_17_prompt_login_asks_again_and_auth_time_moves_on(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    before = signed_in(party, browser, person)
    party.op.wait(seconds=5)
    assert asks_to_sign_in(party, browser, prompt="login")
    after = signed_in(party, browser, person, prompt="login")
    assert after["auth_time"] > before["auth_time"]
    assert after["sub"] == before["sub"]


@pytest.mark.item("AUTHZ-18")
def test_authz_18_prompt_none_without_a_session_is_login_required(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    answer = party.answer(browser, person, prompt="none")
    assert not answer.is_page
    assert (answer.parameters["error"], answer.parameters["state"]) == ("login_required", "state-1")


@pytest.mark.item("AUTHZ-19")
def test_authz_19_prompt_none_with_a_session_is_silent(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    before = signed_in(party, browser, person)
    opened = browser.get("/authorize", params=party.front(prompt="none"))
    assert opened.headers["location"].startswith(party.redirect_uri)
    after = signed_in(party, browser, person, prompt="none")
    assert [after[name] for name in ("sub", "auth_time")] == [before[name] for name in ("sub", "auth_time")]


@pytest.mark.item("AUTHZ-20")
def test_authz_20_prompt_none_with_the_persons_hint_is_silent(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = party.sign_in(browser, person)
    after = signed_in(party, browser, person, prompt="none", id_token_hint=tokens["id_token"])
    assert after["sub"] == party.id_token(tokens)["sub"]


@pytest.mark.item("AUTHZ-20")
def test_authz_20_prompt_none_with_another_persons_hint_is_login_required(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    theirs = party.sign_in(party.op.browser(), party.op.add_person())["id_token"]
    party.sign_in(browser, person)
    answer = party.answer(browser, person, prompt="none", id_token_hint=theirs)
    assert answer.parameters["error"] == "login_required"


@pytest.mark.item("AUTHZ-21")
def test_authz_21_max_age_is_kept(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    before = signed_in(party, browser, person, max_age="10000")
    party.op.wait(seconds=2)
    assert not asks_to_sign_in(party, browser, max_age="10000")
    assert signed_in(party, browser, person, max_age="10000")["auth_time"] == before["auth_time"]
    assert asks_to_sign_in(party, browser, max_age="1")
    assert signed_in(party, browser, person, max_age="60")["auth_time"] >= before["auth_time"]


@pytest.mark.item("AUTHZ-22")
def test_authz_22_prompt_consent_with_offline_access_works(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    party.sign_in(browser, person)
    assert party.sign_in(browser, person, prompt="consent", scope="openid offline_access")["refresh_token"]


@pytest.mark.item("AUTHZ-23")
@pytest.mark.parametrize("length", [0, 64, 384])
def test_authz_23_the_nonce_comes_back_whole(
    party: Party, browser: httpx.Client, person: Person, column: Column, length: int
) -> None:
    nonce = "n" * length or None
    assert signed_in(party, browser, person, nonce=nonce).get("nonce") == nonce
