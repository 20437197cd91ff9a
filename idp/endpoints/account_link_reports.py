"""The platform API, reporting: a platform suspects misuse of a linked account. Rules R6, R12, R17.

A report opens a case for our staff, and the holder is told. It does nothing to the link by itself, and brings
but a short code.
"""

from dataclasses import replace
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind
from idp.endpoints.account_links import find_visible
from idp.identity.account_links import AccountLink, Status
from idp.identity.cases import Case, CaseKind, opened, shown_reference
from idp.identity.notices import Notice, NoticeKind
from idp.protocol.account_link_requests import Suspicion, read_suspicion
from idp.protocol.problems import Problem, ProblemError
from idp.store.cases import new_case
from idp.store.unit_of_work import UnitOfWork
from idp.web.idempotent_requests import Outcome, answer_once
from idp.web.platform_access import JSON, check_manager, dump_document, read_json_body
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)

SUSPICION = "suspicion"
"""The member of a case's content that holds the code."""


@router.post("/account-links/{link_id}/misuse")
async def report_misuse(http: Request, link_id: str) -> Response:
    """Open a case about a link; a second report while it is undecided leads to the same case."""
    context = context_of(http)
    access = await check_manager(context, http)
    body = await read_json_body(http, JSON)
    suspicion, now = read_suspicion(body), context.clock()

    async def decide(uow: UnitOfWork) -> Outcome:
        link = await find_visible(context, access, link_id)
        case = await _undecided_case(uow, link)
        if case is not None:
            return _outcome(case, 200)
        if link.status is Status.ENDED:
            raise ProblemError(
                Problem.STATE_CONFLICT, "the account link is ended", link_status=link.status.value
            )
        return _outcome(_open_case(uow, link, suspicion, now), 201)

    return await answer_once(context, http, access.client.client_id, body, decide)


def _open_case(uow: UnitOfWork, link: AccountLink, suspicion: Suspicion, now: datetime) -> Case:
    case = new_case(
        CaseKind.MISUSE,
        Actor(ActorKind.CLIENT, link.client_id),
        now,
        client_id=link.client_id,
        link_id=link.link_id,
        account_id=link.account_id,
        citizen_id=link.citizen_id,
    )
    case = replace(case, content={SUSPICION: suspicion.value})
    uow.cases.open(case)
    uow.ledger.append(opened(case))
    uow.notices.tell(
        Notice(
            NoticeKind.MISUSE_REPORTED,
            link.citizen_id,
            link.client_id,
            link.link_id,
            case.case_id,
            {"reference": case.reference},
        ),
        now,
    )
    return case


async def _undecided_case(uow: UnitOfWork, link: AccountLink) -> Case | None:
    cases = await uow.cases.undecided(link.link_id)
    return next((case for case in cases if case.kind is CaseKind.MISUSE), None)


def _outcome(case: Case, status: int) -> Outcome:
    return Outcome(
        dump_document(
            {
                "case": shown_reference(case.reference),
                "link_id": case.link_id,
                "opened_at": int(case.opened_at.timestamp()),
            }
        ),
        status,
    )
