"""The days of Viet Nam on which people work, and until when something is due. Civil Code Art. 147, 148. Pure.

The day on which a term begins does not count; a term that would end on a day off ends on the next working
day. Which days are off beside the weekend is configuration.
"""

from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta

from idp.identity.citizens import VIET_NAM

_SATURDAY = 5
_DAY = timedelta(days=1)
_LAST_SECOND = time(23, 59, 59)


def day_of(moment: datetime) -> date:
    """Return the day it is in Viet Nam."""
    return moment.astimezone(VIET_NAM).date()


def end_of_day(day: date) -> datetime:
    """Return the last second of a day in Viet Nam: a term that ends on it ends with it."""
    return datetime.combine(day, _LAST_SECOND, VIET_NAM)


def working_day(day: date, holidays: AbstractSet[date]) -> date:
    """Return the day itself or the next on which people work."""
    while day.weekday() >= _SATURDAY or day in holidays:
        day += _DAY
    return day


def after_working_days(day: date, count: int, holidays: AbstractSet[date]) -> date:
    """Return the working day that is so many working days after a day."""
    for _ in range(count):
        day = working_day(day + _DAY, holidays)
    return day
