"""REG: a client that registers itself, as its profile's policy lets it."""

from collections.abc import Mapping
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from idp.protocol.profiles import CIBA_GRANT, CODE_GRANT, REFRESH_GRANT, Profile
from tests.support.columns import Column
from tests.support.html_forms import Html
from tests.support.key_set_server import key_set_server
from tests.support.party import Party
from tests.support.protocol_builders import public_jwk
from tests.support.provider import Person
from tests.support.receiver import receiver
from tests.support.refusals import assert_refused
from tests.support.registrations_online import bearer, initial_token
from tests.support.self_signed import self_signed
from tests.support.served_here import ServedHere

METADATA: Mapping[str, Any] = {
    "client_name": "Quán Tự Mở",
    "redirect_uris": ["https://self.example/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
}
KEY = ec.generate_private_key(ec.SECP256R1())
JWK = {**public_jwk(KEY), "kid": "own", "use": "sig"}


@pytest.fixture
def token(op: ServedHere, column: Column) -> str:
    """Give an initial access token for the column's profile."""
    grants = frozenset({CODE_GRANT, REFRESH_GRANT, CIBA_GRANT})
    made: str = op.run(initial_token(op.provider, profile=Profile(column.profile), grant_types=grants))
    return made


def register(op: ServedHere, token: str, **changes: Any) -> httpx.Response:
    described = {name: value for name, value in {**METADATA, **changes}.items() if value is not None}
    return op.browser().post(op.path("registration_endpoint"), json=described, headers=bearer(token))


def registered(op: ServedHere, token: str, **changes: Any) -> dict[str, Any]:
    response = register(op, token, **changes)
    assert response.status_code == 201, response.text
    document: dict[str, Any] = response.json()
    return document


def manage(op: ServedHere, verb: str, document: Mapping[str, Any]) -> httpx.Response:
    headers = bearer(document["registration_access_token"])
    return op.browser().request(verb, document["registration_client_uri"], headers=headers)


def as_party(op: ServedHere, column: Column, document: Mapping[str, Any]) -> Party:
    """Let the client that registered itself do what parties of the column do."""
    op.run(op.provider.context.clients.refresh())
    client = op.run(op.provider.context.clients.find(document["client_id"]))
    assert client is not None
    party = Party(op, column, client, KEY, self_signed("none"), op.browser(), kid="own")
    party.secret = document.get("client_secret", "")
    return party


@pytest.mark.item("REG-01")
def test_reg_01_a_registration_is_answered_with_an_id_and_a_secret_that_tells_its_end(
    op: ServedHere, column: Column, token: str
) -> None:
    response = register(op, token)
    assert (response.status_code, response.headers["content-type"]) == (201, "application/json")
    assert response.json()["client_id"]
    assert response.json()["client_secret"]
    assert isinstance(response.json()["client_secret_expires_at"], int)


@pytest.mark.item("REG-02")
def test_reg_02_it_can_be_read_at_its_own_address_with_its_own_token(
    op: ServedHere, column: Column, token: str
) -> None:
    document = registered(op, token)
    assert document["registration_client_uri"].startswith("https://")
    response = manage(op, "GET", document)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json()["redirect_uris"] == METADATA["redirect_uris"]
    stranger = op.browser().get(document["registration_client_uri"], headers=bearer(token))
    assert stranger.status_code == 401


@pytest.mark.item("REG-03")
def test_reg_03_it_can_be_deleted(op: ServedHere, column: Column, token: str) -> None:
    document = registered(op, token)
    assert manage(op, "DELETE", document).status_code == 204
    assert manage(op, "GET", document).status_code == 401


@pytest.mark.item("REG-04")
def test_reg_04_an_initial_access_token_is_the_way_in(op: ServedHere, column: Column, token: str) -> None:
    registered(op, token)
    for wrong in ("nothing", "guessed"):
        response = register(op, wrong)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.item("REG-05")
def test_reg_05_a_redirect_uri_with_a_fragment_is_refused(op: ServedHere, column: Column, token: str) -> None:
    response = register(op, token, redirect_uris=["https://self.example/callback#here"])
    assert_refused(response, "invalid_redirect_uri")


@pytest.mark.item("REG-06")
def test_reg_06_the_address_that_begins_a_login_is_https_and_echoed(
    op: ServedHere, column: Column, token: str
) -> None:
    address = "https://self.example/begin"
    document = registered(op, token, initiate_login_uri=address)
    assert document["initiate_login_uri"] == address
    assert manage(op, "GET", document).json()["initiate_login_uri"] == address
    response = register(op, token, initiate_login_uri="http://self.example/begin")
    assert_refused(response, "invalid_client_metadata")


@pytest.mark.item("REG-07")
def test_reg_07_what_describes_a_client_is_taken_and_echoed(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column, token: str
) -> None:
    described = {
        "client_name": "Quán Mới",
        "contacts": ["chuquan@self.example"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [JWK]},
    }
    document = registered(op, token, **described)
    assert {name: document[name] for name in described if name != "jwks"} == {
        name: value for name, value in described.items() if name != "jwks"
    }
    assert as_party(op, column, document).sign_in(browser, person, scope="openid")["id_token"]


@pytest.mark.item("REG-07")
def test_reg_07_keys_may_be_published_at_an_address(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column, token: str
) -> None:
    with op.open(key_set_server(JWK)) as served:
        method = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": served.uri}
        document = registered(op, token, **method)
        assert document["jwks_uri"] == served.uri
        assert as_party(op, column, document).sign_in(browser, person, scope="openid")["id_token"]


@pytest.mark.item("REG-08")
def test_reg_08_policy_and_terms_are_shown_to_the_person(op: ServedHere, column: Column, token: str) -> None:
    described = {
        "policy_uri": "https://self.example/privacy",
        "tos_uri": "https://self.example/terms",
    }
    party = as_party(op, column, registered(op, token, **described))
    browser = op.browser()
    opened = browser.get("/authorize", params=party.request(scope="openid"))
    while opened.is_redirect:
        opened = browser.get(opened.headers["location"])
    links = set(Html(opened.text).links)
    assert set(described.values()) <= links
    assert METADATA["client_name"] in opened.text


@pytest.mark.item("REG-09")
def test_reg_09_a_sector_identifier_holds_every_redirect_uri(
    op: ServedHere, column: Column, token: str
) -> None:
    addresses = ["https://one.self.example/callback", "https://two.self.example/callback"]
    with op.open(receiver()) as sector:
        sector.headers["Content-Type"] = "application/json"
        for held, status in ((addresses, 201), (addresses[:1], 400)):
            sector.body = str(held).replace("'", '"').encode()
            response = register(op, token, redirect_uris=addresses, sector_identifier_uri=sector.uri)
            assert response.status_code == status, response.text
        assert_refused(response, "invalid_client_metadata")


@pytest.mark.item("REG-10")
def test_reg_10_registered_algorithms_are_used(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column, token: str
) -> None:
    wanted = {"id_token_signed_response_alg": "PS256", "userinfo_signed_response_alg": "ES256"}
    party = as_party(op, column, registered(op, token, **wanted))
    tokens = party.sign_in(browser, person, scope="openid")
    assert jwt.get_unverified_header(tokens["id_token"])["alg"] == "PS256"
    assert party.verified(party.use(tokens["access_token"]).text, "ES256")["sub"]


@pytest.mark.item("REG-11")
def test_reg_11_addresses_of_logout_are_taken(op: ServedHere, column: Column, token: str) -> None:
    described = {
        "post_logout_redirect_uris": ["https://self.example/goodbye"],
        "backchannel_logout_uri": "https://self.example/signed-out",
        "backchannel_logout_session_required": True,
    }
    document = registered(op, token, **described)
    assert {name: document[name] for name in described} == described


@pytest.mark.item("REG-12")
def test_reg_12_members_of_ciba_are_taken(op: ServedHere, column: Column, token: str) -> None:
    described = {
        "redirect_uris": None,
        "response_types": [],
        "grant_types": [CIBA_GRANT],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [JWK]},
        "tls_client_certificate_bound_access_tokens": True,
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": "https://self.example/ping",
        "backchannel_authentication_request_signing_alg": "ES256",
    }
    document = registered(op, token, **described)
    echoed = {name: value for name, value in described.items() if value is not None and name != "jwks"}
    assert {name: document[name] for name in echoed} == echoed
