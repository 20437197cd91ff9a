"""One issuer for the whole folder; each test meets it as a client of its column, with a person of its own."""

from collections.abc import Iterator

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


@pytest.fixture
def party(op: ServedHere, column: Column) -> Iterator[Party]:
    """Give a client of the column that no other test knows."""
    yield Party.registered(op, column)
    op.close_browsers()


@pytest.fixture
def other_party(op: ServedHere, column: Column) -> Party:
    """Give a second client of the same column."""
    return Party.registered(op, column)


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
