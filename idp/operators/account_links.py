"""`idp links`: account links, one by one. A link moved here is moved for every process at once."""

from dataclasses import asdict

import click

from idp.audit.events import Event
from idp.identity.account_links import HOLDER_SUSPENDED, AccountLink, IllegalMoveError, Status, move
from idp.identity.cases import NOT_ME
from idp.operators.desk import Desk, at_desk
from idp.operators.options import DECISION, LOOKUP, TAKES_IDS, dry_run_option, json_option, reason_option
from idp.operators.output import CommandFailedError, invocation, properties, table
from idp.store.unit_of_work import UnitOfWork

_BRIEF = ("link_id", "client_id", "account_id", "status", "proofing", "acr", "linked_at", "expires_at")


@click.group()
def links() -> None:
    """Look at account links, suspend, reinstate and end them."""


link_argument = click.argument("link_id", metavar="LINK")


@links.command("list")
@click.option("--client", "client_id", default="", metavar="CLIENT_ID", help="Only of this relying party.")
@click.option(
    "--status",
    type=click.Choice([status.value for status in Status]),
    help="Only in this state.",
)
@click.option("--after", default="", metavar="LINK", help="Begin behind this link.")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)
@json_option
def list_links(*, client_id: str, status: str | None, after: str, limit: int) -> None:
    """List account links by their id. Whom they belong to is shown for one link only, by `idp links show`."""

    async def work(desk: Desk) -> list[AccountLink]:
        return await desk.unit_of_work().account_links.page(
            client_id=client_id, status=status or "", after=after, limit=limit
        )

    found = [_in_brief(link) for link in at_desk(work)]
    document = {"links": found, "next": found[-1]["link_id"] if len(found) == limit else None}
    invocation().answer(document, table(_BRIEF, (tuple(link.values()) for link in found)))


def _in_brief(link: AccountLink) -> dict[str, object]:
    return {name: getattr(link, name) for name in _BRIEF}


@links.command(context_settings=TAKES_IDS)
@link_argument
@reason_option(LOOKUP)
@json_option
def show(*, link_id: str, reason: str) -> None:
    """Show one link. That it was done, by whom and why is written into the audit log."""
    document = asdict(at_desk(lambda desk: _looked_up(desk, link_id, reason)))
    invocation().answer(document, properties(document))


async def _looked_up(desk: Desk, link_id: str, reason: str) -> AccountLink:
    uow = desk.unit_of_work()
    link = await _get(uow, link_id)
    uow.ledger.append(
        Event(
            "account_link:looked_up",
            desk.operator,
            desk.clock(),
            client_id=link.client_id,
            citizen_id=link.citizen_id,
            link_id=link.link_id,
            details={"because": reason},
        )
    )
    # The look is written down before anything is shown.
    await uow.commit()
    return link


@links.command(context_settings=TAKES_IDS)
@link_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def suspend(*, link_id: str, reason: str, dry_run: bool) -> None:
    """Suspend an active link until it is reinstated."""
    if reason == HOLDER_SUSPENDED:
        raise click.BadParameter(f"{reason} marks links that come back with their holder.")
    _move(link_id, Status.SUSPENDED, reason, dry_run=dry_run)


@links.command(context_settings=TAKES_IDS)
@link_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def reinstate(*, link_id: str, reason: str, dry_run: bool) -> None:
    """Make a suspended link active again, if its holder is."""
    _move(link_id, Status.ACTIVE, reason, dry_run=dry_run)


@links.command(context_settings=TAKES_IDS)
@link_argument
@reason_option(DECISION)
@dry_run_option
@json_option
def end(*, link_id: str, reason: str, dry_run: bool) -> None:
    """End a link for good; what the platform holds for it is revoked. It can only be linked anew."""
    _move(link_id, Status.ENDED, reason, dry_run=dry_run)


def _move(link_id: str, to: Status, reason: str, *, dry_run: bool) -> None:
    before = at_desk(lambda desk: _moved(desk, link_id, to, reason, dry_run=dry_run))
    document = {"link_id": link_id, "status_before": before.status, "status": to, "dry_run": dry_run}
    invocation().answer(document, [f"{link_id}: {before.status} → {to}{' (dry run)' if dry_run else ''}"])


async def _moved(desk: Desk, link_id: str, to: Status, reason: str, *, dry_run: bool) -> AccountLink:
    """Move a link and return it as it was."""
    uow, now = desk.unit_of_work(), desk.clock()
    link = await _get(uow, link_id)
    if to is Status.ACTIVE:
        await _check_can_be_reinstated(uow, link)
    try:
        moved, event = move(link, to, desk.operator, reason, now)
    except IllegalMoveError as error:
        raise CommandFailedError(f"{str(error).capitalize()}.") from error
    uow.account_links.move(link, moved, now)
    uow.ledger.append(event)
    if not dry_run:
        await uow.commit()
    return link


async def _check_can_be_reinstated(uow: UnitOfWork, link: AccountLink) -> None:
    """Only suspended links, of people who are active: a pending or lapsed one needs its holder."""
    if link.status is not Status.SUSPENDED:
        raise CommandFailedError(f"This link is {link.status}; only a suspended one is reinstated.")
    holder = await uow.citizens.find(link.citizen_id)
    if holder is None or not holder.is_active():
        raise CommandFailedError("The holder of this link is not active; the link comes back with them.")
    if link.suspended_because == NOT_ME:
        raise CommandFailedError("Its holder says that it was not them; `idp cases close` decides.")


async def _get(uow: UnitOfWork, link_id: str) -> AccountLink:
    link = await uow.account_links.find(link_id)
    if link is None:
        raise CommandFailedError("There is no account link with this id.")
    return link
