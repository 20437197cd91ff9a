"""How values stand in columns: exact to the microsecond, equal sets as equal text."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from idp.store.encoding import dump_mapping, dump_names, load_mapping, load_names, micros, moment

MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=7))]))


@given(MOMENTS)
def test_a_moment_comes_back_to_the_microsecond_in_utc(at: datetime) -> None:
    assert moment(micros(at)) == at
    assert moment(micros(at)).tzinfo is UTC


@given(MOMENTS, MOMENTS)
def test_moments_keep_their_order(one: datetime, other: datetime) -> None:
    assert (micros(one) < micros(other)) == (one < other)


@given(st.frozensets(st.text()))
def test_equal_sets_are_equal_text(names: frozenset[str]) -> None:
    assert load_names(dump_names(names)) == names
    assert dump_names(sorted(names)) == dump_names(sorted(names, reverse=True))


@given(st.dictionaries(st.text(), st.text()))
def test_a_mapping_comes_back_and_equal_ones_are_equal_text(mapping: dict[str, str]) -> None:
    assert load_mapping(dump_mapping(mapping)) == mapping
    assert dump_mapping(mapping) == dump_mapping(dict(reversed(mapping.items())))
