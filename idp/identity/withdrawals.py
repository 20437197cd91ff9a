"""The clock of a platform after a person withdrew their consent. D356 Art. 5; rule R8. Pure.

Here a withdrawal takes effect at once. The platform has to answer within two working days and to be done
within fifteen days, within twenty where it passed data on to others. Days are those of Viet Nam; the day of
the withdrawal itself does not count, and what would end on a day off ends on the next working day (Civil Code
Art. 147, 148). Which days are off beside the weekend is configuration.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from idp.identity.citizens import VIET_NAM

ANSWERED_WITHIN = 2
"""Working days."""
DONE_WITHIN = timedelta(days=15)
DONE_WITH_OTHERS_WITHIN = timedelta(days=20)

_SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PlatformClock:
    """Until when, each day included."""

    answered_by: date
    done_by: date
    done_with_others_by: date


def platform_clock(withdrawn_at: datetime, holidays: AbstractSet[date]) -> PlatformClock:
    """Return by when the platform must have answered and be done."""
    day = withdrawn_at.astimezone(VIET_NAM).date()
    answered_by = day
    for _ in range(ANSWERED_WITHIN):
        answered_by = _working_day(answered_by + _DAY, holidays)
    return PlatformClock(
        answered_by,
        _working_day(day + DONE_WITHIN, holidays),
        _working_day(day + DONE_WITH_OTHERS_WITHIN, holidays),
    )


def _working_day(day: date, holidays: AbstractSet[date]) -> date:
    """Return the day itself or the next on which people work."""
    while day.weekday() >= _SATURDAY or day in holidays:
        day += _DAY
    return day
