"""Disowning a link ("this was not me"): it is stopped at once, and a case is opened. Abuse cases P1, P4.

Whoever holds the message that tells of a link, or is signed in as its holder, can press it; nothing is asked
besides, for every question would cost the time in which somebody else uses the link.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from idp.audit.events import Actor, ActorKind
from idp.identity.account_links import AccountLink, Status, move
from idp.identity.cases import NOT_ME, VETO_ANSWERED_WITHIN, Case, CaseKind, CaseStatus, opened
from idp.identity.notices import KeptNotice, Notice, NoticeKind
from idp.store.cases import new_case
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.failures import JourneyError, Trouble
from idp.web.state import Context

_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Pressed:
    """Where "this was not me" was pressed."""

    link_id: str
    notice_id: str | None = None
    """The notice in whose message it was; None on the link's own page."""
    kept_session_id: str = ""
    """The session that goes on: that of whoever pressed it while signed in."""


async def undecided_veto(uow: UnitOfWork, link_id: str) -> Case | None:
    """Return the undecided case in which the holder disowns a link."""
    undecided = await uow.cases.undecided(link_id)
    return next((case for case in undecided if case.kind is CaseKind.NOT_ME), None)


async def veto(context: Context, pressed: Pressed, now: datetime) -> Case:
    """Suspend the link, sign the person out, open the case. Pressed again, it returns the same case.

    Each round records what is still missing, the link's move last: its gate may close because somebody moved
    the link in this moment, and then only that is left to do. Raises JourneyError where there is no link.
    """
    for _ in range(_ROUNDS):
        uow = context.unit_of_work()
        link = await uow.account_links.find(pressed.link_id)
        if link is None:
            break
        kept = None if pressed.notice_id is None else await uow.notices.find(pressed.notice_id)
        known = await _known_case(uow, link, kept)
        if known is not None and known.status is CaseStatus.CLOSED:
            return known
        case = known or _new_case(link, now)
        if known is None:
            uow.cases.open(case)
        if kept is not None and kept.vetoed_at is None:
            uow.notices.veto(kept, case.case_id, now)
        if known is None or (kept is not None and kept.vetoed_at is None):
            uow.sessions.end_of_citizen(link.citizen_id, now, but=pressed.kept_session_id)
        if known is None:
            uow.ledger.append(opened(case))
            told = Notice(NoticeKind.CASE_OPENED, link.citizen_id, link.client_id, link.link_id, case.case_id)
            uow.notices.tell(told, now)
        _stop(uow, link, now)
        try:
            await uow.commit()
        except GateClosedError:
            continue
        return case
    raise JourneyError(Trouble.NOT_FOUND)


async def _known_case(uow: UnitOfWork, link: AccountLink, kept: KeptNotice | None) -> Case | None:
    """Return the case that this message led to, or else the one that is undecided about the link."""
    if kept is not None and kept.vetoed_at is not None and kept.notice.case_id is not None:
        return await uow.cases.find(kept.notice.case_id)
    return await undecided_veto(uow, link.link_id)


def _new_case(link: AccountLink, now: datetime) -> Case:
    return new_case(
        CaseKind.NOT_ME,
        Actor(ActorKind.CITIZEN, link.citizen_id),
        now,
        client_id=link.client_id,
        link_id=link.link_id,
        account_id=link.account_id,
        citizen_id=link.citizen_id,
        due_at=now + VETO_ANSWERED_WITHIN,
    )


def _stop(uow: UnitOfWork, link: AccountLink, now: datetime) -> None:
    """Record that the link is at rest until our staff decide; one that has expired is ended."""
    actor = Actor(ActorKind.CITIZEN, link.citizen_id)
    if link.status is Status.SUSPENDED and link.suspended_because != NOT_ME:
        # For another reason until now, with which it must not come back any more. Nobody is told of that.
        uow.account_links.change(link, replace(link, suspended_because=NOT_ME), None, now)
    to = {Status.ACTIVE: Status.SUSPENDED, Status.LAPSED: Status.ENDED}.get(link.status)
    if to is not None:
        moved, event = move(link, to, actor, NOT_ME, now)
        uow.account_links.move(link, moved, now)
        uow.ledger.append(event)
