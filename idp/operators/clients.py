"""`idp clients`: the relying parties. Every process takes a change over within a second."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import click

from idp.audit.events import Event
from idp.operators.clients_apply import apply
from idp.operators.clients_check import check
from idp.operators.clients_tokens import tokens
from idp.operators.desk import Desk, at_desk
from idp.operators.options import DECISION, TAKES_IDS, dry_run_option, json_option, reason_option
from idp.operators.output import CommandFailedError, invocation, properties, table
from idp.operators.registrations import described
from idp.protocol.model import Client, ClientStatus
from idp.protocol.profiles import SECRET_METHODS
from idp.store.client_secrets import draw_client_secret, new_client_secret
from idp.store.clients import StoredClient
from idp.store.sealing import DataSeal
from idp.store.unit_of_work import UnitOfWork

_SPAN = re.compile(r"([0-9]{1,4})([dhm])")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


@click.group()
def clients() -> None:
    """Register relying parties, look at them, suspend and reinstate them."""


for command in (apply, check, tokens):
    clients.add_command(command)
client_argument = click.argument("client_id")


@clients.command("list")
@click.option("--after", default="", metavar="CLIENT_ID", help="Begin behind this client.")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)
@json_option
def list_clients(*, after: str, limit: int) -> None:
    """List relying parties by their id."""

    async def work(desk: Desk) -> list[StoredClient]:
        return await desk.unit_of_work().clients.page(after=after, limit=limit)

    found = at_desk(work)
    document = {
        "clients": [_in_brief(stored) for stored in found],
        "next": found[-1].client.client_id if len(found) == limit else None,
    }
    headings = (
        "client_id",
        "client_name",
        "status",
        "profile",
        "is_sandbox",
        "token_endpoint_auth_method",
        "revision",
        "updated_at",
    )
    invocation().answer(document, table(headings, (tuple(_in_brief(stored).values()) for stored in found)))


def _in_brief(stored: StoredClient) -> dict[str, object]:
    client = stored.client
    return {
        "client_id": client.client_id,
        "client_name": client.client_name,
        "status": client.status,
        "profile": client.profile,
        "is_sandbox": client.is_sandbox,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "revision": stored.revision,
        "updated_at": stored.updated_at,
    }


@clients.command(context_settings=TAKES_IDS)
@client_argument
@json_option
def show(*, client_id: str) -> None:
    """Show one relying party; of its secrets, only since when and how long they are valid."""
    stored = at_desk(lambda desk: _get(desk.unit_of_work(), client_id))
    document = {
        **described(stored.client),
        "status": stored.client.status,
        "secrets": [
            {"created_at": secret.created_at, "expires_at": secret.expires_at}
            for secret in stored.client.secrets
        ],
        "revision": stored.revision,
        "registered_at": stored.registered_at,
        "updated_at": stored.updated_at,
    }
    validity = [
        f"since {kept.created_at:%F}, until {kept.expires_at or '…'}" for kept in stored.client.secrets
    ]
    invocation().answer(document, properties({**document, "secrets": validity}))


@clients.command(context_settings=TAKES_IDS)
@client_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def suspend(*, client_id: str, reason: str, dry_run: bool) -> None:
    """Refuse a relying party everywhere. Its registration and its links stay."""
    _set_status(client_id, ClientStatus.SUSPENDED, reason, dry_run=dry_run)


@clients.command(context_settings=TAKES_IDS)
@client_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def reinstate(*, client_id: str, reason: str, dry_run: bool) -> None:
    """Let a suspended relying party in again."""
    _set_status(client_id, ClientStatus.ACTIVE, reason, dry_run=dry_run)


@clients.command(context_settings=TAKES_IDS)
@client_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def approve(*, client_id: str, reason: str, dry_run: bool) -> None:
    """Let a relying party that registered itself serve real people, as it is now."""
    change = _Change("client:approved", {"because": reason}, lambda client, _: _approved(client))
    stored = at_desk(lambda desk: change.make(desk, client_id, dry_run=dry_run))
    was = not stored.client.is_sandbox
    document = {"client_id": client_id, "was_approved": was, "dry_run": dry_run}
    invocation().answer(document, [f"{client_id}: approved{' already' if was else ''}"])


def _approved(client: Client) -> Client:
    _check_is_there(client)
    return replace(client, is_sandbox=False)


def _check_is_there(client: Client) -> None:
    if client.status is ClientStatus.REMOVED:
        raise CommandFailedError("This client removed itself; nobody brings it back.")


def _set_status(client_id: str, to: ClientStatus, reason: str, *, dry_run: bool) -> None:
    event_type = "client:suspended" if to is ClientStatus.SUSPENDED else "client:reinstated"

    def changed(client: Client, _: datetime) -> Client:
        _check_is_there(client)
        return replace(client, status=to)

    change = _Change(event_type, {"because": reason}, changed)
    stored = at_desk(lambda desk: change.make(desk, client_id, dry_run=dry_run))
    before = stored.client.status
    document = {"client_id": client_id, "status_before": before, "status": to, "dry_run": dry_run}
    invocation().answer(document, [f"{client_id}: {to}{' already' if before is to else ''}"])


@clients.command("rotate-secret", context_settings=TAKES_IDS)
@client_argument
@click.option(
    "--valid-for-old",
    default="7d",
    show_default=True,
    metavar="SPAN",
    help="How long the present secret stays valid: 7d, 12h, 30m; 0d ends it at once.",
)
@dry_run_option
@json_option
def rotate_secret(*, client_id: str, valid_for_old: str, dry_run: bool) -> None:
    """Make a new client secret and show it this once. The present one stays valid for a while."""
    span = _read_span(valid_for_old)
    secret = draw_client_secret()

    def rotation(desk: Desk) -> _Change:
        seal = desk.custody.data
        return _Change(
            "client:secret_rotated",
            {},
            lambda client, now: _with_new_secret(seal, client, secret, span, now),
        )

    at_desk(lambda desk: rotation(desk).make(desk, client_id, dry_run=dry_run))
    document: dict[str, object] = {"client_id": client_id, "dry_run": dry_run}
    if dry_run:
        invocation().answer(document, [f"{client_id}: would get a new client_secret"])
        return
    document["client_secret"] = secret
    invocation().answer(document, [f"{client_id}: client_secret {secret} (shown this once)"])


def _read_span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise click.BadParameter(
            "a number with d, h or m is needed, such as 7d.", param_hint="--valid-for-old"
        )
    return int(match[1]) * _UNITS[match[2]]


def _with_new_secret(seal: DataSeal, client: Client, secret: str, span: timedelta, now: datetime) -> Client:
    """Return the client with a new secret; of the older ones, the youngest stays valid for the span."""
    if client.token_endpoint_auth_method not in SECRET_METHODS:
        raise CommandFailedError(
            f"This client authenticates by {client.token_endpoint_auth_method} and has no secret."
        )
    live = [kept for kept in client.secrets if kept.expires_at is None or now < kept.expires_at]
    old = max(live, key=lambda kept: kept.created_at, default=None)
    ends_at = now + span
    kept_old = (
        () if old is None or not span else (replace(old, expires_at=min(ends_at, old.expires_at or ends_at)),)
    )
    return replace(client, secrets=(*kept_old, new_client_secret(seal, client, secret, now)))


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of one client with its event."""

    event_type: str
    details: dict[str, str]
    changed: Callable[[Client, datetime], Client]

    async def make(self, desk: Desk, client_id: str, *, dry_run: bool) -> StoredClient:
        """Store the change, unless there is none; return the client as it was before."""
        uow, now = desk.unit_of_work(), desk.clock()
        stored = await _get(uow, client_id)
        client = self.changed(stored.client, now)
        if client == stored.client or dry_run:
            return stored
        uow.clients.update(stored, client, now)
        details = {**self.details, "revision": str(stored.revision + 1)}
        uow.ledger.append(Event(self.event_type, desk.operator, now, client_id=client_id, details=details))
        await uow.commit()
        return stored


async def _get(uow: UnitOfWork, client_id: str) -> StoredClient:
    stored = await uow.clients.find(client_id)
    if stored is None:
        raise CommandFailedError(f'There is no client "{client_id}".')
    return stored
