"""The clock of a platform after a person withdrew their consent. D356 Art. 5; rule R8. Pure.

Here a withdrawal takes effect at once. The platform has to answer within two working days and to be done
within fifteen days, within twenty where it passed data on to others. How days count, `working_days` says.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from idp.identity.working_days import after_working_days, day_of, working_day

ANSWERED_WITHIN = 2
"""Working days."""
DONE_WITHIN = timedelta(days=15)
DONE_WITH_OTHERS_WITHIN = timedelta(days=20)


@dataclass(frozen=True, slots=True)
class PlatformClock:
    """Until when, each day included."""

    answered_by: date
    done_by: date
    done_with_others_by: date


def platform_clock(withdrawn_at: datetime, holidays: AbstractSet[date]) -> PlatformClock:
    """Return by when the platform must have answered and be done."""
    day = day_of(withdrawn_at)
    return PlatformClock(
        after_working_days(day, ANSWERED_WITHIN, holidays),
        working_day(day + DONE_WITHIN, holidays),
        working_day(day + DONE_WITH_OTHERS_WITHIN, holidays),
    )
