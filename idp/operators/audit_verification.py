"""Verifies the audit log from its table alone, page by page, while the program goes on writing to it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from idp.audit.chain import ChainReport, ChainVerifier, Finding, FindingKind, Head, SealedEvent
from idp.operators.output import CommandFailedError
from idp.store.encoding import moment_or_none
from idp.store.unit_of_work import UnitOfWork

PAGE = 2000
OVERDUE = timedelta(seconds=60)
"""Events are sealed within seconds; whatever waits longer is not protected and shows a stopped sequencer."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found, and what still waits to be sealed."""

    head: Head
    report: ChainReport
    waiting: int
    waiting_since: datetime | None

    def is_sealing_overdue(self, now: datetime) -> bool:
        """Tell whether an event waits longer than it should."""
        return self.waiting_since is not None and now - self.waiting_since > OVERDUE


async def verify_log(uow: UnitOfWork) -> Verification:
    """Verify the chain up to the head as it stands now. Raises CommandFailedError when there is no head.

    The sequencer may seal more meanwhile, and the next verification judges that. Since it moves the head
    together with the events, a head that is read after an event is never behind it, unless the event was
    slipped in.
    """
    head = await _head(uow)
    verifier = ChainVerifier(head)
    newer: list[SealedEvent] = []
    last: SealedEvent | None = None
    while page := await uow.ledger.sealed(last, PAGE):
        for event in page:
            if event.sequence <= head.sequence:
                verifier.add(event)
            else:
                newer.append(event)
        last = page[-1]
    report = verifier.report()
    if report.finding is None and newer:
        report = replace(report, finding=_beyond(await _head(uow), newer))
    waiting, oldest = await uow.ledger.waiting()
    return Verification(head, report, waiting, moment_or_none(oldest))


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
