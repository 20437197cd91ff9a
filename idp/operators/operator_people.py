"""`idp operators`: who can approve, as the second person, what another operator proposed. Abuse case P9.

The first two are enrolled freely; every further one only with the code of one who is there already.
"""

from dataclasses import fields
from datetime import datetime

import click
import pyotp

from idp.audit.events import Actor, ActorKind, Event
from idp.authenticators.totp import provisioning_uri
from idp.operators.acting import check_operator
from idp.operators.desk import Desk, at_desk
from idp.operators.options import DECISION, json_option, reason_option
from idp.operators.output import CommandFailedError, invocation, table
from idp.operators.second_person import check_second_person
from idp.store.operators import EnrolledOperator

ENROLLED_FREELY = 2
"""One person alone could approve nothing, and so could not let the second one in."""
_SHOWN = tuple(field.name for field in fields(EnrolledOperator) if field.name != "last_used_step")

name_argument = click.argument("name", metavar="NAME", callback=check_operator)


@click.group()
def operators() -> None:
    """Say which operators can approve what another one proposed."""


@operators.command()
@name_argument
@click.option("--code", help="Your own one-time code, once two operators are enrolled.")
@reason_option(DECISION)
@json_option
def enrol(*, name: str, code: str | None, reason: str) -> None:
    """Let an operator approve, from tomorrow on. Prints once what their authenticator app reads."""
    secret = pyotp.random_base32()

    async def work(desk: Desk) -> None:
        uow, now = desk.unit_of_work(), desk.clock()
        if await uow.operators.active() >= ENROLLED_FREELY:
            if code is None:
                raise CommandFailedError(
                    "Two operators are enrolled: a third needs the --code of one of them."
                )
            await check_second_person(desk, uow, code, now)
        uow.operators.enrol(name, secret, desk.operator.id, now)
        uow.ledger.append(_event("operator:enrolled", desk.operator, name, reason, now))
        await uow.commit()

    at_desk(work)
    uri = provisioning_uri(secret, name, "Lienket operators")
    lines = [f"{name} can approve from this time tomorrow. Shown once, for their authenticator app:", uri]
    invocation().answer({"name": name, "otpauth_uri": uri}, lines)


@operators.command()
@name_argument
@reason_option(DECISION)
@json_option
def remove(*, name: str, reason: str) -> None:
    """Let an operator approve nothing any more. Their name is not given to anybody else."""

    async def work(desk: Desk) -> None:
        uow, now = desk.unit_of_work(), desk.clock()
        found = await uow.operators.find(name)
        if found is None or found[0].removed_at is not None:
            raise CommandFailedError(f"{name} is not enrolled.")
        uow.operators.remove(name, now)
        uow.ledger.append(_event("operator:removed", desk.operator, name, reason, now))
        await uow.commit()

    at_desk(work)
    invocation().answer({"name": name, "result": "removed"}, [f"{name} approves nothing any more."])


@operators.command("list")
@json_option
def list_operators() -> None:
    """List everybody who was ever enrolled, by name."""

    async def work(desk: Desk) -> list[EnrolledOperator]:
        return await desk.unit_of_work().operators.all()

    found = [{name: getattr(each, name) for name in _SHOWN} for each in at_desk(work)]
    invocation().answer({"operators": found}, table(_SHOWN, (tuple(each.values()) for each in found)))


def _event(kind: str, by: Actor, name: str, reason: str, now: datetime) -> Event:
    return Event(kind, Actor(ActorKind.OPERATOR, by.id), now, details={"because": reason, "reference": name})
