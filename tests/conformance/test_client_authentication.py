"""TOK-10 to TOK-18, TOK-20, TOK-26, TOK-27: how a client proves itself at the token endpoint."""

from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.columns import Column
from tests.support.dpop_proofs import ProofKey
from tests.support.key_set_server import key_set_server
from tests.support.party import ASSERTION_TYPE, Party
from tests.support.protocol_builders import RS256, public_jwk
from tests.support.provider import Person
from tests.support.refusals import assert_refused
from tests.support.served_here import ServedHere

OF_A_CLIENT = ("invalid_client", "invalid_request")


def redeemed_with(party: Party, code: str, **changes: Any) -> httpx.Response:
    assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": party.assertion(**changes)}
    return party.redeem(code, **assertion)


@pytest.mark.item("TOK-10")
@pytest.mark.parametrize("how", ["wrong", "empty", "missing", "in the form instead"])
def test_tok_10_a_wrong_secret_is_invalid_client(
    party: Party, browser: httpx.Client, person: Person, column: Column, how: str
) -> None:
    code = party.code(browser, person)
    if how == "missing":
        response = party.redeem(code, headers={"authorization": None}, client_id=party.client_id)
    elif how == "in the form instead":
        told = {"client_id": party.client_id, "client_secret": "wrong"}
        response = party.redeem(code, is_authenticated=False, **told)
    else:
        basic = httpx.BasicAuth(party.client_id, "wrong" if how == "wrong" else "")._auth_header
        response = party.redeem(code, headers={"authorization": basic})
    assert_refused(response, "invalid_client")


@pytest.mark.item("TOK-11")
@pytest.mark.parametrize("how", ["RS256", "expired", "other audience", "no subject", "other key", "missing"])
def test_tok_11_bad_assertions_are_refused(
    party: Party, browser: httpx.Client, person: Person, column: Column, how: str
) -> None:
    code, now = party.code(browser, person), party.op.now
    changes: dict[str, dict[str, Any]] = {
        "RS256": {"algorithm": "RS256", "key": RS256},
        "expired": {"iat": now - 400, "exp": now - 300},
        "other audience": {"aud": "https://other.example"},
        "no subject": {"sub": None},
        "other key": {"key": ec.generate_private_key(ec.SECP256R1())},
    }
    if how == "missing":
        response = party.redeem(code, client_assertion=None, client_assertion_type=None)
    else:
        response = redeemed_with(party, code, **changes[how])
    assert_refused(response, *OF_A_CLIENT)


@pytest.mark.item("TOK-12")
@pytest.mark.parametrize("path", ["", "/token"])
def test_tok_12_an_assertion_may_name_the_token_endpoint_or_the_issuer(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column, path: str
) -> None:
    party = Party.registered(op, column, token_endpoint_auth_method="private_key_jwt")
    response = redeemed_with(party, party.code(browser, person), aud=op.issuer + path)
    assert response.status_code == 200, response.text


@pytest.mark.item("TOK-13")
def test_tok_13_an_assertion_names_the_issuer_alone_as_a_string(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    code, issuer = party.code(browser, person), party.op.issuer
    for audience in ([issuer], [issuer, f"{issuer}/token"], f"{issuer}/token", f"{issuer}/"):
        assert_refused(redeemed_with(party, code, aud=audience), *OF_A_CLIENT)
    assert redeemed_with(party, code, aud=issuer).status_code == 200


@pytest.mark.item("TOK-14")
def test_tok_14_another_client_id_than_the_authenticated_one_is_refused(
    party: Party, other_party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    response = party.redeem(party.code(browser, person), client_id=other_party.client_id)
    assert_refused(response, "invalid_client", "invalid_grant", "invalid_request")


@pytest.mark.item("TOK-15", columns=["dpop", "fapi2-mtls-dpop"])
def test_tok_15_without_a_proof_there_is_no_token(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    response = party.redeem(party.code(browser, person), is_proven=False)
    assert_refused(response, "invalid_request", "invalid_grant", "invalid_dpop_proof")


@pytest.mark.item("TOK-15", columns=["mtls", "fapi2-mtls-dpop"])
def test_tok_15_without_a_certificate_there_is_no_token(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    response = party.redeem(party.code(browser, person), headers={"x-client-certificate": None})
    assert_refused(response, *OF_A_CLIENT)


@pytest.mark.item("TOK-16")
def test_tok_16_the_proofs_key_must_be_the_one_the_code_is_bound_to(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    code = party.code(browser, person)
    response = party.redeem(code, key=ProofKey())
    assert_refused(response, "invalid_grant", "invalid_request", "invalid_dpop_proof")


@pytest.mark.item("TOK-17")
@pytest.mark.parametrize("difference", [-10, 8])
def test_tok_17_a_proof_may_be_a_little_old_or_early_and_hold_more(
    party: Party, browser: httpx.Client, person: Person, column: Column, difference: int
) -> None:
    made_at = party.op.now + difference
    proof = {"iat": made_at, "nbf": made_at, "exp": made_at + 60}
    response = party.redeem(party.code(browser, person), proof=proof)
    assert response.status_code == 200, response.text


@pytest.mark.item("TOK-18")
def test_tok_18_a_nonce_that_is_needed_is_given_along(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    code = party.code(browser, person)
    stale = party.proof("POST", f"{party.op.issuer}/token", nonce="stale")
    response = party.redeem(code, headers={"dpop": stale})
    assert_refused(response, "use_dpop_nonce")
    party.nonce = response.headers["dpop-nonce"]
    assert party.redeem(code).status_code == 200


@pytest.mark.item("TOK-20")
def test_tok_20_an_assertion_works_once_and_fresh_ones_as_fast_as_they_come(
    party: Party, column: Column
) -> None:
    kept = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": party.assertion()}
    form = {"client_id": party.client_id, **party.pushed(), **kept}
    assert party.post("/par", form).status_code == 201
    assert_refused(party.post("/par", form), "invalid_client")
    assert [party.push().status_code for _ in range(5)] == [201] * 5


@pytest.mark.item("TOK-26")
def test_tok_26_a_key_that_was_published_since_is_fetched(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column
) -> None:
    key, fresh = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    published = {**public_jwk(key), "kid": "first", "use": "sig"}
    with op.open(key_set_server(published)) as served:
        party = Party.registered(op, column, jwks=None, jwks_uri=served.uri)
        party.key, party.kid = key, "first"
        tokens = party.sign_in(browser, person)
        party.key, party.kid = fresh, "second"
        served.keys.append({**public_jwk(fresh), "kid": "second", "use": "sig"})
        op.wait(minutes=5)
        assert party.refresh(tokens["refresh_token"]).status_code == 200
        assert served.calls >= 2


@pytest.mark.item("TOK-27")
def test_tok_27_client_credentials_give_a_bound_token_and_no_refresh_token(
    op: ServedHere, column: Column
) -> None:
    party = Party.registered(
        op, column, grant_types=["client_credentials"], scope="account_links.read", redirect_uris=None
    )
    response = party.post("/token", {"grant_type": "client_credentials", "scope": "account_links.read"})
    assert response.status_code == 200, response.text
    tokens = response.json()
    assert tokens["token_type"] == "DPoP"
    assert tokens.keys() & {"refresh_token", "id_token"} == set()
