"""The walk: lists every candidate once, opens no file, and survives loops and unreadable folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from photoindex.pipeline.scan.exclusion import reason_for, rules_at, rules_for
from photoindex.pipeline.scan.walk import Listing, walk
from tests.harness import refuse_listing


def listings(top: Path, *patterns: str, follow_symlinks: bool = False, threads: int = 2) -> dict[bytes, Listing]:
    path = os.fsencode(top)
    found = walk(path, rules_for(path, patterns), follow_symlinks=follow_symlinks, threads=threads)
    return {os.path.relpath(each.path, path): each for each in found}


def names(found: dict[bytes, Listing]) -> set[bytes]:
    return {os.path.normpath(os.path.join(folder, name)) for folder, each in found.items() for name in each.entries}


def make(top: Path, *files: str) -> None:
    for name in files:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_every_file_of_every_folder_is_listed_with_its_size_and_mtime(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "one/b.jpg", "one/two/c.jpg")
    os.utime(tmp_path / "one/b.jpg", ns=(5, 7_000_000_123))
    found = listings(tmp_path)
    assert names(found) == {b"a.jpg", b"one/b.jpg", b"one/two/c.jpg"}
    assert found[b"one"].entries[b"b.jpg"] == (len("one/b.jpg"), 7_000_000_123)


def test_folders_of_nas_systems_and_programs_are_not_entered(tmp_path: Path) -> None:
    make(
        tmp_path, "a.jpg", "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", "x/.thumbnails/t.jpg", "x/.trash/t.jpg", "#recycle/r.jpg",
        "Pictures.photoslibrary/resources/d.jpg", "Pictures.photoslibrary/originals/0/o.heic", "._a.jpg",
    )  # fmt: skip
    found = listings(tmp_path)
    assert names(found) == {b"a.jpg", b"Pictures.photoslibrary/originals/0/o.heic"}
    assert sum(len(each.pruned) for each in found.values()) == 5
    assert found[b"."].excluded.keys() == {b"._a.jpg"}


def test_folders_of_programs_and_cameras_are_not_entered_below_the_root_either(tmp_path: Path) -> None:
    make(
        tmp_path, "2019/My.photoslibrary/resources/d.jpg", "2019/My.photoslibrary/originals/o.jpg",
        "raw/CaptureOne/Cache/p.jpg", "card/PRIVATE/M4ROOT/CLIP/C0001.MP4", "card/PRIVATE/M4ROOT/THMBNL/C0001T01.JPG",
        "card/PRIVATE/M4ROOT/SUB/C0001S03.MP4", "card/MISC/THM/100/DJI_0001.THM", "SUB/a.jpg",
    )  # fmt: skip
    assert names(listings(tmp_path)) == {
        b"2019/My.photoslibrary/originals/o.jpg", b"card/PRIVATE/M4ROOT/CLIP/C0001.MP4", b"SUB/a.jpg",
    }  # fmt: skip


def test_unfinished_downloads_and_temporary_files_are_left_out(tmp_path: Path) -> None:
    left_out = [
        "a.jpg.part", "b.jpg.crdownload", "C.JPG.TMP", "d.tmp", ".trashed-1700000000-e.jpg", ".pending-1700000000-f.jpg",
        "g.heic.download", "h.mov.!qB",
    ]  # fmt: skip
    make(tmp_path, *left_out, "party.jpg", "part", "tmp.jpg", "a.part/kept.jpg")
    found = listings(tmp_path)
    assert names(found) == {b"party.jpg", b"part", b"tmp.jpg", b"a.part/kept.jpg"}
    assert found[b"."].excluded.keys() == {os.fsencode(name) for name in left_out}
    assert found[b"."].candidates == len(left_out) + 3
    (tmp_path / ".photoindexignore").write_text("!*.part\n.photoindexignore\n")
    assert b"a.jpg.part" in names(listings(tmp_path))


def test_a_users_pattern_excludes_files_and_folders_and_counts_the_files(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "a.png", "private/b.jpg", "deep/private/c.jpg")
    found = listings(tmp_path, "*.png", "private/")
    assert names(found) == {b"a.jpg"}
    assert found[b"."].excluded.keys() == {b"a.png"}
    assert found[b"."].candidates == 2


def test_an_ignore_file_applies_to_its_folder_and_below_and_can_be_overridden_deeper(tmp_path: Path) -> None:
    make(tmp_path, "a.tif", "work/b.tif", "work/keep/c.tif", "work/d.jpg")
    (tmp_path / "work/.photoindexignore").write_text("# scans\n*.tif\n.photoindexignore\n")
    (tmp_path / "work/keep/.photoindexignore").write_text("!c.tif\n")
    assert names(listings(tmp_path)) == {b"a.tif", b"work/d.jpg", b"work/keep/c.tif"}


def test_an_ignore_file_can_override_built_in_patterns(tmp_path: Path) -> None:
    make(tmp_path, "@eaDir/a.jpg")
    (tmp_path / ".photoindexignore").write_text("!@eaDir/\n.photoindexignore\n")
    assert names(listings(tmp_path)) == {b"@eaDir/a.jpg"}


def test_links_are_counted_and_not_followed_unless_asked(tmp_path: Path) -> None:
    make(tmp_path, "real/a.jpg")
    (tmp_path / "link.jpg").symlink_to("real/a.jpg")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "dangling.jpg").symlink_to("nowhere")
    found = listings(tmp_path)
    assert names(found) == {b"real/a.jpg"}
    assert found[b"."].links == 3
    followed = listings(tmp_path, follow_symlinks=True)
    assert followed[b"."].links == 1
    assert b"link.jpg" in names(followed)
    assert len([name for name in names(followed) if name.endswith(b"/a.jpg")]) == 1


def test_link_loops_end(tmp_path: Path) -> None:
    make(tmp_path, "one/a.jpg")
    (tmp_path / "one/up").symlink_to("..")
    (tmp_path / "self").symlink_to("self")
    found = listings(tmp_path, follow_symlinks=True)
    assert names(found) == {b"one/a.jpg"}
    assert found[b"."].links == 1


def test_names_of_any_bytes_are_listed(tmp_path: Path) -> None:
    odd = [b"new\nline.jpg", b"quo'te\".jpg", b"\x1b[31mred.jpg", b"\xff\xfe.jpg", b"a" * 251 + b".jpg", b" .jpg"]
    for name in odd:
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(b"x")
    assert names(listings(tmp_path, "*.never")) == set(odd)


def test_special_files_are_counted_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.jpg")
    found = listings(tmp_path)
    assert found[b"."].special == 1
    assert not found[b"."].entries


def test_an_unreadable_folder_is_reported_and_the_walk_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.jpg", "closed/b.jpg")
    refuse_listing(monkeypatch, b"closed")
    found = listings(tmp_path)
    assert found[b"closed"].error is not None
    assert found[b"closed"].unknown_below == [os.fsencode(tmp_path / "closed")]
    assert names(found) == {b"a.jpg"}


def test_the_librarys_own_folder_is_excluded(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "library/derived/abc/x.preview.jpg")
    own = frozenset({os.fsencode(tmp_path / "library")})
    path = os.fsencode(tmp_path)
    found = list(walk(path, rules_for(path, (), own), follow_symlinks=False, threads=1))
    assert [each.path for each in found] == [path]


@pytest.mark.parametrize("threads", [1, 4])
def test_a_slow_file_system_is_listed_by_threads_with_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr("photoindex.pipeline.scan.walk._SLOW_SECONDS_PER_ENTRY", 0.0)
    expected = [f"{folder}/{name}.jpg" for folder in range(30) for name in range(3)]
    make(tmp_path, *expected)
    assert names(listings(tmp_path, threads=threads)) == {each.encode() for each in expected}


@pytest.mark.parametrize(
    ("name", "patterns", "message"),
    [
        ("2019/a.jpg", (), None),
        ("2019/a.png", ("*.png",), "--exclude: *.png"),
        ("@eaDir/a.jpg", (), "built in: @eaDir/"),
        ("2019/b.jpg.PART", (), "built in: *.part (an unfinished download)"),
        ("2019/._a.jpg", (), "built in: ._* (what macOS keeps about another file)"),
        ("hidden/a.jpg", (), "ignore file"),
        ("link/a.jpg", (), "a symbolic link"),
    ],
)
def test_the_reason_for_excluding_a_file_names_the_rule(
    tmp_path: Path, name: str, patterns: Sequence[str], message: str | None
) -> None:
    make(tmp_path, "2019/a.jpg", "2019/a.png", "2019/b.jpg.PART", "2019/._a.jpg", "@eaDir/a.jpg", "hidden/a.jpg")
    (tmp_path / ".photoindexignore").write_text("hidden/\n")
    (tmp_path / "link").symlink_to("2019")
    reason = reason_for(
        os.fsencode(tmp_path / name), root=os.fsencode(tmp_path), patterns=patterns, follow_symlinks=False
    )
    assert reason is None if message is None else message in (reason or "")


def test_the_rules_of_a_folder_below_the_root_include_the_ignore_files_above_it(tmp_path: Path) -> None:
    make(tmp_path, "year/month/a.tif")
    (tmp_path / ".photoindexignore").write_text("*.tif\n")
    top = os.fsencode(tmp_path / "year/month")
    rules = rules_at(top, root=os.fsencode(tmp_path), patterns=(), own_folders=frozenset())
    (found,) = walk(top, rules, follow_symlinks=False, threads=1)
    assert found.excluded.keys() == {b"a.tif"}
