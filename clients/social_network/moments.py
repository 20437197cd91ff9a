"""Moments as the network's file keeps them: UTC, in a form that sorts as time does."""

from datetime import UTC, datetime


def written(moment: datetime) -> str:
    """Return a moment as it is kept."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def written_if_any(moment: datetime | None) -> str | None:
    """Return a moment as it is kept, and none as none."""
    return None if moment is None else written(moment)


def read_moment(text: str) -> datetime:
    """Read what `written` wrote."""
    return datetime.fromisoformat(text)
