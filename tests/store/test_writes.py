"""One atomic commit, three ways to execute it: folded into one statement, as a transaction, on SQLite.

All three must end alike, wherever a gate closes or an index refuses. The writes below stand for all
that the stores use; each step has a row of its own, as the stores' steps do.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from idp.store.tables import leases, spent
from idp.store.writes import (
    BulkStep,
    Change,
    GateClosedError,
    Insert,
    Merge,
    Remove,
    Step,
    UniquenessError,
    Values,
    Write,
)
from tests.support.stores import NOW, Memory, memory_and_loop

COLUMNS = ("spent_key", "expires_at")
_LATER = Merge(
    ("spent_key",),
    lambda proposed, _: {"expires_at": proposed.expires_at},
    lambda proposed, row: row.c.expires_at < proposed.expires_at,
)


def _change(name: str, *, gate: bool) -> Change:
    return Change(
        name,
        spent,
        where=lambda bind: (
            (spent.c.spent_key == bind("spent_key")) & (spent.c.expires_at < bind("expires_at"))
        ),
        values=lambda bind: {"expires_at": bind("expires_at")},
        gate=gate,
    )


def _remove(name: str, *, gate: bool) -> Remove:
    return Remove(name, spent, where=lambda bind: spent.c.spent_key == bind("spent_key"), gate=gate)


WRITES: Sequence[Write] = (
    Insert("put", spent, COLUMNS),
    Insert("put_gate", spent, COLUMNS, gate=True),
    Insert("put_unless_there", spent, COLUMNS, unless_exists=True),
    Insert("put_once", spent, COLUMNS, gate=True, unless_exists=True),
    Insert("merge", spent, COLUMNS, merge=_LATER),
    Insert("merge_gate", spent, COLUMNS, gate=True, merge=_LATER),
    _change("change", gate=False),
    _change("change_gate", gate=True),
    _remove("remove", gate=False),
    _remove("remove_gate", gate=True),
)
BY_NAME = {write.name: write for write in WRITES}
OLD, PROPOSED, NEWER = 1, 2, 3
NO_MORE: Sequence[BulkStep] = (BulkStep(BY_NAME["put"], ()),)
"""A bulk step without rows: it writes nothing, and makes PostgreSQL take the steps one by one."""


@dataclass(frozen=True)
class Ending:
    """How a commit ended, and what it left behind."""

    outcome: str
    rows: tuple[tuple[bytes, int], ...]


async def ending_of(
    memory: Memory,
    steps: Sequence[tuple[str, int | None]],
    *,
    more: Sequence[BulkStep] = (),
) -> Ending:
    """Commit steps, each a write and the row that it finds, and tell how that ended."""
    database = memory.database
    wipe = Remove("wipe", spent, where=lambda bind: spent.c.expires_at > bind("none"))
    there: list[Values] = [
        {"spent_key": b"%d" % place, "expires_at": before}
        for place, (_, before) in enumerate(steps)
        if before is not None
    ]
    await database.commit([BulkStep(wipe, ({"none": 0},)), BulkStep(BY_NAME["put"], tuple(there))])
    outcome = "stored"
    try:
        await database.commit(
            [
                Step(BY_NAME[name], _values(BY_NAME[name], b"%d" % place))
                for place, (name, _) in enumerate(steps)
            ]
            + list(more)
        )
    except GateClosedError as closed:
        outcome = f"closed at {closed.gate}"
    except UniquenessError as refused:
        outcome = f"refused by {refused.index}"
    rows = await database.fetch_all(select(spent).order_by(spent.c.spent_key), {})
    return Ending(outcome, tuple((bytes(row["spent_key"]), row["expires_at"]) for row in rows))


def _values(write: Write, key: bytes) -> Values:
    return {"spent_key": key} if isinstance(write, Remove) else {"spent_key": key, "expires_at": PROPOSED}


def expected_ending(steps: Sequence[tuple[str, int | None]]) -> Ending:
    """Tell how it must end, in plain words of Python."""
    before = {b"%d" % place: value for place, (_, value) in enumerate(steps) if value is not None}
    rows = dict(before)
    for place, (name, _) in enumerate(steps):
        write, key = BY_NAME[name], b"%d" % place
        value = rows.get(key)
        if isinstance(write, Remove):
            is_touched = rows.pop(key, None) is not None
        elif isinstance(write, Change):
            is_touched = value is not None and value < PROPOSED
        elif value is None:
            is_touched = True
        elif write.merge is None and not write.unless_exists:
            return Ending("refused by pk_spent", tuple(sorted(before.items())))
        else:
            is_touched = write.merge is not None and value < PROPOSED
        if is_touched and not isinstance(write, Remove):
            rows[key] = PROPOSED
        if write.gate and not is_touched:
            return Ending(f"closed at {name}", tuple(sorted(rows.items())))
    return Ending("stored", tuple(sorted(rows.items())))


STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(BY_NAME)), st.sampled_from([None, OLD, NEWER])), min_size=1, max_size=6
)


def test_every_sequence_ends_alike_however_it_is_executed(database_url: str) -> None:
    async def compare(memory: Memory, steps: Sequence[tuple[str, int | None]]) -> None:
        expected = expected_ending(steps)
        assert await ending_of(memory, steps) == expected
        assert await ending_of(memory, steps, more=NO_MORE) == expected

    @settings(max_examples=40)
    @given(STEPS)
    def check(steps: Sequence[tuple[str, int | None]]) -> None:
        runner.run(compare(memory, steps))

    with memory_and_loop(database_url) as (memory, runner):
        check()


@pytest.mark.anyio
async def test_every_pair_and_every_place_of_a_closed_gate_or_refusal(memory: Memory) -> None:
    """First, middle and last place; whatever stands before is kept, whatever stands after is not written."""
    gates = [("put_once", OLD), ("change_gate", NEWER), ("remove_gate", None), ("merge_gate", NEWER)]
    for closed, opened in product([*gates, ("put", OLD)], ["put", "change_gate", "put_once"]):
        passing = (opened, OLD if opened == "change_gate" else None)
        for place in range(3):
            steps: list[tuple[str, int | None]] = [passing, passing]
            steps.insert(place, closed)
            expected = expected_ending(steps)
            assert expected.outcome != "stored"
            assert await ending_of(memory, steps) == expected, steps
            assert await ending_of(memory, steps, more=NO_MORE) == expected, steps


@pytest.mark.anyio
async def test_a_bulk_step_after_a_closed_gate_writes_no_row(memory: Memory) -> None:
    more = [BulkStep(BY_NAME["put"], tuple({"spent_key": b"x%d" % n, "expires_at": 9} for n in range(3)))]
    ended = await ending_of(memory, [("put", None), ("put_once", OLD)], more=more)
    assert ended == Ending("closed at put_once", ((b"0", PROPOSED), (b"1", OLD)))
    stored = await ending_of(memory, [("put", None), ("put_once", None)], more=more)
    assert len(stored.rows) == 5


@pytest.mark.anyio
async def test_a_single_write_answers_with_the_row_it_touched(memory: Memory) -> None:
    put = BY_NAME["put_once"]
    values = {"spent_key": b"1", "expires_at": 7}
    row = await memory.database.execute(put, values, ["expires_at"])
    assert row is not None
    assert row["expires_at"] == 7
    assert await memory.database.execute(put, values, ["expires_at"]) is None
    with pytest.raises(UniquenessError) as refused:
        await memory.database.execute(BY_NAME["put"], values, ["expires_at"])
    assert refused.value.index == "pk_spent"
    (kept,) = await memory.database.fetch_all(select(spent), {})
    assert kept["expires_at"] == 7


@pytest.mark.anyio
async def test_a_reference_to_nothing_is_a_fault_and_no_question_of_uniqueness(memory: Memory) -> None:
    uow = memory.unit_of_work()
    uow.authenticators.put_password("nobody", "hash", NOW)
    with pytest.raises(Exception, match=r"(?i)foreign key") as fault:
        await uow.commit()
    assert not isinstance(fault.value, UniquenessError)
    assert (await memory.everything())["authenticators"] == []


@pytest.mark.anyio
async def test_leaving_without_commit_stores_nothing_and_a_commit_is_not_repeated(memory: Memory) -> None:
    uow = memory.unit_of_work()
    uow.record(BY_NAME["put"], spent_key=b"1", expires_at=1)
    assert await memory.database.fetch_all(select(spent), {}) == []
    await uow.commit()
    await uow.commit()
    assert len(await memory.database.fetch_all(select(spent), {})) == 1


TAKE = Insert(
    "lease",
    leases,
    ("name", "holder", "taken_at", "expires_at"),
    gate=True,
    merge=Merge(("name",), lambda proposed, _: {"holder": proposed.holder}),
)
COUNT = Change(
    "count",
    spent,
    where=lambda bind: spent.c.spent_key == bind("spent_key"),
    values=lambda bind: {"expires_at": spent.c.expires_at + bind("one")},
)


@pytest.mark.anyio
async def test_a_row_that_many_change_behind_an_open_gate_is_changed_by_all_of_them(memory: Memory) -> None:
    """PostgreSQL looks at a row again that somebody else changed meanwhile; the gate must still count."""
    await memory.database.commit(
        [Step(BY_NAME["put"], {"spent_key": key, "expires_at": 0}) for key in (b"a", b"b")]
    )

    async def once(place: int) -> None:
        lease = {"name": f"lease-{place}", "holder": "me", "taken_at": 0, "expires_at": 0}
        counted = [Step(COUNT, {"spent_key": key, "one": 1}) for key in (b"a", b"b")]
        await memory.database.commit([Step(TAKE, lease), *counted])

    await asyncio.gather(*map(once, range(60)))
    rows = await memory.database.fetch_all(select(spent), {})
    assert [row["expires_at"] for row in rows] == [60, 60]
