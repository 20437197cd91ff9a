"""The log: one JSON object a line. It names ids, codes and durations; never a token, form or person."""

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TextIO

import orjson

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST = 500


class Log:
    """Writes lines to standard error or to a file. A line is one write, so processes may share a file."""

    def __init__(self, path: Path | None = None) -> None:
        self._stream: TextIO = sys.stderr if path is None else path.open("a", encoding="utf-8")

    def write(self, event: str, at: datetime, **members: str | float | None) -> None:
        """Write one line. Control characters in values are replaced, so that no value forges a line."""
        line: dict[str, object] = {"at": at.isoformat(timespec="milliseconds"), "event": event}
        for name, value in members.items():
            if value is not None:
                line[name] = _CONTROL.sub("�", value)[:_LONGEST] if isinstance(value, str) else value
        self._stream.write(orjson.dumps(line).decode() + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Close the file; standard error stays open."""
        if self._stream is not sys.stderr:
            self._stream.close()
