"""Every kind of delivery, in one table. To add one: write what makes it, and name it here.

Whoever causes a delivery records `uow.outbox.add(Delivery(kind=…, …))` in the commit of what it tells of;
the function named here is called with it, as often as it takes, and raises DeliveryFailedError. A delivery
may arrive twice (a worker can die between the receiver's answer and our note of it): receivers know it again
by what is in it.
"""

from collections.abc import Awaitable, Callable, Mapping

from idp.deliveries.backchannel_logout import BACKCHANNEL_LOGOUT, send_logout_token
from idp.deliveries.ciba_ping import send_ping
from idp.deliveries.citizen_notices import MESSAGE_KINDS, find_ways, send_message
from idp.deliveries.person_changed import follow_person
from idp.deliveries.security_events import may_push_events, may_push_stream_events, push_event
from idp.deliveries.session_ended import find_whom_to_tell
from idp.deliveries.world import World
from idp.store.backchannel_requests import CIBA_PING
from idp.store.notices import CITIZEN_NOTICE
from idp.store.outbox import Delivery
from idp.store.person_changes import PERSON_CHANGED
from idp.store.sessions import SESSION_ENDED
from idp.store.set_deliveries import SECURITY_EVENT, STREAM_EVENT

Make = Callable[[World, Delivery], Awaitable[None]]

KINDS: Mapping[str, Make] = {
    SESSION_ENDED: find_whom_to_tell,
    PERSON_CHANGED: follow_person,
    BACKCHANNEL_LOGOUT: send_logout_token,
    CIBA_PING: send_ping,
    SECURITY_EVENT: push_event,
    STREAM_EVENT: push_event,
    CITIZEN_NOTICE: find_ways,
    **dict.fromkeys(MESSAGE_KINDS.values(), send_message),
}

MayClaim = Callable[[World, str], Awaitable[bool]]

MAY_CLAIM: Mapping[str, MayClaim] = {
    SECURITY_EVENT: may_push_events,
    STREAM_EVENT: may_push_stream_events,
}
"""Kinds whose deliveries may have to wait for their receiver: where one does, nothing of it is claimed."""

MOST_AT_ONCE: Mapping[str, int] = {CITIZEN_NOTICE: 4}
"""Work of our own that comes with every change of a link: in a rush, what leaves for others goes first."""
