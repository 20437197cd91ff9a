"""Sealing of personal data: what the stores ask of whoever holds the keys."""

from typing import Protocol


class DataSeal(Protocol):
    """Sealing and finding of personal data; `keys.DataKeys` is one."""

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt; only the same context opens it."""

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt what `seal` made."""

    def lookup(self, purpose: str, value: str) -> bytes:
        """Return the keyed hash under which a value is found."""


def column_of(citizen_id: str, column: str) -> bytes:
    """Bind a sealed value to its person and column, so that rows cannot be swapped."""
    return f"{column}:{citizen_id}".encode()
