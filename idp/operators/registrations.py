"""Reviewed registration files: read whole, refused whole, compared field by field with what is stored.

TOML with a table [client] (names of RFC 7591 §2) and a table [policy] (see idp.protocol.client_metadata).
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from idp.protocol.client_metadata import InvalidClientMetadataError, read_client
from idp.protocol.model import Client
from idp.protocol.stored_client import dump_client

_TABLES = ("client", "policy")
_LARGEST_FILE = 256 * 1024


class RegistrationRefusedError(ValueError):
    """A file that is refused, with every reason."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class RegistrationFile:
    """A file as it was written."""

    path: Path
    metadata: Mapping[str, object]
    policy: Mapping[str, object]

    @property
    def client_id(self) -> str | None:
        """The id that the file fixes, if it does."""
        client_id = self.metadata.get("client_id")
        return client_id if isinstance(client_id, str) else None

    def client(self, client_id: str) -> Client:
        """Return the client that the file describes. Raises RegistrationRefusedError."""
        try:
            return read_client(self.metadata, self.policy, client_id)
        except InvalidClientMetadataError as error:
            raise RegistrationRefusedError(error.reasons) from error


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs; `before` or `after` is None where it is not there."""

    field: str
    before: object
    after: object

    def lines(self) -> Iterator[str]:
        """Return the change as lines: what goes, then what comes. Of a list, only the elements that do."""
        before, after = _elements(self.before), _elements(self.after)
        yield from (f"  - {self.field}: {element}" for element in before if element not in after)
        yield from (f"  + {self.field}: {element}" for element in after if element not in before)
        if sorted(before) == sorted(after):
            yield f"  ~ {self.field}: another order: {', '.join(after)}"


def read_file(path: Path) -> RegistrationFile:
    """Read a file without judging its members. Raises RegistrationRefusedError and OSError."""
    with path.open("rb") as stream:
        raw = stream.read(_LARGEST_FILE + 1)
    if len(raw) > _LARGEST_FILE:
        raise RegistrationRefusedError([f"the file is larger than {_LARGEST_FILE} bytes"])
    try:
        document = tomllib.loads(raw.decode())
    except UnicodeDecodeError:
        raise RegistrationRefusedError(["the file is not UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise RegistrationRefusedError([f"the file is not TOML: {error}"]) from error
    reasons = [f"{name}: there is no such table" for name in document if name not in _TABLES]
    if "client" not in document:
        reasons.append("client: the table is missing")
    tables = [document.get(name, {}) for name in _TABLES]
    reasons += [
        f"{name}: must be a table"
        for name, table in zip(_TABLES, tables, strict=True)
        if not isinstance(table, dict)
    ]
    if reasons:
        raise RegistrationRefusedError(reasons)
    return RegistrationFile(path, *tables)


def differences(before: Client | None, after: Client) -> tuple[FieldChange, ...]:
    """Return what differs between two registrations; of a new client, everything it states."""
    old = {} if before is None else described(before)
    new = described(after)
    return tuple(
        FieldChange(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def described(client: Client) -> dict[str, object]:
    """Return a registration as its fields, those of the policy under `policy.…`; empty ones are left out."""
    fields: dict[str, object] = orjson.loads(dump_client(client))
    policy = fields.pop("policy")
    if isinstance(policy, dict):
        fields |= {f"policy.{name}": value for name, value in policy.items()}
    for name in ("sector", "profile_hosts", "public_mark"):
        fields[f"policy.{name}"] = fields.pop(name)
    validity = fields.pop("policy.link_validity")
    if isinstance(validity, int):
        fields["policy.link_validity"] = f"{validity // 86400}d"
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


def _elements(value: object) -> list[str]:
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    return [text if isinstance(text, str) else orjson.dumps(text).decode() for text in values]
