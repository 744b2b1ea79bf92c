"""The rotating log of a library: one JSON object a line, written beside what the terminal shows."""

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
    """Give a logger that writes to `<library>/logs/photoindex.log` until the block ends.

    It stands alone: neither the root logger nor any other sees its records. Give each record what it belongs to and its
    fields with `extra={"action": "scan", "files": 3}`. A log that cannot be written (a full disk, a folder without
    permission) is left out: the work matters more, and what really fails is reported where it fails.
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
        with suppress(OSError):  # what a full disk did not take at the last flush
            handler.close()


def log_events(logger: logging.Logger, action: str) -> EventSink:
    """Return a sink that logs the events of `action` (a command, such as scan): one line a quarantined file."""

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
    """Return a sink that gives each event to all of `sinks`, in that order."""

    def sink(event: Event) -> None:
        for one in sinks:
            one(event)

    return sink


class _LibraryLog(logging.handlers.RotatingFileHandler):
    """A rotating file that several commands may write, and whose failures stop nobody."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; the folder is made with the first one."""
        try:
            os.makedirs(os.path.dirname(self.baseFilename), exist_ok=True)
            self._follow_rotation()
        except OSError:
            return
        super().emit(record)

    def _follow_rotation(self) -> None:
        """Open the file anew where another command has rotated it away."""
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
        """Begin a new file; with `keep = 0` the old one is emptied, where the standard library would let it grow."""
        if self.backupCount == 0 and self.stream is not None:
            self.stream.truncate(0)
            return
        super().doRollover()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Leave the record out, where the standard library would print a traceback to stderr."""


class _JsonLine(logging.Formatter):
    """time, level, action, message, pid, then the record's own fields, as one line of ASCII."""

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
