"""That no minor's account is linked without a guardian: looked at where the link becomes active. R10.

The pages lead a minor to their guardian; this is the choke-point that does not rely on it (abuse case P10).
"""

from dataclasses import replace
from datetime import datetime

from idp.endpoints.link_redemption import Redemption
from idp.identity.account_links import Refusal, Status
from idp.identity.citizens import Citizen
from idp.identity.guardian_requests import GuardianRequest, RequestStatus
from idp.identity.guardians import Oversight, oversight_of
from idp.protocol.errors import InvalidGrantError
from idp.store.unit_of_work import UnitOfWork


async def with_guardian(
    uow: UnitOfWork, redemption: Redemption, citizen: Citizen, now: datetime
) -> Redemption:
    """Return the redemption with the approval that it uses up; of people of 16 and more, nothing is read.

    A link that was active and only stays so keeps the guardian it has. Whoever links anew at 16 or later does
    so alone, and no guardian is named any more. Raises InvalidGrantError when an approval is needed and none
    stands.
    """
    before, after = redemption.before, redemption.after
    if before is None or after is None or not redemption.events:
        return redemption
    if before.status is Status.ACTIVE and not before.is_expired(now):
        return redemption
    if oversight_of(citizen.personal_data.birthdate, now) is Oversight.NONE:
        return replace(redemption, after=replace(after, guardianship_id=None, own_consent_due_at=None))
    asked = await uow.guardian_requests.of_account(citizen.citizen_id, after.client_id, after.account_id, now)
    approval = next((each for each in asked if _is_approval(each, now)), None)
    if approval is None:
        raise InvalidGrantError("the account link cannot be made", detail=Refusal.GUARDIAN_NEEDED.value)
    return replace(
        redemption,
        after=replace(after, guardianship_id=approval.guardianship_id, own_consent_due_at=None),
        approval_id=approval.request_id,
    )


def _is_approval(request: GuardianRequest, now: datetime) -> bool:
    return request.status is RequestStatus.APPROVED and request.stands(now)
