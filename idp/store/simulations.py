"""Simulations, one for each client. How often one is met is counted down where every process sees it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, literal_column, select

from idp.protocol.simulation import VALIDITY, Simulation, make_simulation, simulation_members
from idp.store.database import Row
from idp.store.encoding import dump_mapping, load_mapping, micros, moment
from idp.store.oversight_tables import simulations as t
from idp.store.recorder import Recorder
from idp.store.writes import Change, Insert, Merge, Remove

TAKEN_GATE = "simulation_taken"

_COLUMNS = tuple(column.name for column in t.columns)


def _replaced(proposed: Any, row: Table) -> dict[str, ColumnElement[Any]]:
    # Always another revision: an answer that is under way must not be counted against the new simulation.
    kept = {name: proposed[name] for name in _COLUMNS if name not in {"client_id", "revision"}}
    return kept | {"revision": row.c.revision + 1}


_PUT = Insert("simulation", t, _COLUMNS, merge=Merge(("client_id",), _replaced))
_TAKE = Change(
    TAKEN_GATE,
    t,
    where=lambda bind: (
        (t.c.client_id == bind("id"))
        & (t.c.revision == bind("of_revision"))
        & (t.c.remaining > literal_column("0"))
        & (t.c.expires_at > bind("now"))
    ),
    values=lambda _: {"remaining": t.c.remaining - literal_column("1")},
    gate=True,
)
_REMOVE = Remove("simulation_removed", t, where=lambda bind: t.c.client_id == bind("id"))
_IN_FORCE = select(t).where(t.c.remaining > literal_column("0")).where(t.c.expires_at > bindparam("now"))
_FIND = _IN_FORCE.where(t.c.client_id == bindparam("client_id"))


@dataclass(frozen=True, slots=True)
class SimulationInForce:
    """A simulation that is stored, and how many answers it still is about."""

    client_id: str
    simulation: Simulation
    remaining: int
    revision: int
    expires_at: datetime


class Simulations:
    """What the program remembers about simulations."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def in_force(self, now: datetime) -> list[SimulationInForce]:
        """Return every client's simulation that is not over."""
        rows = await self._recorder.fetch_all(_IN_FORCE, now=micros(now))
        return [_from_row(row) for row in rows]

    async def find(self, client_id: str, now: datetime) -> SimulationInForce | None:
        """Return a client's simulation that is not over."""
        row = await self._recorder.fetch_one(_FIND, client_id=client_id, now=micros(now))
        return None if row is None else _from_row(row)

    def put(self, client_id: str, simulation: Simulation, now: datetime) -> None:
        """Record a client's simulation in the place of any other."""
        self._recorder.record(
            _PUT,
            client_id=client_id,
            document=dump_mapping(simulation_members(simulation)),
            remaining=simulation.times,
            # A row that was removed and made anew must not have a revision that somebody still holds.
            revision=micros(now),
            updated_at=micros(now),
            expires_at=micros(now + VALIDITY),
        )

    def take(self, met: SimulationInForce, now: datetime) -> None:
        """Count one answer; the gate `simulation_taken` closes when none is left, or it is another one."""
        self._recorder.record(_TAKE, id=met.client_id, of_revision=met.revision, now=micros(now))

    def remove(self, client_id: str) -> None:
        """Record that nothing is simulated."""
        self._recorder.record(_REMOVE, id=client_id)


def _from_row(row: Row) -> SimulationInForce:
    return SimulationInForce(
        client_id=row["client_id"],
        simulation=make_simulation(load_mapping(row["document"])),
        remaining=row["remaining"],
        revision=row["revision"],
        expires_at=moment(row["expires_at"]),
    )
