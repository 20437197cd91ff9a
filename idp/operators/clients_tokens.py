"""`idp clients tokens`: initial access tokens, each with the policy of what may be registered with it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import click

from idp.audit.events import Event
from idp.operators.desk import Desk, at_desk
from idp.operators.options import TAKES_IDS, dry_run_option, json_option
from idp.operators.output import CommandFailedError, invocation, table
from idp.protocol.authorization_request import SCOPES
from idp.protocol.metadata_reader import host_of
from idp.protocol.profiles import CODE_GRANT, GRANT_TYPES, METHODS, REFRESH_GRANT, Profile, rules_of
from idp.protocol.registration_policy import RegistrationPolicy
from idp.protocol.resources import ACCOUNT_LINK_SCOPES, SSF_SCOPES
from idp.store.registrations import InitialAccessToken

ALL_SCOPES = sorted(SCOPES | ACCOUNT_LINK_SCOPES | SSF_SCOPES)


@click.group()
def tokens() -> None:
    """Let relying parties register themselves (RFC 7591): make, list and revoke initial access tokens."""


def _check_hosts(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> Sequence[str]:
    for value in values:
        if host_of(f"https://{value}") != value:
            raise click.BadParameter(
                f"{value!r} is no host name in lower case, without scheme, port or path."
            )
    return values


@tokens.command()
@click.argument("label")
@click.option(
    "--profile",
    type=click.Choice([profile.value for profile in Profile]),
    default=Profile.OIDC.value,
    show_default=True,
    help="The profile that every client gets.",
)
@click.option(
    "--grant-type",
    "grant_types",
    multiple=True,
    type=click.Choice(sorted(GRANT_TYPES)),
    default=(CODE_GRANT, REFRESH_GRANT),
    show_default=True,
    help="A grant type that clients may have; repeat it for several.",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(ALL_SCOPES),
    default=sorted(SCOPES - ACCOUNT_LINK_SCOPES),
    help="A scope that clients may have; repeat it for several. All about a person by default.",
)
@click.option(
    "--auth-method",
    "methods",
    multiple=True,
    type=click.Choice(METHODS),
    help="A method of client authentication that clients may have. All of the profile by default.",
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    callback=_check_hosts,
    help="A host that addresses of the clients may have; repeat it for several. Any by default.",
)
@click.option(
    "--require-pkce/--no-require-pkce",
    default=True,
    show_default=True,
    help="Whether confidential clients must use PKCE.",
)
@click.option(
    "--require-software-statement", is_flag=True, help="Demand a software statement, at updates too."
)
@click.option(
    "--approved", is_flag=True, help="Do not keep the clients in the sandbox until they are approved."
)
@click.option(
    "--uses", default=1, show_default=True, type=click.IntRange(1, 100_000), help="How many clients."
)
@click.option(
    "--days", default=7, show_default=True, type=click.IntRange(1, 365), help="How long it is valid."
)
@dry_run_option
@json_option
def create(*, label: str, uses: int, days: int, dry_run: bool, **limits: object) -> None:
    """Make an initial access token and show it this once. LABEL is for you, to tell it from others."""
    policy = _policy_from(limits)
    _check_policy(policy)
    if not (label.isprintable() and 0 < len(label) <= 100):
        raise click.BadParameter("1 to 100 printable characters are needed.", param_hint="LABEL")
    secret = secrets.token_urlsafe(32)

    async def work(desk: Desk) -> InitialAccessToken:
        now = desk.clock()
        token = InitialAccessToken(secrets.token_hex(8), label, policy, uses, now, now + timedelta(days=days))
        if not dry_run:
            uow = desk.unit_of_work()
            uow.registrations.add_token(token, secret)
            details = {"token_id": token.token_id}
            uow.ledger.append(Event("registration_token:created", desk.operator, now, details=details))
            await uow.commit()
        return token

    token = at_desk(work)
    document = {**_described(token, token.created_at), "dry_run": dry_run}
    if dry_run:
        invocation().answer(document | {"token_id": None}, ["A token would be made."])
        return
    lines = [f"{token.token_id}: {secret} (shown this once)"]
    invocation().answer(document | {"initial_access_token": secret}, lines)


def _policy_from(limits: Mapping[str, Any]) -> RegistrationPolicy:
    profile = Profile(limits["profile"])
    return RegistrationPolicy(
        profile=profile,
        grant_types=frozenset(limits["grant_types"]),
        scopes=frozenset(limits["scopes"]),
        authentication_methods=frozenset(limits["methods"] or rules_of(profile).authentication_methods),
        hosts=frozenset(limits["hosts"]),
        is_pkce_required=limits["require_pkce"],
        is_software_statement_required=limits["require_software_statement"],
        is_sandbox=not limits["approved"],
    )


def _check_policy(policy: RegistrationPolicy) -> None:
    """Refuse a token that lets nobody in: its profile forbids what it allows."""
    rules = rules_of(policy.profile)
    strange = (policy.authentication_methods - rules.authentication_methods) | (
        policy.grant_types - rules.grant_types
    )
    if strange:
        raise CommandFailedError(f"The profile {policy.profile} does not allow {', '.join(sorted(strange))}.")


@tokens.command("list")
@click.option("--after", default="", metavar="TOKEN_ID", help="Begin behind this token.")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)
@json_option
def list_tokens(*, after: str, limit: int) -> None:
    """List initial access tokens with their policies; never the tokens themselves."""

    async def work(desk: Desk) -> tuple[Sequence[InitialAccessToken], datetime]:
        return await desk.unit_of_work().registrations.page_of_tokens(after=after, limit=limit), desk.clock()

    found, now = at_desk(work)
    described = [_described(token, now) for token in found]
    following = found[-1].token_id if len(found) == limit else None
    headings = ("token_id", "label", "profile", "uses_left", "expires_at", "is_usable")
    rows = ([each[name] for name in headings] for each in described)
    invocation().answer({"tokens": described, "next": following}, table(headings, rows))


def _described(token: InitialAccessToken, now: datetime) -> dict[str, object]:
    return {
        "token_id": token.token_id,
        "label": token.label,
        **asdict(token.policy),
        "uses_left": token.uses_left,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "is_usable": token.is_usable(now),
    }


@tokens.command(context_settings=TAKES_IDS)
@click.argument("token_id")
@dry_run_option
@json_option
def revoke(*, token_id: str, dry_run: bool) -> None:
    """Let nobody register with a token any more. Clients that did keep their registration and its policy."""

    async def work(desk: Desk) -> bool:
        uow, now = desk.unit_of_work(), desk.clock()
        token = await uow.registrations.find_token(token_id)
        if token is None:
            raise CommandFailedError(f'There is no token "{token_id}".')
        if token.revoked_at is None and not dry_run:
            uow.registrations.revoke_token(token_id, now)
            details = {"token_id": token_id}
            uow.ledger.append(Event("registration_token:revoked", desk.operator, now, details=details))
            await uow.commit()
        return token.revoked_at is not None

    was_revoked = at_desk(work)
    document = {"token_id": token_id, "was_revoked": was_revoked, "dry_run": dry_run}
    invocation().answer(document, [f"{token_id}: revoked{' already' if was_revoked else ''}"])
