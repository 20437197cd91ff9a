"""`idp clients check`: which profile a relying party meets, and what it lacks for another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from idp.operators.desk import Desk, at_desk, utc_now
from idp.operators.options import TAKES_IDS, json_option
from idp.operators.output import CommandFailedError, invocation
from idp.operators.registrations import RegistrationRefusedError, read_file
from idp.protocol.conformance import client_gaps
from idp.protocol.model import Client
from idp.protocol.profiles import SECRET_METHODS, Profile

_NO_SECRET = "it has no secret that is valid"


@dataclass(frozen=True, slots=True)
class Report:
    """What one client lacks, for its own profile and for one that is asked about."""

    client_id: str
    name: str
    profile: Profile | None
    gaps: tuple[str, ...]
    meets: tuple[str, ...]

    def document(self) -> dict[str, object]:
        """Return the report as a document."""
        return {
            "client_id": self.client_id,
            "client_name": self.name,
            "profile": self.profile,
            "missing": self.gaps,
            "meets": self.meets,
        }

    def lines(self) -> Iterable[str]:
        """Return the report for a person."""
        yield f"{self.client_id} ({self.name or '-'}): profile {self.profile or '-'}"
        yield f"  meets: {', '.join(self.meets) or '-'}"
        yield from (f"  missing: {gap}" for gap in self.gaps)


@click.command(context_settings=TAKES_IDS)
@click.argument("client_ids", nargs=-1, metavar="[CLIENT_ID]…")
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A registration file that is not applied yet; repeat it for several.",
)
@click.option(
    "--profile",
    type=click.Choice([profile.value for profile in Profile]),
    help="Ask about this profile instead of its own.",
)
@json_option
def check(*, client_ids: Sequence[str], files: Sequence[Path], profile: str | None) -> None:
    """Say which profiles relying parties meet and what they lack; all of them when none is named.

    Exit status 1 when anything is missing for the profile of a client, or for the one that --profile names.
    """
    wanted = None if profile is None else Profile(profile)
    reports = [_of_file(path, wanted, utc_now()) for path in files]
    if client_ids or not files:
        reports += at_desk(lambda desk: _of_stored(desk, client_ids, wanted))
    document = {"clients": [report.document() for report in reports]}
    if not any(report.gaps for report in reports):
        invocation().answer(document, (line for report in reports for line in report.lines()))
        return
    invocation().show(line for report in reports for line in report.lines())
    lacking = [report.client_id for report in reports if report.gaps]
    raise CommandFailedError(f"Something is missing for {', '.join(lacking)}.", result=document)


def _of_file(path: Path, wanted: Profile | None, now: datetime) -> Report:
    try:
        file = read_file(path)
        client = file.client(file.client_id or "not-yet-registered")
    except RegistrationRefusedError as refused:
        return Report(str(path), "", None, refused.reasons, ())
    report = _report(client, wanted, now)
    # A file has no secret; applying it makes one.
    return Report(
        str(path), report.name, report.profile, _without_secret(client, report.gaps), _meets(client, now)
    )


async def _of_stored(desk: Desk, client_ids: Sequence[str], wanted: Profile | None) -> list[Report]:
    uow, now = desk.unit_of_work(), desk.clock()
    reports: list[Report] = []
    for client_id in client_ids:
        stored = await uow.clients.find(client_id)
        if stored is None:
            raise CommandFailedError(f'There is no client "{client_id}".')
        reports.append(_report(stored.client, wanted, now))
    after = ""
    while not client_ids and (page := await uow.clients.page(after=after, limit=200)):
        reports += [_report(stored.client, wanted, now) for stored in page]
        after = page[-1].client.client_id
    return reports


def _report(client: Client, wanted: Profile | None, now: datetime) -> Report:
    gaps = client_gaps(client, wanted or client.profile, now)
    return Report(client.client_id, client.client_name, client.profile, gaps, _meets(client, now))


def _meets(client: Client, now: datetime) -> tuple[str, ...]:
    """Return the profiles whose rules the client keeps; whether it is approved or suspended is no rule."""
    alike = {profile: client_gaps(client, profile, now) for profile in Profile}
    in_all = set.intersection(*(set(gaps) for gaps in alike.values()))
    return tuple(profile.value for profile, gaps in alike.items() if set(gaps) == in_all)


def _without_secret(client: Client, gaps: tuple[str, ...]) -> tuple[str, ...]:
    if client.token_endpoint_auth_method not in SECRET_METHODS:
        return gaps
    return tuple(gap for gap in gaps if gap != _NO_SECRET)
