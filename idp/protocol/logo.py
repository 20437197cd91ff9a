"""A client's logo as it was reviewed: a PNG inside the registration. RFC 7591 §2 (`logo_uri`), RFC 2397.

A `data:` address is the picture itself: nothing is fetched, so the network's host does not learn who
stands before which page, and what was reviewed cannot be exchanged (decision 18, abuse case 20).
"""

import base64
import binascii

PREFIX = "data:image/png;base64,"
LARGEST_LOGO = 8 * 1024
"""Bytes; a 96-pixel PNG of a simple mark takes two."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class LogoError(ValueError):
    """The address holds no picture that may be shown."""


def read_logo(logo_uri: str) -> bytes:
    """Return the PNG of a `data:` address. Raises LogoError."""
    if not logo_uri.startswith(PREFIX):
        raise LogoError("a logo that is shown is a data:image/png;base64 address")
    try:
        picture = base64.b64decode(logo_uri.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise LogoError("the data: address is not base64") from error
    if not picture.startswith(_SIGNATURE):
        raise LogoError("the data: address holds no PNG")
    if len(picture) > LARGEST_LOGO:
        raise LogoError(f"the PNG is larger than {LARGEST_LOGO // 1024} KiB")
    return picture
