"""What a command says: one result on standard output, every other word on standard error."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol

import click
import orjson


@dataclass(slots=True)
class Invocation:
    """How the program was called: who says to act, and for whom the answer is."""

    as_json: bool = False
    operator: str | None = None

    def say(self, message: str) -> None:
        """Tell a person something that is not the result."""
        click.echo(message, err=True)

    def show(self, lines: Iterable[str]) -> None:
        """Show a person a part of the result before the command is through; a program waits for all of it."""
        if not self.as_json:
            for line in lines:
                click.echo(line)

    def answer(self, document: Mapping[str, object], lines: Iterable[str]) -> None:
        """Give the result: as exactly one JSON document, or as lines for a person."""
        if self.as_json:
            click.echo(encode(document))
        self.show(lines)


def invocation() -> Invocation:
    """Return how the program was called that runs now."""
    return click.get_current_context().find_root().ensure_object(Invocation)


def encode(document: Mapping[str, object]) -> str:
    """Return the document as JSON; times are RFC 3339 in UTC."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z
    return orjson.dumps(document, default=_plain, option=options).decode()


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value)


class CommandFailedError(click.ClickException):
    """An expected failure: one sentence, the reasons behind it, and what was done all the same."""

    def __init__(
        self,
        message: str,
        reasons: Sequence[str] = (),
        *,
        result: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.reasons = tuple(reasons)
        self.result = result or {}

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the sentence on standard error and, for a program, the document on standard output."""
        del file  # where it goes is fixed
        click.echo("\n".join((self.message, *(f"  {reason}" for reason in self.reasons))), err=True)

    def document(self) -> Mapping[str, object]:
        """Return what a program reads of it."""
        error: dict[str, object] = {"message": self.message}
        if self.reasons:
            error["reasons"] = self.reasons
        return {**self.result, "error": error}


class Progress(Protocol):
    """Shows how far something has come."""

    def update(self, n_steps: int) -> None:
        """Tell how many more steps were done."""


@contextmanager
def progress(label: str, length: int) -> Iterator[Progress]:
    """Show a bar on a terminal; nothing to anybody else, and nothing where there is nothing to do."""
    hidden = not sys.stderr.isatty() or not length
    with click.progressbar(length=length, label=label, file=sys.stderr, hidden=hidden) as bar:
        yield bar


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return lines in columns; a missing value is a dash."""
    cells = [list(headings), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(headings))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def properties(values: Mapping[str, object]) -> list[str]:
    """Return one line for each name and value."""
    width = max(map(len, values), default=0)
    return [f"{name.ljust(width)}  {_cell(value)}" for name, value in values.items()]


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value)) or "-"
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat(timespec="seconds") if callable(isoformat) else value)
