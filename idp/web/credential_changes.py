"""What lets a person in has changed: written down, and told on every way. Recorded here, not committed.

Whatever a session can do again and again is counted before (`check_may_change`), as each is a message.
"""

from collections.abc import Mapping
from datetime import datetime

from idp.audit.events import Actor, ActorKind, Event
from idp.authenticators.throttling import CHANGE_LIMITS, ThrottledError
from idp.identity.notices import Credential, Notice, NoticeKind
from idp.store.unit_of_work import UnitOfWork
from idp.web.failures import JourneyError, Trouble
from idp.web.state import Context
from idp.web.throttle import count_attempts

_EVENTS: Mapping[NoticeKind, str] = {
    NoticeKind.AUTHENTICATOR_ADDED: "authenticator:added",
    NoticeKind.AUTHENTICATOR_REMOVED: "authenticator:removed",
    NoticeKind.AUTHENTICATOR_BLOCKED: "authenticator:blocked",
    NoticeKind.PASSWORD_CHANGED: "authenticator:changed",
}


def write_down(
    uow: UnitOfWork,
    citizen_id: str,
    kind: NoticeKind,
    what: Credential,
    now: datetime,
    *,
    actor: Actor | None = None,
) -> None:
    """Record the event and the notice; `actor` is the person themselves unless another is named."""
    uow.ledger.append(
        Event(
            type=_EVENTS[kind],
            actor=actor or Actor(ActorKind.CITIZEN, citizen_id),
            occurred_at=now,
            citizen_id=citizen_id,
            details={"method": what.value},
        )
    )
    uow.notices.tell(Notice(kind, citizen_id, details={"what": what.value}), now)


def changes_key(context: Context, citizen_id: str) -> bytes:
    """Return the key under which the changes of one person are counted."""
    return context.custody.data.lookup("changes_of_person", citizen_id)


def recoveries_key(context: Context, citizen_id: str) -> bytes:
    """Return the key under which recoveries that one person's codes opened are counted.

    Apart from the changes: a thief who sits in a session must not keep the holder from recovering.
    """
    return context.custody.data.lookup("recoveries_of_person", citizen_id)


async def check_may_change(context: Context, citizen_id: str, now: datetime) -> None:
    """Count a change that a session is about to make, and commit the count. Raises JourneyError."""
    counter = (changes_key(context, citizen_id), CHANGE_LIMITS)
    try:
        await count_attempts(context.unit_of_work(), (counter,), now)
    except ThrottledError as throttled:
        raise JourneyError(Trouble.THROTTLED, retry_after=throttled.retry_at - now) from throttled
