"""The previous version's library: the current program opens it, finds nothing to do and gives the same answers."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from tests.command_line import run
from tests.harness import LibraryRunner
from tests.old_library import answers, pictures
from tests.old_library.restore import restore

EXPECTED: dict[str, list[dict[str, Any]]] = json.loads((answers.FIXTURE / answers.ANSWERS).read_text())


@dataclass(frozen=True)
class OldLibrary:
    """The restored library and its originals."""

    library: Path
    photos: Path
    backups: Path


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OldLibrary:
    made = OldLibrary(tmp_path / "library", tmp_path / "photos", tmp_path / "backups")
    restore(made.library, made.photos)
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(made.library))
    return made


def test_the_drawn_originals_match_the_library(old: OldLibrary) -> None:
    known = {
        os.fsencode(name): bytes(digest)
        for name, digest in LibraryRunner(old.library).rows(
            "SELECT file.name, asset.digest FROM file JOIN asset ON asset.id = file.asset_id"
        )
    }
    drawn = {os.path.basename(name): blake3(content).digest() for name, content in pictures.originals().items()}
    assert len(known) > 10
    assert {name: drawn[name] for name in known} == known


@pytest.mark.parametrize("chapter", EXPECTED)
def test_exit_codes_and_json_match_the_previous_version(
    old: OldLibrary, chapter: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    def ask(argv: Sequence[str]) -> tuple[int, bytes]:
        ran = run(capsysbinary, *argv)
        return ran.code, ran.out

    found = answers.ask(chapter, ask, library=old.library, photos=old.photos, backups=old.backups)
    for answer, expected in zip(found, EXPECTED[chapter], strict=True):
        assert answer == answers.expected_now(expected)


def test_scan_finds_nothing_to_do_and_opens_no_original(
    old: OldLibrary, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for path in (path for path in old.photos.rglob("*") if path.is_file()):
        path.write_bytes(b"\xff" * path.stat().st_size)
        os.utime(path, ns=(pictures.MTIME_NS, pictures.MTIME_NS))
    before = rows_of_work(old)
    (summary,) = run(capsysbinary, "scan", "--json").json
    assert summary["unchanged"] > 0
    assert (summary["new"], summary["changed"], summary["moved"], summary["bytes"], summary["pending"]) == (0,) * 5
    assert rows_of_work(old) == before


def test_embed_finds_nothing_to_do_and_opens_no_preview(
    old: OldLibrary, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    shutil.rmtree(old.library / "derived")
    before = rows_of_work(old)
    (summary,) = run(capsysbinary, "embed", "--json").json
    assert (summary["embedded"], summary["quarantined"], summary["failed"], summary["pending"]) == (0,) * 4
    assert rows_of_work(old) == before


def rows_of_work(old: OldLibrary) -> dict[str, list[tuple[Any, ...]]]:
    """Return the tasks, spaces and vectors, and what made the contents."""
    runner = LibraryRunner(old.library)
    return {
        **{table: runner.rows(f"SELECT * FROM {table} ORDER BY id") for table in ("task", "space", "vector")},
        "asset": runner.rows("SELECT id, digest, variant_id FROM asset ORDER BY id"),
    }
