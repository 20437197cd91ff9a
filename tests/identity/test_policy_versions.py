"""Which version of the policy holds, which is announced, and what cannot be published."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from idp.identity.policy_versions import (
    FIRST,
    PublicationRefusedError,
    announced,
    check_publication,
    in_force,
)

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = replace(FIRST, version=2, effective_at=NOW - DAY)
THIRD = replace(FIRST, version=3, effective_at=NOW + DAY)
MENDED = replace(FIRST, version=4, effective_at=NOW + DAY)
FIFTH = replace(FIRST, version=5, effective_at=NOW + 9 * DAY)
ALL = (FIRST, SECOND, THIRD, MENDED, FIFTH)


def test_where_nothing_was_published_the_first_version_holds() -> None:
    assert in_force((), NOW) is FIRST
    assert announced((), NOW) is None


def test_the_newest_that_took_effect_holds() -> None:
    assert in_force(ALL, NOW) is SECOND
    assert in_force(ALL, NOW + DAY) is MENDED
    assert in_force(ALL, NOW + 30 * DAY) is FIFTH


def test_the_next_is_announced_and_one_that_was_replaced_is_not() -> None:
    assert announced(ALL, NOW) is MENDED
    assert announced(ALL, NOW + DAY) is FIFTH
    assert announced(ALL, NOW + 9 * DAY) is None


@pytest.mark.parametrize("effective_at", [NOW + DAY, NOW + 2 * DAY])
def test_a_version_takes_effect_with_the_latest_or_after_it(effective_at: datetime) -> None:
    check_publication(THIRD, effective_at, NOW)


@pytest.mark.parametrize(
    ("latest", "effective_at"), [(SECOND, NOW - timedelta(seconds=1)), (THIRD, NOW + timedelta(hours=1))]
)
def test_a_version_neither_rewrites_the_past_nor_overtakes(latest: object, effective_at: datetime) -> None:
    assert latest in ALL
    with pytest.raises(PublicationRefusedError):
        check_publication(SECOND if latest is SECOND else THIRD, effective_at, NOW)
