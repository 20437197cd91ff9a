"""Options that many commands share, spelt and explained the same everywhere."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import click

from idp.operators.output import Invocation

Function = TypeVar("Function", bound=Callable[..., object])

TAKES_IDS: Mapping[str, bool] = {"ignore_unknown_options": True}
"""Context settings of a command whose arguments are random ids: one in 64 begins with a hyphen."""

_REASON = re.compile(r"[a-z_]{1,40}")


def _as_json(context: click.Context, _: click.Parameter, value: object) -> None:
    if value:
        context.find_root().ensure_object(Invocation).as_json = True


def json_option(function: Function) -> Function:
    """Give a command or group the option --json."""
    return click.option(
        "--json",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_as_json,
        help="Print exactly one JSON document on standard output.",
    )(function)


def _check_reason(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not _REASON.fullmatch(value):
        raise click.BadParameter("a short code of 1 to 40 small letters and _ is needed, no text.")
    return value


DECISION = "operator_decision"
LOOKUP = "operator_lookup"


def reason_option(default: str) -> Callable[[Function], Function]:
    """Give a command the option --reason; what is written without it says only that an operator acted."""
    return click.option(
        "--reason",
        default=default,
        show_default=True,
        metavar="CODE",
        callback=_check_reason,
        help="Why: a short code such as holder_request, kept in the audit log.",
    )


def read_moment(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """Read a time that an option gives, for `callback`. Raises click.BadParameter for one without offset."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(_MOMENT) from error
    raise click.BadParameter(_MOMENT)


_MOMENT = "a time with its offset is needed, such as 2026-12-31T00:00:00+07:00."


def dry_run_option(function: Function) -> Function:
    """Give a command the option --dry-run."""
    return click.option("--dry-run", is_flag=True, help="Show what would be done and store nothing.")(
        function
    )
