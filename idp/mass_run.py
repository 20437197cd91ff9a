"""A run of a mass action: every link in a commit of its own, and the place among them after each batch.

Whoever runs it may be stopped at any moment. A link has its turn once, for that is a gate of its own, and the
next run goes on behind the last batch.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from idp.audit.events import Actor, Event
from idp.identity.account_links import AccountLink
from idp.identity.mass_actions import (
    MassAction,
    MassActionError,
    MassStatus,
    Turn,
    begin,
    begin_undoing,
    do,
    finish,
    step,
    undo,
)
from idp.store.mass_actions import as_it_was
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

BATCH = 200
AT_ONCE = 8
LEASE = timedelta(seconds=30)

Opener = Callable[[], UnitOfWork]
Progress = Callable[[int], None]
"""Told how many links had their turn in a batch."""


class MassRunner:
    """One run of one action."""

    def __init__(
        self, open_unit_of_work: Opener, clock: Callable[[], datetime], actor: Actor, progress: Progress
    ) -> None:
        self._open = open_unit_of_work
        self._clock = clock
        self._actor = actor
        self._progress = progress
        self._holder = secrets.token_urlsafe(8)

    async def run(self, action: MassAction) -> MassAction:
        """Run an approved, paused or broken-off action until it is finished or paused."""
        action = await self._recorded(begin(action, self._clock()), "mass_action:begun")
        while True:
            await self._hold(action)
            # Links made after the approval were in nobody's preview, and are left alone.
            created_until = min(
                action.query.created_until or self._clock(), action.approved_at or self._clock()
            )
            links = await self._open().mass_actions.links(
                action.kind,
                replace(action.query, created_until=created_until),
                after=action.cursor,
                limit=BATCH,
            )
            if not links:
                break
            met = await self._together([self._do(action, link) for link in links])
            action = await self._behind(action, links[-1].link_id, met, len(links) - met)
            if action.status is not MassStatus.RUNNING:
                return await self._let_go(action)
        finished = replace(step(action, MassStatus.FINISHED), finished_at=self._clock())
        return await self._let_go(await self._recorded(finished, "mass_action:finished"))

    async def undo(self, action: MassAction) -> MassAction:
        """Undo a finished action; goes on where an earlier undoing was broken off."""
        action = await self._recorded(begin_undoing(action, self._clock()), "mass_action:undo_begun")
        while True:
            await self._hold(action)
            met = await self._open().mass_actions.met_links(action.action_id, after="", limit=BATCH)
            if not met:
                break
            await self._together([self._undo(action, link, as_it_was(link, before)) for link, before in met])
            self._progress(len(met))
        undone = replace(step(action, MassStatus.UNDONE), undone_at=self._clock())
        return await self._let_go(await self._recorded(undone, "mass_action:undone"))

    async def finalize(self, action: MassAction) -> MassAction:
        """Make a finished action final: what was to end ends now."""
        await self._hold(action)
        after = ""
        while True:
            met = await self._open().mass_actions.met_links(action.action_id, after=after, limit=BATCH)
            if not met:
                break
            await self._together(
                [self._finish(action, link, as_it_was(link, before)) for link, before in met]
            )
            after = met[-1][0].link_id
        return await self._let_go(await self._recorded(step(action, MassStatus.FINAL), "mass_action:final"))

    async def _do(self, action: MassAction, link: AccountLink) -> bool:
        now = self._clock()
        turn = do(action, link, self._actor, now)
        if turn is None:
            return False
        uow = self._open()
        _record(uow, link, turn, now)
        uow.mass_actions.met(action, link, now)
        return await _committed(uow)

    async def _undo(self, action: MassAction, link: AccountLink, before: AccountLink) -> bool:
        now = self._clock()
        uow = self._open()
        holder = await uow.citizens.find(link.citizen_id)
        is_active = holder is not None and holder.is_active()
        turn = undo(action, link, before, self._actor, now, is_holder_active=is_active)
        if turn is not None:
            _record(uow, link, turn, now)
        uow.mass_actions.undone(action, link.link_id, now)
        return await _committed(uow)

    async def _finish(self, action: MassAction, link: AccountLink, before: AccountLink) -> bool:
        now = self._clock()
        turn = finish(action, link, before, self._actor, now)
        if turn is None:
            return False
        uow = self._open()
        _record(uow, link, turn, now)
        return await _committed(uow)

    async def _together(self, turns: list[Awaitable[bool]]) -> int:
        """Take turns a few at once; return how many links were met."""
        places = asyncio.Semaphore(AT_ONCE)

        async def in_place(turn: Awaitable[bool]) -> bool:
            async with places:
                return await turn

        return sum(await asyncio.gather(*map(in_place, turns)))

    async def _hold(self, action: MassAction) -> None:
        """Hold the action for this run. Raises MassActionError while another run has it."""
        if not await self._open().leases.take(_lease(action), self._holder, self._clock(), LEASE):
            raise MassActionError("another run of this action is under way, or was stopped half a minute ago")

    async def _let_go(self, action: MassAction) -> MassAction:
        """Let the next run have the action at once."""
        await self._open().leases.take(_lease(action), self._holder, self._clock(), timedelta(0))
        return action

    async def _behind(self, action: MassAction, cursor: str, met: int, skipped: int) -> MassAction:
        """Record the place behind a batch; return the action as it stands, for it may have been paused."""
        self._progress(met + skipped)
        stands = await self._open().mass_actions.find(action.action_id) or action
        moved = replace(stands, cursor=cursor, done=stands.done + met, skipped=stands.skipped + skipped)
        uow = self._open()
        uow.mass_actions.update(moved)
        if not await _committed(uow):
            # Paused in this very moment: what was recorded then counts, and this batch is looked at again.
            return await self._open().mass_actions.find(action.action_id) or stands
        return replace(moved, revision=moved.revision + 1)

    async def _recorded(self, action: MassAction, event: str) -> MassAction:
        uow = self._open()
        uow.mass_actions.update(action)
        uow.ledger.append(
            Event(
                event,
                self._actor,
                self._clock(),
                client_id=action.query.client_id,
                details={"because": action.reason, "reference": action.action_id},
            )
        )
        await uow.commit()
        return replace(action, revision=action.revision + 1)


def _lease(action: MassAction) -> str:
    return f"mass_action:{action.action_id}"


def _record(uow: UnitOfWork, before: AccountLink, turn: Turn, now: datetime) -> None:
    """Record what became of a link: its gate comes first, so that one that moved meanwhile keeps its turn."""
    if turn.after.status is not before.status:
        uow.account_links.move(before, turn.after, now)
    elif turn.after != before:
        uow.account_links.change(before, turn.after, turn.kind, now)
    if turn.event is not None:
        uow.ledger.append(turn.event)


async def _committed(uow: UnitOfWork) -> bool:
    try:
        await uow.commit()
    except GateClosedError:
        return False
    return True
