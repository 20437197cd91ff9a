"""What lets a person in has changed: written down, and told on every way. Recorded here, not committed."""

from collections.abc import Mapping
from datetime import datetime

from idp.audit.events import Actor, ActorKind, Event
from idp.identity.notices import Credential, Notice, NoticeKind
from idp.store.unit_of_work import UnitOfWork

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
