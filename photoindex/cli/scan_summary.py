"""The summary of a scan in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photoindex.library.scan.scan import ScanSummary


def lines(summary: ScanSummary) -> Iterator[str]:
    """Yield the lines of the summary, the counts first, then what to do about what went wrong."""
    counts = [
        ("new", summary.new),
        ("changed", summary.changed),
        ("moved", summary.moved),
        ("duplicate", summary.duplicate),
        ("unchanged", summary.unchanged),
        ("quarantined", summary.quarantined),
        ("excluded", summary.excluded),
        ("sidecar" if summary.sidecars == 1 else "sidecars", summary.sidecars),
        ("missing", summary.missing),
    ]
    said = ", ".join(f"{count:,} {name}" for name, count in counts if count) or "nothing there"
    verb = "would read" if summary.dry_run else "scanned"
    megabytes = summary.bytes / 1e6
    yield (
        f"{verb}: {said}; {megabytes:,.1f} MB read in {summary.seconds:,.1f} s, {summary.files_per_minute:,.0f} files/min"
        if not summary.dry_run
        else f"{verb}: {said}; {megabytes:,.1f} MB to read"
    )
    if summary.stopped:
        waiting = f"{_files(summary.pending)} waiting; " if summary.pending else ""
        yield f"stopped early: {waiting}the next scan goes on"
    if summary.quarantined:
        yield f"{summary.quarantined:,} quarantined: photoindex tasks --state quarantined tells why, retry puts them back"
    if summary.newly_missing:
        yield f"{_files(summary.newly_missing)} gone; their facts are kept until: photoindex prune"
    if summary.unreadable_folders:
        folders = "1 folder" if summary.unreadable_folders == 1 else f"{summary.unreadable_folders:,} folders"
        yield f"{folders} could not be read; what is known of them was left as it is"


def _files(count: int) -> str:
    return "1 file is" if count == 1 else f"{count:,} files are"
