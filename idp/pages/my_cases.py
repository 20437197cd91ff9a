"""My cases: what I or others brought forward, and the answer of a holder who is asked. Rules R9, R13.

Whoever looks sees a case that they opened or whose link is theirs, and nothing of the other person.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.audit.events import Actor, ActorKind
from idp.identity.cases import (
    Case,
    CaseKind,
    CaseStatus,
    IllegalCaseMoveError,
    answer,
    read_reference,
    shown_reference,
)
from idp.identity.corrections import Datum, Fault
from idp.identity.disputes import Outcome, is_asked
from idp.pages.case_views import CaseCard, CasePage, CasesPage, CaseState
from idp.pages.frame import domain_of, form_token, show
from idp.pages.list_views import FilterName
from idp.pages.lists import ListAddress, chosen, place_of, read_place, words_filter
from idp.pages.logos import logo_address
from idp.pages.own_pages import own_form_or_way, signed_in_or_way
from idp.pages.views import AccountCard
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError
from idp.web.answers import see_other
from idp.web.corrections import take_back
from idp.web.disputes import decide_dispute
from idp.web.failures import JourneyError, Trouble
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

VISIT = "cases"
PAGE_SIZE = 20
MINE, NOT_MINE, TAKE_BACK = "mine", "not_mine", "take_back"
"""What the buttons say: of a dispute, and the last of a request to the register, too."""


@router.get("/my/cases")
async def cases(http: Request) -> Response:
    """Show a person's cases and those about links of theirs, newest first; by state where that is asked."""
    context = context_of(http)
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, context.clock(), VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    citizen_id = signed_in.citizen.citizen_id
    state = chosen(http, FilterName.STATE, CaseState)
    found = await uow.cases.of_citizen(
        citizen_id,
        PAGE_SIZE + 1,
        is_closed=None if state is None else state is CaseState.DECIDED,
        before=read_place(http.query_params.get("before", "")),
    )
    address = ListAddress(f"{context.issuer}/my/cases", (words_filter(FilterName.STATE, CaseState, state),))
    last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    view = CasesPage(
        cases=tuple([await _card(context, uow, case, citizen_id) for case in found[:PAGE_SIZE]]),
        filters=address.form(),
        paging=address.paging(
            is_first="before" not in http.query_params,
            next_place=None if last is None else place_of(last.opened_at, last.case_id),
        ),
    )
    return show(http, view)


@router.get("/my/cases/{reference}")
async def case_page(http: Request, reference: str) -> Response:
    """Show one case, and to a holder who is asked the question."""
    context = context_of(http)
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, context.clock(), VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    citizen_id = signed_in.citizen.citizen_id
    card = await _card(context, uow, await _own_case(uow, citizen_id, reference), citizen_id)
    view = CasePage(
        csrf=form_token(context, signed_in.session),
        case=card,
        action=card.uri,
        cases_uri=f"{context.issuer}/my/cases",
    )
    return show(http, view)


@router.post("/my/cases/{reference}")
async def answer_case(http: Request, reference: str) -> Response:
    """Take the holder's answer, or the claimant's word that they take the claim back."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await own_form_or_way(context, uow, http, now, VISIT)
    if isinstance(sent, Response):
        return sent
    signed_in, form = sent
    citizen_id = signed_in.citizen.citizen_id
    case = await _own_case(uow, citizen_id, reference)
    actor, said = Actor(ActorKind.CITIZEN, citizen_id), form.get("answer")
    try:
        if said == TAKE_BACK and case.citizen_id == citizen_id and case.kind is CaseKind.DISPUTE:
            await decide_dispute(uow, case, Outcome.WITHDRAWN, actor, now)
        elif said == TAKE_BACK and case.citizen_id == citizen_id and case.kind is CaseKind.CORRECTION:
            await take_back(uow, case, now)
        elif said == NOT_MINE and is_asked(case, citizen_id):
            await decide_dispute(uow, case, Outcome.RELEASED, actor, now)
        elif said == MINE and is_asked(case, citizen_id):
            answered, event = answer(case, {"answer": MINE}, actor, now)
            uow.cases.move(case, answered)
            uow.ledger.append(event)
            await uow.commit()
    except (IllegalCaseMoveError, GateClosedError):
        # Decided in this moment by time, by our staff or in another window: the page says how it stands.
        return see_other(_uri(context, case))
    return see_other(_uri(context, case))


async def _own_case(uow: UnitOfWork, citizen_id: str, text: str) -> Case:
    """Return a case the person has to do with; another's looks exactly like none (abuse case 24)."""
    reference = read_reference(text)
    case = None if reference is None else await uow.cases.find_by_reference(reference)
    if case is None or citizen_id not in {case.citizen_id, case.holder_citizen_id}:
        raise JourneyError(Trouble.NOT_FOUND)
    return case


async def _card(context: Context, uow: UnitOfWork, case: Case, citizen_id: str) -> CaseCard:
    client = await context.clients.find(case.client_id or None)
    is_correction = case.kind is CaseKind.CORRECTION
    link = None if case.link_id is None else await uow.account_links.find(case.link_id)
    # Handle and profile address are what the holder's link says; the claimant knows the account by its id.
    is_holder = link is not None and link.citizen_id == citizen_id
    account = None
    if link is not None and is_holder:
        account = AccountCard(account_id=link.account_id, handle=link.handle, profile_uri=link.profile_uri)
    elif case.account_id is not None:
        account = AccountCard(account_id=case.account_id)
    return CaseCard(
        reference=shown_reference(case.reference),
        kind=case.kind,
        status=case.status,
        outcome=case.outcome if case.status is CaseStatus.CLOSED else None,
        is_mine=case.citizen_id == citizen_id,
        is_asked=is_asked(case, citizen_id),
        network=case.client_id if client is None else client.client_name,
        domain="" if client is None else domain_of(client),
        logo=None if client is None else logo_address(context.issuer, client),
        account=account,
        datum=Datum(case.content["datum"]) if is_correction else None,
        fault=Fault(case.content["fault"]) if is_correction else None,
        opened_at=case.opened_at,
        due_at=case.due_at,
        closed_at=case.closed_at,
        uri=_uri(context, case),
    )


def _uri(context: Context, case: Case) -> str:
    return f"{context.issuer}/my/cases/{case.reference}"
