"""How values stand in columns: times as microseconds, sets and mappings as JSON text."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return an aware time as microseconds since 1970; exact, unlike a float timestamp."""
    return (at - _EPOCH) // _MICROSECOND


def micros_or_none(at: datetime | None) -> int | None:
    """Return `micros(at)`, or None for None."""
    return None if at is None else micros(at)


def moment(value: int) -> datetime:
    """Return the aware UTC time of a column."""
    return _EPOCH + timedelta(microseconds=value)


def moment_or_none(value: int | None) -> datetime | None:
    """Return the aware UTC time of a nullable column."""
    return None if value is None else moment(value)


def dump_names(names: Iterable[str]) -> str:
    """Return a set of names as sorted JSON, so that equal sets are equal text."""
    return orjson.dumps(sorted(names)).decode()


def load_names(value: str) -> frozenset[str]:
    """Read back a set of names."""
    return frozenset(orjson.loads(value))


def dump_mapping(value: Mapping[str, Any]) -> str:
    """Return a mapping as JSON with sorted members."""
    return orjson.dumps(dict(value), option=orjson.OPT_SORT_KEYS).decode()


def load_mapping(value: str) -> dict[str, Any]:
    """Read back a mapping."""
    loaded: dict[str, Any] = orjson.loads(value)
    return loaded


def hash_secret(secret: str) -> bytes:
    """Return the SHA-256 under which a random secret of ours is stored."""
    return sha256(secret.encode()).digest()
