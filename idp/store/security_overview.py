"""What lets one person in, all of it at a glance: one statement over every table of credentials."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ScalarSelect, Table, bindparam, func, null, select

from idp.store.credential_tables import (
    app_devices,
    passkeys,
    recovery_codes,
    trusted_browsers,
    upstream_accounts,
)
from idp.store.encoding import micros, moment_or_none
from idp.store.recorder import Recorder
from idp.store.tables import authenticators

_CITIZEN: BindParameter[str] = bindparam("citizen")


def _since(kind: str) -> ScalarSelect[Any]:
    return (
        select(authenticators.c.created_at)
        .where(authenticators.c.citizen_id == _CITIZEN, authenticators.c.kind == bindparam(kind))
        .scalar_subquery()
    )


def _count(table: Table, *conditions: Any) -> ScalarSelect[Any]:
    return (
        select(func.count())
        .select_from(table)
        .where(table.c.citizen_id == _CITIZEN, *conditions)
        .scalar_subquery()
    )


_newest = recovery_codes.alias("newest_codes")
_NEWEST_SET = select(func.max(_newest.c.created_at)).where(_newest.c.citizen_id == _CITIZEN)
_OF_NEWEST_SET = recovery_codes.c.created_at == _NEWEST_SET.scalar_subquery()
_OVERVIEW = select(
    _since("password").label("password_since"),
    _since("totp").label("totp_since"),
    _count(passkeys, passkeys.c.revoked_at == null()).label("passkeys"),
    _count(app_devices, app_devices.c.revoked_at == null(), app_devices.c.confirmed_at != null()).label(
        "phones"
    ),
    _count(recovery_codes, recovery_codes.c.used_at == null(), _OF_NEWEST_SET).label("recovery_codes"),
    _NEWEST_SET.scalar_subquery().label("recovery_codes_since"),
    _count(
        trusted_browsers,
        trusted_browsers.c.revoked_at == null(),
        trusted_browsers.c.expires_at > bindparam("now"),
    ).label("browsers"),
    _count(upstream_accounts, upstream_accounts.c.disconnected_at == null()).label("upstreams"),
)


@dataclass(frozen=True, slots=True)
class SecurityOverview:
    """How many of each there are, and since when; None and 0 for what a person does not have."""

    password_since: datetime | None = None
    totp_since: datetime | None = None
    passkeys: int = 0
    phones: int = 0
    recovery_codes: int = 0
    """How many are left."""
    recovery_codes_since: datetime | None = None
    browsers: int = 0
    upstreams: int = 0


class SecurityOverviews:
    """A read over what other stores write."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def of_citizen(self, citizen_id: str, now: datetime) -> SecurityOverview:
        """Return what lets a person in."""
        row = await self._recorder.fetch_one(
            _OVERVIEW, citizen=citizen_id, now=micros(now), password="password", totp="totp"
        )
        if row is None:
            return SecurityOverview()
        return SecurityOverview(
            password_since=moment_or_none(row["password_since"]),
            totp_since=moment_or_none(row["totp_since"]),
            passkeys=row["passkeys"],
            phones=row["phones"],
            recovery_codes=row["recovery_codes"],
            recovery_codes_since=moment_or_none(row["recovery_codes_since"]),
            browsers=row["browsers"],
            upstreams=row["upstreams"],
        )
