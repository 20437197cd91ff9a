"""Reading one section of a client's metadata, member by member, collecting every reason to refuse it.

A reader returns something of the right type even for a wrong member, so that reading goes on; whoever uses
it looks at `reasons` before the result.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, overload

from idp.identity.display_text import is_displayable
from idp.protocol.logo import LogoError, read_logo
from idp.protocol.redirect_uris import check_redirect_uri_syntax
from idp.protocol.web_uris import WebURIError, read_web_uri

MAX_REDIRECT_URIS = 30
MAX_HOSTS = 30

_DAYS = re.compile(r"([0-9]{1,5})d")
_DURATION = re.compile(r"P(?=[0-9])(?:([0-9]{1,3})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?")
_DAYS_OF = (365, 30, 7, 1)


def host_of(uri: str) -> str | None:
    """Return the host of a web address; None for any other URI."""
    try:
        return read_web_uri(uri).host
    except WebURIError:
        return None


class MetadataReader:
    """Reads the members of one section; every wrong one adds a reason that begins with its name."""

    def __init__(self, section: str, members: Mapping[str, object], known: Collection[str]) -> None:
        self._section = section
        self._members = members
        self.reasons: list[str] = []
        for name in members:
            if name not in known:
                self.refuse(name, "is not a member that is understood here")

    def refuse(self, name: str, because: str) -> None:
        """Add a reason."""
        self.reasons.append(f"{self._section}.{str(name)[:100]} {because}")

    def has(self, name: str) -> bool:
        """Tell whether the section states the member."""
        return name in self._members

    @overload
    def choice(self, name: str, allowed: Collection[str], default: str) -> str: ...
    @overload
    def choice(self, name: str, allowed: Collection[str], default: None) -> str | None: ...
    def choice(self, name: str, allowed: Collection[str], default: str | None) -> str | None:
        """Return one of the allowed values."""
        value = self._members.get(name, default)
        if name in self._members and (not isinstance(value, str) or value not in allowed):
            self.refuse(name, f"must be {_one_of(allowed)}")
            return default
        return value if isinstance(value, str) else None

    def choices(
        self,
        name: str,
        allowed: Collection[str],
        default: tuple[str, ...] = (),
        *,
        may_be_empty: bool = False,
    ) -> tuple[str, ...]:
        """Return a list of allowed values, not empty where it is stated unless it may be."""
        if name not in self._members:
            return default
        values = self._members[name]
        if not isinstance(values, list) or not (values or may_be_empty):
            self.refuse(name, "must be a list that is not empty")
            return default
        if not all(isinstance(value, str) and value in allowed for value in values):
            self.refuse(name, f"must hold only {_one_of(allowed)}")
            return default
        if len(set(values)) != len(values):
            self.refuse(name, "holds a value twice")
        return tuple(values)

    def text(self, name: str, longest: int) -> str | None:
        """Return a string of printable characters."""
        value = self._members.get(name)
        if name not in self._members:
            return None
        if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
            self.refuse(name, f"must be a string of 1 to {longest} printable characters")
            return None
        return value

    def texts(self, name: str, most: int, longest: int) -> tuple[str, ...]:
        """Return a list of strings of visible characters."""
        values = self._members.get(name, [])
        if not isinstance(values, list) or len(values) > most:
            self.refuse(name, f"must be a list of at most {most} strings")
            return ()
        texts = tuple(value for value in values if isinstance(value, str))
        if len(texts) != len(values) or not all(len(t) <= longest and is_displayable(t) for t in texts):
            self.refuse(name, f"must hold strings of 1 to {longest} visible characters")
        return texts

    def display_text(self, name: str, longest: int, *, required: bool) -> str:
        """Return text that citizens will read: nothing invisible in it, nothing that reorders it."""
        value = self._members.get(name)
        if required and name not in self._members:
            self.refuse(name, "is required")
        elif not isinstance(value, str) or len(value) > longest or not is_displayable(value):
            self.refuse(name, f"must be 1 to {longest} visible characters")
        return value if isinstance(value, str) else ""

    def boolean(self, name: str) -> bool | None:
        """Return true or false."""
        value = self._members.get(name)
        if name in self._members and not isinstance(value, bool):
            self.refuse(name, "must be true or false")
        return value if isinstance(value, bool) else None

    def integer(self, name: str, least: int, most: int) -> int | None:
        """Return a whole number within bounds."""
        if name not in self._members:
            return None
        value = self._members[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.refuse(name, f"must be a whole number from {least} to {most}")
            return None
        return value

    def days(self, name: str, least: int, most: int) -> int | None:
        """Return a number of days, written as a number, as "730d" or as an ISO 8601 duration."""
        value = self._members.get(name)
        if not isinstance(value, str):
            return self.integer(name, least, most)
        days = _days(value)
        if days is None or not least <= days <= most:
            self.refuse(name, f'must be {least} to {most} days, such as 730, "730d", "P730D" or "P2Y"')
            return None
        return days

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        """Return a table of members."""
        value = self._members.get(name)
        if name in self._members and not isinstance(value, Mapping):
            self.refuse(name, "must be a table")
        return value if isinstance(value, Mapping) else None

    def web_uri(self, name: str) -> str | None:
        """Return an https address, or an http one of the same machine."""
        value = self._members.get(name)
        if name not in self._members:
            return None
        if not isinstance(value, str):
            self.refuse(name, "must be a string")
            return None
        try:
            read_web_uri(value)
        except WebURIError as error:
            self.refuse(name, f"is no usable address: {error}")
        return value

    def https_uri(self, name: str) -> str | None:
        """Return an https address, whatever machine it is on."""
        value = self.web_uri(name)
        if value is not None and not value.startswith("https://"):
            self.refuse(name, "must be an https address")
        return value

    def logo_uri(self, name: str) -> str | None:
        """Return a logo: a PNG in a `data:` address, which our pages show, or a web address."""
        value = self._members.get(name)
        if not isinstance(value, str) or not value.startswith("data:"):
            return self.web_uri(name)
        try:
            read_logo(value)
        except LogoError as error:
            self.refuse(name, f"cannot be shown: {error}")
        return value

    def redirect_uris(self, name: str, *, required: bool = True) -> tuple[str, ...]:
        """Return redirect URIs: RFC 7591 §2, RFC 9700 §2.1."""
        values = self._members.get(name, [])
        least = 1 if required else 0
        if not isinstance(values, list) or not least <= len(values) <= MAX_REDIRECT_URIS:
            self.refuse(name, f"must be a list of {least} to {MAX_REDIRECT_URIS} URIs")
            return ()
        for position, value in enumerate(values, start=1):
            if not isinstance(value, str):
                self.refuse(name, f"number {position} must be a string")
                continue
            try:
                check_redirect_uri_syntax(value)
            except ValueError as error:
                self.refuse(name, f"number {position} is refused: {error}")
        texts = tuple(value for value in values if isinstance(value, str))
        if len(set(texts)) != len(texts):
            self.refuse(name, "holds a URI twice")
        return texts

    def host(self, name: str) -> str | None:
        """Return a host name."""
        if name not in self._members:
            return None
        value = self._members[name]
        if not _is_host(value):
            self.refuse(name, "must be a host name in lower case, without scheme, port or path")
        return value if isinstance(value, str) else None

    def hosts(self, name: str) -> tuple[str, ...]:
        """Return a list of host names, which may be empty: none is allowed then."""
        values = self._members.get(name)
        if not isinstance(values, list) or len(values) > MAX_HOSTS or not all(map(_is_host, values)):
            self.refuse(name, f"must be a list of at most {MAX_HOSTS} host names in lower case")
            return ()
        return tuple(values)


def _is_host(value: object) -> bool:
    return isinstance(value, str) and (host_of(f"https://{value}") == value)


def _one_of(allowed: Collection[str]) -> str:
    return " or ".join(sorted(allowed))


def _days(value: str) -> int | None:
    short = _DAYS.fullmatch(value)
    if short:
        return int(short.group(1))
    duration = _DURATION.fullmatch(value)
    if duration is None:
        return None
    return sum(int(count or 0) * days for count, days in zip(duration.groups(), _DAYS_OF, strict=True))
