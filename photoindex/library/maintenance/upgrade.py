"""Upgrades a library's database to the newest schema, after a snapshot and under the library's lock."""

from __future__ import annotations

import time

from photoindex.errors import LibraryLocked
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.progress import EventSink, ignore_events
from photoindex.store.schema import migrate

SNAPSHOT_FOLDER = "backups"
"""Folder in the library for the snapshots before upgrades."""

_POLL_SECONDS = 0.05


def bring_library_up_to_date(
    library: Library, events: EventSink = ignore_events, *, history: migrate.History = migrate.SHIPPED
) -> None:
    """Create the tables of a new library or upgrade an older one; if it is up to date, no lock is taken.

    Raises SchemaTooNew, and LibraryLocked if another command is changing a library that needs an upgrade.
    """
    deadline = time.monotonic() + library.config.database.busy_seconds
    while (revision := migrate.check_supported(library.database, history=history)) != history.head:
        try:
            with exclusive(library.folder, "upgrade"):
                _upgrade(library, events, history)
        except LibraryLocked:
            # Two commands open a new library at once: the other one is creating the tables, which is quick.
            if revision is not None or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)


def _upgrade(library: Library, events: EventSink, history: migrate.History) -> None:
    # Imported here because every command opens a library and few have anything to upgrade.
    from photoindex.library.logs import open_log

    before = migrate.current_revision(library.database)
    with open_log(library.folder, library.config.log) as log:
        migrate.bring_up_to_date(library.database, before_upgrade=lambda: _back_up(library, events), history=history)
        message = "library made" if before is None else "library upgraded"
        log.info(message, extra={"action": "upgrade", "before": before, "after": history.head})


def _back_up(library: Library, events: EventSink) -> None:
    from photoindex.library.backup.backup import back_up_before_upgrade

    back_up_before_upgrade(library, library.folder / SNAPSHOT_FOLDER, events)
