"""Where a page of a list begins that is read newest first: before an entry, by its time and its id."""

Place = tuple[int, str]
"""The time of an entry in microseconds, and its id."""

NEWEST: Place = (2**63 - 1, "")
"""The place that comes before no entry: the list from its beginning."""
