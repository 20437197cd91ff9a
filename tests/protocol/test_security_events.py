"""What a change of a link is told as: which events, about whom, never why. RFC 8417, SSF, CAEP, RISC, R12."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.identity.account_links import LIVE, AccountLink, Status
from idp.identity.assurance import Proofing
from idp.identity.link_changes import ChangeKind, LinkChange
from idp.protocol.security_events import (
    ACCOUNT_DISABLED,
    ACCOUNT_ENABLED,
    ACCOUNT_PURGED,
    ASSURANCE_LEVEL_CHANGE,
    SET_TYPE,
    credential_change_event,
    events_of_change,
    own_event,
    set_claims,
    stream_updated_event,
    supported_events,
    verification_event,
)
from tests.support.protocol_builders import NOW, make_link

ISSUER = "https://id.example"
STATES = st.sampled_from(Status)


def change_of(kind: ChangeKind, status: Status = Status.ACTIVE, **details: str) -> LinkChange:
    return LinkChange("change-1", "network", "link-1", kind, NOW, status, details)


def names(change: LinkChange, link: AccountLink | None = None, *neighbours: Status) -> list[str]:
    told = events_of_change(change, link or make_link(), neighbours, ISSUER)
    return [event.uri.rpartition("/")[2] for event in told]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ChangeKind.ESTABLISHED, "account-link-established"),
        (ChangeKind.RENEWED, "account-link-updated"),
        (ChangeKind.LAPSED, "account-link-lapsed"),
        (ChangeKind.UPDATED, "account-link-updated"),
        (ChangeKind.REATTACHED, "account-link-updated"),
    ],
)
def test_each_change_has_one_event_of_our_own(kind: ChangeKind, name: str) -> None:
    assert names(change_of(kind)) == [name]


def test_what_the_platform_asked_for_itself_is_not_told_to_it() -> None:
    assert names(change_of(ChangeKind.REVERIFY_REQUESTED)) == []


@given(st.lists(STATES, max_size=4))
def test_risc_tells_of_the_person_and_not_of_one_link(neighbours: list[Status]) -> None:
    suspended = names(change_of(ChangeKind.SUSPENDED, Status.SUSPENDED), None, *neighbours)
    reinstated = names(change_of(ChangeKind.REINSTATED), None, *neighbours)
    ended = names(change_of(ChangeKind.ENDED, Status.ENDED), None, *neighbours)
    is_alone = Status.ACTIVE not in neighbours
    assert ("account-disabled" in suspended) is is_alone
    assert ("account-enabled" in reinstated) is is_alone
    assert ("account-purged" in ended) is not LIVE.intersection(neighbours)


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        (Proofing.VN1, Proofing.VN2, "increase"),
        (Proofing.VN2, Proofing.VN1, "decrease"),
        (Proofing.VNF, Proofing.VN1, "decrease"),
        (Proofing.VN2, Proofing.VNF, None),
    ],
)
def test_a_change_of_level_says_which_way(before: Proofing, after: Proofing, direction: str | None) -> None:
    change = change_of(ChangeKind.ASSURANCE_CHANGED, proofing=after, previous_proofing=before)
    own, caep = events_of_change(change, make_link(proofing=after), (), ISSUER)
    assert (own.uri, own.payload["assurance_level"]) == (own_event(ISSUER, "account-link-updated"), after)
    assert caep.uri == ASSURANCE_LEVEL_CHANGE
    assert (caep.payload["previous_level"], caep.payload["current_level"]) == (before, after)
    assert caep.payload.get("change_direction") == direction


@given(kind=st.sampled_from(ChangeKind), neighbours=st.lists(STATES, max_size=3))
def test_r12_no_event_says_why_or_who_and_none_holds_what_is_not_the_platforms(
    kind: ChangeKind, neighbours: list[Status]
) -> None:
    """Every value of the link that is ours alone is made recognisable, and looked for."""
    ours = {
        "citizen_id",
        "suspended_because",
        "ended_because",
        "guardianship_id",
        "mark_id",
        "status_list_id",
    }
    link = make_link(**{name: f"OURS-{name}" for name in ours}, status_index=777_777)
    details = {"because": "OURS-because", "before": "active", "proofing": "vn1", "previous_proofing": "vn2"}
    for event in events_of_change(change_of(kind, **details), link, neighbours, ISSUER):
        claims = set_claims(ISSUER, "network", event, jti="jti", issued_at=NOW, txn="txn")
        text = repr(claims)
        assert "OURS" not in text
        assert "777777" not in text
        members = {member for payload in claims["events"].values() for member in payload}
        assert not members & {"reason_admin", "reason_user", "initiating_entity", "reason", "because"}
        assert link.handle not in members


def test_the_fields_of_a_link_are_looked_at_when_one_is_added() -> None:
    """A field that a platform may not see must be named in the test above."""
    told = {"link_id", "account_id", "subject", "status", "proofing", "acr", "expires_at"}
    not_told = {"client_id", "citizen_id", "requested_at", "handle", "profile_uri", "purpose", "place"}
    not_told |= {"linked_at", "last_used_at", "suspended_because", "ended_at", "ended_because", "mark_id"}
    not_told |= {"status_list_id", "status_index", "policy_version", "guardianship_id", "updated_at"}
    not_told |= {"own_consent_due_at", "reverify_requested_at"}
    assert {member.name for member in fields(AccountLink)} == told | not_told


def test_ssf_09_a_set_has_what_it_must_and_nothing_that_another_token_has() -> None:
    event = credential_change_event(ISSUER, "pairwise", "password", "update", NOW + timedelta(microseconds=7))
    claims = set_claims(ISSUER, "network", event, jti="jti-1", issued_at=NOW)
    assert claims.keys() == {"iss", "aud", "iat", "jti", "sub_id", "events"}
    assert not claims.keys() & {"sub", "exp", "nonce"}
    assert (SET_TYPE, claims["aud"], claims["sub_id"]["sub"]) == ("secevent+jwt", "network", "pairwise")
    ((payload),) = claims["events"].values()
    assert all(isinstance(value, int | str) for value in payload.values())
    assert payload["event_timestamp"] == int(NOW.timestamp())


@given(st.datetimes(timezones=st.just(UTC)))
def test_p7_times_are_whole_seconds(at: datetime) -> None:
    event = credential_change_event(ISSUER, "pairwise", "app", "create", at)
    claims: dict[str, Any] = set_claims(ISSUER, "network", event, jti="jti", issued_at=at)
    (payload,) = claims["events"].values()
    assert isinstance(claims["iat"], int)
    assert isinstance(payload["event_timestamp"], int)


def test_ssf_08_a_verification_echoes_its_state_and_has_none_when_nobody_asked() -> None:
    asked, unasked = verification_event("stream-1", "s"), verification_event("stream-1")
    assert (asked.payload, unasked.payload) == ({"state": "s"}, {})
    assert asked.sub_id == {"format": "opaque", "id": "stream-1"}
    assert stream_updated_event("stream-1", "paused").payload == {"status": "paused"}


def test_what_is_supported_is_what_can_be_told() -> None:
    supported = supported_events(ISSUER)
    assert len(set(supported)) == len(supported)
    assert {ACCOUNT_DISABLED, ACCOUNT_ENABLED, ACCOUNT_PURGED} <= set(supported)
    assert not any(uri.endswith("/identifier-changed") for uri in supported), "its subject would be a number"
