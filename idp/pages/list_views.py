"""The view models of lists: in pages, and narrowed down. Drawn by `parts.paging` and `parts.filters`."""

from dataclasses import dataclass
from enum import StrEnum


class FilterName(StrEnum):
    """By what a list is narrowed down; the value is the parameter of its address."""

    NETWORK = "network"
    KIND = "kind"
    STATE = "state"
    PERIOD = "period"


class Period(StrEnum):
    """How long ago; together they leave nothing out."""

    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    EARLIER = "earlier"
    """More than a year ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing to look for: a word of ours, or a network's name."""

    value: str
    word: StrEnum | None = None
    name: str = ""
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One question of the form; choosing nothing lets everything through."""

    name: FilterName
    choices: tuple[Choice, ...]

    @property
    def is_used(self) -> bool:
        """Tell whether something is looked for."""
        return any(choice.is_chosen for choice in self.choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The form that narrows a list down. `form.filters`, sent by GET: it changes nothing."""

    action: str = ""
    filters: tuple[Filter, ...] = ()

    @property
    def is_used(self) -> bool:
        """Tell whether the list shows less than everything."""
        return any(each.is_used for each in self.filters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """The ways through a list that is longer than a page."""

    first_uri: str | None = None
    """Given on every page but the first."""
    next_uri: str | None = None


UNFILTERED = Filters()
ONE_PAGE = Paging()
