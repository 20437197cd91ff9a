"""Who acts: stands in the audit event of everything an operator does."""

import os
import pwd
import re

import click

from idp.audit.events import Actor, ActorKind
from idp.operators.output import invocation

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


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
