"""Passkeys: found by the id that their authenticator tells, used with a rising counter, revoked once.

The public key is nobody's secret. What a person called a passkey is sealed, like all that they type.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, null, select

from idp.authenticators.passkeys import Attestation, CredentialRecord, Passkey, ShownPasskey
from idp.identity.citizens import CitizenStatus
from idp.store.credential_tables import passkeys as t
from idp.store.database import Row
from idp.store.encoding import (
    dump_mapping,
    dump_names,
    load_mapping,
    load_names,
    micros,
    moment,
    moment_or_none,
)
from idp.store.recorder import Recorder
from idp.store.sealing import DataSeal, column_of
from idp.store.tables import citizens
from idp.store.writes import Change, Insert

USED_GATE = "passkey_used"
"""Closed when the passkey was revoked, or used elsewhere in this very moment."""
RENAMED_GATE = "passkey_renamed"
REVOKED_GATE = "passkey_revoked"
"""Both closed for a passkey that is not this person's, or is revoked already."""

_NAME_COLUMN = "passkey"
_COLUMNS = (
    "credential_id",
    "passkey_id",
    "citizen_id",
    "public_key",
    "sign_count",
    "name",
    "aaguid",
    "transports",
    "attestation",
    "is_hardware",
    "is_backup_eligible",
    "is_backed_up",
    "created_at",
)
_ADD = Insert("passkey", t, _COLUMNS)
_USE = Change(
    USED_GATE,
    t,
    where=lambda bind: (
        (t.c.credential_id == bind("credential"))
        & (t.c.revoked_at == null())
        & (t.c.sign_count == bind("count_before"))
    ),
    values=lambda bind: {
        "sign_count": bind("count"),
        "is_backed_up": bind("backed_up"),
        "last_used_at": bind("now"),
    },
    gate=True,
)
_RENAME = Change(
    RENAMED_GATE,
    t,
    where=lambda bind: (
        (t.c.passkey_id == bind("passkey")) & (t.c.citizen_id == bind("citizen")) & (t.c.revoked_at == null())
    ),
    values=lambda bind: {"name": bind("name")},
    gate=True,
)
_REVOKE = Change(
    REVOKED_GATE,
    t,
    where=lambda bind: (
        (t.c.passkey_id == bind("passkey")) & (t.c.citizen_id == bind("citizen")) & (t.c.revoked_at == null())
    ),
    values=lambda bind: {"revoked_at": bind("now"), "revoked_because": bind("because")},
    gate=True,
)
_REVOKE_ALL = Change(
    "passkeys_revoked",
    t,
    where=lambda bind: (t.c.citizen_id == bind("citizen")) & (t.c.revoked_at == null()),
    values=lambda bind: {"revoked_at": bind("now"), "revoked_because": bind("because")},
)
_BY_CREDENTIAL = (
    select(t, citizens.c.status)
    .join(citizens, citizens.c.citizen_id == t.c.citizen_id)
    .where(t.c.credential_id == bindparam("credential_id"))
)
_OF_CITIZEN = (
    select(t)
    .where((t.c.citizen_id == bindparam("citizen_id")) & (t.c.revoked_at == null()))
    .order_by(t.c.created_at, t.c.passkey_id)
    .limit(bindparam("limit"))
)
_COUNT = (
    select(func.count().label("passkeys"))
    .select_from(t)
    .where((t.c.citizen_id == bindparam("citizen_id")) & (t.c.revoked_at == null()))
)


@dataclass(frozen=True, slots=True)
class KnownPasskey:
    """A passkey as somebody shows it, with what decides whether it lets them in."""

    passkey: Passkey
    citizen_status: CitizenStatus
    revoked_at: datetime | None


class Passkeys:
    """What the program remembers of passkeys."""

    def __init__(self, recorder: Recorder, seal: DataSeal) -> None:
        self._recorder = recorder
        self._seal = seal

    async def find(self, credential_id: bytes) -> KnownPasskey | None:
        """Return the passkey with this id, revoked or not, and the status of its holder."""
        row = await self._recorder.fetch_one(_BY_CREDENTIAL, credential_id=credential_id)
        if row is None:
            return None
        revoked_at = moment_or_none(row["revoked_at"])
        return KnownPasskey(self._passkey(row), CitizenStatus(row["status"]), revoked_at)

    async def of_citizen(self, citizen_id: str, *, limit: int) -> Sequence[Passkey]:
        """Return a person's passkeys that are not revoked, oldest first."""
        rows = await self._recorder.fetch_all(_OF_CITIZEN, citizen_id=citizen_id, limit=limit)
        return [self._passkey(row) for row in rows]

    async def count(self, citizen_id: str) -> int:
        """Return how many passkeys a person has."""
        row = await self._recorder.fetch_one(_COUNT, citizen_id=citizen_id)
        return 0 if row is None else int(row["passkeys"])

    def add(self, passkey: Passkey) -> None:
        """Record a new passkey. The commit raises UniquenessError for an id that is known already."""
        key = passkey.credential
        self._recorder.record(
            _ADD,
            credential_id=key.credential_id,
            passkey_id=passkey.passkey_id,
            citizen_id=passkey.citizen_id,
            public_key=key.public_key,
            sign_count=key.sign_count,
            name=self._sealed_name(passkey.passkey_id, passkey.name),
            aaguid=key.aaguid,
            transports=dump_names(key.transports),
            attestation=_dump_attestation(key.attestation),
            is_hardware=int(key.is_hardware),
            is_backup_eligible=int(key.is_backup_eligible),
            is_backed_up=int(key.is_backed_up),
            created_at=micros(passkey.created_at),
        )

    def use(self, passkey: Passkey, shown: ShownPasskey, now: datetime) -> None:
        """Record a use (WebAuthn §7.2 step 24); the gate `passkey_used` lets one of two at once through."""
        self._recorder.record(
            _USE,
            credential=passkey.credential.credential_id,
            count_before=passkey.credential.sign_count,
            count=shown.sign_count,
            backed_up=int(shown.is_backed_up),
            now=micros(now),
        )

    def rename(self, citizen_id: str, passkey_id: str, name: str) -> None:
        """Record what a person calls their passkey; the gate `passkey_renamed`."""
        self._recorder.record(
            _RENAME, passkey=passkey_id, citizen=citizen_id, name=self._sealed_name(passkey_id, name)
        )

    def revoke(self, citizen_id: str, passkey_id: str, because: str, now: datetime) -> None:
        """Record that a person's passkey lets nobody in any more; the gate `passkey_revoked`."""
        self._recorder.record(
            _REVOKE, passkey=passkey_id, citizen=citizen_id, because=because, now=micros(now)
        )

    def revoke_all(self, citizen_id: str, because: str, now: datetime) -> None:
        """Record that none of a person's passkeys lets anybody in any more."""
        self._recorder.record(_REVOKE_ALL, citizen=citizen_id, because=because, now=micros(now))

    def _sealed_name(self, passkey_id: str, name: str) -> bytes:
        return self._seal.seal(name.encode(), column_of(passkey_id, _NAME_COLUMN))

    def _passkey(self, row: Row) -> Passkey:
        passkey_id = row["passkey_id"]
        name = self._seal.open(bytes(row["name"]), column_of(passkey_id, _NAME_COLUMN))
        return Passkey(
            passkey_id=passkey_id,
            citizen_id=row["citizen_id"],
            name=name.decode(),
            credential=CredentialRecord(
                credential_id=bytes(row["credential_id"]),
                public_key=bytes(row["public_key"]),
                sign_count=row["sign_count"],
                aaguid=row["aaguid"],
                transports=tuple(sorted(load_names(row["transports"]))),
                attestation=Attestation(**load_mapping(row["attestation"])),
                is_hardware=bool(row["is_hardware"]),
                is_backup_eligible=bool(row["is_backup_eligible"]),
                is_backed_up=bool(row["is_backed_up"]),
            ),
            created_at=moment(row["created_at"]),
            last_used_at=moment_or_none(row["last_used_at"]),
        )


def _dump_attestation(attestation: Attestation) -> str:
    return dump_mapping(
        {
            "fmt": attestation.fmt,
            "is_trusted": attestation.is_trusted,
            "statement": attestation.statement,
            "client_data_hash": attestation.client_data_hash,
        }
    )
