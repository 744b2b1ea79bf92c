"""`why`: one clear answer for every state of a file."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.library.handle import Library
from photoindex.library.photos.why import PathVerdict, as_json, why
from photoindex.stages.ingest import STAGE
from tests.rows import VolumeRows, library_in


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with library_in(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    folder = tmp_path / "originals"
    folder.mkdir()
    return folder


@pytest.fixture
def volume_rows(library: Library, originals: Path) -> VolumeRows:
    made = VolumeRows(library, originals)
    made.add_root()
    return made


def answer(library: Library, path: Path | bytes) -> PathVerdict:
    [verdict] = why(library, [os.fsencode(path)])
    return verdict


def on_disk(path: Path) -> dict[str, int]:
    """Return the values of a file row that match the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"content")
    return {"size_bytes": path.stat().st_size, "mtime_ns": path.stat().st_mtime_ns}


def test_a_file_outside_every_root_is_unknown_and_the_scan_command_is_named(
    library: Library, volume_rows: VolumeRows, tmp_path: Path
) -> None:
    other = tmp_path / "else where" / "a.jpg"
    other.parent.mkdir()
    other.write_bytes(b"x")
    verdict = answer(library, other)
    assert (verdict.answer, verdict.seen) == ("outside", False)
    assert verdict.remedy == f"photoindex scan '{other}'"


def test_a_path_that_never_existed_is_absent(library: Library, volume_rows: VolumeRows, originals: Path) -> None:
    assert answer(library, originals / "typo.jpg").answer == "absent"
    assert not answer(library, originals / "typo.jpg").seen


def test_a_path_on_an_unmounted_volume_says_so(library: Library, tmp_path: Path) -> None:
    away = VolumeRows(library, tmp_path / "nas", online=False, label="nas")
    away.add_root()
    assert "nas is not mounted" in answer(library, tmp_path / "nas" / "a.jpg").because


def test_a_new_file_below_a_root_waits_for_the_next_scan(
    library: Library, volume_rows: VolumeRows, originals: Path
) -> None:
    (originals / "new.jpg").write_bytes(b"x")
    verdict = answer(library, originals / "new.jpg")
    assert (verdict.answer, verdict.seen) == ("unscanned", False)
    assert str(originals) in verdict.because


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("@eaDir/SYNOPHOTO_THUMB.jpg", "@eaDir"),
        ("private/a.jpg", "private/"),
        ("a.tmp.jpg", "*.tmp.jpg"),
        ("ignored/b.jpg", "b.jpg"),
    ],
)
def test_an_excluded_file_names_the_rule(library: Library, originals: Path, name: str, rule: str) -> None:
    VolumeRows(library, originals).add_root(excludes=["private/", "*.tmp.jpg"])
    path = originals / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    (originals / "ignored").mkdir(exist_ok=True)
    (originals / "ignored" / ".photoindexignore").write_text("b.jpg\n")
    verdict = answer(library, path)
    assert (verdict.answer, verdict.seen) == ("excluded", True)
    assert rule in verdict.because


def test_a_symbolic_link_that_is_not_followed_says_so(
    library: Library, volume_rows: VolumeRows, originals: Path, tmp_path: Path
) -> None:
    (tmp_path / "target.jpg").write_bytes(b"x")
    (originals / "link.jpg").symlink_to(tmp_path / "target.jpg")
    verdict = answer(library, originals / "link.jpg")
    assert verdict.answer == "excluded"
    assert "symbolic link" in verdict.because


def test_a_dangling_link_below_a_root_that_follows_links_cannot_be_accessed(library: Library, originals: Path) -> None:
    VolumeRows(library, originals).add_root(follow_symlinks=True)
    (originals / "link.jpg").symlink_to("nowhere")
    assert "cannot be accessed" in answer(library, originals / "link.jpg").because


def test_the_librarys_own_previews_are_excluded(tmp_path: Path) -> None:
    with library_in(tmp_path / "originals" / "library") as library:
        VolumeRows(library, tmp_path / "originals").add_root()
        preview = library.folder / "derived" / "abc" / "x.preview.jpg"
        preview.parent.mkdir(parents=True)
        preview.write_bytes(b"x")
        assert "own folder" in answer(library, preview).because


def test_a_pipe_is_not_a_regular_file(library: Library, volume_rows: VolumeRows, originals: Path) -> None:
    os.mkfifo(originals / "pipe")
    assert stat.S_ISFIFO((originals / "pipe").stat().st_mode)
    assert "not a regular file" in answer(library, originals / "pipe").because


def test_a_folder_shows_how_many_of_its_files_are_in_the_library(
    library: Library, volume_rows: VolumeRows, originals: Path
) -> None:
    for name in ("2019/a.jpg", "2019/deep/b.jpg", b"2019/\xff/c.jpg", "2020/d.jpg", "2019-x/e.jpg"):
        volume_rows.add_file(name)
    verdict = answer(library, originals / "2019")
    assert verdict.answer == "folder"
    assert "3 files" in verdict.because


def test_a_file_that_is_not_media_has_a_reason(library: Library, volume_rows: VolumeRows, originals: Path) -> None:
    file_id = volume_rows.add_file("notes.txt", media=False, reason="the content is text")
    volume_rows.add_task(file_id)
    verdict = answer(library, originals / "notes.txt")
    assert (verdict.answer, verdict.seen) == ("not_media", True)
    assert "the content is text" in verdict.because


def test_a_quarantined_file_names_error_attempts_time_and_both_ways_out(
    library: Library, volume_rows: VolumeRows, originals: Path
) -> None:
    file_id = volume_rows.add_file("bad.jpg", **on_disk(originals / "bad.jpg"))
    os.utime(originals / "bad.jpg", ns=(1_600_000_000_000_000_000,) * 2)
    with library.database.write() as connection:
        connection.exec_driver_sql("UPDATE file SET mtime_ns = 1600000000000000000")
    volume_rows.add_task(file_id, "quarantined", error_class="truncated", error="ends early", attempts=3)
    verdict = answer(library, originals / "bad.jpg")
    assert (verdict.answer, verdict.seen) == ("quarantined", True)
    assert "truncated: ends early" in verdict.because
    assert "3 attempts" in verdict.because
    assert verdict.remedy is not None
    assert f"photoindex retry {originals / 'bad.jpg'}" in verdict.remedy
    assert "--dismiss" in verdict.remedy


def test_a_dismissed_file_shows_since_when(library: Library, volume_rows: VolumeRows, originals: Path) -> None:
    file_id = volume_rows.add_file("bad.jpg")
    volume_rows.add_task(file_id, "quarantined", error_class="truncated", error="ends early", dismissed_at=time.time())
    assert answer(library, originals / "bad.jpg").answer == "dismissed"


@pytest.mark.parametrize(("state", "expected"), [("pending", "waiting"), ("running", "waiting"), ("failed", "failed")])
def test_a_pending_file_shows_its_progress(
    library: Library, volume_rows: VolumeRows, originals: Path, state: str, expected: str
) -> None:
    volume_rows.add_task(volume_rows.add_file("a.jpg"), state, error_class="io", error="Input/output error")
    assert answer(library, originals / "a.jpg").answer == expected


def test_a_missing_file_keeps_its_facts_and_can_be_pruned(
    library: Library, volume_rows: VolumeRows, originals: Path
) -> None:
    volume_rows.add_whole_photo("a.jpg", state="missing")
    verdict = answer(library, originals / "a.jpg")
    assert verdict.answer == "missing"
    assert "photoindex prune" in str(verdict.remedy)


def test_a_file_ingested_before_and_now_excluded_names_the_rule(library: Library, originals: Path) -> None:
    volume_rows = VolumeRows(library, originals)
    volume_rows.add_root(excludes=["private/"])
    photo_id = volume_rows.add_photo()
    volume_rows.add_file("private/a.jpg", asset_id=volume_rows.asset_of(photo_id), state="excluded")
    verdict = answer(library, originals / "private" / "a.jpg")
    assert verdict.answer == "excluded"
    assert "private/" in verdict.because


def test_a_file_that_is_done_names_its_photo_and_the_variant(
    library: Library, volume_rows: VolumeRows, originals: Path
) -> None:
    photo_id = volume_rows.add_photo()
    values = on_disk(originals / "a.jpg")
    file_id = volume_rows.add_file("a.jpg", create=False, asset_id=volume_rows.asset_of(photo_id), **values)
    volume_rows.add_task(file_id)
    verdict = answer(library, originals / "a.jpg")
    assert verdict.answer == "done"
    assert verdict.because.endswith(f"as photo {photo_id}")
    value = as_json(verdict)
    assert (value["photo"], value["seen"], value["remedy"]) == (photo_id, True, None)
    assert value["task"]["variant"] == {"code": STAGE.code_version}  # type: ignore[index]


def test_a_file_changed_or_removed_since_the_last_scan_says_so(
    library: Library, volume_rows: VolumeRows, originals: Path
) -> None:
    volume_rows.add_whole_photo("a.jpg")
    assert "changed since" not in answer(library, originals / "a.jpg").because
    (originals / "a.jpg").write_bytes(b"written again")
    assert "changed since" in answer(library, originals / "a.jpg").because
    (originals / "a.jpg").unlink()
    assert "removed since" in answer(library, originals / "a.jpg").because
