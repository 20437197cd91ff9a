"""Registered clients, kept as their registration; every change raises a revision that processes watch."""

from dataclasses import dataclass, replace
from datetime import datetime

import orjson
from sqlalchemy import bindparam, func, select

from idp.protocol.model import Client, ClientSecret, ClientStatus
from idp.protocol.stored_client import dump_client, load_client
from idp.store.database import Row
from idp.store.encoding import micros, moment
from idp.store.recorder import Recorder
from idp.store.tables import clients as t
from idp.store.writes import Change, Insert

_INSERT = Insert("client", t, tuple(column.name for column in t.columns))
_UPDATE = Change(
    "client_updated",
    t,
    where=lambda bind: (t.c.client_id == bind("id")) & (t.c.revision == bind("revision_before")),
    values=lambda bind: {
        name: bind(name) for name in ("registration", "secrets", "status", "revision", "updated_at")
    },
    gate=True,
)
_FIND = select(t).where(t.c.client_id == bindparam("client_id"))
_PAGE = select(t).where(t.c.client_id > bindparam("after")).order_by(t.c.client_id).limit(bindparam("limit"))
_REVISION = select(
    func.count().label("clients"), func.coalesce(func.sum(t.c.revision), 0).label("revisions")
).select_from(t)


@dataclass(frozen=True, slots=True)
class StoredClient:
    """A client with the revision its next change must name."""

    client: Client
    revision: int
    registered_at: datetime
    updated_at: datetime


class Clients:
    """What the program remembers about relying parties."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def find(self, client_id: str) -> StoredClient | None:
        """Return one client, suspended or not."""
        row = await self._recorder.fetch_one(_FIND, client_id=client_id)
        return None if row is None else _client_from_row(row)

    async def page(self, *, after: str = "", limit: int = 50) -> list[StoredClient]:
        """Return clients in pages by id."""
        return [
            _client_from_row(row) for row in await self._recorder.fetch_all(_PAGE, after=after, limit=limit)
        ]

    async def revision(self) -> tuple[int, int]:
        """Return a pair that differs whenever any client was added or changed."""
        row = await self._recorder.fetch_one(_REVISION)
        return (0, 0) if row is None else (row["clients"], int(row["revisions"]))

    def add(self, client: Client, now: datetime) -> None:
        """Record a new client. The primary key refuses a client_id that is taken."""
        self._recorder.record(
            _INSERT,
            client_id=client.client_id,
            registration=dump_client(client),
            secrets=_dump_secrets(client.secrets),
            status=client.status.value,
            revision=1,
            registered_at=micros(now),
            updated_at=micros(now),
        )

    def update(self, before: StoredClient, client: Client, now: datetime) -> None:
        """Record a change; the gate `client_updated` closes when somebody changed the client meanwhile."""
        self._recorder.record(
            _UPDATE,
            id=client.client_id,
            revision_before=before.revision,
            registration=dump_client(client),
            secrets=_dump_secrets(client.secrets),
            status=client.status.value,
            revision=before.revision + 1,
            updated_at=micros(now),
        )


def _client_from_row(row: Row) -> StoredClient:
    client = replace(
        load_client(row["registration"]),
        secrets=_load_secrets(row["secrets"]),
        status=ClientStatus(row["status"]),
    )
    return StoredClient(client, row["revision"], moment(row["registered_at"]), moment(row["updated_at"]))


def _dump_secrets(secrets: tuple[ClientSecret, ...]) -> str:
    return orjson.dumps(
        [
            {
                "sha256": secret.sha256.hex(),
                "created_at": micros(secret.created_at),
                "expires_at": None if secret.expires_at is None else micros(secret.expires_at),
                "sealed": None if secret.sealed is None else secret.sealed.hex(),
            }
            for secret in secrets
        ]
    ).decode()


def _load_secrets(value: str) -> tuple[ClientSecret, ...]:
    return tuple(
        ClientSecret(
            sha256=bytes.fromhex(secret["sha256"]),
            created_at=moment(secret["created_at"]),
            expires_at=None if secret["expires_at"] is None else moment(secret["expires_at"]),
            sealed=bytes.fromhex(secret["sealed"]) if secret.get("sealed") else None,
        )
        for secret in orjson.loads(value)
    )
