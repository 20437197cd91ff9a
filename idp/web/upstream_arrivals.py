"""Somebody comes back from an upstream: found by the number, compared with what was seen before, let in.

The commit holds everything: a newcomer's record, the pair of number and `sub`, the session. What two windows
do at once is decided by gates and by the unique number; whoever comes second is looked at anew.
"""

import secrets
from datetime import datetime, timedelta

from starlette.requests import Request

from idp.audit.events import PROVIDER, Event
from idp.identity.assurance import Acr, authentication_context
from idp.identity.citizens import Citizen
from idp.identity.notices import Credential, NoticeKind
from idp.store.citizens import RegisteredCitizen
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import GateClosedError, UniquenessError
from idp.upstreams.arrival import (
    Arrival,
    ArrivalRefusal,
    ArrivalRefusedError,
    Found,
    check_arrival,
    read_newcomer,
)
from idp.upstreams.directory import OfferedUpstream
from idp.upstreams.exchange import UpstreamIdentity
from idp.web.arrival import SESSION_LIFTED_GATE, begin_session
from idp.web.credential_changes import check_may_change, write_down
from idp.web.failures import note
from idp.web.journey import find_signed_in
from idp.web.state import Context
from idp.web.throttle import CredentialAttempt

_ROUNDS = 3
_NEWCOMER = "upstream_newcomer"
_NEWCOMER_VALIDITY = timedelta(minutes=1)
"""Longer than a commit takes: two first arrivals of one `sub` at the same moment make one record."""


async def admit(
    context: Context,
    http: Request,
    offered: OfferedUpstream,
    identity: UpstreamIdentity,
    attempt: CredentialAttempt,
    *,
    client_id: str | None,
) -> str:
    """Let somebody in and return their session's cookie, committed.

    Raises ArrivalRefusedError; GateClosedError when other windows were faster again and again; JourneyError
    as `check_may_change` does.
    """
    rounds_left = _ROUNDS
    while True:
        rounds_left -= 1
        now = context.clock()
        uow = context.unit_of_work()
        found = await _found(context, uow, http, offered.upstream_id, identity, now)
        try:
            arrival = check_arrival(found, may_create=offered.configuration.mapping.create)
        except ArrivalRefusedError as refused:
            await _write_down_refusal(uow, offered.upstream_id, found, refused.refusal, now)
            raise
        if arrival is Arrival.RECONNECTED and found.holder is not None:
            # Ending and connecting again can be done without end, and each is told on every way.
            await check_may_change(context, found.holder.citizen_id, now)
        citizen_id = _remember(context, uow, offered, identity, found.holder, arrival, now)
        cookie = await begin_session(
            context,
            uow,
            http,
            citizen_id,
            authentication_context(identity.amr, identity.auth_time),
            now,
            client_id=client_id,
            method=f"upstream:{offered.upstream_id}",
        )
        attempt.succeeded(uow, now)
        try:
            await uow.commit()
        except (GateClosedError, UniquenessError) as collision:
            is_of_session = isinstance(collision, GateClosedError) and collision.gate == SESSION_LIFTED_GATE
            if is_of_session or not rounds_left:
                raise
        else:
            note(http, citizen_id=citizen_id, arrival=arrival.value)
            return cookie


async def _found(
    context: Context,
    uow: UnitOfWork,
    http: Request,
    upstream_id: str,
    identity: UpstreamIdentity,
    now: datetime,
) -> Found:
    holder = await uow.citizens.find_by_number(identity.personal_number)
    account = await uow.upstream_accounts.find(upstream_id, identity.subject)
    accounts = [] if holder is None else await uow.upstream_accounts.of_citizen(holder.citizen_id)
    connected = next((each for each in accounts if each.upstream_id == upstream_id), None)
    present = None
    if account is not None and account.disconnected_at is not None:
        present = await find_signed_in(context, uow, http, now)
    return Found(
        holder,
        account,
        connected,
        is_signed_in=present is not None
        and holder is not None
        and present.citizen.citizen_id == holder.citizen_id
        and present.session.context.acr.satisfies(Acr.VN_2),
    )


def _remember(
    context: Context,
    uow: UnitOfWork,
    offered: OfferedUpstream,
    identity: UpstreamIdentity,
    holder: Citizen | None,
    arrival: Arrival,
    now: datetime,
) -> str:
    """Record what an arrival leaves behind, the gate first; return whose it is.

    Raises ArrivalRefusedError.
    """
    upstream_id, subject = offered.upstream_id, identity.subject
    if holder is None:
        citizen = _newcomer(context, identity, now)
        uow.grants.spend(_NEWCOMER, f"{upstream_id}\x00{subject}", now + _NEWCOMER_VALIDITY)
        uow.citizens.add_many([RegisteredCitizen(citizen, identity.personal_number)], now)
        details = {"proofing": citizen.proofing.value, "method": f"upstream:{upstream_id}"}
        uow.ledger.append(
            Event("citizen:registered", PROVIDER, now, citizen_id=citizen.citizen_id, details=details)
        )
        uow.upstream_accounts.connect(upstream_id, subject, citizen.citizen_id, now)
        return citizen.citizen_id
    citizen_id = holder.citizen_id
    if arrival is Arrival.KNOWN:
        uow.upstream_accounts.use(upstream_id, subject, citizen_id, now)
        return citizen_id
    if arrival is Arrival.RECONNECTED:
        uow.upstream_accounts.reconnect(upstream_id, subject, citizen_id, now)
    else:
        uow.upstream_accounts.connect(upstream_id, subject, citizen_id, now)
    write_down(uow, citizen_id, NoticeKind.AUTHENTICATOR_ADDED, Credential.UPSTREAM, now)
    return citizen_id


def _newcomer(context: Context, identity: UpstreamIdentity, now: datetime) -> Citizen:
    entry = read_newcomer(identity, context.mode, now)
    return Citizen(
        citizen_id=secrets.token_urlsafe(16),
        status=entry.status,
        proofing=entry.proofing,
        proofed_at=entry.proofed_at,
        personal_data=entry.personal_data,
    )


async def _write_down_refusal(
    uow: UnitOfWork, upstream_id: str, found: Found, refusal: ArrivalRefusal, now: datetime
) -> None:
    """Write a refusal into the history of whom it concerns: number and `sub` may be two people's."""
    concerned = {each.citizen_id for each in (found.holder, found.account) if each is not None}
    for citizen_id in sorted(concerned):
        details = {"method": f"upstream:{upstream_id}", "because": refusal.value}
        uow.ledger.append(
            Event("citizen:sign_in_refused", PROVIDER, now, citizen_id=citizen_id, details=details)
        )
    await uow.commit()
