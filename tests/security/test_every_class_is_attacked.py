"""The catalogue of attacks itself: no class is silently missing, and no test is named that does not exist."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
CLASSES: dict[str, dict[str, Any]] = tomllib.loads((TESTS / "security" / "classes.toml").read_text())
EXPECTED = [*(str(number) for number in range(1, 32)), *(f"P{number}" for number in range(1, 12))]
ADVISORY = re.compile(r"CVE-20\d\d-\d{4,6}|GHSA-[0-9a-z]{4}(-[0-9a-z]{4}){0,2}|[a-z-]+[#@][0-9a-f]+")
ON_BOTH_ENGINES = {"provider", "database_url", "asker", "installation"}
"""Fixtures that run a test once on SQLite and once on PostgreSQL, over HTTP or by commands."""


@cache
def functions(path: Path) -> dict[str, set[str]]:
    """The tests of a file and what each asks for, those of its classes included."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {
        node.name: {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def named(class_id: str) -> Iterator[tuple[str, set[str] | None]]:
    """Every test that a class names, with what it asks for; None for one that does not exist."""
    for entry in CLASSES[class_id].get("tests", []):
        file, _, name = entry.partition("::")
        path = TESTS / file
        found = functions(path) if path.is_file() else {}
        if name or not found:
            yield entry, found.get(name)
        else:
            yield from ((f"{file}::{each}", asked) for each, asked in found.items())


def test_every_class_is_there() -> None:
    assert list(CLASSES) == EXPECTED


@pytest.mark.parametrize("class_id", EXPECTED)
def test_a_class_is_attacked_or_says_why_not(class_id: str) -> None:
    told = CLASSES[class_id]
    assert told.keys() <= {"name", "ids", "tests", "reason", "later"}
    assert ("tests" in told) is not ("reason" in told)
    assert all(told[key].endswith(".") for key in ("reason", "later") if key in told)
    assert [each for each in told.get("ids", []) if not ADVISORY.fullmatch(each)] == []
    assert ("ids" in told) is not class_id.startswith("P")


@pytest.mark.parametrize("class_id", EXPECTED)
def test_the_tests_of_a_class_exist(class_id: str) -> None:
    assert [entry for entry, asked in named(class_id) if asked is None] == []


@pytest.mark.parametrize("class_id", [each for each in EXPECTED if "tests" in CLASSES[each]])
def test_a_class_is_attacked_on_both_engines(class_id: str) -> None:
    assert any(asked is not None and asked & ON_BOTH_ENGINES for _, asked in named(class_id))


@pytest.mark.parametrize("path", sorted((TESTS / "security").glob("test_*.py")), ids=lambda path: path.stem)
def test_whatever_is_in_this_folder_attacks_a_class(path: Path) -> None:
    files = {entry.partition("::")[0] for told in CLASSES.values() for entry in told.get("tests", [])}
    assert path.samefile(__file__) or f"security/{path.name}" in files
