"""The course of a rush: links are made while everybody follows, then all is quiet, then all is compared."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select

from idp.housekeeping.status_lists import CONSUMER
from idp.store.client_tables import outbox
from idp.store.outbox import is_waiting
from idp.store.set_deliveries import SECURITY_EVENT
from tests.rush.equality import (
    Truth,
    events_agree,
    feed_agrees,
    lists_agree,
    rebuilt_lists_agree,
    tables_agree,
)
from tests.rush.field import PLATFORMS, Field, peak_megabytes
from tests.rush.heard import Heard
from tests.rush.making import Made
from tests.rush.platforms import BackEnd
from tests.support.platform import Platform

LOOK_EVERY = 0.2
MOST_COUNTED = 1000
LIST_IS_LOOKED_AT_AGAIN = 1.2
"""Seconds after which a server has seen the newest edition of a list."""


Trouble = Sequence[type[Exception]]

_UNTOLD = (
    select(outbox.c.delivery_id)
    .where(outbox.c.kind == bindparam("kind"), outbox.c.client_id == bindparam("client_id"), is_waiting())
    .limit(MOST_COUNTED)
)


class NotQuietError(AssertionError):
    """Something still waits though the time is over; the message says what."""


@dataclass
class Outcome:
    """What a rush came to."""

    made: Made
    differences: list[str] = field(default_factory=list)
    heard: dict[str, Heard] = field(default_factory=dict)
    links: int = 0
    changes: int = 0
    lists: int = 0
    rebuilt_seconds: float = 0.0
    quiet_seconds: float = 0.0
    """From the last link until the well platforms knew everything."""
    polled_seconds: float = 0.0
    looked_up_seconds: float = 0.0
    megabytes: dict[str, float] = field(default_factory=dict)


async def link_over_http(field: Field, made: Made, count: int, *, trouble: Trouble = ()) -> None:
    """Have people link accounts through every page of the served provider.

    `trouble`: what may end one of these journeys, after which the next one begins.
    """
    for number in range(count):
        name = PLATFORMS[number % len(PLATFORMS)]
        platform = Platform(field.inside, field.clients[name])
        async with field.http() as browser:
            with contextlib.suppress(*trouble):
                person = await field.inside.add_person(has_totp=False)
                tokens = await platform.tokens_for(browser, person, f"over-http-{number}")
                made.note(tokens["authorization_details"][0]["link_id"], "established")


@contextlib.asynccontextmanager
async def discovered(field: Field) -> AsyncIterator[dict[str, BackEnd]]:
    """Give every platform a back-end until the block ends."""
    async with field.http() as http:
        yield {name: await BackEnd.discovered(field.clients[name].client_id, http) for name in PLATFORMS}


@contextlib.asynccontextmanager
async def followed(back_ends: dict[str, BackEnd]) -> AsyncIterator[None]:
    """Let every platform follow its changes until the block ends."""
    following = [asyncio.create_task(back_end.keep_following()) for back_end in back_ends.values()]
    try:
        yield
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def settled(field: Field, back_ends: dict[str, BackEnd], made: Made, patience: float) -> Outcome:
    """Let everybody recover, wait until all is told, and compare. Raises NotQuietError."""
    outcome, began = Outcome(made), time.monotonic()
    field.recover()
    await field.poll_from_now_on("dead")
    await _quiet(field, ("live", "slow"), began + patience)
    outcome.quiet_seconds = time.monotonic() - began
    polled_from = time.monotonic()
    polled = await back_ends["dead"].poll_all(field.streams["dead"])
    outcome.polled_seconds = time.monotonic() - polled_from
    await _quiet(field, PLATFORMS, time.monotonic() + patience)
    for kind, pids in field.process_ids().items():
        outcome.megabytes[kind] = peak_megabytes(pids)
    for back_end in back_ends.values():
        await back_end.follow()
    outcome.heard = await asyncio.to_thread(_heard, field)
    outcome.heard["dead"] = _joined(outcome.heard["dead"], polled)
    await asyncio.sleep(LIST_IS_LOOKED_AT_AGAIN)
    await _compare(field, back_ends, outcome)
    return outcome


async def _compare(field: Field, back_ends: dict[str, BackEnd], outcome: Outcome) -> None:
    truths = []
    for name, back_end in back_ends.items():
        truth = await Truth.read(field.inside.unit_of_work(), back_end.client_id)
        truths.append(truth)
        began = time.monotonic()
        statuses = await back_end.statuses(list(truth.links.values()))
        outcome.looked_up_seconds += time.monotonic() - began
        outcome.links += len(truth.links)
        outcome.changes += len(truth.changes)
        found = [
            *events_agree(truth, outcome.heard[name]),
            *feed_agrees(truth, back_end),
            *lists_agree(truth, statuses),
        ]
        outcome.differences += [f"{name}: {difference}" for difference in found]
    whole = Truth(
        {link_id: link for truth in truths for link_id, link in truth.links.items()},
        [change for truth in truths for change in truth.changes],
        {},
    )
    outcome.differences += tables_agree(whole, outcome.made.at)
    wrong, outcome.lists, outcome.rebuilt_seconds = await rebuilt_lists_agree(
        field.inside.unit_of_work(), truths
    )
    outcome.differences += wrong


async def _quiet(field: Field, names: tuple[str, ...], deadline: float) -> None:
    """Wait until every change has its position, is built into its list and told to these platforms."""
    while left := await _waiting(field, names):
        if time.monotonic() > deadline:
            raise NotQuietError(f"still waiting: {left}")
        await asyncio.sleep(LOOK_EVERY)


async def _waiting(field: Field, names: tuple[str, ...]) -> dict[str, int]:
    uow = field.inside.unit_of_work()
    unplaced, _ = await uow.link_changes.waiting()
    unbuilt = await uow.link_changes.head() - await uow.link_changes.consumed(CONSUMER)
    left = {"without a position": unplaced, "not in lists": unbuilt}
    if not unplaced:
        for name in names:
            left[name] = await _untold(field, name)
    return {what: count for what, count in left.items() if count}


async def _untold(field: Field, name: str) -> int:
    """Return how many events wait for a platform, MOST_COUNTED at most."""
    client_id = field.clients[name].client_id
    return len(await field.inside.unit_of_work().fetch_all(_UNTOLD, kind=SECURITY_EVENT, client_id=client_id))


def _heard(field: Field) -> dict[str, Heard]:
    """End the receivers and return what they heard."""
    field.receivers.terminate()
    field.receivers.wait(timeout=60)
    document = json.loads(field.results.read_text())
    return {name: Heard.from_json(heard) for name, heard in document.items()}


def _joined(pushed: Heard, polled: Heard) -> Heard:
    """Return what a platform heard by both ways, the second after the first."""
    anew = [told for told in polled.told if told.jti not in pushed.jtis]
    copies = pushed.copies + polled.copies + len(polled.told) - len(anew)
    return Heard(pushed.told + anew, copies, pushed.jtis | polled.jtis)
