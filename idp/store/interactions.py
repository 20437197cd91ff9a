"""Interactions: an authorization request while its person signs in and decides. Bound to one browser."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, null, select

from idp.protocol.model import AuthorizationRequest
from idp.protocol.stored_request import dump_request, load_request
from idp.store.encoding import hash_secret, micros, moment, moment_or_none
from idp.store.recorder import Recorder
from idp.store.tables import interactions as t
from idp.store.writes import Change, Insert

_INSERT = Insert(
    "interaction",
    t,
    (
        "interaction_hash",
        "browser_hash",
        "client_id",
        "request",
        "request_uri_hash",
        "created_at",
        "expires_at",
    ),
)
_BIND = Change(
    "interaction_bound",
    t,
    where=lambda bind: (t.c.interaction_hash == bind("id")) & (t.c.browser_hash == null()),
    values=lambda bind: {"browser_hash": bind("browser_hash")},
    gate=True,
)
_CHOOSE = Change(
    "interaction_chosen",
    t,
    where=lambda bind: (t.c.interaction_hash == bind("id")) & (t.c.finished_at == null()),
    values=lambda bind: {"chosen_session_id": bind("chosen_session_id")},
    gate=True,
)
_DECIDE = Change(
    "interaction_decided",
    t,
    where=lambda bind: (t.c.interaction_hash == bind("id")) & (t.c.finished_at == null()),
    values=lambda bind: {"consent_id": bind("consent_id"), "denied_because": bind("denied_because")},
    gate=True,
)
_FINISH = Change(
    "interaction_finished",
    t,
    where=lambda bind: (t.c.interaction_hash == bind("id")) & (t.c.finished_at == null()),
    values=lambda bind: {"finished_at": bind("now")},
    gate=True,
)
_FIND = select(t).where(t.c.interaction_hash == bindparam("interaction_hash"))


@dataclass(frozen=True, slots=True)
class Interaction:
    """One authorization request on its way. The request in it never changes (abuse case P2)."""

    interaction_hash: bytes
    request: AuthorizationRequest
    created_at: datetime
    expires_at: datetime
    browser_hash: bytes | None = None
    request_uri_hash: bytes | None = None
    chosen_session_id: str | None = None
    """The session the person chose to go on with (prompt=select_account)."""
    consent_id: str | None = None
    """The consent that was given in it."""
    denied_because: str | None = None
    """Why it is to be answered with access_denied."""
    finished_at: datetime | None = None


class Interactions:
    """What the program remembers about requests on their way."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def find(self, interaction_id: str) -> Interaction | None:
        """Return an interaction, finished or expired ones included."""
        interaction_hash = hash_secret(interaction_id)
        row = await self._recorder.fetch_one(_FIND, interaction_hash=interaction_hash)
        if row is None:
            return None
        return Interaction(
            interaction_hash=interaction_hash,
            request=load_request(row["request"]),
            created_at=moment(row["created_at"]),
            expires_at=moment(row["expires_at"]),
            browser_hash=None if row["browser_hash"] is None else bytes(row["browser_hash"]),
            request_uri_hash=None if row["request_uri_hash"] is None else bytes(row["request_uri_hash"]),
            chosen_session_id=row["chosen_session_id"],
            consent_id=row["consent_id"],
            denied_because=row["denied_because"],
            finished_at=moment_or_none(row["finished_at"]),
        )

    def add(self, interaction: Interaction) -> None:
        """Record a new interaction under the hash of its id."""
        self._recorder.record(
            _INSERT,
            interaction_hash=interaction.interaction_hash,
            browser_hash=interaction.browser_hash,
            client_id=interaction.request.client_id,
            request=dump_request(interaction.request),
            request_uri_hash=interaction.request_uri_hash,
            created_at=micros(interaction.created_at),
            expires_at=micros(interaction.expires_at),
        )

    def bind(self, interaction: Interaction, browser_hash: bytes) -> None:
        """Record the browser it belongs to; the gate `interaction_bound` closes for a second browser."""
        self._recorder.record(_BIND, id=interaction.interaction_hash, browser_hash=browser_hash)

    def choose(self, interaction: Interaction, session_id: str | None) -> None:
        """Record which signed-in person goes on; None asks for somebody else."""
        self._recorder.record(_CHOOSE, id=interaction.interaction_hash, chosen_session_id=session_id)

    def decide(self, interaction: Interaction, *, consent_id: str | None, denied_because: str | None) -> None:
        """Record the decision; the gate `interaction_decided` closes when it was answered already."""
        self._recorder.record(
            _DECIDE, id=interaction.interaction_hash, consent_id=consent_id, denied_because=denied_because
        )

    def finish(self, interaction: Interaction, now: datetime) -> None:
        """Record that it was answered; the gate `interaction_finished` closes for a second answer."""
        self._recorder.record(_FINISH, id=interaction.interaction_hash, now=micros(now))
