"""SSF: event streams of the Shared Signals Framework, as a receiver meets them."""

import secrets
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from idp.protocol.security_events import own_event, pairwise_subject, session_revoked_event
from tests.support.columns import Column
from tests.support.event_party import POLL_METHOD, PUSH_METHOD, EventParty
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.receiver import Receiver, receiver
from tests.support.refusals import assert_refused
from tests.support.served_here import ServedHere

SCHEMAS = "https://schemas.openid.net/secevent/"
KNOWN = {
    f"{SCHEMAS}caep/event-type/{name}"
    for name in (
        "session-revoked",
        "token-claims-change",
        "credential-change",
        "assurance-level-change",
        "device-compliance-change",
        "session-established",
        "session-presented",
    )
} | {
    f"{SCHEMAS}risc/event-type/{name}"
    for name in (
        "account-credential-change-required",
        "account-purged",
        "account-disabled",
        "account-enabled",
        "identifier-changed",
        "identifier-recycled",
        "credential-compromise",
        "opt-in",
        "opt-out-initiated",
        "opt-out-cancelled",
        "opt-out-effective",
        "recovery-activated",
        "recovery-information-changed",
    )
}
CONFIGURATION, STATUS = "configuration_endpoint", "status_endpoint"


@pytest.fixture
def hearing(op: ServedHere, column: Column) -> EventParty:
    """Give a receiver that nobody else knows."""
    return EventParty.registered(op, column)


def a_sub() -> str:
    return f"sub-{secrets.token_hex(6)}"


@pytest.mark.item("SSF-01")
def test_ssf_01_a_stream_is_created_with_all_that_describes_it(hearing: EventParty, column: Column) -> None:
    wanted = [own_event(hearing.op.issuer, "account-link-ended")]
    response = hearing.ask("POST", CONFIGURATION, json={"events_requested": wanted})
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    stream = response.json()
    assert stream["iss"] == hearing.op.issuer
    assert stream["aud"] == hearing.party.client_id
    assert stream["delivery"]["method"] == POLL_METHOD
    assert stream["delivery"]["endpoint_url"].startswith("https://")
    assert stream["events_delivered"] == wanted
    assert stream["stream_id"]


@pytest.mark.item("SSF-02")
def test_ssf_02_a_second_stream_a_malformed_request_and_a_bad_token_are_refused(
    hearing: EventParty, column: Column
) -> None:
    hearing.create()
    assert hearing.ask("POST", CONFIGURATION, json={}).status_code == 409
    assert hearing.ask("POST", CONFIGURATION, content=b"{").status_code == 400
    bad = hearing.ask("POST", CONFIGURATION, json={}, token="bad")
    assert bad.status_code == 401
    assert_refused(bad, "invalid_token")


@pytest.mark.item("SSF-03")
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_ssf_03_what_is_unknown_badly_authorized_or_malformed_is_refused(
    hearing: EventParty, column: Column, method: str
) -> None:
    stream_id = hearing.create()["stream_id"]
    delivery = {"method": POLL_METHOD}
    in_body = method in {"PATCH", "PUT"}

    def ask(named: str, **more: Any) -> int:
        if in_body:
            more = {"json": {"stream_id": named, "delivery": delivery}} | more
            return hearing.ask(method, CONFIGURATION, **more).status_code
        return hearing.ask(method, CONFIGURATION, named, **more).status_code

    assert ask("unknown") == 404
    assert ask(stream_id, token="bad") == 401
    if in_body:
        for malformed in (b"{", b"[]", b'{"events_requested": []}'):
            response = hearing.ask(method, CONFIGURATION, content=malformed)
            assert response.status_code == 400


@pytest.mark.item("SSF-04")
def test_ssf_04_streams_are_read_one_by_one_and_together_and_changed(
    hearing: EventParty, column: Column
) -> None:
    stream = hearing.create(description="first")
    named = {"stream_id": stream["stream_id"]}
    one = hearing.ask("GET", CONFIGURATION, stream["stream_id"])
    assert (one.status_code, one.json()) == (200, stream)
    together = hearing.ask("GET", CONFIGURATION)
    assert (together.status_code, together.json()) == (200, [stream])
    for method in ("PATCH", "PUT"):
        sent = named | {"description": method, "delivery": {"method": POLL_METHOD}}
        changed = hearing.ask(method, CONFIGURATION, json=sent)
        assert (changed.status_code, changed.json()["description"]) == (200, method)


@pytest.mark.item("SSF-04")
def test_ssf_04_every_event_is_a_registered_one_or_explains_itself_at_its_address(
    hearing: EventParty, column: Column
) -> None:
    for event in hearing.create()["events_supported"]:
        if event not in KNOWN:
            assert event.startswith(f"{hearing.op.issuer}/events/")
            assert hearing.party.back.get(event).status_code == 200


@pytest.mark.item("SSF-05")
def test_ssf_05_a_stream_is_deleted(hearing: EventParty, column: Column) -> None:
    stream_id = hearing.create()["stream_id"]
    deleted = hearing.ask("DELETE", CONFIGURATION, stream_id)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert hearing.ask("GET", CONFIGURATION, stream_id).status_code == 404


@pytest.mark.item("SSF-06")
def test_ssf_06_its_status_is_read_and_changed(hearing: EventParty, column: Column) -> None:
    stream_id = hearing.create()["stream_id"]
    read = hearing.ask("GET", STATUS, stream_id)
    assert (read.status_code, read.json()) == (200, {"stream_id": stream_id, "status": "enabled"})
    for status in ("paused", "disabled", "enabled"):
        wanted = {"stream_id": stream_id, "status": status}
        changed = hearing.ask("POST", STATUS, json=wanted)
        assert (changed.status_code, changed.json()) == (200, wanted)
        assert hearing.ask("GET", STATUS, stream_id).json() == wanted


@pytest.mark.item("SSF-07")
def test_ssf_07_subjects_are_added_and_removed(
    hearing: EventParty, browser: httpx.Client, person: Person, column: Column
) -> None:
    """Of whom its receiver removed, it hears nothing; of everybody else, everything."""
    stream = hearing.create()
    removed, kept = (linked(hearing, browser, person) for _ in range(2))
    subject = pairwise_subject(hearing.op.issuer, removed["sub"])
    members = {"stream_id": stream["stream_id"], "subject": subject}
    hearing.told()
    assert hearing.hear_all(stream)
    response = hearing.ask("POST", "remove_subject_endpoint", json=members)
    assert (response.status_code, response.content) == (204, b"")
    hearing.suspends(removed["link_id"])
    hearing.told()
    assert hearing.poll(stream) == {}
    response = hearing.ask("POST", "add_subject_endpoint", json=members)
    assert (response.status_code, response.content) == (200, b"")
    hearing.suspends(kept["link_id"])
    hearing.told()
    heard = hearing.hear_all(stream)
    assert heard
    assert all(claims["sub_id"] == subject for claims in heard), "both links are the same person's"


@pytest.mark.item("SSF-08")
def test_ssf_08_a_verification_echoes_its_state_and_has_none_without(
    hearing: EventParty, column: Column
) -> None:
    stream = hearing.create()
    for state in ({"state": secrets.token_urlsafe()}, {}):
        members = {"stream_id": stream["stream_id"]} | state
        assert hearing.ask("POST", "verification_endpoint", json=members).status_code == 204
        [(jti, token)] = hearing.poll(stream).items()
        claims = hearing.verified(token)
        assert claims["sub_id"] == {"format": "opaque", "id": stream["stream_id"]}
        assert claims["events"] == {f"{SCHEMAS}ssf/event-type/verification": state}
        hearing.poll(stream, ack=[jti], maxEvents=0)
        hearing.op.wait(seconds=stream["min_verification_interval"])


@pytest.mark.item("SSF-09")
def test_ssf_09_a_set_passes_for_nothing_else(hearing: EventParty, column: Column) -> None:
    stream = hearing.create()
    hearing.happens(session_revoked_event(hearing.op.issuer, a_sub(), hearing.op.clock.now))
    [(jti, token)] = hearing.poll(stream).items()
    claims = hearing.verified(token)
    assert claims["iss"] == hearing.op.issuer == stream["iss"]
    assert claims["aud"] == hearing.party.client_id
    assert isinstance(claims["iat"], int)
    assert claims["iat"] <= hearing.op.now
    assert claims["jti"] == jti
    assert len(claims["events"]) == 1
    assert not {"sub", "exp"} & claims.keys()


def heard_at(
    listening: AbstractAsyncContextManager[Receiver], hearing: EventParty, **delivery: str
) -> Receiver:
    """Have an event pushed to a listener; return it."""
    with hearing.op.open(listening) as heard:
        hearing.create(delivery={"method": PUSH_METHOD, "endpoint_url": heard.uri, **delivery})
        hearing.happens(session_revoked_event(hearing.op.issuer, a_sub(), hearing.op.clock.now))
        heard.status = "202 Accepted"
        hearing.told()
        hearing.op.wait(minutes=10)
        hearing.told()
    return heard


@pytest.mark.item("SSF-10")
def test_ssf_10_a_push_is_authorized_exactly_as_was_said(hearing: EventParty, column: Column) -> None:
    authorization = f"Bearer {secrets.token_urlsafe()}"
    heard = heard_at(receiver(), hearing, authorization_header=authorization)
    [pushed] = heard.received
    assert pushed.method == "POST"
    assert pushed.headers["content-type"] == "application/secevent+jwt"
    assert pushed.headers["authorization"] == authorization
    assert len(hearing.verified(pushed.body.decode())["events"]) == 1


@pytest.mark.item("SSF-10")
def test_ssf_10_a_push_without_authorization_has_none(hearing: EventParty, column: Column) -> None:
    [pushed] = heard_at(receiver(), hearing).received
    assert "authorization" not in pushed.headers


@pytest.mark.item("SSF-11")
def test_ssf_11_what_is_polled_for_is_gone_when_it_is_acknowledged(
    hearing: EventParty, column: Column
) -> None:
    stream = hearing.create()
    for _ in range(3):
        hearing.happens(session_revoked_event(hearing.op.issuer, a_sub(), hearing.op.clock.now))
    sets = hearing.poll(stream, maxEvents=2)
    assert len(sets) == 2
    assert all(hearing.verified(token)["jti"] == jti for jti, token in sets.items())
    assert hearing.poll(stream, maxEvents=2).keys() == sets.keys(), "not acknowledged yet"
    first, second = sets
    errors = {second: {"err": "invalid_request", "description": "not for me"}}
    assert hearing.poll(stream, ack=[first], setErrs=errors, maxEvents=0) == {}
    [rest] = hearing.poll(stream)
    assert rest not in sets
    malformed = hearing.ask("POST", stream["delivery"]["endpoint_url"], json={"ack": "x"})
    assert malformed.status_code == 400


def linked(hearing: EventParty, browser: httpx.Client, person: Person) -> dict[str, str]:
    """Have a person link an account; return the link's id and the pairwise subject."""
    tokens = hearing.party.sign_in(browser, person, authorization_details=hearing.party.details())
    link_id = tokens["authorization_details"][0]["link_id"]

    async def subject() -> str:
        link = await hearing.op.provider.unit_of_work().account_links.find(link_id)
        assert link is not None
        return link.subject

    return {"link_id": link_id, "sub": hearing.op.run(subject())}


@pytest.mark.item("SSF-12")
def test_ssf_12_the_end_of_a_session_is_told(hearing: EventParty, op: ServedHere, column: Column) -> None:
    """CAEP §3.1, within 60 seconds; of a person who has a link or not."""
    stream = hearing.create(events_requested=[f"{SCHEMAS}caep/event-type/session-revoked"])
    browser = op.browser()
    tokens = hearing.party.sign_in(browser, op.add_person())
    claims = hearing.party.id_token(tokens)
    ended_at = op.now
    browser.get(op.path("end_session_endpoint"), params={"id_token_hint": tokens["id_token"]})
    op.wait(seconds=1)
    hearing.told()
    [heard] = hearing.hear_all(stream)
    assert heard["sub_id"] == pairwise_subject(op.issuer, claims["sub"])
    [(_, payload)] = heard["events"].items()
    assert payload == {"event_timestamp": ended_at}
    assert heard["iat"] - ended_at <= 60


@pytest.mark.item("SSF-12")
def test_ssf_12_a_changed_credential_is_told(
    hearing: EventParty, browser: httpx.Client, person: Person, column: Column
) -> None:
    """CAEP §3.3, within 60 seconds: what kind of credential, and what became of it."""
    stream = hearing.create(events_requested=[f"{SCHEMAS}caep/event-type/credential-change"])
    link = linked(hearing, browser, person)
    changed_at = hearing.op.now
    hearing.changes_password(person)
    hearing.told()
    [heard] = hearing.hear_all(stream)
    assert heard["sub_id"] == pairwise_subject(hearing.op.issuer, link["sub"])
    [(_, payload)] = heard["events"].items()
    assert (payload["credential_type"], payload["change_type"]) == ("password", "update")
    assert payload["event_timestamp"] == changed_at
    assert heard["iat"] - changed_at <= 60


@pytest.mark.item("SSF-13")
def test_ssf_13_what_happened_to_a_link_is_told_with_its_time_and_without_a_reason(
    hearing: EventParty, browser: httpx.Client, person: Person, column: Column
) -> None:
    stream = hearing.create()
    link = linked(hearing, browser, person)
    hearing.suspends(link["link_id"])
    hearing.told()
    seen: list[str] = []
    for claims in hearing.hear_all(stream):
        [(event, payload)] = claims["events"].items()
        seen.append(event)
        assert claims["sub_id"] == pairwise_subject(hearing.op.issuer, link["sub"])
        assert isinstance(payload.get("event_timestamp", 0), int)
        assert not {"reason_admin", "reason_user", "initiating_entity", "reason"} & payload.keys()
    own = [own_event(hearing.op.issuer, f"account-link-{name}") for name in ("established", "suspended")]
    assert [event for event in seen if event in own] == own


@pytest.mark.item("SSF-14")
def test_ssf_14_a_token_for_streams_lives_an_hour_at_most(op: ServedHere, column: Column) -> None:
    hearing = EventParty.registered(op, column, scope="ssf.read")
    tokens = EventParty.token_of(hearing.party, "ssf.read")
    assert tokens["scope"] == "ssf.read"
    assert tokens["expires_in"] <= 3600
    assert tokens.keys() & {"refresh_token", "id_token"} == set()
    assert hearing.ask("GET", CONFIGURATION).status_code == 200
    refused = hearing.ask("POST", CONFIGURATION, json={})
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    op.wait(seconds=tokens["expires_in"] + 1)
    assert hearing.ask("GET", CONFIGURATION).status_code == 401


@pytest.mark.item("SSF-14")
def test_ssf_14_the_resource_says_which_scopes_it_takes(party: Party, column: Column) -> None:
    """RFC 9728, as the CAEP Interoperability Profile has a client find them."""
    described = party.back.get("/.well-known/oauth-protected-resource/ssf").json()
    assert described["resource"] == f"{party.op.issuer}/ssf"
    assert described["scopes_supported"] == ["ssf.manage", "ssf.read"]
