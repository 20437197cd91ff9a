"""Answers by the key of their request. Written in the commit of what was asked: both are stored, or neither.

So there is no time in which a request is under way and its key is taken: of many with the same key that run
at once, the index lets one through, and the others find its answer.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from idp.store.encoding import micros
from idp.store.oversight_tables import idempotency_keys as t
from idp.store.recorder import Recorder
from idp.store.writes import Insert

KEY_INDEX = "pk_idempotency_keys"

_INSERT = Insert("idempotency_key", t, ("key_hash", "request_hash", "status", "answer", "expires_at"))
_FIND = select(t.c.request_hash, t.c.status, t.c.answer).where(t.c.key_hash == bindparam("key_hash"))


@dataclass(frozen=True, slots=True)
class RememberedAnswer:
    """What a request was answered with."""

    request_hash: bytes
    status: int
    body: str


class IdempotencyKeys:
    """What the program remembers of requests that may come twice."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def find(self, key_hash: bytes) -> RememberedAnswer | None:
        """Return the answer that was given under a key."""
        row = await self._recorder.fetch_one(_FIND, key_hash=key_hash)
        if row is None:
            return None
        return RememberedAnswer(bytes(row["request_hash"]), row["status"], row["answer"])

    def add(self, key_hash: bytes, answer: RememberedAnswer, expires_at: datetime) -> None:
        """Record an answer beside what it tells of; the index KEY_INDEX refuses a key that is taken.

        It is no gate: what stands beside it may have one, and an index takes everything back.
        """
        self._recorder.record(
            _INSERT,
            key_hash=key_hash,
            request_hash=answer.request_hash,
            status=answer.status,
            answer=answer.body,
            expires_at=micros(expires_at),
        )
