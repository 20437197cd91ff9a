"""Lists: what is looked for, where a page begins, and the addresses of the next. Rule R9.

Whatever stands in an address and makes no sense looks for nothing and begins at the beginning.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from idp.pages.list_views import Choice, Filter, FilterName, Filters, Paging, Period
from idp.store.encoding import micros, moment
from idp.store.places import NEWEST, Place
from idp.web.requests import is_id
from idp.web.state import Context

Chosen = TypeVar("Chosen", bound=StrEnum)
_DAYS = {Period.WEEK: 7, Period.MONTH: 30, Period.YEAR: 365}
_YEAR = timedelta(days=365)


def place_of(at: datetime, entry_id: str) -> str:
    """Write a place into an address."""
    return f"{micros(at)}.{entry_id}"


def read_place(text: str) -> Place:
    """Read a place from an address; whatever is none means the newest."""
    time, _, entry_id = text.partition(".")
    is_place = time.isascii() and time.isdecimal() and len(time) < 18 and is_id(entry_id)
    return (int(time), entry_id) if is_place else NEWEST


def moment_of(place: Place) -> tuple[datetime, str] | None:
    """Return a place with its time as such; None where the list begins."""
    return None if place == NEWEST else (moment(place[0]), place[1])


def chosen(http: Request, name: FilterName, words: Iterable[Chosen]) -> Chosen | None:
    """Read which of our own words is looked for."""
    text = http.query_params.get(name.value, "")
    return next((word for word in words if word.value == text), None)


def chosen_id(http: Request, name: str) -> str:
    """Read an id, such as a network's; whatever is none is empty."""
    text = http.query_params.get(name, "")
    return text if is_id(text) else ""


def since_of(period: Period | None, now: datetime) -> datetime | None:
    """Return since when something happened that is looked for."""
    return None if period not in _DAYS else now - timedelta(days=_DAYS[period])


def before_of(http: Request, period: Period | None, now: datetime) -> Place:
    """Return before which entry the page begins, and what is looked for."""
    before = read_place(http.query_params.get("before", ""))
    return min(before, (micros(now - _YEAR), "")) if period is Period.EARLIER else before


def words_filter(name: FilterName, words: Iterable[StrEnum], found: StrEnum | None) -> Filter:
    """Return a question that is answered by one of our own words."""
    choices = (Choice(value=word.value, word=word, is_chosen=word is found) for word in words)
    return Filter(name=name, choices=tuple(choices))


async def network_filter(context: Context, client_ids: Iterable[str], found: str) -> Filter:
    """Return the question which network, of those there are in the list, by their names."""
    choices = []
    for client_id in {*client_ids, *([found] if found else [])}:
        client = await context.clients.find(client_id)
        name = client_id if client is None else client.client_name
        choices.append(Choice(value=client_id, name=name, is_chosen=client_id == found))
    return Filter(
        name=FilterName.NETWORK, choices=tuple(sorted(choices, key=lambda each: (each.name, each.value)))
    )


@dataclass(frozen=True, slots=True)
class ListAddress:
    """The address of a list, with what is looked for in it."""

    base: str
    filters: Sequence[Filter] = ()

    def uri(self, place: str = "", *, name: str = "before") -> str:
        """Return the address of one of its pages; the first where no place is named."""
        asked = [
            (each.name.value, choice.value)
            for each in self.filters
            for choice in each.choices
            if choice.is_chosen
        ]
        query = urlencode([*asked, *([(name, place)] if place else [])])
        return f"{self.base}?{query}" if query else self.base

    def paging(self, *, is_first: bool, next_place: str | None, name: str = "before") -> Paging:
        """Return the ways through the list."""
        return Paging(
            first_uri=None if is_first else self.uri(),
            next_uri=None if next_place is None else self.uri(next_place, name=name),
        )

    def form(self) -> Filters:
        """Return the form that narrows it down; questions with nothing to choose are left out."""
        asked = tuple(each for each in self.filters if len(each.choices) > 1 or each.is_used)
        return Filters(action=self.base, filters=asked)
