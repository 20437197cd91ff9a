"""END and SLO: the end of a session, at a client's wish and told to all its clients."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt
import pytest

from idp.outbound.guarded_http import GuardedHTTP
from tests.support.columns import Column
from tests.support.deliveries import delivered
from tests.support.html_forms import Html
from tests.support.party import Party
from tests.support.protocol_builders import ES256
from tests.support.provider import Person
from tests.support.receiver import Receiver, receiver
from tests.support.self_signed import write_certificate
from tests.support.served_here import ServedHere

GOODBYE = "https://rp.example/goodbye"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
DAY = 86400


@pytest.fixture
def browser(op: ServedHere) -> httpx.Client:
    return op.browser()


@pytest.fixture
def hint(party: Party, browser: httpx.Client, person: Person) -> str:
    """Give the ID token of a person who is signed in."""
    token: str = party.sign_in(browser, person)["id_token"]
    return token


def leave(party: Party, browser: httpx.Client, **parameters: str) -> httpx.Response:
    """Go to the end of the session, and on through the provider's own addresses."""
    response = browser.get(party.op.path("end_session_endpoint"), params=parameters)
    while response.is_redirect and response.headers["location"].startswith(f"{party.op.issuer}/"):
        response = browser.get(response.headers["location"])
    return response


def assert_page(response: httpx.Response) -> None:
    assert not response.is_redirect
    assert response.headers["content-type"].startswith("text/html")
    assert response.status_code < 500


def is_signed_in(party: Party, browser: httpx.Client, person: Person) -> bool:
    answer = party.answer(browser, person, prompt="none")
    if "error" in answer.parameters:
        assert answer.parameters["error"] == "login_required"
    return "code" in answer.parameters


@pytest.mark.item("END-01")
@pytest.mark.parametrize("state", ["s" * 128, None])
def test_end_01_a_hint_and_a_registered_address_end_the_session_and_lead_back(
    party: Party, browser: httpx.Client, person: Person, column: Column, hint: str, state: str | None
) -> None:
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE}
    response = leave(party, browser, **asked, **({} if state is None else {"state": state}))
    address = urlsplit(response.headers["location"])
    assert address._replace(query="").geturl() == GOODBYE
    assert parse_qsl(address.query) == ([] if state is None else [("state", state)])
    assert not is_signed_in(party, browser, person)


@pytest.mark.item("END-02")
def test_end_02_afterwards_prompt_none_is_login_required(
    party: Party, browser: httpx.Client, person: Person, column: Column, hint: str
) -> None:
    assert is_signed_in(party, browser, person)
    leave(party, browser, id_token_hint=hint, post_logout_redirect_uri=GOODBYE)
    assert party.answer(browser, person, prompt="none").parameters["error"] == "login_required"


@pytest.mark.item("END-03")
@pytest.mark.parametrize("address", ["https://rp.example/elsewhere", f"{GOODBYE}?more=1"])
def test_end_03_an_address_that_is_not_registered_leads_to_a_page(
    party: Party, browser: httpx.Client, column: Column, hint: str, address: str
) -> None:
    assert_page(leave(party, browser, id_token_hint=hint, post_logout_redirect_uri=address, state="s"))


def foreign(hint: str, how: str) -> str:
    claims = jwt.decode(hint, options={"verify_signature": False})
    if how == "none":
        return jwt.encode(claims, None, "none")
    if how == "signed by another":
        return jwt.encode(claims, ES256, "ES256", {"kid": jwt.get_unverified_header(hint)["kid"]})
    return "not.a.token"


@pytest.mark.item("END-04")
@pytest.mark.parametrize("how", ["none", "signed by another", "no token"])
def test_end_04_a_hint_that_is_not_ours_leads_to_a_page(
    party: Party, browser: httpx.Client, person: Person, column: Column, hint: str, how: str
) -> None:
    asked = {"id_token_hint": foreign(hint, how), "post_logout_redirect_uri": GOODBYE}
    assert_page(leave(party, browser, **asked))
    assert is_signed_in(party, browser, person)


@pytest.mark.item("END-05")
def test_end_05_an_address_without_a_hint_leads_to_a_page(
    party: Party, browser: httpx.Client, column: Column, hint: str
) -> None:
    assert_page(leave(party, browser, post_logout_redirect_uri=GOODBYE, client_id=party.client_id))
    assert_page(leave(party, browser, post_logout_redirect_uri=GOODBYE))


@pytest.mark.item("END-06")
@pytest.mark.parametrize("how", ["nothing", "state", "hint"])
def test_end_06_with_less_there_is_a_page(
    party: Party, browser: httpx.Client, column: Column, hint: str, how: str
) -> None:
    asked = {"nothing": {}, "state": {"state": "alone"}, "hint": {"id_token_hint": hint}}
    assert_page(leave(party, browser, **asked[how]))


@pytest.mark.item("END-06")
def test_end_06_the_person_is_asked_and_then_signed_out(
    party: Party, browser: httpx.Client, person: Person, column: Column, hint: str
) -> None:
    asked = Html(leave(party, browser).text)
    (form,) = (form for form in asked.forms.values() if "sign-out" in form.action)
    assert is_signed_in(party, browser, person)
    browser.post(form.action, data=form.fields)
    assert not is_signed_in(party, browser, person)


@pytest.mark.item("END-07")
def test_end_07_an_expired_hint_is_still_one(
    party: Party, browser: httpx.Client, person: Person, column: Column, hint: str
) -> None:
    party.op.wait(minutes=20)
    assert jwt.decode(hint, options={"verify_signature": False})["exp"] < party.op.now
    response = leave(party, browser, id_token_hint=hint, post_logout_redirect_uri=GOODBYE)
    assert response.headers["location"] == GOODBYE


@pytest.fixture
def told(op: ServedHere) -> Iterator[Receiver]:
    with op.open(receiver()) as listening:
        yield listening


def receiving(op: ServedHere, column: Column, told: Receiver, **registered: Any) -> Party:
    """Register a client that is told of logouts."""
    needs = {"backchannel_logout_uri": told.uri, "backchannel_logout_session_required": True}
    return Party.registered(op, column, **{**needs, **registered})


@pytest.mark.item("SLO-01")
def test_slo_01_each_client_of_the_session_is_sent_a_form_with_a_token(
    op: ServedHere, told: Receiver, browser: httpx.Client, person: Person, column: Column
) -> None:
    one, two = (receiving(op, column, told) for _ in range(2))
    hint = one.sign_in(browser, person)["id_token"]
    two.sign_in(browser, person)
    leave(one, browser, id_token_hint=hint)
    op.run(delivered(op.provider))
    assert {request.method for request in told.received} == {"POST"}
    kinds = {request.headers["content-type"] for request in told.received}
    assert kinds == {"application/x-www-form-urlencoded"}
    assert all(request.form.keys() == {"logout_token"} for request in told.received)
    tokens = (request.form["logout_token"][0] for request in told.received)
    audiences = [jwt.decode(token, options={"verify_signature": False})["aud"] for token in tokens]
    assert sorted(audiences) == sorted([one.client_id, two.client_id])


@pytest.mark.item("SLO-02")
def test_slo_02_the_token_has_the_members_of_the_standard(
    op: ServedHere, told: Receiver, browser: httpx.Client, person: Person, column: Column
) -> None:
    party = receiving(op, column, told)
    tokens = party.sign_in(browser, person)
    signed_in = party.id_token(tokens)
    leave(party, browser, id_token_hint=tokens["id_token"])
    op.run(delivered(op.provider))
    (request,) = told.received
    token = request.form["logout_token"][0]
    header = jwt.get_unverified_header(token)
    claims = party.verified(token, header["alg"])
    assert (claims["iss"], claims["aud"]) == (op.issuer, party.client_id)
    assert abs(claims["iat"] - op.now) <= DAY
    assert claims["jti"]
    assert claims["events"] == {EVENT: {}}
    assert (claims["sub"], claims["sid"]) == (signed_in["sub"], signed_in["sid"])
    assert "nonce" not in claims
    assert header["kid"]


@pytest.mark.item("SLO-03")
def test_slo_03_it_is_sent_over_tls_1_3(op: ServedHere, column: Column, tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    strict = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    strict.minimum_version = ssl.TLSVersion.TLSv1_3
    strict.load_cert_chain(certificate, key)

    async def send(uri: str) -> int:
        http = GuardedHTTP(allow_loopback=True, ca_file=certificate)
        try:
            return await http.post_form(uri, {"logout_token": "a.b.c"})
        finally:
            await http.close()

    with op.open(receiver(tls=strict)) as listening:
        assert op.run(send(listening.uri)) == 200


@pytest.mark.item("SLO-04")
def test_slo_04_the_browser_goes_back_whatever_the_receiver_does(
    op: ServedHere, told: Receiver, browser: httpx.Client, person: Person, column: Column
) -> None:
    told.status = "503 Service Unavailable"
    party = receiving(op, column, told)
    hint = party.sign_in(browser, person)["id_token"]
    response = leave(party, browser, id_token_hint=hint, post_logout_redirect_uri=GOODBYE)
    assert response.headers["location"] == GOODBYE
    op.run(delivered(op.provider))
    assert told.received


@pytest.mark.item("SLO-07")
def test_slo_07_id_tokens_have_sid(party: Party, column: Column, hint: str) -> None:
    assert jwt.decode(hint, options={"verify_signature": False})["sid"]
