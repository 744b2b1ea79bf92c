"""How many cores work may take."""

from __future__ import annotations

import os


def jobs_for(share: float) -> int:
    """Return the number of workers for this share of the cores, at least one."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    return max(1, round(cores * share))
