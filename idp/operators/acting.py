"""Who acts, and why: both stand in the audit event of everything an operator does."""

import os
import pwd
import re
from collections.abc import Callable
from typing import TypeVar

import click

from idp.audit.events import Actor, ActorKind
from idp.operators.output import invocation

Function = TypeVar("Function", bound=Callable[..., object])

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_REASON = re.compile(r"[a-z_]{1,40}")


def acting_operator() -> Actor:
    """Return the operator: whom --operator names, else whose account runs the program."""
    return Actor(ActorKind.OPERATOR, invocation().operator or _login_name())


def _login_name() -> str:
    # The name comes from the user id: environment variables such as LOGNAME say what one likes.
    user_id = os.getuid()
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"uid{user_id}"


def check_operator(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Check the name that --operator gives. Raises click.BadParameter."""
    if value is not None and not _NAME.fullmatch(value):
        raise click.BadParameter("a name of 1 to 64 letters, digits and . _ @ + - is needed.")
    return value


def _check_reason(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not _REASON.fullmatch(value):
        raise click.BadParameter("a short code of 1 to 40 small letters and _ is needed, no text.")
    return value


def reason_option(function: Function) -> Function:
    """Give a command the required option --reason."""
    return click.option(
        "--reason",
        required=True,
        metavar="CODE",
        callback=_check_reason,
        help="Why: a short code such as holder_request, kept in the audit log.",
    )(function)


def default_reason_option(default: str) -> Callable[[Function], Function]:
    """Give a command the option --reason with a default."""
    return click.option(
        "--reason",
        default=default,
        show_default=True,
        metavar="CODE",
        callback=_check_reason,
        help="Why: a short code, kept in the audit log.",
    )


def dry_run_option(function: Function) -> Function:
    """Give a command the option --dry-run."""
    return click.option("--dry-run", is_flag=True, help="Show what would be done and store nothing.")(
        function
    )
