"""What Apple's Photos says of an edit in an AAE file (a property list, XML or binary, of adjustments)."""

from __future__ import annotations

from datetime import datetime

from photoindex.domain.time.dates import DateError, iso_time
from photoindex.media.metadata.findings import Findings, clean_text
from photoindex.media.metadata.guard import guarded
from photoindex.media.sidecars.problem import BrokenSidecar
from photoindex.types import SidecarKind, SidecarRead

_MOST_PARTS = 100_000


def read_aae(data: bytes) -> SidecarRead:
    """Return `edited` = 1 with `edited_at` (UTC) and `adjustment_format` where the file states them. Raises BrokenSidecar."""
    adjustments = _parse(data)
    if not any(key.startswith("adjustment") for key in adjustments):
        raise BrokenSidecar("the property list names no adjustments")
    found = Findings("sidecar")
    found.add("edited", 1)
    when = adjustments.get("adjustmentTimestamp")
    if isinstance(when, datetime):
        try:
            # Property lists hold UTC, which plistlib returns without a zone.
            found.add("edited_at", iso_time(when.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"))
        except DateError as error:
            found.refuse("edited_at", when, str(error))
    elif when is not None:
        found.refuse("edited_at", when, "not a date")
    form = adjustments.get("adjustmentFormatIdentifier")
    if isinstance(form, str):
        found.add("adjustment_format", clean_text(form))
    return SidecarRead(SidecarKind.AAE, found.facts, notes=tuple(found.notes))


def _parse(data: bytes) -> dict[str, object]:
    import plistlib

    if not data.startswith(b"bplist00") and data.count(b"<") > _MOST_PARTS:
        raise BrokenSidecar(f"the property list has more than {_MOST_PARTS} tags")
    problems: list[str] = []
    parsed: object = None
    # plistlib refuses entities and reads each object of a binary list once, loops included.
    with guarded(problems.append, "the property list is damaged"):
        parsed = plistlib.loads(data)
    if problems:
        raise BrokenSidecar(problems[0])
    if not isinstance(parsed, dict):
        raise BrokenSidecar("the property list is no dictionary")
    return {key: value for key, value in parsed.items() if isinstance(key, str)}
