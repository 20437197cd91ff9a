"""`idp settings`: every setting with its meaning and present value, and what is wrong with them."""

import os
import ssl
import statistics
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import click

from idp.authenticators.password import hash_password
from idp.identity.notices import Channel
from idp.identity.register import Mode
from idp.operators.failures import explained, problems_in
from idp.operators.options import json_option
from idp.operators.output import CommandFailedError, invocation
from idp.operators.profile_report import profile_gaps, profile_lines
from idp.protocol.client_certificate import ClientCertificateError, read_authorities
from idp.protocol.profiles import Profile
from idp.settings import PREFIX, Settings, SettingsError
from idp.upstreams.directory import configured_upstreams
from idp.web.passkey_policy import open_passkey_policy

MASK = "•••"
_MEASURED_HASHES = 5


def contradictions(settings: Settings) -> list[str]:
    """Return what is wrong with settings that are each well-formed."""
    problems = []
    if settings.mode is Mode.PRODUCTION and not settings.issuer.startswith("https://"):
        problems.append(f"{PREFIX}ISSUER: production needs an https issuer")
    if settings.outbound_ca_file is not None:
        try:
            ssl.create_default_context(cafile=settings.outbound_ca_file)
        except OSError as error:
            problems.append(f"{PREFIX}OUTBOUND_CA_FILE: {error.strerror or 'it holds no certificate'}")
    if settings.tls_client_ca is not None:
        try:
            read_authorities(settings.tls_client_ca.read_bytes())
        except (OSError, ClientCertificateError) as error:
            problems.append(f"{PREFIX}TLS_CLIENT_CA: {getattr(error, 'strerror', None) or error}")
    try:
        len(settings.statement_issuers)
    except SettingsError as error:
        problems += problems_in(error)
    try:
        configured_upstreams(settings.upstreams)
    except SettingsError as error:
        problems += problems_in(error)
    try:
        open_passkey_policy(settings.passkey_policy)
    except SettingsError as error:
        problems += problems_in(error)
    problems += _unreadable_secrets(settings)
    if (settings.client_certificate_header is None) != (settings.client_certificate_proxies is None):
        problems.append(
            f"{PREFIX}CLIENT_CERTIFICATE_HEADER: needs {PREFIX}CLIENT_CERTIFICATE_PROXIES, and that needs it"
        )
    return problems


def _unreadable_secrets(settings: Settings) -> list[str]:
    needed = {
        "smtp_password": settings.smtp_password_file,
        "sms_gateway_secret": settings.sms_gateway,
        "push_gateway_secret": settings.push_gateway,
    }
    problems: list[str] = []
    for name, is_set in needed.items():
        try:
            _ = is_set is None or getattr(settings, name)
        except SettingsError as error:
            problems += problems_in(error)
    return problems


def ways_to_people(settings: Settings) -> dict[str, bool]:
    """Return by which ways people are told, beside the list on their own pages."""
    given = (settings.smtp_url, settings.sms_gateway, settings.push_gateway)
    return dict(zip(map(str, Channel), (address is not None for address in given), strict=True))


def _ways_line(ways: Mapping[str, bool]) -> str:
    used = [name for name, is_set_up in ways.items() if is_set_up]
    if not used:
        return "People are told on /my/notices alone: no way to send e-mail or messages is set up."
    return f"People are told on /my/notices, and by {', '.join(used)}."


@click.group(invoke_without_command=True)
@click.option("--measure", is_flag=True, help="Also measure what one password hash costs here.")
@json_option
@click.pass_context
def settings(context: click.Context, *, measure: bool) -> None:
    """List every setting, what it means and what it is now. Settings come from the environment."""
    if context.invoked_subcommand is not None:
        return
    with explained():
        present = Settings.load()
    rows = [_described(name, present) for name in Settings.model_fields]
    document: dict[str, object] = {"settings": rows}
    lines: list[str] = []
    for row in rows:
        origin = "environment" if row["is_from_environment"] else "default"
        lines += [f"{row['name']} = {_shown(row['value'])}  ({origin})", f"    {row['description']}"]
    if measure:
        cost = _measured_hash_cost()
        document["password_hash_milliseconds"] = cost
        lines.append(f"One password hash takes {cost} ms here.")
    for problem in contradictions(present):
        invocation().say(problem)
    invocation().answer(document, lines)


@settings.command()
@click.option(
    "--profile",
    type=click.Choice([profile.value for profile in Profile]),
    help="Fail when anything is missing for it.",
)
@json_option
def check(*, profile: str | None) -> None:
    """Check the settings: exit status 1 and every problem, or none; and which profiles the server meets."""
    try:
        present = Settings.load()
    except SettingsError as error:
        problems = problems_in(error)
    else:
        problems = contradictions(present)
    if problems:
        raise CommandFailedError("The settings cannot be used.", problems)
    gaps = profile_gaps(present)
    ways = ways_to_people(present)
    document: dict[str, object] = {"problems": [], "profiles": gaps, "ways_to_people": ways}
    lines = ["The settings can be used.", _ways_line(ways), *profile_lines(gaps)]
    if profile is None or not gaps[profile]:
        invocation().answer(document, lines)
        return
    invocation().show(lines)
    raise CommandFailedError(f"Something is missing for the profile {profile}.", result=document)


def _described(name: str, present: Settings) -> Mapping[str, object]:
    variable = PREFIX + name.upper()
    value = getattr(present, name)
    return {
        "name": variable,
        "description": Settings.model_fields[name].description,
        "value": without_password(value) if isinstance(value, str) else value,
        "is_from_environment": variable in os.environ,
    }


def without_password(value: str) -> str:
    """Return a value in which the password of a URL, in either of its places, is masked."""
    parts = urlsplit(value)
    if parts.password:
        value = value.replace(f":{parts.password}@", f":{MASK}@", 1)
    for pair in parts.query.split("&"):
        name, _, secret = pair.partition("=")
        if "password" in name and secret:
            value = value.replace(f"{name}={secret}", f"{name}={MASK}")
    return value


def _shown(value: object) -> str:
    return "(none)" if value is None else str(value)


def _measured_hash_cost() -> float:
    """Return the median cost of a hash in milliseconds."""
    costs = []
    for _ in range(_MEASURED_HASHES):
        began = time.perf_counter()
        hash_password("a password to measure with")
        costs.append(time.perf_counter() - began)
    return round(1000 * statistics.median(costs), 1)
