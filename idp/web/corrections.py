"""What asking the register to correct a datum records, and taking it back. See identity.corrections."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import datetime

from idp.audit.events import Actor, ActorKind
from idp.identity.cases import Case, CaseKind, close, opened
from idp.identity.corrections import CorrectionOutcome, Datum, Fault, about, due_at, find_undecided
from idp.identity.notices import Notice, NoticeKind
from idp.store.cases import new_case
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.state import Context

CASES_READ = 200
"""So many of a person's requests are looked at; more than anybody honest makes."""


async def requests_of(uow: UnitOfWork, citizen_id: str) -> list[Case]:
    """Return a person's requests to the register, newest first, decided ones included."""
    return await uow.cases.of_citizen(citizen_id, CASES_READ, kind=CaseKind.CORRECTION)


async def ask_register(
    context: Context, uow: UnitOfWork, citizen_id: str, wrong: tuple[Datum, Fault], now: datetime
) -> Case:
    """Record a request and that the person is told; return the undecided one about that datum if there is."""
    datum, fault = wrong
    known = await requests_of(uow, citizen_id)
    found = find_undecided(known, datum)
    if found is not None:
        return found
    actor, until = Actor(ActorKind.CITIZEN, citizen_id), due_at(now, context.days_off)
    made = new_case(CaseKind.CORRECTION, actor, now, client_id="", citizen_id=citizen_id, due_at=until)
    case = replace(
        made,
        case_id=_case_id(context, citizen_id, datum, sum(1 for _ in about(known, datum))),
        content={"datum": datum.value, "fault": fault.value},
    )
    uow.cases.open(case)
    uow.ledger.append(opened(case))
    uow.notices.tell(Notice(NoticeKind.CORRECTION_ASKED, citizen_id, case_id=case.case_id), now)
    try:
        await uow.commit()
    except GateClosedError:
        # Pressed twice at once: the other one asked, and this one finds it.
        found = find_undecided(await requests_of(uow, citizen_id), datum)
        if found is None:
            raise
        return found
    return case


async def take_back(uow: UnitOfWork, case: Case, now: datetime) -> None:
    """Record that the person wants the datum as it is. Raises IllegalCaseMoveError and GateClosedError."""
    actor = Actor(ActorKind.CITIZEN, case.citizen_id or "")
    closed, event = close(case, CorrectionOutcome.WITHDRAWN.value, actor, now)
    uow.cases.move(case, closed)
    uow.ledger.append(event)
    await uow.commit()


def _case_id(context: Context, citizen_id: str, datum: Datum, number: int) -> str:
    """Return the id of somebody's next request about a datum: two at once get the same, and one is opened."""
    digest = context.custody.data.lookup("correction", f"{citizen_id}:{datum.value}:{number}")
    return urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
