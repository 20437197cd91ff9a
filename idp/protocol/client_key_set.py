"""A client's key set: what it signs with, and what is encrypted to. RFC 7517 §5."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idp.protocol.jose import PublicKey, parse_jwk, parse_jwk_set


@dataclass(frozen=True, slots=True)
class ClientKeySet:
    """The set as the client published it, and the keys in it that verify, parsed once."""

    document: Mapping[str, Any]
    verification: tuple[PublicKey, ...]


NO_KEYS = ClientKeySet({"keys": []}, ())


def read_key_set(document: Mapping[str, Any]) -> ClientKeySet:
    """Read a client's key set. Raises JOSEError as `parse_jwk_set` does.

    A set whose keys are all for encryption verifies nothing, and is no error: its client signs in otherwise.
    """
    entries = document.get("keys")
    if not isinstance(entries, list) or not entries or not all(map(_only_encrypts, entries)):
        return ClientKeySet(document, parse_jwk_set(document))
    for entry in entries:
        parse_jwk(entry)  # private material refuses a key for any use
    return ClientKeySet(document, ())


def _only_encrypts(entry: object) -> bool:
    return isinstance(entry, Mapping) and entry.get("use") == "enc"
