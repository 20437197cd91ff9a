"""`idp keys`: signing keys and data keys. Every process takes a change over within a second."""

from collections.abc import Mapping

import click

from idp.audit.events import Event
from idp.operators.desk import Desk, at_desk, utc_now
from idp.operators.failures import explained
from idp.operators.options import TAKES_IDS, dry_run_option, json_option
from idp.operators.output import CommandFailedError, invocation, table
from idp.settings import Settings
from keys import Custody, KeyState

_SIGNING = ("kid", "algorithm", "state", "created_at", "activated_at", "retires_at", "ended_at")
_DATA = ("id", "purpose", "created_at")


@click.group()
def keys() -> None:
    """Look at the keys, rotate them, report one as compromised. The runbook is keys/README.md."""


@keys.command("list")
@json_option
def list_keys() -> None:
    """List the signing keys and where they stand in their life, and the data keys by id.

    It also says which are as old as the policy allows, so that a rotation is due. Where there are no keys
    yet they are made: this is how a key ceremony begins. It needs no database.
    """
    with explained():
        custody = _custody()
    now = utc_now()
    due = list(custody.signing.algorithms_due(now))
    if custody.data.is_rotation_due(now):
        due += _encrypting(custody)
    signing = [{name: getattr(record, name) for name in _SIGNING} for record in custody.signing.list()]
    data = [{name: getattr(record, name) for name in _DATA} for record in custody.data.list()]
    lines = table(_SIGNING, (tuple(record.values()) for record in signing))
    lines += ["", *table(_DATA, (tuple(record.values()) for record in data))]
    if due:
        lines += ["", f"Rotation is due: {', '.join(due)}. See `idp keys rotate --help`."]
    invocation().answer({"signing": signing, "data": data, "rotation_due": due}, lines)


def _custody() -> Custody:
    settings = Settings.load()
    return Custody.open(settings.keys_dir, settings.seal_file, utc_now())


@keys.command()
@click.option("--algorithm", metavar="ALG", help="Rotate the signing key of this algorithm only.")
@click.option("--data", "is_data", is_flag=True, help="Rotate the key that encrypts personal data instead.")
@dry_run_option
@json_option
def rotate(*, algorithm: str | None, is_data: bool, dry_run: bool) -> None:
    """Let the next signing keys sign; the present ones verify until nothing they signed is valid.

    No client notices, for the next keys have been published since the rotation before. With --data, a new
    key encrypts personal data from now on; the older ones still open what they encrypted.
    """
    if is_data and algorithm is not None:
        raise click.UsageError("--algorithm is for signing keys and cannot stand beside --data.")
    purpose = "encryption" if is_data else "signing"

    async def work(desk: Desk) -> tuple[Mapping[str, str], Mapping[str, str]]:
        in_use = _encrypting if is_data else _signing
        before = in_use(desk.custody)
        if algorithm is not None and algorithm not in before:
            raise CommandFailedError(f"There are no keys for {algorithm}; there are {', '.join(before)}.")
        if dry_run:
            return before, {}
        if is_data:
            desk.custody.data.rotate(desk.clock())
        else:
            desk.custody.signing.rotate(desk.clock(), algorithm)
        after = in_use(desk.custody)
        await _write_down(
            desk, "key:rotated", purpose, [kid for name, kid in after.items() if kid != before[name]]
        )
        return before, after

    before, after = at_desk(work)
    names = [name for name in before if algorithm in (None, name)]
    rotated = [
        {"purpose": purpose, "algorithm": name, "before": before[name], "after": after.get(name)}
        for name in names
    ]
    lines = [f"{name}: {before[name]} → {after.get(name) or 'a new key (dry run)'}" for name in names]
    invocation().answer({"rotated": rotated, "dry_run": dry_run}, lines)


def _signing(custody: Custody) -> dict[str, str]:
    """Return the kid that signs, by algorithm."""
    records = custody.signing.list()
    return {record.algorithm: record.kid for record in records if record.state is KeyState.ACTIVE}


def _encrypting(custody: Custody) -> dict[str, str]:
    """Return the id of the newest encryption key."""
    return {"A256GCM": [record.id for record in custody.data.list() if record.purpose == "encryption"][-1]}


@keys.command(context_settings=TAKES_IDS)
@click.argument("kid")
@dry_run_option
@json_option
def compromise(*, kid: str, dry_run: bool) -> None:
    """Unpublish a signing key at once. What it signed is no longer believed; the next key takes over.

    This is done even when the database cannot be reached and nothing can be written into the audit log.
    """
    with explained():
        custody = _custody()
        kid = kid.partition(".")[0]
        found = [record for record in custody.signing.list() if record.kid == kid]
        if not found:
            raise CommandFailedError("There is no signing key with this kid.")
        if not dry_run:
            custody.signing.compromise(kid, utc_now())
    document = {
        "kid": kid,
        "algorithm": found[0].algorithm,
        "state_before": found[0].state,
        "dry_run": dry_run,
    }
    if not dry_run:
        _write_down_compromise(kid, document)
    said = "would be unpublished" if dry_run else "is unpublished"
    invocation().answer(document, [f"{kid} ({found[0].algorithm}) {said}."])


def _write_down_compromise(kid: str, document: Mapping[str, object]) -> None:
    try:
        at_desk(lambda desk: _write_down(desk, "key:compromised", "signing", [kid]))
    except CommandFailedError as error:
        raise CommandFailedError(
            "The key is unpublished, but the audit log does not know it.",
            (error.message, *error.reasons),
            result=document,
        ) from error


async def _write_down(desk: Desk, event_type: str, purpose: str, kids: list[str]) -> None:
    uow, now = desk.unit_of_work(), desk.clock()
    uow.ledger.append_many(
        [Event(event_type, desk.operator, now, details={"kid": kid, "method": purpose}) for kid in kids]
    )
    await uow.commit()
