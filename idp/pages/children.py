"""The children for whom somebody speaks, and what they ask. R10; abuse case P10.

Only a relation of the register, or one that an operator entered, leads here. Whoever decides has signed in a
moment ago: a child at an open session of their mother's decides nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.citizens import Citizen
from idp.identity.guardian_requests import (
    GuardianRequest,
    RequestStatus,
    Verdict,
    decided_until,
    verdict_event,
)
from idp.identity.guardians import UnfitGuardianError, check_guardian
from idp.identity.notices import Notice, NoticeKind
from idp.identity.sessions import Session, is_fresh
from idp.pages.frame import (
    check_form_token,
    client_header,
    domain_of,
    form_token,
    locale_of,
    person_name,
    read_own_form,
    show,
)
from idp.pages.guardian_views import (
    ChildAnsweredPage,
    ChildCard,
    ChildQuestionPage,
    ChildrenPage,
    QuestionCard,
)
from idp.pages.logos import logo_address
from idp.pages.own_pages import signed_in_or_way
from idp.pages.views import AccountCard
from idp.pages.visit import CHILDREN, visit_about
from idp.protocol.claims import ASSURANCE_LEVEL
from idp.protocol.model import Client, ClientStatus
from idp.store.guardian_requests import Question
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.failures import JourneyError, Trouble, note
from idp.web.journey import commit_step
from idp.web.requests import is_id
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 20
SIGNED_IN_WITHIN = 600
"""Seconds since the sign-in after which a guardian who decides is asked who they are once more."""


@router.get("/my/children")
async def children(http: Request) -> Response:
    """Show the children and what they ask; each list in pages of its own."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    signed_in = await signed_in_or_way(context, uow, http, now, CHILDREN)
    if isinstance(signed_in, Response):
        return signed_in
    citizen, base = signed_in.citizen, f"{context.issuer}/my/children"
    after, questions_after = _place(http, "after"), _place(http, "questions_after")
    found = await uow.guardianships.children_of(citizen.citizen_id, now, after=after, limit=PAGE_SIZE + 1)
    asked = await uow.guardian_requests.waiting_for(
        citizen.citizen_id, now, after=questions_after, limit=PAGE_SIZE + 1
    )
    last = found[PAGE_SIZE - 1][0].guardianship_id if len(found) > PAGE_SIZE else None
    last_asked = asked[PAGE_SIZE - 1].request.request_id if len(asked) > PAGE_SIZE else None
    cards = [await _question_card(context, question) for question in asked[:PAGE_SIZE]]
    view = ChildrenPage(
        csrf=form_token(context, signed_in.session),
        person=person_name(context, citizen),
        children=tuple(
            ChildCard(
                name=person_name(context, child),
                links_uri=f"{base}/{quote(relation.guardianship_id, safe='')}",
            )
            for relation, child in found[:PAGE_SIZE]
            if speaks_for(citizen, child, now)
        ),
        questions=tuple(
            card
            for question, card in zip(asked, cards, strict=False)
            if card is not None and speaks_for(citizen, question.child, now)
        ),
        first_page_uri=base if after or questions_after else None,
        next_page_uri=f"{base}?after={last}" if last else None,
        next_questions_uri=f"{base}?questions_after={last_asked}" if last_asked else None,
    )
    return show(http, view)


async def _question_card(context: Context, question: Question) -> QuestionCard | None:
    """Return a question as it stands in the list; None while its network is suspended."""
    request = question.request
    client = await context.clients.find(request.client_id)
    if client is None or client.status is not ClientStatus.ACTIVE:
        return None
    return QuestionCard(
        child=person_name(context, question.child),
        network=client.client_name,
        domain=domain_of(client),
        logo=logo_address(context.issuer, client),
        account=_account_card(request),
        asked_at=request.created_at,
        uri=f"{context.issuer}/my/children/requests/{request.request_id}",
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    """A question before its guardian: all that the answer depends on."""

    question: Question
    client: Client
    guardian: Citizen
    session: Session


@router.get("/my/children/requests/{request_id}")
async def child_question(http: Request, request_id: str) -> Response:
    """Show child, network, account and level, and ask."""
    context = context_of(http)
    opened = await _open(context, context.unit_of_work(), http, request_id, context.clock())
    if isinstance(opened, Response):
        return opened
    question, request = opened.question, opened.question.request
    view = ChildQuestionPage(
        client=client_header(context, opened.client, None),
        csrf=form_token(context, opened.session),
        action=f"{context.issuer}/my/children/requests/{request_id}",
        person=person_name(context, opened.guardian),
        child=person_name(context, question.child),
        account=_account_card(request),
        purpose=request.account.purpose,
        proofing=question.child.proofing,
        claims=tuple(sorted(request.claims - {ASSURANCE_LEVEL})),
        is_childs_choice_too=request.consent_id is not None,
        asked_at=request.created_at,
        expires_at=request.expires_at,
        children_uri=f"{context.issuer}/my/children",
    )
    return show(http, view)


@router.post("/my/children/requests/{request_id}")
async def answer_child(http: Request, request_id: str) -> Response:
    """Keep what was shown and decided. Of several guardians the first answer counts, once and for all."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    form = await read_own_form(http)
    opened = await _open(context, uow, http, request_id, now)
    if isinstance(opened, Response):
        return opened
    check_form_token(context, opened.session, form)
    if form.get("decision") not in set(Verdict):
        return see_other(f"{context.issuer}/my/children/requests/{request_id}")
    verdict, question = Verdict(form["decision"]), opened.question
    request, guardian_id = question.request, opened.guardian.citizen_id
    uow.guardian_requests.decide(request_id, question.guardianship_id, verdict, now)
    uow.ledger.append(
        verdict_event(request, question.guardianship_id, guardian_id, verdict, locale_of(http), now)
    )
    account = {"account": request.account.handle or request.account.account_id}
    told = Notice(NoticeKind.GUARDIAN_DECIDED, request.child_citizen_id, request.client_id, details=account)
    uow.notices.tell(told, now)
    await commit_step(uow, request.client_id)
    note(http, guardian_request=request_id, decision=verdict.value)
    view = ChildAnsweredPage(
        client=client_header(context, opened.client, None),
        child=person_name(context, question.child),
        is_approved=verdict is Verdict.APPROVE,
        until=decided_until(verdict, now),
        children_uri=f"{context.issuer}/my/children",
    )
    return show(http, view)


async def _open(
    context: Context, uow: UnitOfWork, http: Request, request_id: str, now: datetime
) -> _Opened | Response:
    """Return a question before its guardian, or the page that comes before it.

    Raises JourneyError: unknown or about somebody else's child, which look the same (abuse case P6); answered
    or too old; or its network is suspended.
    """
    visit_id = visit_about(CHILDREN, request_id)
    signed_in = await signed_in_or_way(context, uow, http, now, visit_id)
    if isinstance(signed_in, Response):
        return signed_in
    citizen, session = signed_in.citizen, signed_in.session
    question = None
    if is_id(request_id):
        question = await uow.guardian_requests.find_for(citizen.citizen_id, request_id, now)
    if question is None or not speaks_for(citizen, question.child, now):
        raise JourneyError(Trouble.NOT_FOUND)
    request = question.request
    note(http, client_id=request.client_id)
    if request.status is not RequestStatus.PENDING or now >= request.expires_at:
        raise JourneyError(Trouble.EXPIRED, client_id=request.client_id, detail="answered or expired")
    client = await context.clients.find(request.client_id)
    if client is None or client.status is not ClientStatus.ACTIVE:
        raise JourneyError(Trouble.CLIENT_SUSPENDED)
    if not is_fresh(session.context, max_age=SIGNED_IN_WITHIN, not_before=None, now=now):
        return see_other(f"{context.issuer}/sign-in/{visit_id}")
    return _Opened(question, client, citizen, session)


def speaks_for(guardian: Citizen, child: Citizen, now: datetime) -> bool:
    """Tell whether a person in a relation may act by it: an adult, for somebody under 16."""
    try:
        check_guardian(guardian, child, now)
    except UnfitGuardianError:
        return False
    return True


def _account_card(request: GuardianRequest) -> AccountCard:
    account = request.account
    return AccountCard(account_id=account.account_id, handle=account.handle, profile_uri=account.profile_uri)


def _place(http: Request, name: str) -> str:
    """Read behind which id a page begins; whatever is no id means the beginning."""
    text = http.query_params.get(name, "")
    return text if is_id(text) else ""
