"""The rotating log of a library, one JSON object per line, in addition to the terminal's output."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from photoindex.config.schema import LogConfig
from photoindex.paths import to_text
from photoindex.progress import Event, EventSink, FileQuarantined, Notice, PhaseFinished, PhaseStarted

LOG_NAME = "photoindex.log"

_OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "action"}


@contextmanager
def open_log(library_folder: Path, config: LogConfig) -> Iterator[logging.Logger]:
    """Yield a logger that writes to `<library>/logs/photoindex.log` until the block ends.

    It is independent of the root logger and all others. Pass the action and fields of each record with
    `extra={"action": "scan", "files": 3}`. Errors while logging (a full disk, no permission) are ignored: the work matters
    more, and real failures are reported where they happen.
    """
    logger = logging.Logger("photoindex", config.level.upper())  # noqa: LOG001 - getLogger would make it global
    handler = _LibraryLog(
        library_folder / "logs" / LOG_NAME, maxBytes=config.max_mb << 20, backupCount=config.keep, delay=True
    )
    handler.setFormatter(_JsonLine())
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        with suppress(OSError):  # the last flush can fail on a full disk
            handler.close()


def log_events(logger: logging.Logger, action: str) -> EventSink:
    """Return a sink that logs the events of `action` (a command, such as scan), with one line per quarantined file."""

    def sink(event: Event) -> None:
        fields: dict[str, object]
        if isinstance(event, PhaseStarted):
            fields = {"action": action, "phase": event.phase, "total": event.total, "unit": event.unit}
            logger.info("phase started", extra=fields)
        elif isinstance(event, PhaseFinished):
            fields = {"action": action, "phase": event.phase, "done": event.done, "seconds": round(event.seconds, 3)}
            logger.info("phase finished", extra=fields)
        elif isinstance(event, FileQuarantined):
            fields = {"action": action, "path": to_text(event.path), "error_class": event.error_class}
            logger.warning("quarantined: %s", event.message, extra=fields)
        elif isinstance(event, Notice):
            level = logging.WARNING if event.level == "warning" else logging.INFO
            logger.log(level, "%s", event.message, extra={"action": action})

    return sink


def both(*sinks: EventSink) -> EventSink:
    """Return a sink that passes each event to all of `sinks`, in that order."""

    def sink(event: Event) -> None:
        for one in sinks:
            one(event)

    return sink


class _LibraryLog(logging.handlers.RotatingFileHandler):
    """A rotating log file that several commands may write to, and that ignores errors."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; the first one creates the folder."""
        try:
            os.makedirs(os.path.dirname(self.baseFilename), exist_ok=True)
            self._follow_rotation()
        except OSError:
            return
        super().emit(record)

    def _follow_rotation(self) -> None:
        """Reopen the file if another command has rotated it."""
        if self.stream is None:
            return
        try:
            current = os.stat(self.baseFilename)
        except FileNotFoundError:
            current = None
        if current is None or not os.path.samestat(current, os.fstat(self.stream.fileno())):
            old, self.stream = self.stream, None
            old.close()
            self.stream = self._open()

    def doRollover(self) -> None:  # noqa: N802
        """Start a new file; with `keep = 0` truncate the old one, which the standard library would let grow."""
        if self.backupCount == 0 and self.stream is not None:
            self.stream.truncate(0)
            return
        super().doRollover()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Drop the record; the standard library would print a traceback to stderr."""


class _JsonLine(logging.Formatter):
    """Format time, level, action, message, pid, then the record's own fields, as one line of ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "action": getattr(record, "action", None),
            "message": record.getMessage(),
            "pid": record.process,
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=_as_json)


def _as_json(value: object) -> object:
    if isinstance(value, bytes):
        return to_text(value)
    return list(value) if isinstance(value, set | frozenset) else str(value)
