"""A library with a red, a green and a blue photo, and the stages that a photo must have before a service may see it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import delete, insert, select

from photoindex.store.schema.tables import asset, task
from photoindex.store.tasks import queue
from tests.command_line import CommandResult, run
from tests.harness import LibraryRunner

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 40), "blue": (30, 40, 200)}


@dataclass
class Album(LibraryRunner):
    """A library with photos of one colour each: red, green, blue, red, …"""

    capture: pytest.CaptureFixture[bytes] | None = None

    def run(self, *words: str) -> CommandResult:
        assert self.capture is not None
        return run(self.capture, *words)

    def looked_at(self, *stages: str, asset_ids: Sequence[int] | None = None) -> None:
        """Mark stages as done by a model of this computer, for all contents or some."""
        with self.open() as library, library.database.write() as connection:
            ids = asset_ids or connection.execute(select(asset.c.id)).scalars().all()
            for stage in stages:
                variant_id = queue.ensure_variant(connection, stage, {"model": "tests"})
                rows = [
                    {
                        "subject_kind": "asset", "subject_id": one, "stage": stage, "variant_id": variant_id, "state": "done",
                        "attempts": 1, "priority": 0, "updated_at": time.time(),
                    }
                    for one in ids
                ]  # fmt: skip
                connection.execute(insert(task), rows)

    def not_looked_at(self, stage: str, asset_id: int) -> None:
        """Take a mark back."""
        with self.open() as library, library.database.write() as connection:
            connection.execute(delete(task).where(task.c.stage == stage, task.c.subject_id == asset_id))

    def tasks(self, stage: str, provider: str) -> list[tuple[int, str, int]]:
        """Return content, state and attempts of a provider's tasks."""
        return self.rows(
            "SELECT subject_id, state, attempts FROM task JOIN variant ON variant.id = variant_id WHERE task.stage = ? "
            "AND json_extract(key, '$.provider') = ? ORDER BY subject_id",
            stage, provider,
        )  # fmt: skip


def album_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[bytes], photos: int = 3
) -> Album:
    """Make the library, and point the environment to it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(photos):
        colour = list(COLOURS.values())[number % 3]
        # One pixel differs, so that each is a content of its own.
        picture = Image.new("RGB", (320, 240), colour)
        picture.putpixel((number % 320, number // 320), (255, 255, 255))
        picture.save(folder / f"{number:03}.jpg", quality=95)
    album = Album(tmp_path / "library", capture=capture)
    album.scan(folder)
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(album.folder))
    return album
