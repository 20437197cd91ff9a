"""A session is over: find out which clients are to be told. Back-Channel Logout 1.0 §2.5, CAEP §3.1.

Recorded with the end itself, and worked off here, so that nobody who signs out waits for it. Doing it twice
tells nobody twice: a delivery's id follows from the session and the client.
"""

from datetime import datetime
from hashlib import sha256

from idp.deliveries.backchannel_logout import BACKCHANNEL_LOGOUT
from idp.deliveries.told_changes import record_about_person
from idp.deliveries.world import World
from idp.protocol.security_events import session_revoked_event
from idp.protocol.tokens import pairwise_sid
from idp.store.encoding import moment
from idp.store.outbox import Delivery
from idp.store.unit_of_work import UnitOfWork


async def find_whom_to_tell(world: World, delivery: Delivery) -> None:
    """Record what each client wants to hear of the end that was told who the person is."""
    uow, content = world.unit_of_work(), delivery.content
    if "session_id" in content:
        sessions = [content["session_id"]]
    else:
        sessions = await uow.sessions.ended_together(content["citizen_id"], moment(content["ended_at"]))
    for session_id in sessions:
        await _record(world, uow, session_id, delivery.created_at)
    await uow.commit()


async def _record(world: World, uow: UnitOfWork, session_id: str, ended_at: datetime) -> None:
    now = world.clock()
    for client_id, subject in (await uow.sessions.told_who(session_id)).items():
        revoked = session_revoked_event(world.policy.issuer, subject, ended_at)
        await record_about_person(world, uow, client_id, revoked, session_id)
        client = await world.clients.find(client_id)
        if client is None or client.backchannel_logout_uri is None:
            continue
        delivery_id = sha256(f"{BACKCHANNEL_LOGOUT}:{session_id}:{client_id}".encode()).hexdigest()
        uow.outbox.add(
            Delivery(
                delivery_id=delivery_id,
                kind=BACKCHANNEL_LOGOUT,
                client_id=client_id,
                # The ends of two sessions have no order among each other.
                ordering_key=delivery_id,
                content={"subject": subject, "sid": pairwise_sid(session_id, client.sector)},
                created_at=now,
                next_attempt_at=now,
            )
        )
