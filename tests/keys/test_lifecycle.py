"""The life cycle as a state machine: whatever is done in whatever order, the promises hold."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from keys import lifecycle
from keys.errors import LifecycleError, UnknownKeyError
from keys.lifecycle import MOVES, PUBLISHED, KeyRecord, KeyState

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RETIRING_FOR = timedelta(days=30)
ALGORITHMS = ("ES256", "EdDSA")


def make_record(kid: str, algorithm: str = "ES256", state: KeyState = KeyState.NEXT) -> KeyRecord:
    return KeyRecord(kid, algorithm, state, {}, created_at=NOW)


class LifeOfARing(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.made = 0
        self.records: lifecycle.Records = ()
        self.seen: dict[str, KeyState] = {}
        self.signed: list[tuple[str, datetime]] = []
        self.compromised: set[str] = set()

    def new(self, algorithm: str) -> KeyRecord:
        self.made += 1
        return KeyRecord(f"key-{self.made}", algorithm, KeyState.NEXT, {}, created_at=self.now)

    @initialize()
    def begin(self) -> None:
        for algorithm in ALGORITHMS:
            self.records = lifecycle.begin(self.records, self.new(algorithm), self.new(algorithm), self.now)

    @rule(algorithm=st.sampled_from(ALGORITHMS))
    def rotate(self, algorithm: str) -> None:
        waiting = lifecycle.get_in_state(self.records, algorithm, KeyState.NEXT)
        self.records = lifecycle.rotate(self.records, self.new(algorithm), self.now, RETIRING_FOR)
        assert lifecycle.get_in_state(self.records, algorithm, KeyState.ACTIVE).kid == waiting.kid

    @rule(algorithm=st.sampled_from(ALGORITHMS))
    def sign(self, algorithm: str) -> None:
        kid = lifecycle.get_in_state(self.records, algorithm, KeyState.ACTIVE).kid
        self.signed.append((kid, self.now))

    @rule(hours=st.integers(1, 40 * 24))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.records = lifecycle.retire(self.records, self.now)

    @precondition(lambda self: any(record.state in PUBLISHED for record in self.records))
    @rule(data=st.data())
    def compromise(self, data: st.DataObject) -> None:
        alive = [record for record in self.records if record.state in PUBLISHED]
        lost = data.draw(st.sampled_from(alive))
        successor = self.new(lost.algorithm) if lost.state is not KeyState.RETIRING else None
        self.records = lifecycle.compromise(self.records, lost.kid, successor, self.now)
        self.compromised.add(lost.kid)

    @invariant()
    def each_algorithm_has_exactly_one_active_and_one_next_key(self) -> None:
        if self.records:
            for state in (KeyState.ACTIVE, KeyState.NEXT):
                have = [record.algorithm for record in self.records if record.state is state]
                assert sorted(have) == sorted(ALGORITHMS)

    @invariant()
    def what_signed_within_retention_is_still_published(self) -> None:
        published = {record.kid for record in self.records if record.state in PUBLISHED}
        for kid, signed_at in self.signed:
            if kid not in self.compromised and self.now < signed_at + RETIRING_FOR:
                assert kid in published

    @invariant()
    def a_compromised_key_is_never_published_again(self) -> None:
        assert not self.compromised & {r.kid for r in self.records if r.state in PUBLISHED}

    @invariant()
    def no_record_is_ever_lost_and_every_move_is_in_the_table(self) -> None:
        now = {record.kid: record.state for record in self.records}
        assert len(now) == len(self.records)
        assert self.seen.keys() <= now.keys()
        for kid, state in self.seen.items():
            assert now[kid] is state or reachable(state, now[kid])
        self.seen = now

    @invariant()
    def whatever_is_retiring_has_an_end(self) -> None:
        for record in self.records:
            assert (record.retires_at is not None) >= (record.state is KeyState.RETIRING)
            assert not record.is_due_to_retire(self.now)


def reachable(start: KeyState, end: KeyState) -> bool:
    return end in MOVES[start] or any(reachable(step, end) for step in MOVES[start])


TestLifeOfARing = LifeOfARing.TestCase
TestLifeOfARing.settings = settings(max_examples=60, stateful_step_count=40)


def test_a_retiring_key_is_published_until_the_very_moment_that_was_promised() -> None:
    records = lifecycle.begin((), make_record("a"), make_record("b"), NOW)
    records = lifecycle.rotate(records, make_record("c"), NOW, RETIRING_FOR)
    just_before = lifecycle.retire(records, NOW + RETIRING_FOR - timedelta(microseconds=1))
    then = lifecycle.retire(records, NOW + RETIRING_FOR)
    assert lifecycle.get_record(just_before, "a").state is KeyState.RETIRING
    assert lifecycle.get_record(then, "a").state is KeyState.RETIRED
    assert lifecycle.get_record(then, "a").ended_at == NOW + RETIRING_FOR


def test_a_compromised_key_makes_no_further_move() -> None:
    with pytest.raises(LifecycleError, match="cannot become"):
        lifecycle.compromise((make_record("a", state=KeyState.COMPROMISED),), "a", None, NOW)


def test_a_retired_key_is_compromised_when_it_turns_out_to_have_been_lost() -> None:
    """Its private half is erased, but what it signed for years is believed for years."""
    [record] = lifecycle.compromise((make_record("a", state=KeyState.RETIRED),), "a", None, NOW)
    assert (record.state, record.ended_at) == (KeyState.COMPROMISED, NOW)


def test_a_compromised_active_key_without_a_successor_is_refused() -> None:
    records = lifecycle.begin((), make_record("a"), make_record("b"), NOW)
    with pytest.raises(LifecycleError, match="needs a new next key"):
        lifecycle.compromise(records, "a", None, NOW)
    with pytest.raises(LifecycleError, match="needs a new next key"):
        lifecycle.compromise(records, "a", make_record("c", "EdDSA"), NOW)


def test_an_algorithm_is_begun_once_and_rotated_only_after_that() -> None:
    records = lifecycle.begin((), make_record("a"), make_record("b"), NOW)
    with pytest.raises(LifecycleError, match="not begun again"):
        lifecycle.begin(records, make_record("c"), make_record("d"), NOW)
    with pytest.raises(UnknownKeyError, match="EdDSA"):
        lifecycle.rotate(records, make_record("e", "EdDSA"), NOW, RETIRING_FOR)


def test_a_kid_that_never_was_cannot_be_compromised() -> None:
    with pytest.raises(UnknownKeyError, match="no key with kid"):
        lifecycle.compromise((), "nobody", None, NOW)
