"""What is recorded of an activation: given out, opened, stopped, used. Told on every way, each time. R19, P9.

Nothing is committed here. Codes and tokens are made here, given to whoever asked, and kept nowhere.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.audit.events import Actor, ActorKind
from idp.identity.activation_codes import make_activation_code
from idp.identity.activation_grounds import Ground, Purpose
from idp.identity.activations import Activation, Kept, StopReason, activation_event, opened_by_holder
from idp.identity.assurance import AuthenticationContext
from idp.identity.citizens import Citizen
from idp.identity.notices import Credential, Notice, NoticeKind
from idp.store.unit_of_work import UnitOfWork


def new_activation_id() -> str:
    """Return a fresh id."""
    return secrets.token_urlsafe(12)


def new_code() -> str:
    """Return a fresh code."""
    return make_activation_code(secrets.choice)


@dataclass(frozen=True, slots=True)
class Handed:
    """An activation and the code that its person is given, once."""

    activation: Activation
    code: str


def issue_enrolment(uow: UnitOfWork, activation: Activation, operator: Actor, now: datetime) -> Handed:
    """Record a first code in the place of any before it."""
    code, stop_token = new_code(), uow.activations.stop_token(activation.activation_id)
    uow.activations.add(activation, code=code, stop_token=stop_token)
    uow.activations.stop_first_codes(activation.citizen_id, now, but=activation.activation_id)
    uow.ledger.append(activation_event(activation, "issued", operator, now))
    uow.notices.tell(Notice(NoticeKind.ACTIVATION_ISSUED, activation.citizen_id), now, token=stop_token)
    return Handed(activation, code)


def issue_approved(uow: UnitOfWork, approved: Activation, operator: Actor, now: datetime) -> Handed:
    """Record the second operator's approval of a recovery. Gate: APPROVED_GATE."""
    code, stop_token = new_code(), uow.activations.stop_token(approved.activation_id)
    uow.activations.approve(approved, code, stop_token)
    uow.ledger.append(activation_event(approved, "approved", operator, now))
    uow.notices.tell(Notice(NoticeKind.RECOVERY_OPENED, approved.citizen_id), now, token=stop_token)
    return Handed(approved, code)


def reprint(uow: UnitOfWork, activation: Activation, operator: Actor, now: datetime) -> Handed:
    """Record another code in the place of one; told anew, for somebody else may hold it.

    Gate: REPRINTED_GATE.
    """
    handed = Handed(activation, new_code())
    uow.activations.reprint(activation.activation_id, handed.code)
    uow.ledger.append(activation_event(activation, "reprinted", operator, now))
    is_recovery = activation.purpose is Purpose.RECOVERY
    kind = NoticeKind.RECOVERY_OPENED if is_recovery else NoticeKind.ACTIVATION_ISSUED
    stop_token = uow.activations.stop_token(activation.activation_id)
    uow.notices.tell(Notice(kind, activation.citizen_id), now, token=stop_token)
    return handed


def open_recovery(
    uow: UnitOfWork, citizen_id: str, ground: Ground, waiting: timedelta, now: datetime
) -> Handed:
    """Record a recovery that its holder opened.

    Others that are open stay so: who opens one in bad faith must not be able to keep the holder from theirs,
    nor to begin their waiting anew. The first that is used stops the rest.
    """
    code, stop_token = new_code(), secrets.token_urlsafe(16)
    activation = opened_by_holder(new_activation_id(), citizen_id, ground, waiting, now)
    uow.activations.add(activation, code=code, stop_token=stop_token)
    actor = Actor(ActorKind.CITIZEN, citizen_id)
    uow.ledger.append(activation_event(activation, "opened", actor, now))
    uow.notices.tell(Notice(NoticeKind.RECOVERY_OPENED, citizen_id), now, token=stop_token)
    return Handed(activation, code)


def stop_activation(
    uow: UnitOfWork,
    activation: Activation,
    because: StopReason,
    actor: Actor,
    now: datetime,
    *,
    kept_session_id: str = "",
) -> None:
    """Record that an activation comes to nothing. Gate: STOPPED_GATE.

    Whoever says that it was not them is signed out everywhere, but in `kept_session_id`, and no browser stays
    remembered; and where it was opened with a recovery code, somebody else has read the sheet: all codes on
    it are void.
    """
    uow.activations.stop(activation.activation_id, because, now)
    uow.ledger.append(activation_event(activation, "stopped", actor, now, method=because.value))
    uow.notices.tell(Notice(NoticeKind.RECOVERY_STOPPED, activation.citizen_id), now)
    if because not in {StopReason.HOLDER_MESSAGE, StopReason.HOLDER_SESSION}:
        return
    uow.sessions.end_of_citizen(activation.citizen_id, now, but=kept_session_id)
    uow.trusted_browsers.forget_all(activation.citizen_id, now)
    if activation.ground is Ground.RECOVERY_CODE:
        uow.recovery_codes.remove(activation.citizen_id)
        void = {"what": Credential.RECOVERY_CODES.value}
        uow.notices.tell(Notice(NoticeKind.AUTHENTICATOR_REMOVED, activation.citizen_id, details=void), now)


def use_activation(
    uow: UnitOfWork,
    activation: Activation,
    browser: str,
    kept: Kept,
    now: datetime,
    *,
    kept_session_id: str = "",
) -> None:
    """Record the one use of a code, and the end of what was lost. Gate: USED_GATE.

    Recorded before what is set up with it, so that nothing new ends with the old. `kept_session_id` is the
    person's session in this very browser, which goes on under another cookie.
    """
    citizen_id = activation.citizen_id
    uow.activations.use(activation.activation_id, browser, now)
    uow.activations.stop_others(citizen_id, now, but=activation.activation_id)
    if activation.purpose is Purpose.RECOVERY:
        uow.lost_credentials.end(citizen_id, kept, now)
        uow.sessions.end_of_citizen(citizen_id, now, but=kept_session_id)


def write_down_use(
    uow: UnitOfWork, activation: Activation, citizen: Citizen, at: AuthenticationContext, now: datetime
) -> None:
    """Record beside it which level was reached with it, and tell the person by every way what changed."""
    uow.ledger.append(
        activation_event(
            activation,
            "used",
            Actor(ActorKind.CITIZEN, citizen.citizen_id),
            now,
            acr=at.acr.value,
            amr=" ".join(at.amr),
            proofing=citizen.proofing.value,
        )
    )
    match activation.purpose:
        case Purpose.ENROLMENT:
            uow.notices.tell(Notice(NoticeKind.ACCOUNT_ACTIVATED, citizen.citizen_id), now)
        case Purpose.RECOVERY:
            uow.notices.tell(Notice(NoticeKind.RECOVERY_DONE, citizen.citizen_id), now)
        case Purpose.ADDITION:
            # Nothing changed yet: what is added now is told when it is.
            return
