"""`python -m clients.log_verifier https://id.example --known FILE`: status 0, or 1 where the log is wrong."""

import ssl
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx

from .memory import UnusableMemoryError, recall, remember
from .proofs import UnreadableProofError
from .public_log import PublicLog, UnreachableError
from .tree import TamperedError
from .verification import begin, derive, verify_proofs

WRONG, UNKNOWN = 1, 2
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("issuer")
@click.option("--known", type=_FILE, help="What was verified last time; written again when all is well.")
@click.option("--proof", "proofs", type=_FILE, multiple=True, help="A proof downloaded from your history.")
@click.option("--ca-file", type=_FILE, help="Certificates to trust instead of the system's.")
@click.option("--quick", is_flag=True, help="Verify signatures and proofs, without downloading the log.")
def main(
    *, issuer: str, known: Path | None, proofs: tuple[Path, ...], ca_file: Path | None, quick: bool
) -> None:
    """Verify the public log of the provider at ISSUER: that it only ever grew, and is what was signed.

    The exit status is 0 when all is well, 1 when the log is wrong, 2 when that could not be found out.
    """
    if quick and known is not None and not known.exists():
        raise click.UsageError("--quick with a new --known would remember what nobody has looked at.")
    trust: ssl.SSLContext | bool = True
    try:
        if ca_file is not None:
            trust = ssl.create_default_context(cafile=ca_file)
        with httpx.Client(verify=trust, timeout=20, follow_redirects=False) as http:
            _verify(PublicLog(issuer.rstrip("/"), http), known, proofs, is_quick=quick)
    except TamperedError as finding:
        click.echo(f"WRONG: {finding}.", err=True)
        sys.exit(WRONG)
    except (UnreachableError, UnusableMemoryError, UnreadableProofError, OSError) as trouble:
        click.echo(f"Not verified: {trouble}.", err=True)
        sys.exit(UNKNOWN)


def _verify(log: PublicLog, file: Path | None, proofs: tuple[Path, ...], *, is_quick: bool) -> None:
    now = datetime.now(UTC).timestamp()
    known = None if file is None else recall(file, log.issuer)
    newest = begin(log, known, now)
    entries = verify_proofs(log, newest, proofs, now)
    click.echo(f"The newest checkpoint is signed: {newest.tree_size} entries at {_time(newest.issued_at)}.")
    if known is not None:
        click.echo(f"It begins with the {known.tree_size} entries that were known.")
    if not is_quick:
        begun_at = 0 if known is None else known.tree_size
        hidden = not sys.stderr.isatty()
        length = newest.tree_size - begun_at
        with click.progressbar(length=length, label="Deriving", file=sys.stderr, hidden=hidden) as bar:
            verified = derive(log, newest, known, now, bar.update)
        click.echo(f"Its root follows from the leaves, as do {verified.compared} checkpoints before it.")
        if file is not None:
            remember(file, log.issuer, verified.tree, newest.signed)
    for entry in entries:
        click.echo(f"Entry {entry.leaf_index + 1} is in it: {entry.entry or 'named by its hash alone'}")


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%FT%TZ}"


if __name__ == "__main__":
    main(prog_name="python -m clients.log_verifier")
