"""One issuer for the whole folder; each test meets it as a client of its column, with a person of its own."""

from collections.abc import Callable, Iterator
from functools import cache

import httpx
import pytest

from tests.support.checklist import columns_of
from tests.support.columns import COLUMNS, Column
from tests.support.conformance_matrix import PROPERTY
from tests.support.databases import joined_test_run, sqlite_database
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.served_here import ServedHere, served_here


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for every column that its item applies to."""
    mark = metafunc.definition.get_closest_marker("item")
    if mark is not None:
        columns = columns_of(mark.args[0], mark.kwargs.get("columns"))
        metafunc.parametrize("column", [COLUMNS[name] for name in columns], ids=columns, indirect=True)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tell the matrix, in whatever process it is, which cell a test fills."""
    mark = item.get_closest_marker("item")
    if mark is not None and isinstance(item, pytest.Function):
        item.user_properties.append((PROPERTY, f"{mark.args[0]}|{item.callspec.params['column'].name}"))


@pytest.fixture(scope="session")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHere]:
    folder = tmp_path_factory.mktemp("conformance")
    with sqlite_database(joined_test_run(), folder) as url, served_here(url, folder) as op:
        yield op


@pytest.fixture
def column(request: pytest.FixtureRequest) -> Column:
    column: Column = request.param
    return column


@pytest.fixture(scope="session")
def _known_parties(op: ServedHere) -> Callable[[Column, str], Party]:
    """Give a client of a column by a name, registered when it is first asked for."""

    @cache
    def known(column: Column, name: str) -> Party:
        return Party.registered(op, column)

    return known


@pytest.fixture
def party(op: ServedHere, column: Column, _known_parties: Callable[[Column, str], Party]) -> Iterator[Party]:
    """Give a client of the column: other tests know it, too, but its keys of this test are its own.

    `Party.registered(op, column, …)` is one that no other test knows.
    """
    yield _known_parties(column, "one").afresh()
    op.close_browsers()


@pytest.fixture
def other_party(column: Column, _known_parties: Callable[[Column, str], Party]) -> Party:
    """Give a second client of the same column."""
    return _known_parties(column, "other").afresh()


@pytest.fixture(scope="session")
def _regular(op: ServedHere) -> Iterator[tuple[httpx.Client, Person]]:
    """Give somebody who is signed in, from their first request on: hashing their password once is enough."""
    with op.new_browser() as browser:
        yield browser, op.add_person()


@pytest.fixture
def browser(_regular: tuple[httpx.Client, Person]) -> httpx.Client:
    """Give the browser of `person`, whose session other tests began. `op.browser()` is nobody's."""
    return _regular[0]


@pytest.fixture
def person(_regular: tuple[httpx.Client, Person]) -> Person:
    """Give a person whom other tests know, too. `op.add_person()` is nobody's."""
    return _regular[1]
