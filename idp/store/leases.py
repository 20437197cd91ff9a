"""Leases: who of many processes does a job now. A lease is an optimisation, never a guarantee.

What must not be done twice is protected by its own gate; the lease only saves the others the work.
"""

from datetime import datetime, timedelta

from sqlalchemy import or_

from idp.store.encoding import micros
from idp.store.recorder import Recorder
from idp.store.tables import leases as t
from idp.store.writes import GateClosedError, Insert, Merge

_TAKE = Insert(
    "lease",
    t,
    ("name", "holder", "expires_at", "taken_at"),
    gate=True,
    merge=Merge(
        ("name",),
        lambda proposed, _: {
            "holder": proposed.holder,
            "expires_at": proposed.expires_at,
            "taken_at": proposed.taken_at,
        },
        lambda proposed, held: or_(held.c.expires_at <= proposed.taken_at, held.c.holder == proposed.holder),
    ),
)


class Leases:
    """What the program remembers about who does what."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def take(self, name: str, holder: str, now: datetime, validity: timedelta) -> bool:
        """Take or renew a lease; tell whether `holder` has it now. Commits at once."""
        self._recorder.record(
            _TAKE, name=name, holder=holder, taken_at=micros(now), expires_at=micros(now + validity)
        )
        try:
            await self._recorder.commit()
        except GateClosedError:
            return False
        return True
