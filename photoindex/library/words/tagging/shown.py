"""Which labels are shown: those at least as sure as the setting asks for, marked again when it changes."""

from __future__ import annotations

import time
from collections.abc import Callable

from photoindex.library.handle import Library
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.store.words import labels

_PHASE = "marking what is shown"


def mark_shown(library: Library, emit: EventSink, stop: Callable[[], bool] = lambda: False) -> int:
    """Mark the labels of all pictures by the threshold of the settings; return how many pictures changed.

    Each chunk is a transaction of its own, so that what was marked stays if it is stopped.
    """
    threshold = library.config.ai_confidence_threshold / 100
    changed = last = 0
    started = time.monotonic()
    while not stop():
        with library.database.read() as connection:
            wrong = labels.wrongly_marked(connection, threshold, after_id=last)
        if not wrong:
            break
        if not changed:
            emit(PhaseStarted(_PHASE, None, "pictures"))
        with library.database.write() as connection:
            labels.mark_shown(connection, wrong, threshold)
        changed, last = changed + len(wrong), wrong[-1]
        emit(PhaseAdvanced(_PHASE, changed))
    if changed:
        emit(PhaseFinished(_PHASE, changed, time.monotonic() - started))
    return changed
