"""A register file, read line by line: each line becomes an entry or a rejection with every reason.

JSON Lines: UTF-8, one JSON object a line. Reasons never repeat a value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from idp.authenticators.password import PasswordRefusedError, check_password
from idp.identity.register import InvalidRegisterLineError, Mode, RegisterEntry, read_line
from idp.protocol.strict_json import MAX_LENGTH, StrictJSONError, read_json

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_LINE = MAX_LENGTH


@dataclass(frozen=True, slots=True)
class AcceptedLine:
    """A line that can be taken over."""

    line: int
    entry: RegisterEntry


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that cannot, and why."""

    line: int
    reasons: tuple[str, ...]


class RegisterLines:
    """The lines of one file. Remembers of each accepted one only its personal number, against duplicates."""

    def __init__(self, stream: BinaryIO, mode: Mode, now: datetime) -> None:
        self._stream = stream
        self._mode = mode
        self._now = now
        self._line = 0
        self._lines_by_number: dict[int, int] = {}
        self.bytes_read = 0

    def __iter__(self) -> Iterator[AcceptedLine | RejectedLine]:
        while raw := self._next_line():
            self._line += 1
            if self._line == 1:
                raw = raw.removeprefix(_BYTE_ORDER_MARK)
            if raw.strip():
                yield self._read(raw)

    def _next_line(self) -> bytes:
        """Return the next line; of one that is too long, only the beginning."""
        raw = self._stream.readline(_LONGEST_LINE + 1)
        self.bytes_read += len(raw)
        rest = raw
        while len(rest) > _LONGEST_LINE and not rest.endswith(b"\n"):
            rest = self._stream.readline(_LONGEST_LINE + 1)
            self.bytes_read += len(rest)
        return raw

    def _read(self, raw: bytes) -> AcceptedLine | RejectedLine:
        try:
            entry = self._entry(raw)
        except InvalidRegisterLineError as error:
            return RejectedLine(self._line, error.reasons)
        return AcceptedLine(self._line, entry)

    def _entry(self, raw: bytes) -> RegisterEntry:
        """Read a line as an entry. Raises InvalidRegisterLineError."""
        if len(raw) > _LONGEST_LINE:
            raise InvalidRegisterLineError((f"line: is longer than {_LONGEST_LINE} bytes",))
        try:
            document = read_json(raw.decode())
        except UnicodeDecodeError:
            raise InvalidRegisterLineError(("line: is not UTF-8",)) from None
        except StrictJSONError as error:
            raise InvalidRegisterLineError((f"line: {error}",)) from None
        if not isinstance(document, dict):
            raise InvalidRegisterLineError(("line: must be a JSON object",))
        entry = self._checked_entry(document)
        first = self._lines_by_number.setdefault(int(entry.personal_number), self._line)
        if first != self._line:
            raise InvalidRegisterLineError((f"personal_number: stands in line {first} already",))
        return entry

    def _checked_entry(self, document: dict[str, object]) -> RegisterEntry:
        reasons = _password_reasons(document.get("password"))
        try:
            entry = read_line(document, self._mode, self._now)
        except InvalidRegisterLineError as error:
            about_password = any(reason.startswith("password:") for reason in error.reasons)
            raise InvalidRegisterLineError(
                error.reasons if about_password else error.reasons + reasons
            ) from None
        if reasons:
            raise InvalidRegisterLineError(reasons)
        return entry


_PASSWORD_WORDS = {
    "too_short": "is too short",
    "too_long": "is too long",
    "too_common": "is one of the first that anybody would guess",
    "control_character": "must not hold control characters",
}


def _password_reasons(password: object) -> tuple[str, ...]:
    if not isinstance(password, str):
        return ()
    try:
        check_password(password)
    except PasswordRefusedError as error:
        return (f"password: {_PASSWORD_WORDS[error.reason]}",)
    return ()
