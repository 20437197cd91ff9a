"""`idp clients apply`: registers and updates relying parties from reviewed files, all of them or none."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click

from idp.audit.events import Actor, Event
from idp.operators.desk import Desk, at_desk
from idp.operators.options import dry_run_option, json_option
from idp.operators.output import CommandFailedError, invocation
from idp.operators.registrations import (
    FieldChange,
    RegistrationFile,
    RegistrationRefusedError,
    differences,
    read_file,
)
from idp.outbound.guarded_http import GuardedHTTP
from idp.outbound.sector_documents import SectorDocuments
from idp.protocol.errors import RefusedClientMetadataError
from idp.protocol.model import Client, ClientSecret, ClientStatus
from idp.protocol.profiles import SECRET_METHODS
from idp.protocol.sector_identifier import check_sector_document
from idp.settings import Settings
from idp.store.client_secrets import draw_client_secret, new_client_secret, secrets_still_usable
from idp.store.clients import StoredClient
from idp.store.unit_of_work import UnitOfWork

SUBJECT_FIELD = "policy.sector"

_LOOKALIKE = (
    'client.client_id is missing, and client "{0}" has the same name or redirect URI: write '
    'client_id = "{0}" to update that one, or another client_id to register a second one'
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying one file comes to."""

    file: RegistrationFile
    stored: StoredClient | None
    client: Client
    changes: tuple[FieldChange, ...]
    secret: str | None
    """A new client secret, in the clear this once."""

    @property
    def action(self) -> str:
        """What is done: registered, updated or unchanged."""
        if self.stored is None:
            return "registered"
        return "updated" if self.changes else "unchanged"

    def document(self, *, dry_run: bool) -> dict[str, object]:
        """Return the plan as a document."""
        is_invented = self.file.client_id is None
        document: dict[str, object] = {
            "client_id": None if dry_run and is_invented else self.client.client_id,
            "file": str(self.file.path),
            "action": self.action,
            "changes": self.changes,
        }
        if self.secret is not None and not dry_run:
            document["client_secret"] = self.secret
        return document


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@dry_run_option
@json_option
def apply(*, files: Sequence[Path], dry_run: bool) -> None:
    """Register or update the relying parties that the files describe, after showing what differs.

    A file is TOML with [client], the names of RFC 7591, and [policy]. The client is the one that client_id
    names. Where a file has none, an id is made up and printed: write it into the file, for the next time
    it is needed to know which client to update.

    A client secret that is made here is shown this once. When anything is wrong with any file, every
    reason is given and nothing of any file is stored.
    """
    plans = at_desk(lambda desk: _apply(desk, [*dict.fromkeys(files)], dry_run=dry_run))
    document = {"clients": [plan.document(dry_run=dry_run) for plan in plans], "dry_run": dry_run}
    # What differs was shown before it was stored.
    invocation().answer(document, (line for plan in plans for line in _outcome(plan, dry_run=dry_run)))


async def _apply(desk: Desk, paths: Sequence[Path], *, dry_run: bool) -> list[Plan]:
    uow, now = desk.unit_of_work(), desk.clock()
    plans = await _plan_all(desk, uow, paths, now)
    for plan in plans:
        _show(plan, dry_run=dry_run)
    if dry_run:
        return plans
    for plan in plans:
        _record(uow, plan, desk.operator, now)
    await uow.commit()
    return plans


async def _plan_all(desk: Desk, uow: UnitOfWork, paths: Sequence[Path], now: datetime) -> list[Plan]:
    """Plan every file. Raises CommandFailedError with the reasons of all of them."""
    plans: list[Plan] = []
    reasons: list[str] = []
    for path in paths:
        try:
            plans.append(await _plan(desk, uow, read_file(path), [plan.client for plan in plans], now))
        except RegistrationRefusedError as error:
            reasons += [f"{path}: {reason}" for reason in error.reasons]
        except OSError as error:
            reasons.append(f"{path}: {error.strerror or error}")
    if reasons:
        raise CommandFailedError("Nothing was stored, for these reasons:", reasons)
    return plans


async def _plan(
    desk: Desk, uow: UnitOfWork, file: RegistrationFile, planned: Sequence[Client], now: datetime
) -> Plan:
    """Compare one file with what is stored. Raises RegistrationRefusedError."""
    client = file.client(file.client_id or secrets.token_hex(16))
    if client.client_id in {other.client_id for other in planned}:
        raise RegistrationRefusedError(["client.client_id stands in another of these files"])
    stored = await uow.clients.find(client.client_id)
    if stored is not None and stored.client.status is ClientStatus.REMOVED:
        raise RegistrationRefusedError(["client.client_id is that of a client that removed itself"])
    await _check_sector(desk.settings, client, stored)
    if file.client_id is None:
        _check_is_new(client, [*await _all_clients(uow), *planned])
    before = None if stored is None else stored.client
    changes = differences(before, client)
    kept = () if before is None else before.secrets
    usable = secrets_still_usable(client, kept)
    if usable or client.token_endpoint_auth_method not in SECRET_METHODS:
        return Plan(file, stored, _with_status(client, before, usable), changes, None)
    secret = draw_client_secret()
    made = new_client_secret(desk.custody.data, client, secret, now)
    return Plan(file, stored, _with_status(client, before, (made,)), changes, secret)


async def _check_sector(settings: Settings, client: Client, stored: StoredClient | None) -> None:
    """Hold a new or changed client against its sector_identifier_uri: OpenID Registration §5."""
    if client.sector_identifier_uri is None or (
        stored is not None and not differences(stored.client, client)
    ):
        return
    http = GuardedHTTP(allow_loopback=settings.may_fetch_loopback, ca_file=settings.outbound_ca_file)
    try:
        listed = await SectorDocuments(http).fetch(client.sector_identifier_uri)
        check_sector_document(client, listed)
    except RefusedClientMetadataError as refused:
        reason = f"client.{refused.description}"
        raise RegistrationRefusedError(
            [f"{reason} ({refused.detail})" if refused.detail else reason]
        ) from refused
    finally:
        await http.close()


def _with_status(client: Client, before: Client | None, kept: tuple[ClientSecret, ...]) -> Client:
    """Return the client with what a file does not say: a suspended one stays suspended."""
    return replace(client, secrets=kept, status=client.status if before is None else before.status)


def _check_is_new(client: Client, others: Iterable[Client]) -> None:
    """Refuse a file without client_id for a client that may be there already."""
    for other in others:
        if set(client.redirect_uris) & set(other.redirect_uris) or client.client_name == other.client_name:
            raise RegistrationRefusedError([_LOOKALIKE.format(other.client_id)])


async def _all_clients(uow: UnitOfWork) -> list[Client]:
    found: list[Client] = []
    after = ""
    while page := await uow.clients.page(after=after, limit=200):
        found += [stored.client for stored in page]
        after = found[-1].client_id
    return found


def _record(uow: UnitOfWork, plan: Plan, operator: Actor, now: datetime) -> None:
    if plan.action == "unchanged":
        return
    revision = 1
    if plan.stored is None:
        uow.clients.add(plan.client, now)
    else:
        revision = plan.stored.revision + 1
        uow.clients.update(plan.stored, plan.client, now)
    details = {"revision": str(revision)}
    if plan.stored is not None:
        details["changed"] = ",".join(change.field for change in plan.changes)
    uow.ledger.append(
        Event(f"client:{plan.action}", operator, now, client_id=plan.client.client_id, details=details)
    )


def _show(plan: Plan, *, dry_run: bool) -> None:
    name = plan.client.client_id if plan.file.client_id else "(a new client_id)"
    verb = "would be " if dry_run and plan.action != "unchanged" else ""
    invocation().show([f"{name}: {verb}{plan.action} ({plan.file.path})"])
    invocation().show(line for change in plan.changes for line in change.lines())
    if plan.stored is not None and any(change.field == SUBJECT_FIELD for change in plan.changes):
        invocation().say(
            f"{name}: in another sector everybody has another sub; links made until now keep theirs."
        )


def _outcome(plan: Plan, *, dry_run: bool) -> list[str]:
    if dry_run:
        return []
    lines = []
    if plan.file.client_id is None:
        lines.append(f'{plan.file.path}: write client_id = "{plan.client.client_id}" into [client].')
    if plan.secret is not None:
        lines.append(f"{plan.client.client_id}: client_secret {plan.secret} (shown this once)")
    return lines
