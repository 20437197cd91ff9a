"""keyring.json: the index of all keys with their sealed private material, as one document.

One file, because one rename is then a whole rotation: no reader ever sees an index whose key files are not
there yet or no more, and a crash can leave neither an orphaned key nor a half-made ring.

The private material is sealed value by value, the whole is authenticated with a key of the seal: a state
changed back to "retiring" or a public key slipped in is noticed, although both stand there readable.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from keys.data_keys import DataKeyRecord, DataKeyRing, Purpose
from keys.errors import CustodyError, SealedDataError
from keys.key_pairs import from_pkcs8, to_pkcs8
from keys.keyring import SigningKeys
from keys.lifecycle import KeyRecord, KeyState
from keys.seal import Seal

_FORMAT = 1
_ALTERED = "keyring.json was altered or cut short; restore it from a backup"


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that a key directory holds, opened."""

    signing: SigningKeys
    data: DataKeyRing


def encode(contents: Contents, seal: Seal) -> bytes:
    """Return the bytes of keyring.json. No private value stands in them unsealed."""
    document = {
        "format": _FORMAT,
        "sealed_under": seal.id,
        "signing": [_signing_entry(record, contents.signing, seal) for record in contents.signing.records],
        "data": [_data_entry(record, contents.data, seal) for record in contents.data.records],
    }
    return orjson.dumps(document | {"tag": _tag(document, seal)}, option=orjson.OPT_INDENT_2)


def decode(raw: bytes, seal: Seal) -> Contents:
    """Open keyring.json. Raises CustodyError for another seal, SealedDataError for altered bytes."""
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise SealedDataError(_ALTERED) from None
    if not isinstance(document, dict):
        raise SealedDataError(_ALTERED)
    if document.get("sealed_under") != seal.id:
        raise CustodyError(
            "the seal is not the one that this keyring was sealed under; "
            "put the right seal file back or name it in IDP_SEAL_FILE"
        )
    tag = document.pop("tag", None)
    if not isinstance(tag, str) or not hmac.compare_digest(tag.encode(), _tag(document, seal).encode()):
        raise SealedDataError(_ALTERED)
    if document["format"] != _FORMAT:
        raise CustodyError(f"keyring.json is of format {document['format']}, this program reads {_FORMAT}")
    return Contents(_signing_keys(document["signing"], seal), _data_ring(document["data"], seal))


def _tag(document: Mapping[str, Any], seal: Seal) -> str:
    canonical = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return b64encode(seal.authenticate(canonical)).decode()


def _signing_entry(record: KeyRecord, keys: SigningKeys, seal: Seal) -> dict[str, Any]:
    private_key = keys.private_keys.get(record.kid)
    sealed = None if private_key is None else seal.seal(to_pkcs8(private_key), _signing_context(record))
    return {
        "kid": record.kid,
        "algorithm": record.algorithm,
        "state": record.state.value,
        "created_at": _text(record.created_at),
        "activated_at": _text(record.activated_at),
        "retires_at": _text(record.retires_at),
        "ended_at": _text(record.ended_at),
        "jwk": dict(record.jwk),
        "sealed_private_key": None if sealed is None else b64encode(sealed).decode(),
    }


def _signing_keys(entries: list[dict[str, Any]], seal: Seal) -> SigningKeys:
    records, private_keys = [], {}
    for entry in entries:
        record = KeyRecord(
            kid=entry["kid"],
            algorithm=entry["algorithm"],
            state=KeyState(entry["state"]),
            jwk=entry["jwk"],
            created_at=datetime.fromisoformat(entry["created_at"]),
            activated_at=_time(entry["activated_at"]),
            retires_at=_time(entry["retires_at"]),
            ended_at=_time(entry["ended_at"]),
        )
        records.append(record)
        if entry["sealed_private_key"] is not None:
            der = seal.open(b64decode(entry["sealed_private_key"]), _signing_context(record))
            private_keys[record.kid] = from_pkcs8(der)
    return SigningKeys(tuple(records), private_keys)


def _data_entry(record: DataKeyRecord, ring: DataKeyRing, seal: Seal) -> dict[str, Any]:
    sealed = seal.seal(ring.secrets[record.id], _data_context(record))
    return {
        "id": record.id,
        "purpose": record.purpose.value,
        "created_at": _text(record.created_at),
        "sealed_key": b64encode(sealed).decode(),
    }


def _data_ring(entries: list[dict[str, Any]], seal: Seal) -> DataKeyRing:
    records, secrets = [], {}
    for entry in entries:
        created_at = datetime.fromisoformat(entry["created_at"])
        record = DataKeyRecord(entry["id"], Purpose(entry["purpose"]), created_at)
        records.append(record)
        secrets[record.id] = seal.open(b64decode(entry["sealed_key"]), _data_context(record))
    return DataKeyRing(tuple(records), secrets)


def _signing_context(record: KeyRecord) -> bytes:
    return f"signing key {record.algorithm} {record.kid}".encode()


def _data_context(record: DataKeyRecord) -> bytes:
    return f"data key {record.purpose} {record.id}".encode()


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
