"""Web addresses that somebody else gave us: read as strictly as every browser agrees on.

RFC 3986 and the WHATWG URL Standard differ in what they forgive (backslashes, tabs, upper case, dot
segments, short IPv4 forms). An address is accepted only where there is nothing to forgive.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

MAX_LENGTH = 2000

LOOPBACK_HOSTS: frozenset[str] = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The hosts that may be reached by plain http: nothing leaves the machine (RFC 8252 §8.3)."""

# Everything RFC 3986 allows in a URI, without the fragment and without the wildcard of careless matchers.
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?@!$&'()+,;=\[\]-]|%[0-9A-Fa-f]{2})+")
_WEB_URI = re.compile(r"(https?)://([^/?]*)([^?]*)(?:\?(.*))?")
_AUTHORITY = re.compile(r"(\[::1\]|[a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class WebURIError(ValueError):
    """The address is not one that we would send a browser to. The message says why."""


@dataclass(frozen=True, slots=True)
class WebURI:
    """The parts of an accepted address."""

    scheme: str
    host: str
    """Lower case, without the port."""
    port: int | None
    path: str
    query: str


def read_web_uri(uri: str) -> WebURI:
    """Read an absolute https address, or an http one of this machine. Raises WebURIError."""
    check_uri_characters(uri)
    parts = _WEB_URI.fullmatch(uri)
    if parts is None:
        raise WebURIError("it must begin with https:// (or http:// for a loopback host), in lower case")
    scheme, authority, path, query = parts.groups(default="")
    host, port = _read_authority(authority)
    if scheme == "http" and host not in LOOPBACK_HOSTS:
        raise WebURIError("http is only for localhost, 127.0.0.1 and [::1]")
    check_path(path)
    return WebURI(scheme, host, port, path, query)


def check_uri_characters(uri: str) -> None:
    """RFC 3986 §2: refuse what a URI cannot hold, before any part of it is looked at."""
    if not uri or len(uri) > MAX_LENGTH:
        raise WebURIError(f"it must have 1 to {MAX_LENGTH} characters")
    if not uri.isascii():
        raise WebURIError("it must be ASCII: write an international name as punycode, the rest as %XX")
    if "#" in uri:
        raise WebURIError("it must not have a fragment")
    if not _CHARACTERS.fullmatch(uri):
        raise WebURIError("it holds a character that no URI may hold, or a wildcard")


def check_path(path: str) -> None:
    """Refuse a path that a browser or a proxy would rewrite: dot segments, `..;`, hidden controls."""
    decoded = unquote(path)
    if not decoded.isprintable() or "\\" in decoded:
        raise WebURIError("its path hides a control character or a backslash")
    if any(segment.partition(";")[0] in {".", ".."} for segment in decoded.split("/")):
        raise WebURIError("its path must not hold dot segments")
    if "%25" in path:
        raise WebURIError("its path must not be encoded twice")


def _read_authority(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise WebURIError("it must not have user information")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise WebURIError("its host must be a name in lower case, with a port or without")
    host, port = parts.group(1), int(parts.group(2)) if parts.group(2) else None
    if port is not None and port > 65535:
        raise WebURIError("its port must be 1 to 65535")
    if host not in LOOPBACK_HOSTS:
        _check_host_name(host)
    return host, port


def _check_host_name(host: str) -> None:
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise WebURIError("its host is not a valid name")
    # The WHATWG URL Standard reads a host whose last label is a number as IPv4, in many forms.
    if labels[-1][0].isdigit():
        raise WebURIError("its host must be a name, not an address")
