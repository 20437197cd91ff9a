"""What the rules of `guardian_step` look at, loaded: what a minor asked, and agreed to then. R10."""

from dataclasses import dataclass, replace
from datetime import datetime

from idp.identity.account_links import AccountLink
from idp.identity.guardian_requests import GuardianRequest
from idp.identity.guardians import Oversight
from idp.protocol.guardian_step import (
    consent_to_build_on,
    guarded_step,
    needed_oversight,
    still_answers,
)
from idp.protocol.journey import NextStep, Presence, Progress, consent_step
from idp.protocol.model import AuthorizationRequest
from idp.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Guarded:
    """The next step of a request with regard to the guardians of its person."""

    step: NextStep
    presence: Presence
    """With the consent that was given when the guardian was asked, if that answers."""
    oversight: Oversight = Oversight.NONE
    asked: tuple[GuardianRequest, ...] = ()
    approval: GuardianRequest | None = None


async def assess_guarded(
    uow: UnitOfWork,
    request: AuthorizationRequest,
    presence: Presence,
    progress: Progress,
    own_link: AccountLink | None,
    now: datetime,
) -> Guarded:
    """Return the next step. Of people of 16 and more, nothing is read."""
    oversight = needed_oversight(request, presence.citizen, own_link, now)
    if oversight is Oversight.NONE or request.account_link is None:
        return Guarded(consent_step(request, presence, progress, own_link, now), presence)
    citizen_id, account_id = presence.citizen.citizen_id, request.account_link.account_id
    asked = await uow.guardian_requests.of_account(citizen_id, request.client_id, account_id, now)
    earlier = consent_to_build_on(asked, request)
    if progress.consent_id is None and earlier is not None:
        consent = await uow.consents.find(earlier)
        if still_answers(consent, citizen_id):
            presence = replace(presence, consent=consent)
            progress = replace(progress, consent_id=earlier)
    step, approval = guarded_step(
        request,
        oversight,
        asked,
        presence.consent,
        consent_step(request, presence, progress, own_link, now),
        now,
    )
    return Guarded(step, presence, oversight, tuple(asked), approval)
