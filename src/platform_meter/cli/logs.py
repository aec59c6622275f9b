"""How the log is written: lines for people, or JSON objects for programs that collect logs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec

TEXT = "%(asctime)s %(levelname)s %(message)s"


class JsonLines(logging.Formatter):
    """One object a line: `time` (RFC 3339, UTC), `level`, `logger`, `msg`, and `trace` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        # What came in by surrogates, as odd bytes of a path, has no UTF-8.
        clean = {name: value.encode("utf-8", "replace").decode() for name, value in said.items()}
        return msgspec.json.encode(clean).decode()


def formatter(kind: str) -> logging.Formatter:
    """`text` or `json`."""
    return JsonLines() if kind == "json" else logging.Formatter(TEXT)
