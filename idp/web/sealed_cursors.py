"""Cursors that only their client can give back, and only to the list they came from. Abuse case P7."""

import base64
import binascii

from idp.protocol.result_pages import MAX_CURSOR, invalid_cursor
from idp.web.state import Context
from keys import SealedDataError


def seal_cursor(context: Context, listing: str, client_id: str, content: bytes) -> str:
    """Return a place in a list as it may leave: the same place looks different every time."""
    sealed = context.custody.data.seal(content, _binding(listing, client_id))
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def open_cursor(context: Context, listing: str, client_id: str, cursor: str) -> bytes:
    """Return the place that a cursor names. Raises ProblemError."""
    try:
        if len(cursor) > MAX_CURSOR:
            raise invalid_cursor()
        encoded = cursor.encode() + b"=" * (-len(cursor) % 4)
        sealed = base64.b64decode(encoded, b"-_", validate=True)
        return context.custody.data.open(sealed, _binding(listing, client_id))
    except (SealedDataError, binascii.Error, ValueError) as error:
        raise invalid_cursor() from error


def _binding(listing: str, client_id: str) -> bytes:
    return f"cursor:{listing}:{client_id}".encode()
