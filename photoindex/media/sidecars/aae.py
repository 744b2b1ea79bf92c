"""Reading the AAE files in which Apple Photos describes edits (an XML or binary property list of adjustments)."""

from __future__ import annotations

from datetime import datetime

from photoindex.media.metadata.findings import Findings, clean_text
from photoindex.media.metadata.guard import guarded
from photoindex.media.sidecars.common import BrokenSidecar
from photoindex.types import SidecarKind, SidecarRead

_PART_LIMIT = 100_000


def read_aae(data: bytes) -> SidecarRead:
    """Return `edited` = 1, with `edited_at` (UTC) and `adjustment_format` if present. Raises BrokenSidecar."""
    adjustments = _parse(data)
    if not any(key.startswith("adjustment") for key in adjustments):
        raise BrokenSidecar("the property list has no adjustments")
    found = Findings("sidecar")
    found.add("edited", 1)
    edited_at = adjustments.get("adjustmentTimestamp")
    if isinstance(edited_at, datetime):
        # Property lists hold UTC, which plistlib returns without a zone.
        found.add_time("edited_at", edited_at.replace(tzinfo=None).isoformat(timespec="seconds"), offset="Z")
    elif edited_at is not None:
        found.refuse("edited_at", edited_at, "not a date")
    form = adjustments.get("adjustmentFormatIdentifier")
    if isinstance(form, str):
        found.add("adjustment_format", clean_text(form))
    return SidecarRead(SidecarKind.AAE, found.facts, notes=tuple(found.notes))


def _parse(data: bytes) -> dict[str, object]:
    import plistlib

    if not data.startswith(b"bplist00") and data.count(b"<") > _PART_LIMIT:
        raise BrokenSidecar(f"the property list has more than {_PART_LIMIT} tags")
    problems: list[str] = []
    parsed: object = None
    # plistlib rejects entities and reads each object of a binary list only once, even in loops.
    with guarded(problems.append, "the property list is damaged"):
        parsed = plistlib.loads(data)
    if problems:
        raise BrokenSidecar(problems[0])
    if not isinstance(parsed, dict):
        raise BrokenSidecar("the property list is not a dictionary")
    return {key: value for key, value in parsed.items() if isinstance(key, str)}
