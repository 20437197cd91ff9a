"""A session is over: find out which clients are to be told. Back-Channel Logout 1.0 §2.5.

Recorded with the end itself, and worked off here, so that nobody who signs out waits for it. Doing it twice
tells nobody twice: a delivery's id follows from the session and the client.
"""

from hashlib import sha256

from idp.deliveries.backchannel_logout import BACKCHANNEL_LOGOUT
from idp.deliveries.world import World
from idp.protocol.tokens import pairwise_sid
from idp.store.encoding import moment
from idp.store.outbox import Delivery
from idp.store.unit_of_work import UnitOfWork


async def find_whom_to_tell(world: World, delivery: Delivery) -> None:
    """Record one delivery for each client that was told who the person is and wants to hear of the end."""
    uow, content = world.unit_of_work(), delivery.content
    if "session_id" in content:
        sessions = [content["session_id"]]
    else:
        sessions = await uow.sessions.ended_together(content["citizen_id"], moment(content["ended_at"]))
    for session_id in sessions:
        await _record(world, uow, session_id)
    await uow.commit()


async def _record(world: World, uow: UnitOfWork, session_id: str) -> None:
    now = world.clock()
    for client_id, subject in (await uow.sessions.told_who(session_id)).items():
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
