"""The matrix of checklist items and profiles, printed at the end of a run and written for CI to keep."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checklist import every_column, items

PROPERTY = "conformance"
FILE = "CONFORMANCE_MATRIX"
"""The environment variable that names the file to write; pytest's --conformance-matrix is stronger."""

PASSED, FAILED, LEFT_OUT, NOT_RUN, NOT_CONCERNED = "ok", "FAIL", "left out", "·", ""


class Matrix:
    """Collects results; with xdist in the process that shows them."""

    def __init__(self) -> None:
        self.results: dict[tuple[str, str], bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, str):
                item_id, _, column = value.partition("|")
                place = (item_id, column)
                self.results[place] = self.results.get(place, True) and not report.failed

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        if not self.results:
            return
        terminalreporter.section("conformance: profile and item")
        for line in self.lines():
            terminalreporter.write_line(line)
        named = config.getoption("conformance_matrix") or os.environ.get(FILE)
        if named:
            file = Path(named)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join(self.markdown()) + "\n", encoding="utf-8")

    def cell(self, item_id: str, column: str) -> str:
        if column not in items()[item_id].columns:
            return NOT_CONCERNED
        result = self.results.get((item_id, column))
        return NOT_RUN if result is None else PASSED if result else FAILED

    def lines(self) -> Iterator[str]:
        columns = every_column()
        widths = [max(len(column), len(FAILED)) for column in columns]
        yield "  ".join(["item    ", *columns])
        for item in items().values():
            if item.reason is None:
                cells = (self.cell(item.item_id, column) for column in columns)
                placed = (cell.center(width) for cell, width in zip(cells, widths, strict=True))
                yield "  ".join([item.item_id.ljust(8), *placed]).rstrip()
        for reason in dict.fromkeys(item.reason for item in items().values() if item.reason):
            ids = [item.item_id for item in items().values() if item.reason == reason]
            yield f"{LEFT_OUT}: {' '.join(ids)}: {reason}"
        counted = list(self.results.values())
        yield f"{counted.count(True)} cells ok, {counted.count(False)} failed"

    def markdown(self) -> Iterator[str]:
        columns = every_column()
        yield f"| item | severity | {' | '.join(columns)} | what is observed |"
        yield f"|---|---|{'---|' * len(columns)}---|"
        for item in items().values():
            if item.reason is None:
                cells = " | ".join(self.cell(item.item_id, column) for column in columns)
                yield f"| {item.item_id} | {item.severity} | {cells} | {item.says} |"
            else:
                blank = " | " * (len(columns) - 1)
                yield f"| {item.item_id} | {item.severity} | {blank} | {LEFT_OUT}: {item.reason} |"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--conformance-matrix", metavar="FILE", help="write the matrix of profile and item as Markdown"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "item(id, columns=None): the checklist item that a test proves, and in which columns"
    )
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Matrix(), "conformance-matrix")
