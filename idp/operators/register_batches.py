"""Takes batches of register entries over into the store: compares first, and writes only what differs.

A batch is one commit, so an import that was broken off is taken up again by running it again.
"""

import asyncio
import secrets
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from datetime import datetime

from idp.audit.events import Actor, Event
from idp.authenticators.password import WrongPasswordError, hash_password, verify_password
from idp.identity.account_links import HOLDER_SUSPENDED
from idp.identity.citizens import Citizen, CitizenStatus, PersonalData
from idp.identity.register import RegisterEntry
from idp.operators.citizen_status import (
    HOLDER_REINSTATED,
    change_status,
    links_of,
    record_consequences,
)
from idp.operators.desk import Desk
from idp.operators.guardian_import import GuardianImport, Relations
from idp.store.citizens import KnownHolder, RegisteredCitizen
from idp.store.person_changes import Credential, person_changed
from idp.store.writes import GateClosedError

_PERSONAL_DATA = tuple(field.name for field in fields(PersonalData))


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """What became of the entries of a batch."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "BatchCounts") -> "BatchCounts":
        return BatchCounts(
            self.added + other.added, self.updated + other.updated, self.unchanged + other.unchanged
        )


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A person as the register describes them now, beside what was known."""

    person: RegisteredCitizen
    known: Citizen | None
    changed: tuple[str, ...]
    """The names of what differs; of a newcomer, nothing is compared."""
    credentials: tuple[Credential, ...] = ()
    """What of a known person's lets them in from now on that did not before."""

    @property
    def is_change_of_activity(self) -> bool:
        """Tell whether a known person becomes active, or no longer is."""
        return self.known is not None and self.known.is_active() is not self.person.citizen.is_active()

    @property
    def concerns_platforms(self) -> bool:
        """Tell whether platforms of a known person are to hear of it, the moves of links apart."""
        return self.known is not None and ("proofing" in self.changed or bool(self.credentials))


class RegisterImport:
    """An import under way. Passwords are compared and hashed in the threads of `hashing`."""

    def __init__(self, desk: Desk, hashing: Executor, *, dry_run: bool) -> None:
        self._desk = desk
        self._hashing = hashing
        self._dry_run = dry_run
        self.guardians = GuardianImport(desk, dry_run=dry_run)

    async def take_over(self, entries: Sequence[RegisterEntry]) -> BatchCounts:
        """Store a batch in one commit and say how many of it were new, different and the same.

        No two entries may be of one person.
        """
        known = await self._desk.unit_of_work().citizens.holders([entry.personal_number for entry in entries])
        holders = [known.get(entry.personal_number) for entry in entries]
        pairs = list(zip(entries, holders, strict=True))
        hashes = await asyncio.gather(*(self._new_password_hash(entry, holder) for entry, holder in pairs))
        compared = [
            _compare(entry, holder, password_hash)
            for (entry, holder), password_hash in zip(pairs, hashes, strict=True)
        ]
        added = [comparison for comparison in compared if comparison.known is None]
        updated = [comparison for comparison in compared if comparison.known and comparison.changed]
        if not self._dry_run and (added or updated):
            await self._store(added, updated)
        await self.guardians.take_over(
            [
                Relations(
                    comparison.person.citizen,
                    entry.personal_number,
                    entry.guardian_of,
                    is_new=comparison.known is None,
                    has_other_birthdate="birthdate" in comparison.changed,
                )
                for entry, comparison in zip(entries, compared, strict=True)
            ]
        )
        return BatchCounts(len(added), len(updated), len(entries) - len(added) - len(updated))

    async def _new_password_hash(self, entry: RegisterEntry, holder: KnownHolder | None) -> str | None:
        """Return the hash of a password that is not this person's already; empty in a dry run."""
        if entry.password is None:
            return None
        known_hash = None if holder is None else holder.password_hash
        run = asyncio.get_running_loop().run_in_executor
        if known_hash is not None and await run(self._hashing, _fits, known_hash, entry.password):
            return None
        return "" if self._dry_run else await run(self._hashing, hash_password, entry.password)

    async def _store(self, added: Sequence[_Comparison], updated: Sequence[_Comparison]) -> None:
        uow, now, operator = self._desk.unit_of_work(), self._desk.clock(), self._desk.operator
        uow.citizens.add_many([comparison.person for comparison in added], now)
        uow.citizens.update_many([comparison.person for comparison in updated], now)
        uow.ledger.append_many([_event(comparison, operator, now) for comparison in (*added, *updated)])
        uow.outbox.add_many(
            person_changed(comparison.person.citizen.citizen_id, comparison.credentials, now)
            for comparison in updated
            if comparison.concerns_platforms
        )
        followed = [comparison.person.citizen for comparison in updated if comparison.is_change_of_activity]
        for citizen in followed:
            links = await links_of(uow, citizen.citizen_id)
            record_consequences(uow, links, citizen, operator, now)
        try:
            await uow.commit()
        except GateClosedError:
            # Only moves of links have gates, and all else stands before them: the people are stored, and
            # the links that somebody else moved at this moment are looked at again, one person at a time.
            for citizen in followed:
                because = HOLDER_REINSTATED if citizen.is_active() else HOLDER_SUSPENDED
                await change_status(self._desk, citizen, citizen.status, because, dry_run=False)


def _compare(entry: RegisterEntry, holder: KnownHolder | None, password_hash: str | None) -> _Comparison:
    known = None if holder is None else holder.citizen
    citizen = Citizen(
        citizen_id=secrets.token_hex(16) if known is None else known.citizen_id,
        status=_status(entry, holder),
        proofing=entry.proofing,
        proofed_at=entry.proofed_at,
        personal_data=entry.personal_data,
    )
    changed, credentials = [] if known is None else _changed(known, citizen), list[Credential]()
    if password_hash is not None:
        changed.append("password")
        is_first = holder is None or holder.password_hash is None
        credentials.append(("password", "create" if is_first else "update"))
    if entry.totp_secret is not None and holder is not None and entry.totp_secret != holder.totp_secret:
        changed.append("totp_secret")
        credentials.append(("app", "create" if holder.totp_secret is None else "update"))
    person = RegisteredCitizen(citizen, entry.personal_number, password_hash, entry.totp_secret)
    return _Comparison(person, known, tuple(changed), tuple(credentials))


def _status(entry: RegisterEntry, holder: KnownHolder | None) -> CitizenStatus:
    """Return the status from now on: what an operator suspended, the register does not set free."""
    is_held = holder is not None and holder.is_held
    return CitizenStatus.LOCKED if is_held and entry.status is CitizenStatus.ACTIVE else entry.status


def _changed(before: Citizen, after: Citizen) -> list[str]:
    facts: list[tuple[str, object, object]] = [
        (name, before, after) for name in ("status", "proofing", "proofed_at")
    ]
    facts += [(name, before.personal_data, after.personal_data) for name in _PERSONAL_DATA]
    return [name for name, old, new in facts if getattr(old, name) != getattr(new, name)]


def _fits(password_hash: str, password: str) -> bool:
    try:
        verify_password(password_hash, password)
    except WrongPasswordError:
        return False
    return True


def _event(comparison: _Comparison, operator: Actor, now: datetime) -> Event:
    """Tell of the person; of what changed, the names only."""
    citizen = comparison.person.citizen
    details = {"proofing": citizen.proofing.value}
    if comparison.known is not None:
        details["changed"] = ",".join(comparison.changed)
    kind = "citizen:registered" if comparison.known is None else "citizen:updated"
    return Event(kind, operator, now, citizen_id=citizen.citizen_id, details=details)
