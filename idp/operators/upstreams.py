"""`idp upstreams`: other identity providers at which people sign in, and letting go of an account there."""

import click

from idp.audit.events import Event
from idp.identity.notices import Credential, Notice, NoticeKind
from idp.operators.desk import Desk, at_desk
from idp.operators.failures import explained
from idp.operators.options import DECISION, LOOKUP, TAKES_IDS, dry_run_option, json_option, reason_option
from idp.operators.output import CommandFailedError, invocation, table
from idp.operators.people import get_person
from idp.settings import Settings
from idp.store.upstream_accounts import UpstreamAccount
from idp.store.writes import GateClosedError
from idp.upstreams.directory import configured_upstreams

_NOT_CONNECTED = "This person has no connected account there."


@click.group()
def upstreams() -> None:
    """Look at other identity providers, let go of an account there. CITIZEN is an id or a personal number."""


@upstreams.command("list")
@json_option
def list_upstreams() -> None:
    """List the providers that are configured. Nobody is called."""
    with explained():
        offered = list(configured_upstreams(Settings.load().upstreams))
    documents = [
        {
            "upstream_id": each.upstream_id,
            "kind": each.configuration.kind,
            "name": each.configuration.name["en"],
            "address": each.address,
            "creates_people": each.configuration.mapping.create,
        }
        for each in offered
    ]
    rows = [tuple(document.values()) for document in documents]
    invocation().answer(
        {"upstreams": documents}, table(("upstream", "kind", "name", "address", "creates people"), rows)
    )


@upstreams.command(context_settings=TAKES_IDS)
@click.argument("citizen")
@reason_option(LOOKUP)
@json_option
def accounts(*, citizen: str, reason: str) -> None:
    """List a person's connected accounts. That it was done, by whom and why is written into the audit log."""
    found = at_desk(lambda desk: _looked_up(desk, citizen, reason))
    documents = [
        {
            "upstream_id": account.upstream_id,
            "first_used_at": account.first_used_at,
            "last_used_at": account.last_used_at,
        }
        for account in found
    ]
    rows = [tuple(document.values()) for document in documents]
    invocation().answer({"accounts": documents}, table(("upstream", "first used", "last used"), rows))


async def _looked_up(desk: Desk, wanted: str, reason: str) -> list[UpstreamAccount]:
    uow = desk.unit_of_work()
    found = await get_person(uow, wanted)
    details = {"because": reason}
    uow.ledger.append(
        Event("citizen:looked_up", desk.operator, desk.clock(), citizen_id=found.citizen_id, details=details)
    )
    await uow.commit()
    return await desk.unit_of_work().upstream_accounts.of_citizen(found.citizen_id)


@upstreams.command(context_settings=TAKES_IDS)
@click.argument("citizen")
@click.argument("upstream_id", metavar="UPSTREAM")
@reason_option(DECISION)
@dry_run_option
@json_option
def disconnect(*, citizen: str, upstream_id: str, reason: str, dry_run: bool) -> None:
    """Let go of a person's account at a provider, which gave them a new one. They are told.

    The new one is connected only where this person is signed in with two proofs already; the old `sub` stays
    this person's and comes with no other number.
    """
    citizen_id = at_desk(lambda desk: _disconnected(desk, citizen, upstream_id, reason, dry_run=dry_run))
    document = {"citizen_id": citizen_id, "upstream_id": upstream_id, "dry_run": dry_run}
    said = "would be disconnected" if dry_run else "is disconnected"
    invocation().answer(document, [f"The account of {citizen_id} at {upstream_id} {said}."])


async def _disconnected(desk: Desk, wanted: str, upstream_id: str, reason: str, *, dry_run: bool) -> str:
    uow, now = desk.unit_of_work(), desk.clock()
    citizen_id = (await get_person(uow, wanted)).citizen_id
    connected = await uow.upstream_accounts.of_citizen(citizen_id)
    if upstream_id not in {account.upstream_id for account in connected}:
        raise CommandFailedError(_NOT_CONNECTED)
    uow.upstream_accounts.disconnect(upstream_id, citizen_id, now)
    details = {"method": f"upstream:{upstream_id}", "because": reason}
    uow.ledger.append(
        Event("authenticator:removed", desk.operator, now, citizen_id=citizen_id, details=details)
    )
    what = {"what": Credential.UPSTREAM.value}
    uow.notices.tell(Notice(NoticeKind.AUTHENTICATOR_REMOVED, citizen_id, details=what), now)
    if not dry_run:
        try:
            await uow.commit()
        except GateClosedError as closed:
            raise CommandFailedError(_NOT_CONNECTED) from closed
    return citizen_id
