"""Originals with their rows in a library, without a scan, and plans of what to do with them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3
from sqlalchemy import insert

from photoindex.library.duplicates.apply import Applied, apply_plan
from photoindex.library.duplicates.check import Checked, check
from photoindex.library.duplicates.plan import COLUMNS, escaped
from photoindex.library.duplicates.plan_reader import read_plan
from photoindex.library.duplicates.trash import find_trash
from photoindex.library.handle import Library
from photoindex.progress import ignore_events
from photoindex.store.schema.tables import sidecar, sidecar_link
from tests.face_rows import FaceRows

MTIME_NS = 1_500_000_000_123_456_789


@dataclass
class PlanHouse:
    """A library with a folder of originals. photo_of: the photo of each file by its name."""

    library: Library
    folder: Path
    rows: FaceRows = field(init=False)
    photo_of: dict[str, int] = field(default_factory=dict)
    file_of: dict[str, int] = field(default_factory=dict)
    _assets: dict[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.originals.mkdir(parents=True, exist_ok=True)
        self.rows = FaceRows(self.library, self.originals)
        self.rows.add_root()

    @property
    def originals(self) -> Path:
        return self.folder / "photos"

    @property
    def trash(self) -> Path:
        return self.folder / "trash"

    @property
    def plan_file(self) -> Path:
        return self.folder / "plan.tsv"

    def add(self, name: str, content: bytes, *, of: str | None = None, role: str = "primary") -> Path:
        """Add a photo with a file; equal bytes are one content. of: the name of a file whose photo it belongs to."""
        digest = blake3(content).digest()
        path = self.originals / name
        asset_id = self._assets.get(digest)
        if asset_id is None and of is not None:
            photo_id = self.photo_of[of]
            asset_id = self.rows.add_asset(photo_id, digest=digest, size_bytes=len(content), role=role)
        elif asset_id is None:
            photo_id = self.rows.add_photo(
                asset_digest=digest, asset_size_bytes=len(content), asset_width=40, asset_height=30
            )
            asset_id = self.rows.asset_of(photo_id)
        else:
            photo_id = next(self.photo_of[other] for other, known in self._asset_of.items() if known == asset_id)
        self._assets[digest] = asset_id
        self._asset_of[name] = asset_id
        self.photo_of[name] = photo_id
        self.file_of[name] = self._write(name, content, asset_id)
        return path

    _asset_of: dict[str, int] = field(default_factory=dict)

    def add_sidecar(self, name: str, content: bytes, *about: str, kind: str = "xmp", **facts: object) -> Path:
        """Add a sidecar about files."""
        sidecar_id = self.file_of[name] = self._write(name, content, None)
        with self.rows.writing() as connection:
            row = {"file_id": sidecar_id, "kind": kind, "facts": facts, "regions": [], "notes": [], "read_at": 0.0}
            connection.execute(insert(sidecar).values(row))
            for other in about:
                link = {"sidecar_id": sidecar_id, "file_id": self.file_of[other], "why": "its name"}
                connection.execute(insert(sidecar_link).values(link))
        return self.originals / name

    def _write(self, name: str, content: bytes, asset_id: int | None) -> int:
        path = self.originals / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.chmod(path, 0o640)
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
        size, media = len(content), asset_id is not None
        return self.rows.add_file(
            name, create=False, asset_id=asset_id, size_bytes=size, mtime_ns=MTIME_NS, media=media
        )

    def plan(self, *groups: Sequence[tuple[str, str]]) -> Path:
        """Write a plan: groups of (action, name)."""
        lines = ["# Plan of a test.", "\t".join(COLUMNS)]
        for number, group in enumerate(groups, 1):
            for action, name in group:
                path = self.originals / name
                digest = blake3(path.read_bytes()).hexdigest()
                values = action, str(number), "1", "present", digest, "1", "why", escaped(os.fsencode(path))
                lines.append("\t".join(values))
        self.plan_file.write_text("\n".join(lines) + "\n")
        return self.plan_file

    def check(self, *, link: bool = False, trash: Path | None = None) -> Checked:
        """Check the plan."""
        place = find_trash(self.library, trash or self.trash)
        return check(self.library, read_plan(self.plan_file), place, ignore_events, link=link)

    def apply(self, *groups: Sequence[tuple[str, str]], link: bool = False) -> Applied:
        """Write a plan and apply it; the problems of the check are among the others."""
        self.plan(*groups)
        checked = self.check(link=link)
        done = apply_plan(self.library, checked, find_trash(self.library, self.trash), ignore_events)
        return Applied(done.entry_id, done.steps, (*checked.problems, *done.problems))

    def moved(self, name: str) -> Path:
        """Where a file is in the trash."""
        return self.trash / os.fsdecode(self.rows.relative(os.fsencode(self.originals / name)))

    def files(self) -> dict[str, tuple[bytes, int, int]]:
        """Content, mode and mtime of each original that is in its place."""
        found = {}
        for path in sorted(self.originals.rglob("*")):
            if path.is_file():
                status = path.stat()
                found[str(path.relative_to(self.originals))] = (path.read_bytes(), status.st_mode, status.st_mtime_ns)
        return found
