"""The hash chain: every change of the past is found, and the first event concerned is named."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.audit.chain import (
    GENESIS,
    START,
    ChainReport,
    ChainVerifier,
    Finding,
    FindingKind,
    Head,
    SealedEvent,
    chain_hash,
    encode,
    seal,
)

LENGTH = 7
PLACES = st.integers(min_value=1, max_value=LENGTH)


def unsealed(name: str) -> SealedEvent:
    return SealedEvent(
        sequence=0,
        event_id=name,
        occurred_at=1_795_000_000_000_000,
        type="account_link:activated",
        actor_kind="citizen",
        actor_id="citizen-1",
        client_id="social-network",
        citizen_id="citizen-1",
        link_id=None,
        details='{"because":"linked"}',
        chain_hash=b"",
    )


CHAIN = tuple(seal([unsealed(f"event-{place}") for place in range(1, LENGTH + 1)], START))
HEAD = Head(CHAIN[-1].sequence, CHAIN[-1].chain_hash)


def verified(events: Sequence[SealedEvent], head: Head = HEAD) -> ChainReport:
    verifier = ChainVerifier(head)
    for event in events:
        verifier.add(event)
    return verifier.report()


def finding(events: Sequence[SealedEvent], head: Head = HEAD) -> Finding | None:
    return verified(events, head).finding


def by_sequence(events: Sequence[SealedEvent]) -> list[SealedEvent]:
    return sorted(events, key=lambda event: event.sequence)


def renumbered(events: Sequence[SealedEvent]) -> list[SealedEvent]:
    return [replace(event, sequence=place) for place, event in enumerate(events, start=1)]


def slipped_in(place: int, *, hash_fits: bool) -> SealedEvent:
    before = Head(place - 1, CHAIN[place - 2].chain_hash) if place > 1 else START
    (event,) = seal([unsealed("intruder")], before)
    return event if hash_fits else replace(event, chain_hash=bytes(32))


def test_a_chain_is_intact() -> None:
    report = verified(CHAIN)
    assert (report.events, report.verified, report.finding) == (LENGTH, HEAD, None)


def test_an_empty_chain_is_intact() -> None:
    assert finding([], START) is None


def test_sealing_in_pieces_is_the_same_as_at_once() -> None:
    first = seal([unsealed("event-1"), unsealed("event-2")], START)
    second = seal([unsealed("event-3")], Head(2, first[-1].chain_hash))
    assert (*first, *second) == CHAIN[:3]


def test_the_hash_can_be_derived_without_our_code() -> None:
    event = CHAIN[0]
    row = {field.name: getattr(event, field.name) for field in fields(event) if field.name != "chain_hash"}
    canonical = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert encode(event) == canonical
    tag = b"lienket audit chain\x00"
    genesis = hashlib.sha256(tag + b"genesis").digest()
    assert genesis == GENESIS
    assert (
        hashlib.sha256(tag + genesis + canonical).digest()
        == chain_hash(GENESIS, canonical)
        == event.chain_hash
    )


@given(PLACES, st.sampled_from([field.name for field in fields(SealedEvent) if field.name != "sequence"]))
def test_an_altered_event_is_named(place: int, field: str) -> None:
    event = CHAIN[place - 1]
    other: Any = {"occurred_at": 1, "chain_hash": bytes(32), "link_id": "", "client_id": None}.get(field, "x")
    altered = replace(event, **{field: other})
    events = [*CHAIN[: place - 1], altered, *CHAIN[place:]]
    assert finding(events) == Finding(FindingKind.ALTERED, place, altered.event_id)


def test_an_absent_id_is_not_an_empty_one() -> None:
    assert encode(CHAIN[0]) != encode(replace(CHAIN[0], link_id=""))


@given(PLACES)
def test_a_removed_event_is_named_by_its_place(place: int) -> None:
    events = [*CHAIN[: place - 1], *CHAIN[place:]]
    assert finding(events) == Finding(FindingKind.REMOVED, place, None)


@given(PLACES)
def test_a_tail_cut_off_is_found_by_the_head(place: int) -> None:
    assert finding(CHAIN[: place - 1]) == Finding(FindingKind.REMOVED, place, None)


@given(PLACES.filter(lambda place: place < LENGTH))
def test_a_removed_event_is_found_when_the_rest_is_renumbered(place: int) -> None:
    events = renumbered([*CHAIN[: place - 1], *CHAIN[place:]])
    # What stands in its place now was never sealed there.
    assert finding(events) == Finding(FindingKind.ALTERED, place, CHAIN[place].event_id)


@given(place=PLACES, comes_first=st.booleans(), hash_fits=st.booleans())
def test_an_event_slipped_in_at_a_place_taken_is_named(
    place: int, *, comes_first: bool, hash_fits: bool
) -> None:
    intruder = slipped_in(place, hash_fits=hash_fits)
    events = by_sequence([intruder, *CHAIN] if comes_first else [*CHAIN, intruder])
    assert finding(events) == Finding(FindingKind.SLIPPED_IN, place, "intruder")


@given(place=PLACES, hash_fits=st.booleans())
def test_an_event_slipped_in_is_named_when_the_rest_is_renumbered(place: int, *, hash_fits: bool) -> None:
    intruder = slipped_in(place, hash_fits=hash_fits)
    events = renumbered([*CHAIN[: place - 1], intruder, *CHAIN[place - 1 :]])
    assert finding(events) == Finding(FindingKind.SLIPPED_IN, place, "intruder")


@pytest.mark.parametrize("sequence", [0, -1])
def test_an_event_before_the_first_is_slipped_in(sequence: int) -> None:
    intruder = replace(CHAIN[0], sequence=sequence, event_id="intruder")
    assert finding([intruder, *CHAIN]) == Finding(FindingKind.SLIPPED_IN, sequence, "intruder")


def test_an_event_after_the_head_is_slipped_in() -> None:
    (intruder,) = seal([unsealed("intruder")], HEAD)
    assert finding([*CHAIN, intruder]) == Finding(FindingKind.SLIPPED_IN, LENGTH + 1, "intruder")


@given(st.lists(PLACES, min_size=2, max_size=2, unique=True))
def test_two_events_that_changed_places_are_found_at_the_first(places: list[int]) -> None:
    low, high = sorted(places)
    events = list(CHAIN)
    events[low - 1], events[high - 1] = events[high - 1], events[low - 1]
    named = CHAIN[high - 1].event_id
    # Neighbours changed round look as if the second had been slipped in before the first.
    kind = FindingKind.SLIPPED_IN if high == low + 1 else FindingKind.ALTERED
    assert finding(renumbered(events)) == Finding(kind, low, named)


@given(PLACES)
def test_a_chain_sealed_anew_from_an_event_on_does_not_end_at_its_head(place: int) -> None:
    before = Head(place - 1, CHAIN[place - 2].chain_hash) if place > 1 else START
    forged = [*CHAIN[: place - 1], *seal([replace(CHAIN[place - 1], type="x"), *CHAIN[place:]], before)]
    assert finding(forged) == Finding(FindingKind.REWRITTEN, LENGTH, f"event-{LENGTH}")
    longer = [*forged, *seal([unsealed("more")], Head(LENGTH, forged[-1].chain_hash))]
    assert finding(longer) == Finding(FindingKind.REWRITTEN, LENGTH, f"event-{LENGTH}")


@given(PLACES.filter(lambda place: place < LENGTH))
def test_an_altered_event_with_a_new_hash_is_found_at_the_next(place: int) -> None:
    before = Head(place - 1, CHAIN[place - 2].chain_hash) if place > 1 else START
    forged = [*CHAIN[: place - 1], *seal([replace(CHAIN[place - 1], type="x")], before), *CHAIN[place:]]
    assert finding(forged) == Finding(FindingKind.ALTERED, place + 1, f"event-{place + 1}")


def test_a_head_of_an_empty_log_that_is_not_the_start_is_a_finding() -> None:
    assert finding([], Head(0, bytes(32))) == Finding(FindingKind.REWRITTEN, 0, None)


def test_what_no_json_holds_is_a_finding_too() -> None:
    forged = replace(CHAIN[0])
    object.__setattr__(forged, "details", b"\xff")
    assert finding([forged, *CHAIN[1:]]) == Finding(FindingKind.ALTERED, 1, "event-1")


def test_after_a_finding_nothing_more_is_read() -> None:
    verifier = ChainVerifier(HEAD)
    for event in CHAIN[1:]:
        verifier.add(event)
    report = verifier.report()
    assert (report.events, report.verified) == (1, START)
    assert report.finding == Finding(FindingKind.REMOVED, 1, None)
