"""What opening and deciding a dispute records, whoever decides: the holder, our staff, or time."""

from dataclasses import replace
from datetime import datetime

from idp.audit.events import Actor
from idp.identity.account_links import AccountLink, Status, move
from idp.identity.cases import Case, CaseKind, close, opened
from idp.identity.disputes import (
    ANSWER_WITHIN,
    ENDS_THE_LINK,
    Outcome,
    check_claim,
    find_undecided,
    outcome_for,
)
from idp.identity.notices import Notice, NoticeKind
from idp.store.account_links import MOVED_GATE
from idp.store.cases import new_case
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError

_ROUNDS = 5
CASES_READ = 200
"""So many of a claimant's cases are looked at; more than anybody honest has."""


async def open_dispute(uow: UnitOfWork, link: AccountLink, claimant: Actor, now: datetime) -> Case:
    """Record a claim and that the holder is asked; return the one there is, if it was made already.

    Raises DisputeRefusedError.
    """
    cases = await uow.cases.of_citizen(claimant.id, CASES_READ)
    found = find_undecided(cases, link, claimant.id)
    if found is not None:
        return found
    check_claim(cases, link, claimant.id, now)
    case = replace(
        new_case(
            CaseKind.DISPUTE,
            claimant,
            now,
            client_id=link.client_id,
            link_id=link.link_id,
            account_id=link.account_id,
            citizen_id=claimant.id,
            due_at=now + ANSWER_WITHIN,
        ),
        holder_citizen_id=link.citizen_id,
    )
    uow.cases.open(case)
    # The event names the claimant and no link: the link's history belongs to its holder.
    uow.ledger.append(replace(opened(case), link_id=None))
    _tell(uow, case, link.citizen_id, NoticeKind.DISPUTE_OPENED, now)
    try:
        await uow.commit()
    except GateClosedError:
        # Pressed twice at once: the other one asked, and this one finds it.
        made = find_undecided(await uow.cases.of_citizen(claimant.id, CASES_READ), link, claimant.id)
        if made is None:
            raise
        return made
    return case


async def decide_dispute(
    uow: UnitOfWork, case: Case, wished: Outcome, actor: Actor, now: datetime
) -> tuple[Case, Outcome]:
    """Record a decision, commit: the case, that both are told, and the end of the link where it ends.

    Raises IllegalCaseMoveError, and GateClosedError for whoever decided later (`case_moved`).
    """
    link = None if case.link_id is None else await uow.account_links.find(case.link_id)
    outcome = outcome_for(link, case, wished)
    closed, event = close(case, outcome.value, actor, now)
    # The gate of the case comes first: of two decisions one counts, and only its link ends.
    uow.cases.move(case, closed)
    uow.ledger.append(replace(event, link_id=None))
    for citizen_id in (case.citizen_id, case.holder_citizen_id):
        if citizen_id is not None:
            _tell(uow, case, citizen_id, NoticeKind.DISPUTE_DECIDED, now)
    for _ in range(_ROUNDS):
        if link is not None and outcome_for(link, case, outcome) in ENDS_THE_LINK:
            ended, move_event = move(link, Status.ENDED, actor, f"dispute_{outcome.value}", now)
            uow.account_links.move(link, ended, now)
            uow.ledger.append(move_event)
        try:
            await uow.commit()
        except GateClosedError as overtaken:
            if overtaken.gate != MOVED_GATE:
                raise
            # The case is decided, and somebody changed its link in this moment: only its end is left to do.
            link = await uow.account_links.find(case.link_id or "")
        else:
            break
    return closed, outcome


def _tell(uow: UnitOfWork, case: Case, citizen_id: str, kind: NoticeKind, now: datetime) -> None:
    notice = Notice(kind, citizen_id, case.client_id, None, case.case_id, {"reference": case.reference})
    uow.notices.tell(notice, now)
