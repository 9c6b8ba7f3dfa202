"""One JSON object a log line, fixed keys, and a last filter that lets no 16-digit number through.

Source: design/trust.md 4.9.
"""

import json
import logging
import re
import sys

from prometheus_client import Counter

REDACTED = Counter("titian_log_redacted", "Log lines from which a 16-digit number was removed")
_NUMBER = re.compile(r"(?<![0-9])[0-9]{16}(?![0-9])")


class JsonFormatter(logging.Formatter):
    """Level, logger, message; an exception is its class and place, never its values."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        clean, hits = _NUMBER.subn("[16 digit]", text)
        if hits:
            REDACTED.inc()
        line: dict[str, str] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": clean[:2000],
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=True)


def install(level: str) -> None:
    """Send every log line of this process through the formatter to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
