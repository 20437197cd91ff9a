"""UI-10 to UI-12: which proofs a protected resource takes, and which it does not."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.columns import Column
from tests.support.dpop_proofs import ProofKey, parts_of, private_jwk
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.refusals import assert_resource_refused

HOUR = 3600


@pytest.fixture
def token(party: Party, browser: httpx.Client, person: Person) -> str:
    """Give a token that was used: the nonce is known."""
    token: str = party.sign_in(browser, person)["access_token"]
    assert party.use(token).status_code == 200
    return token


def shown(party: Party, token: str, scheme: str = "DPoP", **changes: Any) -> httpx.Response:
    """Use the token with a proof that is changed."""
    url = changes.pop("url", party.op.issuer + party.resource)
    proof = party.proof(changes.pop("htm", "GET"), url, **({"access_token": token} | changes))
    headers = {"authorization": f"{scheme} {token}", "dpop": proof}
    return party.back.get(party.resource, headers=headers)


WRONG: Mapping[str, Callable[[Party], dict[str, Any]]] = {
    "typ missing": lambda _: {"header": {"typ": None}},
    "typ wrong": lambda _: {"header": {"typ": "jwt"}},
    "alg missing": lambda _: {"header": {"alg": None}},
    "alg none": lambda _: {"header": {"alg": "none"}},
    "RS256": lambda _: {"key": ProofKey("RS256")},
    "jwk missing": lambda _: {"header": {"jwk": None}},
    "jwk private": lambda party: {"header": {"jwk": private_jwk(party.proof_key.private_key)}},
    "signed by another": lambda party: {"key": ProofKey(), "header": {"jwk": party.proof_key.jwk}},
    "another key": lambda _: {"key": ProofKey()},
    "jti missing": lambda _: {"jti": None},
    "htm wrong": lambda _: {"htm": "POST"},
    "htu wrong": lambda party: {"url": f"{party.op.issuer}/token"},
    "iat missing": lambda _: {"iat": None},
    "iat an hour ago": lambda party: {"iat": party.op.now - HOUR},
    "iat in an hour": lambda party: {"iat": party.op.now + HOUR},
    "ath missing": lambda _: {"ath": None},
    "ath wrong": lambda _: {"ath": "A" * 43},
}


@pytest.mark.item("UI-10")
@pytest.mark.parametrize("how", sorted(WRONG))
def test_ui_10_a_proof_that_is_not_right_is_refused(
    party: Party, column: Column, token: str, how: str
) -> None:
    assert_resource_refused(shown(party, token, **WRONG[how](party)))


@pytest.mark.item("UI-10")
@pytest.mark.parametrize("claim", ["htm", "htu"])
def test_ui_10_a_proof_that_names_no_request_is_refused(
    party: Party, column: Column, token: str, claim: str
) -> None:
    header, claims = parts_of(party.proof("GET", party.op.issuer + party.resource, access_token=token))
    del claims[claim]
    proof = party.proof_key.sign(json.dumps(header).encode(), json.dumps(claims).encode())
    headers = {"authorization": f"DPoP {token}", "dpop": proof}
    assert_resource_refused(party.back.get(party.resource, headers=headers))


@pytest.mark.item("UI-10")
def test_ui_10_no_proof_two_proofs_and_no_jwt_are_refused(party: Party, column: Column, token: str) -> None:
    url = party.op.issuer + party.resource
    dpop = [("authorization", f"DPoP {token}")]
    one, two = (("dpop", party.proof("GET", url, access_token=token)) for _ in range(2))
    for headers in (dpop, [*dpop, one, two], [*dpop, ("dpop", "not.a.jwt")]):
        assert_resource_refused(party.back.get(party.resource, headers=headers))


@pytest.mark.item("UI-11")
@pytest.mark.parametrize("how", ["query", "fragment", "more claims", "scheme", "10 s old", "8 s early"])
def test_ui_11_what_makes_no_difference_makes_none(
    party: Party, column: Column, token: str, how: str
) -> None:
    url, now = party.op.issuer + party.resource, party.op.now
    changes: dict[str, dict[str, Any]] = {
        "query": {"url": f"{url}?a=b"},
        "fragment": {"url": f"{url}#here"},
        "more claims": {"nbf": now, "exp": now + 60, "more": "of it"},
        "scheme": {"scheme": "dPOP"},
        "10 s old": {"iat": now - 10},
        "8 s early": {"iat": now + 8},
    }
    response = shown(party, token, **changes[how])
    assert response.status_code == 200, response.text


@pytest.mark.item("UI-12")
def test_ui_12_an_address_is_compared_as_addresses_are(party: Party, column: Column, token: str) -> None:
    place = urlsplit(party.op.issuer)
    for address in (f"HTTPS://LOCALHOST:{place.port}", f"https://LocalHost:{place.port}"):
        response = shown(party, token, url=address + party.resource)
        assert response.status_code == 200, response.text


@pytest.mark.item("UI-12")
def test_ui_12_a_proof_works_once(party: Party, column: Column, token: str) -> None:
    url = party.op.issuer + party.resource
    headers = {"authorization": f"DPoP {token}", "DPOP": party.proof("GET", url, access_token=token)}
    assert party.back.get(party.resource, headers=headers).status_code == 200
    assert_resource_refused(party.back.get(party.resource, headers=headers))
