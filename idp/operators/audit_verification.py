"""Verifies the audit log from its tables alone, page by page, while the program goes on writing to it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from idp.audit.chain import ChainReport, ChainVerifier, Finding, FindingKind, Head, SealedEvent
from idp.operators.output import CommandFailedError
from idp.operators.tree_verification import SigningKeys, TreeReport, verify_tree
from idp.store.encoding import moment_or_none
from idp.store.unit_of_work import UnitOfWork

PAGE = 2000
OVERDUE = timedelta(seconds=60)
"""Events are sealed within seconds; whatever waits longer is not protected and shows a stopped sequencer."""

Advance = Callable[[int], None]
"""Is told how many more events were looked at."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found, and what still waits to be sealed."""

    head: Head
    purged: Head
    """The last event that was purged, five years after it happened."""
    report: ChainReport
    tree: TreeReport | None
    """None where the chain is damaged: the first wrong place is known already."""
    waiting: int
    waiting_since: datetime | None

    def is_sealing_overdue(self, now: datetime) -> bool:
        """Tell whether an event waits longer than it should."""
        return self.waiting_since is not None and now - self.waiting_since > OVERDUE


async def verify_log(uow: UnitOfWork, keys: SigningKeys, now: datetime, advance: Advance) -> Verification:
    """Verify chain and tree up to the head as it stands now. Raises CommandFailedError when there is none.

    The sequencer may seal more meanwhile, and the next verification judges that. Where events were purged
    meanwhile it begins anew.
    """
    while True:
        purged = await uow.merkle_log.purged()
        head = await _head(uow)
        report = await _verify_chain(uow, head, purged, advance)
        tree = None
        if report.finding is None:
            through = min(head.sequence, await uow.merkle_log.size())
            tree = await verify_tree(uow, keys, through, now, advance)
        if await uow.merkle_log.purged() == purged:
            break
    waiting, oldest = await uow.ledger.waiting()
    return Verification(head, purged, report, tree, waiting, moment_or_none(oldest))


async def _verify_chain(uow: UnitOfWork, head: Head, start: Head, advance: Advance) -> ChainReport:
    """Verify the chain from behind what was purged up to the head.

    Since the sequencer moves the head together with the events, a head that is read after an event is never
    behind it, unless the event was slipped in.
    """
    verifier = ChainVerifier(head, start)
    newer: list[SealedEvent] = []
    last: SealedEvent | None = None
    while page := await uow.ledger.sealed(last, PAGE):
        for event in page:
            if event.sequence <= head.sequence:
                verifier.add(event)
            else:
                newer.append(event)
        last = page[-1]
        advance(len(page))
    report = verifier.report()
    if report.finding is None and newer:
        report = replace(report, finding=_beyond(await _head(uow), newer))
    return report


def _beyond(head: Head, newer: list[SealedEvent]) -> Finding | None:
    for event in newer:
        if event.sequence > head.sequence:
            return Finding(FindingKind.SLIPPED_IN, event.sequence, event.event_id)
    return None


async def _head(uow: UnitOfWork) -> Head:
    try:
        return await uow.ledger.head()
    except LookupError as error:
        raise CommandFailedError("The audit log has no head: its table was emptied.") from error
