"""`photoindex duplicates apply` from a plan to files in the trash and back, over the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from tests.command_line import CommandResult, run, run_on_terminal
from tests.edits import jpeg, scene
from tests.harness import LibraryRunner


def with_camera() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "EOS 5D"
    exif.get_ifd(0x8769)[0x9003] = "2019:06:01 12:00:00"
    return exif


@pytest.fixture
def originals(tmp_path: Path, library_folder: Path) -> Path:
    """A scanned folder: a good photo, the same bytes once more, and a poor copy with the JSON of an export."""
    folder = tmp_path / "originals"
    for name in ("phone", "backup", "takeout"):
        (folder / name).mkdir(parents=True)
    good = jpeg(scene(1), 85, with_camera())
    (folder / "phone" / "IMG_7.jpg").write_bytes(good)
    (folder / "backup" / "IMG_7.jpg").write_bytes(good)
    (folder / "takeout" / "IMG_7.jpg").write_bytes(jpeg(scene(1), 40, with_camera()))
    facts = {"title": "IMG_7.jpg", "description": "At the lake", "geoData": {"latitude": 47.5, "longitude": 11.3}}
    (folder / "takeout" / "IMG_7.jpg.json").write_text(json.dumps(facts))
    LibraryRunner(library_folder).scan(folder)
    return folder


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".photoindexignore"
    }


def test_a_plan_becomes_files_in_the_trash_and_undo_brings_them_back(
    library_folder: Path, originals: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    def photoindex(*words: str | os.PathLike[str], code: int = 0) -> CommandResult:
        ran = run(capsysbinary, "--library", library_folder, *words)
        assert ran.code == code, ran.err.decode()
        return ran

    before = files(originals)
    plan, trash = tmp_path / "plan.tsv", originals / "to delete"
    photoindex("duplicates", "--plan", plan, "--prefer", originals / "phone")
    assert "takeout/IMG_7.jpg" in next(line for line in plan.read_text().splitlines() if "carries over" in line)
    apply = ("duplicates", "apply", plan, "--trash", trash)
    rows = photoindex(*apply, "--dry-run", "--json").json
    assert [(row["action"], Path(row["path"]).parent.name) for row in rows] == [
        ("move", "backup"), ("move", "takeout"), ("move", "takeout"),
    ]  # fmt: skip
    assert rows[1]["note"] == "carries over: caption At the lake, the position"
    assert rows[2]["note"] == f"goes with line {rows[1]['line']}"
    assert b"confirm with --yes, or check first with --dry-run" in photoindex(*apply, code=2).err
    assert (files(originals), trash.exists()) == (before, False)

    asked = run_on_terminal("--library", library_folder, *apply, answer=b"n\n")
    assert b"This moves 3 originals to the trash" in asked.out
    assert (files(originals), trash.exists()) == (before, False)
    assert run_on_terminal("--library", library_folder, *apply, answer=b"y\n").code == 0
    relative = originals.relative_to("/")
    assert set(files(originals)) == {
        "phone/IMG_7.jpg", f"to delete/{relative}/backup/IMG_7.jpg", f"to delete/{relative}/takeout/IMG_7.jpg",
        f"to delete/{relative}/takeout/IMG_7.jpg.json",
    }  # fmt: skip
    kept = os.fsencode(originals / "phone" / "IMG_7.jpg")
    assert photoindex("search", "lake").out.splitlines() == photoindex("search", "has:gps").out.splitlines() == [kept]

    again = LibraryRunner(library_folder).scan(originals)
    assert (again.new, again.moved, again.duplicate, again.newly_missing) == (0, 0, 0, 0)
    assert "3 lines" not in photoindex(*apply, "--yes").err.decode()
    assert b"2 lines were applied before" in photoindex(*apply, "--dry-run").err

    said = photoindex("undo").out.decode()
    assert "3 files put back" in said
    assert "redo" not in said
    assert files(originals) == before
    assert photoindex("duplicates", "--json").json[0]["removable_bytes"] > 0


def test_a_bad_plan_is_refused_and_bad_lines_are_named(
    library_folder: Path, originals: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    before = files(originals)
    plan, trash = tmp_path / "plan.tsv", tmp_path / "trash"
    common = ("--library", library_folder, "duplicates")
    run(capsysbinary, *common, "--plan", plan, "--exact")
    good = plan.read_text()
    plan.write_text(good.replace("remove\t", "delete\t"))
    ran = run(capsysbinary, *common, "apply", plan, "--trash", trash, "--yes")
    assert ran.code == 2
    assert b"line 12: the action is 'delete'" in ran.err
    plan.write_text(good)
    kept = next(line.rpartition("\t")[2] for line in good.splitlines() if line.startswith("keep"))
    Path(kept).write_bytes(b"edited since")
    changed = files(originals)
    ran = run(capsysbinary, *common, "apply", plan, "--trash", trash, "--yes")
    assert ran.code == 19
    assert b"line 12: the kept file (line 11) cannot be relied on" in ran.err
    assert files(originals) == changed != before


def test_the_word_apply_can_be_searched_for(
    library_folder: Path, originals: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (originals / "phone" / "IMG_7.jpg").rename(originals / "phone" / "apply.jpg")
    LibraryRunner(library_folder).scan(originals)
    assert run(capsysbinary, "--library", library_folder, "duplicates", "--exact", "--", "apply").out.count(b"\n") == 2
    assert run(capsysbinary, "--library", library_folder, "duplicates", "--exact", "name:apply").out.count(b"\n") == 2
