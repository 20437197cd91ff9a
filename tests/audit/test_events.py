"""The vocabulary of the audit log: ids and short codes, and nothing about a person."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from idp.audit.events import DETAIL_KEYS, PROVIDER, Actor, ActorKind, Event
from idp.identity.citizens import PersonalData

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_an_event_names_what_was_done_by_whom() -> None:
    event = Event("client:suspended", Actor(ActorKind.OPERATOR, "minh"), NOW, client_id="c")
    assert (event.type, event.actor.id, event.citizen_id, event.link_id) == (
        "client:suspended",
        "minh",
        None,
        None,
    )
    assert event.details == {}


@pytest.mark.parametrize("key", sorted(DETAIL_KEYS))
def test_a_known_detail_is_taken(key: str) -> None:
    assert Event("client:changed", PROVIDER, NOW, details={key: "x"}).details == {key: "x"}


@pytest.mark.parametrize("field", [*(field.name for field in fields(PersonalData)), "personal_number"])
def test_no_attribute_of_a_person_can_be_a_detail(field: str) -> None:
    assert field not in DETAIL_KEYS
    with pytest.raises(ValueError, match=f"may not carry {field}"):
        Event("citizen:shown", PROVIDER, NOW, details={field: "x"})


def test_every_unknown_detail_is_named() -> None:
    with pytest.raises(ValueError, match="address, name"):
        Event("citizen:shown", PROVIDER, NOW, details={"name": "x", "because": "y", "address": "z"})


def test_the_program_itself_is_an_actor() -> None:
    assert Actor(ActorKind.PROVIDER, "lienket") == PROVIDER
