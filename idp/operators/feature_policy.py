"""`idp policy`: which feature needs which assurance and by when, version by version. Domain rules R2, R3."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from idp.audit.events import Event
from idp.identity.feature_policy import FeaturePolicy
from idp.identity.policy_versions import PolicyVersion, PublicationRefusedError, check_publication, in_force
from idp.operators.desk import Desk, at_desk
from idp.operators.options import dry_run_option, json_option, read_moment
from idp.operators.output import CommandFailedError, invocation, table
from idp.operators.policy_questions import ask
from idp.operators.policy_words import changes_in_words, deadline_in_words, requirement_in_words
from idp.protocol.feature_policy_document import (
    InvalidFeaturePolicyError,
    feature_policy_document,
    read_feature_policy,
)

_LARGEST_FILE = 1024 * 1024
_LISTED = ("version", "effective_at", "published_at", "published_by", "in_force")


@click.group()
def policy() -> None:
    """Look at the feature policy, check a new version and publish it."""


policy.add_command(ask)

file_argument = click.argument("file", type=click.Path(path_type=Path))


@policy.command("list")
@json_option
def list_versions() -> None:
    """List every version, and which is in force."""

    async def work(desk: Desk) -> tuple[tuple[PolicyVersion, ...], PolicyVersion]:
        versions = await desk.unit_of_work().feature_policies.all()
        return versions, in_force(versions, desk.clock())

    versions, present = at_desk(work)
    listed = [
        {name: each is present if name == "in_force" else getattr(each, name) for name in _LISTED}
        for each in versions
    ]
    rows = (["yes" if value is True else value or "" for value in row.values()] for row in listed)
    invocation().answer({"versions": listed}, table(_LISTED, rows))


@policy.command()
@click.option("--version", "number", type=click.IntRange(1), help="This version instead of the one in force.")
@json_option
def show(*, number: int | None) -> None:
    """Show the version in force, in words; with --json, its document."""
    found = at_desk(lambda desk: _get(desk, number))
    document = {
        "version": found.version,
        "effective_at": found.effective_at,
        "published_at": found.published_at,
        "published_by": found.published_by,
        **feature_policy_document(found.policy),
    }
    invocation().answer(document, _in_words(found))


def _in_words(found: PolicyVersion) -> Iterator[str]:
    yield f"Version {found.version}, in effect from {found.effective_at.isoformat(timespec='seconds')}"
    for name, requirement in sorted(found.policy.features.items()):
        yield f"  {name}: {requirement_in_words(requirement)}"
    yield f"  deadline of domestic platforms: {deadline_in_words(found.policy.domestic)}"
    for client_id, deadline in sorted(found.policy.cross_border.items()):
        told = "not connected, nothing is due" if deadline is None else deadline_in_words(deadline)
        yield f"  {client_id} (cross-border): {told}"


async def _get(desk: Desk, number: int | None) -> PolicyVersion:
    versions = await desk.unit_of_work().feature_policies.all()
    if number is None:
        return in_force(versions, desk.clock())
    for each in versions:
        if each.version == number:
            return each
    raise CommandFailedError(f"There is no version {number}; the newest is {versions[-1].version}.")


@dataclass(frozen=True, slots=True)
class _Compared:
    """A file beside the newest version, in force or announced."""

    latest: PolicyVersion
    changes: tuple[str, ...]
    unknown_clients: tuple[str, ...]
    """Cross-border platforms that are not registered: misspelt, or not there yet."""


@policy.command()
@file_argument
@json_option
def check(*, file: Path) -> None:
    """Read a policy file and say what it would change, for whom."""
    new = _read(file)
    compared = at_desk(lambda desk: _compared(desk, new))
    document = {
        "compared_with": compared.latest.version,
        "changes": compared.changes,
        "unknown_clients": compared.unknown_clients,
    }
    invocation().answer(document, _told(compared))


@policy.command()
@file_argument
@click.option(
    "--effective-at",
    callback=read_moment,
    metavar="TIME",
    help="From when it holds, with offset; now if not given. Announced to platforms until then.",
)
@dry_run_option
@json_option
def publish(*, file: Path, effective_at: datetime | None, dry_run: bool) -> None:
    """Publish a policy file as the next version. It is never changed; a newer one replaces it."""
    new = _read(file)

    async def work(desk: Desk) -> tuple[_Compared, PolicyVersion]:
        return await _published(desk, new, effective_at, dry_run=dry_run)

    compared, version = at_desk(work)
    document = {
        "version": version.version,
        "effective_at": version.effective_at,
        "changes": compared.changes,
        "unknown_clients": compared.unknown_clients,
        "dry_run": dry_run,
    }
    said = "would be published" if dry_run else "is published"
    since = version.effective_at.isoformat(timespec="seconds")
    lines = [*_told(compared), f"Version {version.version} {said}, in effect from {since}."]
    invocation().answer(document, lines)


async def _published(
    desk: Desk, new: FeaturePolicy, effective_at: datetime | None, *, dry_run: bool
) -> tuple[_Compared, PolicyVersion]:
    compared, now = await _compared(desk, new), desk.clock()
    if not compared.changes:
        raise CommandFailedError(f"The file says the same as version {compared.latest.version}.")
    version = PolicyVersion(
        compared.latest.version + 1,
        new,
        effective_at=effective_at or now,
        published_at=now,
        published_by=desk.operator.id,
    )
    try:
        check_publication(compared.latest, version.effective_at, now)
    except PublicationRefusedError as refused:
        raise CommandFailedError(f"{str(refused)[0].upper()}{str(refused)[1:]}.") from refused
    if dry_run:
        return compared, version
    uow = desk.unit_of_work()
    uow.feature_policies.publish(version)
    uow.ledger.append(
        Event("policy:published", desk.operator, now, details={"revision": str(version.version)})
    )
    await uow.commit()
    return compared, version


async def _compared(desk: Desk, new: FeaturePolicy) -> _Compared:
    uow = desk.unit_of_work()
    latest = (await uow.feature_policies.all())[-1]
    unknown = [name for name in new.cross_border if await uow.clients.find(name) is None]
    return _Compared(latest, changes_in_words(latest.policy, new), tuple(unknown))


def _told(compared: _Compared) -> Iterator[str]:
    if not compared.changes:
        yield f"It says the same as version {compared.latest.version}."
        return
    yield f"Compared with version {compared.latest.version}:"
    yield from (f"  {change}" for change in compared.changes)
    yield from (
        f"  {name}: no platform with this client_id is registered." for name in compared.unknown_clients
    )


def _read(file: Path) -> FeaturePolicy:
    """Read a file. Raises CommandFailedError with every reason, and OSError."""
    with file.open("rb") as stream:
        raw = stream.read(_LARGEST_FILE + 1)
    if len(raw) > _LARGEST_FILE:
        raise CommandFailedError(f"{file} is larger than {_LARGEST_FILE} bytes.")
    try:
        return read_feature_policy(tomllib.loads(raw.decode()))
    except UnicodeDecodeError as error:
        raise CommandFailedError(f"{file} is not UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise CommandFailedError(f"{file} is not TOML.", [str(error)]) from error
    except InvalidFeaturePolicyError as refused:
        raise CommandFailedError(f"{file} is refused.", refused.reasons) from refused
