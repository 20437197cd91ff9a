"""`idp audit`: reads the audit log and verifies that nobody changed it."""

import asyncio
from collections.abc import Iterator

import click
import orjson

from idp.audit.chain import FindingKind, SealedEvent
from idp.audit.checkpoints import text_of_hash
from idp.audit.tree_verification import TreeFinding, TreeFindingKind
from idp.operators.audit_verification import Verification, verify_log
from idp.operators.desk import Desk, at_desk, utc_now
from idp.operators.options import json_option
from idp.operators.output import CommandFailedError, invocation, progress, properties
from idp.operators.tree_verification import every_signing_key
from idp.store.encoding import moment

FOLLOW_SECONDS = 1.0
_AT_ONCE = 1000

_FINDINGS = {
    FindingKind.ALTERED: "was altered",
    FindingKind.REMOVED: "was removed",
    FindingKind.SLIPPED_IN: "was slipped in",
    FindingKind.REWRITTEN: "or one before it was altered, and all after it sealed anew",
}

_TREE_FINDINGS = {
    TreeFindingKind.LEAF_DIFFERS: "is not the one that the tree was grown with",
    TreeFindingKind.TILE_DIFFERS: "do not agree with a tile above them, or it is missing",
    TreeFindingKind.ROOT_DIFFERS: "are not those that were signed: one was changed, and all after it",
    TreeFindingKind.SIGNATURE_INVALID: "have a checkpoint that the provider never signed",
    TreeFindingKind.CHECKPOINT_BEYOND: "were signed and are not there any more",
    TreeFindingKind.PURGED_TOO_SOON: "are gone, and their five years were not over",
}


@click.group()
def audit() -> None:
    """Read the audit log, and verify that nothing in it was altered, removed or slipped in."""


@audit.command()
@click.option(
    "-n", "count", default=20, show_default=True, type=click.IntRange(1, _AT_ONCE), help="How many events."
)
@click.option("--follow", is_flag=True, help="Go on with new events until Ctrl-C.")
@json_option
def tail(*, count: int, follow: bool) -> None:
    """Show the newest events, newest last. A place in the chain is shown once it is sealed."""
    if follow and invocation().as_json:
        raise click.UsageError("--follow has no end and --json is one document; they exclude each other.")

    async def work(desk: Desk) -> list[SealedEvent]:
        if follow:
            await _follow(desk, count)
        return (await desk.unit_of_work().ledger.tail(count))[::-1]

    try:
        events = at_desk(work)
    except KeyboardInterrupt:
        if follow:
            return
        raise
    invocation().answer({"events": [_described(event) for event in events]}, map(_line, events))


async def _follow(desk: Desk, count: int) -> None:
    """Show what is appended, each event once: as waiting when it is met so, otherwise as sealed."""
    ledger = desk.unit_of_work().ledger
    unsealed, _ = await ledger.waiting()
    newest = (await ledger.tail(max(count, unsealed + 1)))[::-1]
    invocation().show(map(_line, newest[-count:]))
    last = next((event for event in reversed(newest) if event.sequence), None)
    waiting = {event.event_id for event in newest if not event.sequence}
    while True:
        await asyncio.sleep(FOLLOW_SECONDS)
        sealed = await ledger.sealed(last, _AT_ONCE)
        appended = await ledger.unsealed(_AT_ONCE)
        invocation().show(_line(event) for event in (*sealed, *appended) if event.event_id not in waiting)
        waiting |= {event.event_id for event in appended}
        waiting -= {event.event_id for event in sealed}
        last = sealed[-1] if sealed else last


@audit.command()
@json_option
def verify() -> None:
    """Derive chain and tree anew from the tables alone, and name the first event that was tampered with.

    The exit status is 1 when there is one. Every checkpoint is compared, and its signature. Whoever can write
    the tables and sign can make another log: against them stand those who remembered a checkpoint elsewhere
    (`python -m clients.log_verifier`).
    """

    async def work(desk: Desk) -> Verification:
        uow, keys = desk.unit_of_work(), every_signing_key(desk.custody.signing)
        with progress("Verifying", 2 * await uow.merkle_log.size()) as bar:
            return await verify_log(uow, keys, utc_now(), bar.update)

    found = at_desk(work)
    document = _document(found)
    if found.is_sealing_overdue(utc_now()):
        invocation().say(
            f"{found.waiting} events wait to be sealed, the oldest since {found.waiting_since:%FT%TZ}: "
            "is `idp serve` running?"
        )
    finding, tree = found.report.finding, found.tree
    if finding is not None:
        event = f"Event {finding.sequence}" + (f" ({finding.event_id})" if finding.event_id else "")
        raise CommandFailedError(
            f"{event} {_FINDINGS[finding.kind]}.",
            [f"{found.report.verified.sequence} events before it are intact."],
            result=document,
        )
    if tree is not None and tree.finding is not None:
        raise CommandFailedError(_told(tree.finding), result=document)
    invocation().answer(document, _lines(found))


@audit.command()
@json_option
def checkpoint() -> None:
    """Show the newest signed checkpoint of the log, to be kept elsewhere."""
    newest = at_desk(lambda desk: desk.unit_of_work().merkle_log.newest_checkpoint())
    if newest is None:
        raise CommandFailedError("Nothing was signed yet: `idp serve` signs a minute after the first event.")
    document = {
        "tree_size": newest.tree_size,
        "root_hash": text_of_hash(newest.root_hash),
        "created_at": newest.created_at,
        "checkpoint": newest.signed,
    }
    invocation().answer(document, properties(document))


def _lines(found: Verification) -> Iterator[str]:
    yield f"{found.report.events} events are intact."
    if found.purged.sequence:
        yield f"{found.purged.sequence} older ones were purged; their hashes are still in the tree."
    yield f"head {found.head.sequence} {found.head.chain_hash.hex()}"
    tree = found.tree
    if tree is not None:
        yield f"root {tree.size} {text_of_hash(tree.root)}, as in {tree.agreeing} checkpoints"
    if found.waiting:
        yield f"{found.waiting} more wait to be sealed."


def _told(finding: TreeFinding) -> str:
    events = f"Event {finding.first}" if finding.first == finding.last else _range(finding)
    return f"{events} {_TREE_FINDINGS[finding.kind]}."


def _range(finding: TreeFinding) -> str:
    return f"Events {finding.first} to {finding.last}"


def _document(found: Verification) -> dict[str, object]:
    finding, tree = found.report.finding, found.tree
    return {
        "verified": found.report.verified.sequence,
        "purged": found.purged.sequence,
        "head": {"sequence": found.head.sequence, "chain_hash": found.head.chain_hash.hex()},
        "waiting": {"events": found.waiting, "since": found.waiting_since},
        "finding": None
        if finding is None
        else {"kind": finding.kind, "sequence": finding.sequence, "event_id": finding.event_id},
        "tree": None
        if tree is None
        else {
            "size": tree.size,
            "root_hash": text_of_hash(tree.root),
            "checkpoints": tree.agreeing,
            "finding": None
            if tree.finding is None
            else {"kind": tree.finding.kind, "first": tree.finding.first, "last": tree.finding.last},
        },
    }


def _described(event: SealedEvent) -> dict[str, object]:
    return {
        "sequence": event.sequence or None,
        "event_id": event.event_id,
        "occurred_at": moment(event.occurred_at),
        "type": event.type,
        "actor": {"kind": event.actor_kind, "id": event.actor_id},
        "client_id": event.client_id,
        "citizen_id": event.citizen_id,
        "link_id": event.link_id,
        "details": orjson.loads(event.details),
    }


def _line(event: SealedEvent) -> str:
    subjects = {"client": event.client_id, "citizen": event.citizen_id, "link": event.link_id}
    details = orjson.loads(event.details)
    words = [
        f"{event.sequence or '-':>8}",
        f"{moment(event.occurred_at):%FT%TZ}",
        event.type,
        f"by {event.actor_kind} {event.actor_id}",
        *(f"{name}={value}" for name, value in subjects.items() if value),
        *(f"{name}={value}" for name, value in details.items()),
    ]
    return "  ".join(words)
