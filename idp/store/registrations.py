"""Clients that registered themselves: what let them in, and the token with which they change themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, null, select

from idp.protocol.registration_policy import RegistrationPolicy, dump_policy, load_policy
from idp.store.client_tables import client_registrations as r
from idp.store.client_tables import initial_access_tokens as t
from idp.store.database import Row
from idp.store.encoding import hash_secret, micros, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.writes import Change, Insert, Remove

USED_GATE = "initial_access_token_used"
ROTATED_GATE = "registration_access_token_rotated"

_INSERT_TOKEN = Insert("initial_access_token", t, tuple(c.name for c in t.columns if c.name != "revoked_at"))
_USE_TOKEN = Change(
    USED_GATE,
    t,
    where=lambda bind: (
        (t.c.token_id == bind("token"))
        & (t.c.uses_left > 0)
        & (t.c.revoked_at == null())
        & (t.c.expires_at > bind("now"))
    ),
    values=lambda _: {"uses_left": t.c.uses_left - 1},
    gate=True,
)
_REVOKE_TOKEN = Change(
    "initial_access_token_revoked",
    t,
    where=lambda bind: (t.c.token_id == bind("token")) & (t.c.revoked_at == null()),
    values=lambda bind: {"revoked_at": bind("now")},
    gate=True,
)
_FIND_TOKEN = select(t).where(t.c.token_id == bindparam("token_id"))
_FIND_TOKEN_BY_HASH = select(t).where(t.c.token_hash == bindparam("token_hash"))
_PAGE = select(t).where(t.c.token_id > bindparam("after")).order_by(t.c.token_id).limit(bindparam("limit"))

_INSERT_REGISTRATION = Insert("client_registration", r, tuple(c.name for c in r.columns))
_ROTATE = Change(
    ROTATED_GATE,
    r,
    where=lambda bind: (r.c.client_id == bind("client")) & (r.c.token_hash == bind("hash_before")),
    values=lambda bind: {"token_hash": bind("hash_after")},
    gate=True,
)
_REMOVE = Remove(
    ROTATED_GATE,
    r,
    where=lambda bind: (r.c.client_id == bind("client")) & (r.c.token_hash == bind("hash_before")),
    gate=True,
)
_FIND_REGISTRATION = select(r).where(r.c.client_id == bindparam("client_id"))


@dataclass(frozen=True, slots=True)
class InitialAccessToken:
    """A licence to register, without the token itself (RFC 7591 §1.2)."""

    token_id: str
    label: str
    """What the operator called it."""
    policy: RegistrationPolicy
    uses_left: int
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_usable(self, now: datetime) -> bool:
        """Tell whether one more client may be registered with it."""
        return self.revoked_at is None and self.uses_left > 0 and now < self.expires_at


@dataclass(frozen=True, slots=True)
class ClientRegistration:
    """The link between a client that registered itself and its registration access token (RFC 7592 §3)."""

    client_id: str
    token_hash: bytes
    initial_token_id: str
    """Empty for one that nobody let in: see the setting for open registration."""
    registered_at: datetime


class Registrations:
    """What the program remembers about clients that registered themselves."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def add_token(self, token: InitialAccessToken, secret: str) -> None:
        """Record a new initial access token under the hash of its secret."""
        self._recorder.record(
            _INSERT_TOKEN,
            token_id=token.token_id,
            token_hash=hash_secret(secret),
            label=token.label,
            policy=dump_policy(token.policy),
            uses_left=token.uses_left,
            created_at=micros(token.created_at),
            expires_at=micros(token.expires_at),
        )

    async def find_token(self, token_id: str) -> InitialAccessToken | None:
        """Return an initial access token, used up, expired or revoked ones included."""
        return _token_or_none(await self._recorder.fetch_one(_FIND_TOKEN, token_id=token_id))

    async def find_token_by_secret(self, secret: str) -> InitialAccessToken | None:
        """Return the initial access token that somebody presents; whether it is usable is not yet judged."""
        found = await self._recorder.fetch_one(_FIND_TOKEN_BY_HASH, token_hash=hash_secret(secret))
        return _token_or_none(found)

    async def page_of_tokens(self, *, after: str = "", limit: int = 50) -> Sequence[InitialAccessToken]:
        """Return initial access tokens in pages by id."""
        rows = await self._recorder.fetch_all(_PAGE, after=after, limit=limit)
        return [_token_from_row(row) for row in rows]

    def use_token(self, token_id: str, now: datetime) -> None:
        """Record one use; the gate USED_GATE closes when there is none left, or the token is over."""
        self._recorder.record(_USE_TOKEN, token=token_id, now=micros(now))

    def revoke_token(self, token_id: str, now: datetime) -> None:
        """Record that nobody registers with it any more; a gate closes for the second time."""
        self._recorder.record(_REVOKE_TOKEN, token=token_id, now=micros(now))

    def add(self, client_id: str, secret: str, initial_token_id: str, now: datetime) -> None:
        """Record a registration under the hash of its registration access token."""
        self._recorder.record(
            _INSERT_REGISTRATION,
            client_id=client_id,
            token_hash=hash_secret(secret),
            initial_token_id=initial_token_id,
            registered_at=micros(now),
        )

    async def find(self, client_id: str) -> ClientRegistration | None:
        """Return how a client registered; None for one that an operator registered, or that is gone."""
        row = await self._recorder.fetch_one(_FIND_REGISTRATION, client_id=client_id)
        if row is None:
            return None
        return ClientRegistration(
            row["client_id"], row["token_hash"], row["initial_token_id"], moment(row["registered_at"])
        )

    def rotate(self, registration: ClientRegistration, secret: str) -> None:
        """Replace the registration access token; the gate ROTATED_GATE closes for one that was replaced."""
        self._recorder.record(
            _ROTATE,
            client=registration.client_id,
            hash_before=registration.token_hash,
            hash_after=hash_secret(secret),
        )

    def remove(self, registration: ClientRegistration) -> None:
        """Forget the registration access token; the gate ROTATED_GATE closes for one that was replaced."""
        self._recorder.record(_REMOVE, client=registration.client_id, hash_before=registration.token_hash)


def _token_or_none(row: Row | None) -> InitialAccessToken | None:
    return None if row is None else _token_from_row(row)


def _token_from_row(row: Row) -> InitialAccessToken:
    return InitialAccessToken(
        token_id=row["token_id"],
        label=row["label"],
        policy=load_policy(row["policy"]),
        uses_left=row["uses_left"],
        created_at=moment(row["created_at"]),
        expires_at=moment(row["expires_at"]),
        revoked_at=moment_or_none(row["revoked_at"]),
    )
