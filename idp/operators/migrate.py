"""`idp migrate`: brings the database to this version's tables and makes the first keys."""

import click
from alembic.util import CommandError

from idp.operators.desk import utc_now
from idp.operators.failures import explained
from idp.operators.options import dry_run_option, json_option
from idp.operators.output import CommandFailedError, invocation
from idp.settings import Settings
from idp.store.migrate import current_revision, head_revision, upgrade
from idp.store.opening import sqlite_path
from keys import Custody, KeyState


@click.command()
@dry_run_option
@json_option
def migrate(*, dry_run: bool) -> None:
    """Create the tables, or bring them to this version, and make the first keys.

    Run it before the first start and after every update. Where nothing is to be done it does nothing.
    """
    with explained():
        settings = Settings.load()
        before, newest = _revision(settings), head_revision()
        if dry_run:
            after, signing_keys = before, None
        else:
            _upgrade(settings, before)
            after = _revision(settings)
            signing = Custody.open(settings.keys_dir, settings.seal_file, utc_now()).signing
            signing_keys = sum(record.state is KeyState.ACTIVE for record in signing.list())
    document = {
        "revision_before": before,
        "revision_after": after,
        "newest_revision": newest,
        "active_signing_keys": signing_keys,
        "dry_run": dry_run,
    }
    stood = f"at revision {before}" if before else "empty"
    if dry_run:
        lines = [f"The database is {stood}; `idp migrate` brings it to revision {newest}."]
    elif before == after:
        lines = [f"The database is at revision {after} already."]
    else:
        lines = [f"The database was {stood} and is at revision {after} now."]
    invocation().answer(document, lines)


def _upgrade(settings: Settings, before: str | None) -> None:
    try:
        upgrade(settings.database_url)
    except CommandError as error:
        raise CommandFailedError(
            f"The database is at revision {before}, which this version does not know: a newer one was here."
        ) from error


def _revision(settings: Settings) -> str | None:
    url = settings.database_url
    if url.startswith("sqlite:") and not sqlite_path(url).exists():
        return None  # looking into a missing file would create it
    return current_revision(url)
