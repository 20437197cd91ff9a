"""`idp citizens import`: takes a file of the register over, a batch at a time."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO

import click
import orjson

from idp.identity.register import RegisterEntry
from idp.operators.desk import Desk, at_desk
from idp.operators.guardian_import import RelationCounts
from idp.operators.options import dry_run_option, json_option
from idp.operators.output import CommandFailedError, invocation
from idp.operators.register_batches import BatchCounts, RegisterImport
from idp.operators.register_lines import RegisterLines, RejectedLine

SHOWN_REJECTIONS = 20


@dataclass(slots=True)
class Tally:
    """What became of the lines until now."""

    report: TextIO | None = None
    counts: BatchCounts = field(default_factory=BatchCounts)
    rejected: int = 0
    first_rejected: list[RejectedLine] = field(default_factory=list)
    relations: RelationCounts = field(default_factory=RelationCounts)

    def reject(self, line: RejectedLine) -> None:
        """Count a rejected line, keep the first ones and write all of them into the report."""
        self.rejected += 1
        if len(self.first_rejected) < SHOWN_REJECTIONS:
            self.first_rejected.append(line)
        if self.report is not None:
            self.report.write(orjson.dumps(line).decode() + "\n")

    def document(self, *, dry_run: bool) -> dict[str, object]:
        """Return the result as a document."""
        return {
            "added": self.counts.added,
            "updated": self.counts.updated,
            "unchanged": self.counts.unchanged,
            "rejected": self.rejected,
            "rejected_lines": self.first_rejected,
            "guardians_entered": self.relations.entered,
            "guardians_ended": self.relations.ended,
            "children_unknown": self.relations.unknown,
            "dry_run": dry_run,
        }

    def summary(self, *, dry_run: bool) -> str:
        """Return the result as a sentence."""
        counts = self.counts
        said = f"{counts.added} added, {counts.updated} updated, {counts.unchanged} unchanged"
        said += f", {self.rejected} rejected{self.relations.summary()}"
        return f"{said}{'; nothing was stored' if dry_run else ''}."


@click.command("import")
@click.argument("file", type=click.Path(allow_dash=True, path_type=Path))
@dry_run_option
@click.option(
    "--rejected",
    "report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every rejected line, as number and reasons, to this file (JSON Lines).",
)
@click.option(
    "--batch",
    default=500,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="How many people are stored in one commit.",
)
@click.option(
    "--progress/--no-progress", default=None, help="Show the progress; by default on a terminal only."
)
@json_option
def import_citizens(
    *, file: Path, dry_run: bool, report: Path | None, batch: int, progress: bool | None
) -> None:
    """Take over people from FILE, one JSON object a line; "-" reads standard input.

    Members are personal_number, name, birthdate (YYYY-MM-DD or YYYY), proofing (vn1, vn2 or vnf),
    proofed_at and status (active, locked, revoked or deceased); where known gender, nationality,
    phone_number, email, address and evidence (an array: type, document_details.type or record.type, and
    check_details with check_method and time; never a number) and guardian_of (an array: the personal
    numbers of children under 16 for whom the person speaks); and outside production also password and
    totp_secret.

    People are known by their personal number: running the same file again changes nothing, and an import
    that was broken off goes on where it stopped. What FILE no longer says of a person is removed, except
    password and totp_secret. A person who is no longer active is signed out and their links are suspended.

    Lines that cannot be taken over are reported with every reason and the others are stored all the same.
    The exit status is 0 only if no line was rejected.
    """
    tally = Tally()

    async def work(desk: Desk) -> None:
        with ExitStack() as stack:
            stream = stack.enter_context(_opened(file))
            if report is not None:
                tally.report = stack.enter_context(report.open("w", encoding="utf-8"))
            threads = desk.settings.hashing_threads or os.cpu_count() or 1
            hashing = stack.enter_context(ThreadPoolExecutor(threads))
            shown = stack.enter_context(_progress(stream, wanted=progress))
            taking = RegisterImport(desk, hashing, dry_run=dry_run)
            await _take_over(
                RegisterLines(stream, desk.settings.mode, desk.clock()), taking, tally, batch, shown
            )

    try:
        at_desk(work)
    except CommandFailedError as error:
        raise CommandFailedError(
            error.message,
            (*error.reasons, f"Until then: {tally.summary(dry_run=dry_run)} Run the same command to go on."),
            result=tally.document(dry_run=dry_run),
        ) from error
    _answer(tally, dry_run=dry_run, is_reported=report is not None)


async def _take_over(
    lines: RegisterLines, taking: RegisterImport, tally: Tally, batch: int, progress: "Progress"
) -> None:
    seen = 0
    for entries in _batches(lines, batch, tally):
        tally.counts += await taking.take_over(entries)
        progress.update(lines.bytes_read - seen)
        seen = lines.bytes_read
        tally.relations = taking.guardians.counts
    await taking.guardians.finish()
    tally.relations = taking.guardians.counts


def _batches(lines: RegisterLines, size: int, tally: Tally) -> Iterator[list[RegisterEntry]]:
    """Return the entries in batches, the last one perhaps empty; rejected lines go to the tally."""
    entries = []
    for line in lines:
        if isinstance(line, RejectedLine):
            tally.reject(line)
        else:
            entries.append(line.entry)
        if len(entries) == size:
            yield entries
            entries = []
    yield entries


def _answer(tally: Tally, *, dry_run: bool, is_reported: bool) -> None:
    document, summary = tally.document(dry_run=dry_run), tally.summary(dry_run=dry_run)
    if not tally.rejected:
        invocation().answer(document, [summary])
        return
    invocation().show([summary])
    reasons: list[str] = []
    if not is_reported:
        reasons += [f"line {line.line}: {'; '.join(line.reasons)}" for line in tally.first_rejected]
        if tally.rejected > len(reasons):
            reasons.append(f"… and {tally.rejected - len(reasons)} more; --rejected FILE lists them all.")
    lines = "1 line was" if tally.rejected == 1 else f"{tally.rejected} lines were"
    raise CommandFailedError(f"{lines} rejected.", reasons, result=document)


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        yield sys.stdin.buffer
    else:
        with file.open("rb") as stream:
            yield stream


class Progress(Protocol):
    """Shows how far a file was read."""

    def update(self, n_steps: int) -> None:
        """Tell how many more bytes were read."""


@contextmanager
def _progress(stream: BinaryIO, *, wanted: bool | None) -> Iterator[Progress]:
    """Show a bar on a terminal; where progress is asked for without one, a line for every tenth."""
    is_terminal = sys.stderr.isatty()
    length = _length_of(stream)
    if wanted and not is_terminal:
        yield _SaidProgress(length)
        return
    is_hidden = wanted is False or not is_terminal or not length
    with click.progressbar(length=length, label="Importing", file=sys.stderr, hidden=is_hidden) as bar:
        yield bar


def _length_of(stream: BinaryIO) -> int:
    """Return how much there is to read; 0 where that is not known, as of a pipe."""
    if not stream.seekable():
        return 0
    here = stream.tell()
    length = stream.seek(0, os.SEEK_END) - here
    stream.seek(here)
    return length


class _SaidProgress:
    """Progress as lines on standard error."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._read = 0
        self._said = 0

    def update(self, n_steps: int) -> None:
        """Say every tenth of the file; of a pipe, nothing."""
        self._read += n_steps
        tenths = 10 * self._read // self._length if self._length else 0
        if tenths > self._said:
            self._said = tenths
            invocation().say(f"{10 * tenths} % read")
