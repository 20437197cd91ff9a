"""The acceptance checklist of tests/conformance/items.toml, and where each item applies."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CONFORMANCE = Path(__file__).resolve().parents[1] / "conformance"
TEST_NAME = re.compile(r"test_([a-z0-9]+)_([0-9]{2})_[a-z0-9_]+")


@dataclass(frozen=True)
class Item:
    """One line of the checklist."""

    item_id: str
    severity: str
    says: str
    columns: tuple[str, ...]
    """The columns of the matrix in which it is tested; none for an item that is left out."""
    reason: str | None
    """Why it is left out."""


@dataclass(frozen=True)
class Claim:
    """A test, and what it says it tests."""

    test: str
    item_id: str
    columns: tuple[str, ...]


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads((CONFORMANCE / "items.toml").read_text())


def every_column() -> tuple[str, ...]:
    return tuple(_read()["groups"]["every"])


def expand(names: Sequence[str]) -> tuple[str, ...]:
    """Resolve groups; the order is that of the matrix."""
    groups = _read()["groups"]
    chosen = {column for name in names for column in groups.get(name, [name])}
    if unknown := chosen - set(every_column()):
        raise ValueError(f"no such column: {sorted(unknown)}")
    return tuple(column for column in every_column() if column in chosen)


@cache
def items() -> Mapping[str, Item]:
    reasons = _read()["reasons"]
    return {
        item_id: Item(
            item_id,
            told["severity"],
            told.get("says", ""),
            expand(told.get("columns", [])),
            reasons[told["reason"]] if "reason" in told else None,
        )
        for item_id, told in _read()["items"].items()
    }


def columns_of(item_id: str, chosen: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return where a test of the item runs: everywhere it applies, or in the chosen ones of these."""
    applies = items()[item_id].columns
    if chosen is None:
        return applies
    wanted = expand(chosen)
    if stray := set(wanted) - set(applies):
        raise ValueError(f"{item_id} does not apply to {sorted(stray)}")
    return wanted


def claims() -> Iterator[Claim]:
    """Read what the tests claim from their `@pytest.mark.item(...)`, without running anything."""
    for path in sorted(CONFORMANCE.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.item":
                    item_id = ast.literal_eval(decorator.args[0])
                    chosen = {each.arg: ast.literal_eval(each.value) for each in decorator.keywords}
                    yield Claim(node.name, item_id, columns_of(item_id, chosen.get("columns")))


def item_of_name(test: str) -> str | None:
    """Return the id that a test's name carries: DISC-01 for test_disc_01_…"""
    named = TEST_NAME.fullmatch(test)
    return f"{named[1].upper()}-{named[2]}" if named else None
