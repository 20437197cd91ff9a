"""A minor wants an account linked: ask your guardian. R10; abuse cases P6, P10.

Who the guardians are is not said: the child knows them, and whoever sits before the child's session need not.
What the network learns is what it learns of every other end, that it did not go on.
"""

import secrets
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.account_links import AccountLinkRequest
from idp.identity.citizens import age_on
from idp.identity.guardian_requests import (
    ANSWER_WITHIN,
    MAX_WAITING,
    GuardianRequest,
    Outlook,
    asked_event,
    outlook,
)
from idp.identity.guardians import ADULT_FROM, Oversight
from idp.identity.notices import Notice, NoticeKind
from idp.pages.consent import account_card
from idp.pages.frame import check_same_origin, client_header, show
from idp.pages.guardian_views import GuardianNeededPage
from idp.protocol.guardian_step import claims_to_approve
from idp.protocol.journey import Page, Presence
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import UniquenessError
from idp.web.answers import see_other
from idp.web.failures import note
from idp.web.guardians import Guarded
from idp.web.journey import Standing, assess, load_interaction
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)


@router.get("/guardian/{interaction_id}")
async def guardian_page(http: Request, interaction_id: str) -> Response:
    """Say that a guardian is needed, and how it stands with asking one."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    standing = await _stand(context, uow, http, interaction_id, now)
    needed = _needed(standing)
    card = account_card(standing.request)
    if needed is None or card is None:
        return see_other(f"{context.issuer}/authorize/{interaction_id}")
    guarded, account, presence = needed
    stands, because = outlook(guarded.asked, account, _claims(standing, guarded), now)
    citizen_id = presence.citizen.citizen_id
    view = GuardianNeededPage(
        client=client_header(context, standing.client, interaction_id),
        action=f"{context.issuer}/guardian/{interaction_id}",
        account=card,
        outlook=stands,
        has_guardian=bool(await _guardians(uow, citizen_id, now)),
        can_ask=await uow.guardian_requests.waiting_of(citizen_id, now) < MAX_WAITING,
        until=None if because is None else because.expires_at,
        continue_uri=f"{context.issuer}/authorize/{interaction_id}",
    )
    return show(http, view, request=standing.request)


@router.post("/guardian/{interaction_id}")
async def ask_guardian(http: Request, interaction_id: str) -> Response:
    """Ask every guardian of the child; the first answer counts. Pressed twice, it is asked once."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    standing = await _stand(context, uow, http, interaction_id, now)
    check_same_origin(http)
    needed = _needed(standing)
    if needed is None:
        return see_other(f"{context.issuer}/authorize/{interaction_id}")
    guarded, account, presence = needed
    page = see_other(f"{context.issuer}/guardian/{interaction_id}")
    child_id, claims = presence.citizen.citizen_id, _claims(standing, guarded)
    guardians = await _guardians(uow, child_id, now)
    is_asked = outlook(guarded.asked, account, claims, now)[0] is not Outlook.NOT_ASKED
    if is_asked or not guardians or await uow.guardian_requests.waiting_of(child_id, now) >= MAX_WAITING:
        return page
    consent = guarded.presence.consent if guarded.oversight is Oversight.BOTH else None
    question = GuardianRequest(
        request_id=secrets.token_urlsafe(16),
        child_citizen_id=child_id,
        client_id=standing.request.client_id,
        account=account,
        claims=claims,
        created_at=now,
        expires_at=now + ANSWER_WITHIN,
        consent_id=None if consent is None else consent.consent_id,
    )
    await _close_other_question(uow, question)
    uow.guardian_requests.add(question)
    uow.ledger.append(asked_event(question))
    for guardian_id in guardians:
        uow.notices.tell(Notice(NoticeKind.GUARDIAN_REQUEST, guardian_id, question.client_id), now)
    try:
        await uow.commit()
    except UniquenessError:
        # Pressed in two windows at once: the other one has asked.
        return page
    note(http, guardian_request=question.request_id)
    return page


async def _stand(
    context: Context, uow: UnitOfWork, http: Request, interaction_id: str, now: datetime
) -> Standing:
    interaction, client = await load_interaction(context, uow, http, interaction_id, now)
    return await assess(context, uow, http, interaction.request, client, interaction, now)


def _needed(standing: Standing) -> tuple[Guarded, AccountLinkRequest, Presence] | None:
    """Return what a guardian is needed for; None when that is not the next step."""
    account, presence = standing.request.account_link, standing.presence
    if standing.step.page is not Page.GUARDIAN or standing.guarded is None:
        return None
    return None if account is None or presence is None else (standing.guarded, account, presence)


def _claims(standing: Standing, guarded: Guarded) -> frozenset[str]:
    return claims_to_approve(standing.request, guarded.oversight, guarded.presence.consent)


async def _guardians(uow: UnitOfWork, child_id: str, now: datetime) -> list[str]:
    """Return who can be asked: adults who may act."""
    found = await uow.guardianships.guardians_of(child_id, now)
    return [
        citizen.citizen_id
        for _, citizen in found
        if age_on(citizen.personal_data.birthdate, now) >= ADULT_FROM
    ]


async def _close_other_question(uow: UnitOfWork, question: GuardianRequest) -> None:
    """Close what waits about the same account: nobody answered it in time, or it showed another picture.

    In a commit of its own, because the index on questions that wait looks at both.
    """
    account_id = question.account.account_id
    other = await uow.guardian_requests.open_about(question.child_citizen_id, question.client_id, account_id)
    if other is not None:
        uow.guardian_requests.close(other.request_id)
        await uow.commit()
