"""What is left of things that are over: removed in small batches, so that nobody waits for it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, null, select

from idp.store.client_tables import access_tokens, backchannel_requests, outbox
from idp.store.credential_tables import (
    activations,
    app_devices,
    passkeys,
    phone_approvals,
    phone_codes,
    trusted_browsers,
    upstream_visits,
)
from idp.store.encoding import micros
from idp.store.link_tables import notices
from idp.store.oversight_tables import idempotency_keys, simulations
from idp.store.recorder import Recorder
from idp.store.tables import (
    attempts,
    codes,
    grants,
    interactions,
    pushed_requests,
    refresh_tokens,
    sessions,
    spent,
)
from idp.store.writes import Bind, Remove

BATCH = 1000
"""Rows of each table that one pass removes."""

KEEP = timedelta(days=1)
"""How long after its end a short-lived thing is still told apart from one that never was."""
KEEP_GRANTS = timedelta(days=30)
"""How long an ended grant, its refresh tokens and sessions stay to explain themselves, and so do revoked
passkeys and phones and activation codes that nobody used; a parked delivery waits as long for an operator."""


def _removal(table: Table, condition: Callable[[Bind], ColumnElement[bool]]) -> Remove:
    key: Any = next(iter(table.primary_key.columns))

    def where(bind: Bind) -> ColumnElement[bool]:
        old: ColumnElement[bool] = key.in_(select(key).where(condition(bind)).limit(bind("batch")))
        return old

    return Remove(f"{table.name}_removed", table, where)


def _expired(table: Table) -> Remove:
    return _removal(table, lambda bind: table.c.expires_at < bind("before"))


def _revoked(table: Table) -> Remove:
    return _removal(
        table, lambda bind: and_(table.c.revoked_at != null(), table.c.revoked_at < bind("before"))
    )


_SHORT_LIVED = tuple(
    map(
        _expired,
        (
            access_tokens,
            attempts,
            backchannel_requests,
            codes,
            idempotency_keys,
            interactions,
            phone_approvals,
            phone_codes,
            pushed_requests,
            simulations,
            spent,
            trusted_browsers,
            upstream_visits,
        ),
    )
)
_LONG_LIVED = (
    _expired(grants),
    _expired(refresh_tokens),
    _expired(sessions),
    _removal(
        activations,
        # A used one stays: who set something up once is recovered by two operators, never enrolled by one.
        lambda bind: and_(activations.c.used_at == null(), activations.c.expires_at < bind("before")),
    ),
    *map(_revoked, (app_devices, grants, passkeys)),
)
_NEVER_CONFIRMED = _removal(
    app_devices,
    lambda bind: and_(app_devices.c.confirmed_at == null(), app_devices.c.created_at < bind("before")),
)
_OLD_NOTICES = _expired(notices)
_TOLD = _removal(
    outbox, lambda bind: and_(outbox.c.delivered_at != null(), outbox.c.delivered_at < bind("before"))
)
_NEVER_TOLD = _removal(
    outbox, lambda bind: and_(outbox.c.parked_at != null(), outbox.c.parked_at < bind("before"))
)


class Remains:
    """Removal of what is over. The audit log is no remainder: it is never touched here."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def remove(self, now: datetime) -> None:
        """Record the removal of a batch of everything that ended long enough ago."""
        for write in (*_SHORT_LIVED, _NEVER_CONFIRMED, _TOLD):
            self._recorder.record(write, before=micros(now - KEEP), batch=BATCH)
        # A notice says itself how long it is kept (`identity.notices.KEPT_FOR`).
        self._recorder.record(_OLD_NOTICES, before=micros(now), batch=BATCH)
        for write in (*_LONG_LIVED, _NEVER_TOLD):
            self._recorder.record(write, before=micros(now - KEEP_GRANTS), batch=BATCH)
