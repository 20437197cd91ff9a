"""Where a guardian stands in a minor's journey: before the consent page, behind it, or nowhere. R10. Pure.

Under 14 the guardian decides first and the child is shown no more than the guardian approved; at 14 and 15
the young person agrees first and the guardian approves just that. A link in force asks nobody again.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from idp.identity.account_links import AccountLink
from idp.identity.citizens import Citizen
from idp.identity.consents import Consent, Decision
from idp.identity.guardian_requests import GuardianRequest, find_approval
from idp.identity.guardians import Oversight, oversight_of
from idp.protocol.claims import ATTESTED, RequestedItem, requested_items
from idp.protocol.journey import NextStep, Page, is_in_force
from idp.protocol.model import AuthorizationRequest

_NOTHING: frozenset[str] = frozenset()


def needed_oversight(
    request: AuthorizationRequest, citizen: Citizen, own_link: AccountLink | None, now: datetime
) -> Oversight:
    """Return what this person's age demands of this request: nothing, unless an account is newly linked."""
    if request.account_link is None or is_in_force(own_link, now):
        return Oversight.NONE
    return oversight_of(citizen.personal_data.birthdate, now)


def claims_to_approve(
    request: AuthorizationRequest, oversight: Oversight, consent: Consent | None
) -> frozenset[str]:
    """Return the names of the items that a guardian is asked about.

    At 14 and 15 what the young person agreed to. Under 14 what the network says it needs: nothing that is a
    choice is offered to a child.
    """
    if oversight is Oversight.BOTH:
        return _NOTHING if consent is None else consent.claims
    return frozenset(item.name for item in requested_items(request) if item.essential)


def offered_items(
    request: AuthorizationRequest, citizen: Citizen, approved: AbstractSet[str], now: datetime
) -> tuple[RequestedItem, ...]:
    """Return the items that a person may be asked about.

    A child under 14 gives nothing about themselves away that no guardian approved: only levels and the age
    booleans are left, whatever else the network calls essential (PDPL Art. 24).
    """
    items = requested_items(request)
    if oversight_of(citizen.personal_data.birthdate, now) is not Oversight.GUARDIAN_FIRST:
        return items
    return tuple(item for item in items if item.name in ATTESTED or item.name in approved)


def consent_to_build_on(asked: Sequence[GuardianRequest], request: AuthorizationRequest) -> str | None:
    """Return the consent that a young person gave when they asked, so that it is not asked for twice."""
    if "consent" in request.prompt:
        return None
    given = (each.consent_id for each in asked if each.account == request.account_link)
    return next((consent_id for consent_id in given if consent_id is not None), None)


def still_answers(consent: Consent | None, citizen_id: str) -> bool:
    """Tell whether a consent that was given earlier is this person's and was not taken back."""
    return (
        consent is not None
        and consent.citizen_id == citizen_id
        and consent.decision is Decision.ALLOW
        and consent.withdrawn_at is None
    )


def guarded_step(
    request: AuthorizationRequest,
    oversight: Oversight,
    asked: Sequence[GuardianRequest],
    consent: Consent | None,
    step: NextStep,
    now: datetime,
) -> tuple[NextStep, GuardianRequest | None]:
    """Return what comes next for a minor, and the approval on which the answer rests.

    `step` is what would come next without guardians; `asked` is what this child asked about this account.
    Whatever is agreed to in the end lies within what was approved: a consent that goes beyond it leads back
    to the guardian.
    """
    account = request.account_link
    if oversight is Oversight.NONE or account is None:
        return step, None
    approval = None
    if oversight is Oversight.GUARDIAN_FIRST:
        approval = find_approval(asked, account, claims_to_approve(request, oversight, None), now)
        if approval is None:
            return NextStep(Page.GUARDIAN), None
    if step.page is not None:
        return step, approval
    approval = find_approval(asked, account, _NOTHING if consent is None else consent.claims, now)
    return (NextStep(Page.GUARDIAN), None) if approval is None else (step, approval)
