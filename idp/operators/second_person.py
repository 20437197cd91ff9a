"""The second person: an operator who proves, with a one-time code, to be there and not just named. P9.

Anybody may say any name with --operator, so an approval takes a code from the authenticator app of whoever
gives it, and so does a proposal: a name that nobody proved would make one person two. Who was enrolled less
than a day ago proposes and approves nothing: the log had time to be read by others.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import click

from idp.audit.events import Actor
from idp.authenticators.throttling import SECOND_FACTOR_LIMITS, ThrottledError
from idp.authenticators.totp import WrongCodeError, verify_totp
from idp.operators.desk import Desk
from idp.operators.output import CommandFailedError
from idp.store.unit_of_work import UnitOfWork
from idp.web.throttle import count_attempts

Function = TypeVar("Function", bound=Callable[..., object])

APPROVES_AFTER = timedelta(hours=24)


def code_option(function: Function) -> Function:
    """Give a command the option --code: the one-time code of whoever acts; asked for when not given."""
    return click.option(
        "--code",
        prompt="Your one-time code",
        help="The six digits that your own authenticator app shows now.",
    )(function)


async def check_second_person(desk: Desk, uow: UnitOfWork, code: str, now: datetime) -> Actor:
    """Check that the acting operator is there, and record the use of the code in `uow`.

    The attempt is counted before the code is looked at. Raises CommandFailedError.
    """
    name = desk.operator.id
    key = desk.custody.data.lookup("attempts_of_operator", name)
    try:
        await count_attempts(desk.unit_of_work(), ((key, SECOND_FACTOR_LIMITS),), now)
    except ThrottledError as throttled:
        raise CommandFailedError(
            f"Too many codes were tried for {name}. Try again after {throttled.retry_at:%H:%M} UTC."
        ) from throttled
    found = await uow.operators.find(name)
    if found is None or found[0].removed_at is not None:
        raise CommandFailedError(f"{name} cannot approve: `idp operators enrol` makes an operator able to.")
    operator, secret = found
    if now < operator.enrolled_at + APPROVES_AFTER:
        raise CommandFailedError(f"{name} was enrolled less than 24 hours ago and approves nothing yet.")
    try:
        used = verify_totp(secret, code, now, operator.last_used_step)
    except WrongCodeError as error:
        raise CommandFailedError("The one-time code does not match, or was used before.") from error
    uow.operators.use_step(name, used)
    uow.attempts.forget(key)
    return desk.operator
