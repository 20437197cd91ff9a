"""CIBA-13 to CIBA-20, UI-13: the answer, by poll and by ping, and the tokens it gives."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.asking import approved, began, collect, decide
from tests.support.columns import Column
from tests.support.databases import joined_test_run, sqlite_database
from tests.support.deliveries import delivered
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.receiver import Receiver, receiver
from tests.support.refusals import assert_refused
from tests.support.served_here import ServedHere, served_here

NO_CERTIFICATE = {"x-client-certificate": None}


@pytest.fixture
def person(op: ServedHere) -> Person:
    return op.add_person()


@pytest.fixture
def browser(op: ServedHere) -> httpx.Client:
    return op.browser()


@pytest.mark.item("CIBA-13")
def test_ciba_13_before_the_answer_it_is_pending_and_too_often_is_told(
    party: Party, person: Person, column: Column
) -> None:
    auth_req_id = began(party, person)
    party.op.wait(seconds=6)
    assert_refused(collect(party, auth_req_id), "authorization_pending")
    assert_refused(collect(party, auth_req_id), "slow_down")
    party.op.wait(seconds=20)
    assert_refused(collect(party, auth_req_id), "authorization_pending")


@pytest.mark.item("CIBA-14")
def test_ciba_14_a_refusal_and_an_end_in_time_are_told(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    denied = began(party, person)
    decide(party, browser, person, "deny")
    assert_refused(collect(party, denied), "access_denied")
    forgotten = began(party, person, requested_expiry=60)
    party.op.wait(seconds=61)
    assert_refused(collect(party, forgotten), "expired_token")


@pytest.mark.item("CIBA-15")
def test_ciba_15_an_id_works_once_and_for_its_client_alone(
    party: Party, other_party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    auth_req_id = began(party, person)
    decide(party, browser, person)
    assert_refused(collect(other_party, auth_req_id), "invalid_grant")
    assert collect(party, auth_req_id).status_code == 200
    party.op.wait(seconds=6)
    assert_refused(collect(party, auth_req_id), "invalid_grant")


@pytest.mark.item("CIBA-16")
def test_ciba_16_the_answer_is_a_bound_token_and_an_id_token_that_nobody_stores(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    auth_req_id = began(party, person, acr_values=f"{party.op.issuer}/acr/vn-2")
    decide(party, browser, person)
    response = collect(party, auth_req_id)
    assert response.headers["cache-control"] == "no-store"
    claims = party.id_token(response.json())
    assert claims["sub"]
    assert claims["acr"] == f"{party.op.issuer}/acr/vn-2"
    assert not claims.keys() & {"c_hash", "s_hash"}
    token = response.json()["access_token"]
    assert party.use(token).status_code == 200
    assert party.back.get("/userinfo", headers={"authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.item("CIBA-17")
def test_ciba_17_without_the_certificate_there_is_no_token(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    auth_req_id = began(party, person)
    decide(party, browser, person)
    refused = collect(party, auth_req_id, headers=NO_CERTIFICATE)
    assert_refused(refused, "invalid_client", "invalid_request", "invalid_grant")
    assert collect(party, auth_req_id).status_code == 200


@pytest.mark.item("CIBA-18")
def test_ciba_18_a_refresh_token_is_worth_nothing_to_another_client(
    party: Party, other_party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = approved(party, browser, person, scope="openid offline_access")
    assert_refused(other_party.refresh(tokens["refresh_token"]), "invalid_grant")
    assert party.refresh(tokens["refresh_token"]).status_code == 200


@pytest.fixture
def pinged(op: ServedHere) -> Iterator[Receiver]:
    with op.open(receiver()) as listening:
        yield listening


@pytest.fixture
def pinged_party(op: ServedHere, column: Column, pinged: Receiver) -> Party:
    registered: dict[str, Any] = {
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": pinged.uri,
    }
    return Party.registered(op, column, **registered)


@pytest.mark.item("CIBA-19")
def test_ciba_19_a_ping_is_a_post_of_the_id_with_the_clients_token(
    op: ServedHere,
    pinged: Receiver,
    pinged_party: Party,
    browser: httpx.Client,
    person: Person,
    column: Column,
) -> None:
    secret = "t" * 1024
    auth_req_id = began(pinged_party, person, client_notification_token=secret)
    op.run(delivered(op.provider))
    assert not pinged.received
    decide(pinged_party, browser, person)
    op.run(delivered(op.provider))
    (ping,) = pinged.received
    assert (ping.method, ping.headers["content-type"]) == ("POST", "application/json")
    assert ping.headers["authorization"] == f"Bearer {secret}"
    assert json.loads(ping.body) == {"auth_req_id": auth_req_id}
    assert collect(pinged_party, auth_req_id).status_code == 200


@pytest.mark.item("CIBA-20")
@pytest.mark.parametrize(
    "status", ["200 OK", "204 No Content", "401 Unauthorized", "403 Forbidden", "301 Moved"]
)
def test_ciba_20_whatever_a_ping_is_answered_with_the_flow_lives(
    op: ServedHere,
    pinged: Receiver,
    pinged_party: Party,
    browser: httpx.Client,
    person: Person,
    column: Column,
    status: str,
) -> None:
    pinged.status = status
    pinged.body = b"" if status.startswith("204") else b'{"hello": "world"}'
    pinged.headers["Location"] = f"{pinged.uri}/elsewhere"
    auth_req_id = began(pinged_party, person, client_notification_token="token")
    decide(pinged_party, browser, person)
    op.run(delivered(op.provider))
    assert [ping.path for ping in pinged.received] == ["/hook"]
    assert collect(pinged_party, auth_req_id).status_code == 200


@pytest.mark.item("CIBA-22")
@pytest.mark.parametrize(("action", "status"), [("allow", 200), ("deny", 400)])
def test_ciba_22_where_it_is_switched_on_a_suite_may_answer_by_itself(
    automated_op: ServedHere, column: Column, action: str, status: int
) -> None:
    party, person = Party.registered(automated_op, column), automated_op.add_person()
    auth_req_id = began(party, person)
    answer = {"auth_req_id": auth_req_id, "action": action}
    assert party.back.post("/automated-approval", params=answer).status_code == 200
    assert collect(party, auth_req_id).status_code == status


@pytest.fixture(scope="module")
def automated_op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHere]:
    folder = tmp_path_factory.mktemp("automated")
    database = sqlite_database(joined_test_run(), folder)
    with database as url, served_here(url, folder, automated_approvals=True) as op:
        yield op


@pytest.mark.item("UI-13", columns=["ciba"])
def test_ui_13_the_interaction_id_comes_back_with_a_token_from_elsewhere(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    token, sent = approved(party, browser, person)["access_token"], str(uuid.uuid4())
    response = party.use(token, headers={"x-fapi-interaction-id": sent})
    assert response.headers["x-fapi-interaction-id"] == sent
