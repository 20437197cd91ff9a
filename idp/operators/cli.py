"""`idp`: the operator's side of the provider. Exit status 0 is success, 1 a failure, 2 a misspelt command.

Commands are loaded when they are called: the database and the keys take longer to load than `idp --help`
takes to read.
"""

import importlib
from collections.abc import Mapping

import click

from idp.operators.acting import check_operator
from idp.operators.options import json_option
from idp.operators.output import CommandFailedError, Invocation, encode

COMMANDS: Mapping[str, tuple[str, str]] = {
    "activations": (
        "idp.operators.activations:activations",
        "Give people a code to set up how they sign in, as a letter.",
    ),
    "audit": ("idp.operators.audit:audit", "Read and verify the audit log."),
    "cases": (
        "idp.operators.cases:cases",
        "Look at cases, and decide those of people who say that a link was not them.",
    ),
    "citizens": (
        "idp.operators.citizens:citizens",
        "Import people, look one up, suspend and reinstate them.",
    ),
    "clients": ("idp.operators.clients:clients", "Register relying parties, suspend and reinstate them."),
    "demo": ("idp.operators.demo:demo", "Start the provider and the sample network with fictitious people."),
    "disputes": (
        "idp.operators.disputes:disputes",
        "Decide accounts that two people claim.",
    ),
    "figures": ("idp.operators.figures:figures", "Count a month for the public."),
    "keys": ("idp.operators.keys:keys", "List and rotate keys, report one as compromised."),
    "links": ("idp.operators.account_links:links", "Look at account links, suspend, reinstate and end them."),
    "mass": (
        "idp.operators.mass_actions:mass",
        "Suspend, reinstate, end or re-verify many links, with a second person.",
    ),
    "migrate": ("idp.operators.migrate:migrate", "Create or update the tables, and make the first keys."),
    "operators": (
        "idp.operators.operator_people:operators",
        "Say who can approve what another operator proposed.",
    ),
    "outbox": ("idp.operators.outbox:outbox", "Look at what is to be told to relying parties."),
    "policy": (
        "idp.operators.feature_policy:policy",
        "Look at the feature policy, check a new version and publish it.",
    ),
    "recoveries": (
        "idp.operators.recoveries:recoveries",
        "Let people who lost every way to sign in set it up anew, with a second person.",
    ),
    "serve": ("idp.operators.serve:serve", "Serve until Ctrl-C or SIGTERM."),
    "settings": ("idp.operators.settings_report:settings", "List every setting and check them."),
    "streams": ("idp.operators.event_streams:streams", "Look at event streams, stop and resume them."),
    "upstreams": (
        "idp.operators.upstreams:upstreams",
        "Look at other identity providers, let go of an account there.",
    ),
}
"""Where each command is, and what it does in a line."""


class Program(click.Group):
    """The group of all commands: loads the one that is called and renders its failures."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without loading one."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command, and whether --json stands anywhere."""
        ctx.ensure_object(Invocation).as_json = "--json" in args
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            _answer_usage_error(ctx, error)
            raise

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. What fails is told in one sentence, and to a program in one document."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            _answer_usage_error(ctx, error)
            raise
        except CommandFailedError as error:
            failure = error
        except BrokenPipeError:
            raise  # whoever read the output has gone, and click ends quietly
        except OSError as error:
            failure = CommandFailedError(f"{error.filename or 'The system'}: {error.strerror or error}.")
        except KeyboardInterrupt:
            failure = CommandFailedError("Stopped. What was stored until now stays stored.")
        _answer_failure(ctx, failure)
        raise failure


def _answer_usage_error(context: click.Context, error: click.UsageError) -> None:
    _answer_failure(context, CommandFailedError(error.format_message()))


def _answer_failure(context: click.Context, failure: CommandFailedError) -> None:
    if context.ensure_object(Invocation).as_json:
        click.echo(encode(failure.document()))


@click.group(cls=Program)
@json_option
@click.option(
    "--operator",
    metavar="NAME",
    callback=check_operator,
    help="Who acts, for the audit log; the name of the system account when not given.",
)
@click.pass_obj
def main(called: Invocation, operator: str | None) -> None:
    """Operate a Lienket provider.

    Settings come from the environment; `idp settings` lists them. Every command takes --json, and prints
    then exactly one JSON document on standard output. Messages go to standard error.
    """
    called.operator = operator
