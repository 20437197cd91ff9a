"""The log: one JSON object a line. It names ids, codes and durations; never a token, form or person."""

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TextIO

import orjson

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST = 500
_MOST_LINES = 100


class Log:
    """Writes to standard error or a file. A write holds whole lines, so processes may share a file."""

    def __init__(self, path: Path | None = None, *, is_buffered: bool = False) -> None:
        """Open the log; a buffered one is written out when it holds enough, and by `flush`."""
        self._stream: TextIO = sys.stderr if path is None else path.open("a", encoding="utf-8")
        self._is_buffered = is_buffered
        self._lines: list[str] = []

    def write(self, event: str, at: datetime, **members: str | float | None) -> None:
        """Write one line. Control characters in values are replaced, so that no value forges a line."""
        line: dict[str, object] = {"at": at.isoformat(timespec="milliseconds"), "event": event}
        for name, value in members.items():
            if value is not None:
                line[name] = _CONTROL.sub("�", value)[:_LONGEST] if isinstance(value, str) else value
        self._lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE).decode())
        if not self._is_buffered or len(self._lines) >= _MOST_LINES:
            self.flush()

    def flush(self) -> None:
        """Write out what is held back."""
        if self._lines:
            self._stream.write("".join(self._lines))
            self._stream.flush()
            self._lines.clear()

    def close(self) -> None:
        """Write out what is held back and close the file; standard error stays open."""
        self.flush()
        if self._stream is not sys.stderr:
            self._stream.close()
