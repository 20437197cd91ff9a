"""`idp streams`: what an operator sees of event streams, and how one is stopped and let go on."""

import pytest

from idp.protocol.security_events import session_revoked_event
from idp.store.set_deliveries import SECURITY_EVENT, STREAM_EVENT, delivery_of
from idp.store.unit_of_work import UnitOfWork
from tests.operators.conftest import Installation
from tests.support.event_streams import ISSUER, NOW, make_stream


@pytest.fixture
def filled(installation: Installation) -> Installation:
    """Give one stream with a subject that was removed and an event that waits."""

    async def fill(uow: UnitOfWork) -> None:
        stream = make_stream()
        uow.event_streams.add(stream)
        uow.outbox.add(delivery_of("network", session_revoked_event(ISSUER, "lan", NOW), NOW))
        await uow.commit()
        uow.event_streams.remove_subject(stream, "mai", NOW)
        await uow.commit()

    installation.with_store(fill)
    return installation


def waiting(installation: Installation) -> list[str]:
    async def look(uow: UnitOfWork) -> list[str]:
        return sorted(delivery.kind for delivery in await uow.outbox_overview.page())

    kinds: list[str] = installation.with_store(look)
    return kinds


def test_streams_are_listed_and_shown_without_what_authorizes_them(filled: Installation) -> None:
    listed = filled.answer("streams", "list")
    assert [row["client_id"] for row in listed["streams"]] == ["network"]
    shown = filled.answer("streams", "show", "network")
    assert (shown["status"], shown["removed_subjects"], shown["has_authorization_header"]) == (
        "enabled",
        1,
        True,
    )
    assert "secret-of-the-receiver" not in f"{listed}{shown}"
    assert "There is no event stream of another" in filled.refused("streams", "show", "another")


def test_what_an_operator_stops_is_said_to_its_receiver(filled: Installation) -> None:
    """SSF 1.0 §8.1.5; what waits on a disabled stream is dropped, on a paused one it is held."""
    tried = filled.answer("streams", "pause", "network", "--dry-run")
    assert (tried["status"], tried["dry_run"]) == ("paused", True)
    assert filled.answer("streams", "show", "network")["status"] == "enabled"
    paused = filled.answer("streams", "pause", "network", "--reason", "abuse")
    assert (paused["status"], paused["changed_by"]) == ("paused", "transmitter")
    assert waiting(filled) == [SECURITY_EVENT, STREAM_EVENT]
    assert "is paused already" in filled.refused("streams", "pause", "network")
    assert filled.answer("streams", "disable", "network")["status"] == "disabled"
    assert waiting(filled) == [STREAM_EVENT] * 2
    assert filled.answer("streams", "enable", "network")["status"] == "enabled"
    assert waiting(filled) == [STREAM_EVENT] * 3
    events = filled.events("event_stream:updated")
    assert [event["details"]["changed"] for event in events] == ["paused", "disabled", "enabled"]
    assert events[0]["details"]["because"] == "abuse"
