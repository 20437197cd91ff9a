"""A person's level, or what lets them in, has changed: their links follow, and their platforms are told.

Doing it twice changes and tells nothing twice: links are compared with the register, and the id of an event
follows from the work and the client.
"""

from dataclasses import replace

from idp.audit.events import PROVIDER, Event
from idp.deliveries.told_changes import record_about_person
from idp.deliveries.world import DeliveryFailedError, World
from idp.identity.account_links import LIVE, AccountLink
from idp.identity.assurance import Proofing
from idp.identity.link_changes import ChangeKind
from idp.protocol.security_events import credential_change_event
from idp.store.outbox import Delivery
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError


async def follow_person(world: World, delivery: Delivery) -> None:
    """Bring a person's links to their present level, and record credential-change (CAEP §3.3).

    Raises DeliveryFailedError when somebody changed one of the links in the same moment.
    """
    uow, citizen_id = world.unit_of_work(), delivery.content["citizen_id"]
    citizen = await uow.citizens.find(citizen_id)
    if citizen is None:
        return
    links = [link for link in await uow.followed_links.of_citizens([citizen_id]) if link.status in LIVE]
    issuer, occurred_at = world.policy.issuer, delivery.created_at
    for client_id, subject in sorted({(link.client_id, link.subject) for link in links}):
        for credential_type, change_type in delivery.content["credentials"]:
            event = credential_change_event(issuer, subject, credential_type, change_type, occurred_at)
            cause = f"{delivery.delivery_id}:{credential_type}"
            await record_about_person(world, uow, client_id, event, cause)
    for link in links:
        if link.proofing is not citizen.proofing:
            _follow_level(world, uow, link, citizen.proofing)
    try:
        await uow.commit()
    except GateClosedError as error:
        raise DeliveryFailedError("a link was changed in the same moment") from error


def _follow_level(world: World, uow: UnitOfWork, link: AccountLink, proofing: Proofing) -> None:
    now = world.clock()
    details = {"proofing": proofing.value, "previous_proofing": link.proofing.value}
    uow.account_links.change(
        link, replace(link, proofing=proofing), ChangeKind.ASSURANCE_CHANGED, now, details
    )
    uow.ledger.append(
        Event(
            "account_link:assurance_changed",
            PROVIDER,
            now,
            client_id=link.client_id,
            citizen_id=link.citizen_id,
            link_id=link.link_id,
            details={"proofing": proofing.value},
        )
    )
