"""`photoindex duplicates`: output for people and programs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.command_line import CommandResult, run, run_on_terminal
from tests.edits import cut, jpeg, scaled, scene
from tests.harness import LibraryRunner


@pytest.fixture
def originals(tmp_path: Path, library_folder: Path) -> Path:
    """A scanned folder: a photo with an equal and a smaller copy, a photo with a crop of it, and an unrelated one."""
    folder = tmp_path / "originals"
    (folder / "dump").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(jpeg(scene(1)))
    shutil.copyfile(folder / "a.jpg", folder / "dump" / "a.jpg")
    (folder / "small.jpg").write_bytes(jpeg(scaled(scene(1), 0.5)))
    (folder / "b.jpg").write_bytes(jpeg(scene(2)))
    (folder / "part.jpg").write_bytes(jpeg(cut(scene(2), 0.04, 0, 1, 0.97)))
    (folder / "lone.jpg").write_bytes(jpeg(scene(3)))
    LibraryRunner(library_folder).scan(folder)
    return folder


@pytest.fixture
def duplicates(library_folder: Path, originals: Path, capsysbinary: pytest.CaptureFixture[bytes]):
    """Run the command with these arguments."""
    assert originals.is_dir()

    def run_it(*words: str | os.PathLike[str]) -> CommandResult:
        return run(capsysbinary, "--library", library_folder, "duplicates", *words)

    return run_it


def test_a_pipe_gets_group_action_and_path(duplicates, originals: Path) -> None:
    ran = duplicates()
    assert ran.code == 0
    folder = os.fsencode(originals)
    first, second = ran.out.splitlines()[:3], ran.out.splitlines()[3:]
    assert first == [
        b"1\tkeep\t" + folder + b"/a.jpg", b"1\tremove\t" + folder + b"/dump/a.jpg",
        b"1\tremove\t" + folder + b"/small.jpg",
    ]  # fmt: skip
    assert second == [b"2\tkeep\t" + folder + b"/b.jpg", b"2\treview\t" + folder + b"/part.jpg"]
    assert b"2 groups" in ran.err
    assert b"2 files could go" in ran.err
    assert b"1 to review" in ran.err


def test_null_ends_each_line_with_nul(duplicates, library_folder: Path, originals: Path) -> None:
    (originals / "dump" / "a.jpg").rename(originals / "dump" / "a\n\x1b.jpg")
    LibraryRunner(library_folder).scan(originals)
    ran = duplicates("--exact", "-0")
    folder = os.fsencode(originals)
    assert ran.out == b"1\tkeep\t%s/a.jpg\x001\tremove\t%s/dump/a\n\x1b.jpg\0" % (folder, folder)
    assert b"1 group: 1 file could go" in ran.err
    assert duplicates("--exact", "--null").out == ran.out
    assert duplicates("-0", "--json").code == 2


def test_json_has_one_group_per_line(duplicates, originals: Path) -> None:
    first, second = duplicates("--json").json
    assert list(first) == [
        "schema", "group", "kind", "keep", "keep_reason", "photos", "removable_bytes", "review_bytes", "files",
    ]  # fmt: skip
    assert list(first["files"][0]) == [
        "path", "action", "reason", "photo", "digest", "size", "format", "width", "height", "state", "volume",
        "likeness", "share",
    ]  # fmt: skip
    assert (first["schema"], first["group"], first["kind"]) == (1, 1, "same picture")
    assert first["keep"] == first["photos"][0] == first["files"][0]["photo"]
    removed = [one for one in first["files"] if one["action"] == "remove"]
    assert first["removable_bytes"] == sum(one["size"] for one in removed)
    assert second["files"][1]["share"] == pytest.approx(0.93, abs=0.02)
    assert second["review_bytes"] == (originals / "part.jpg").stat().st_size


def test_exact_compares_no_pictures(duplicates) -> None:
    ran = duplicates("--exact")
    assert len(ran.out.splitlines()) == 2
    assert b"compared" not in ran.err


def test_prefer_avoid_and_limit(duplicates, originals: Path) -> None:
    ran = duplicates("--prefer", originals / "dump", "-n", "1")
    assert ran.out.splitlines()[0].endswith(b"keep\t" + os.fsencode(originals / "dump" / "a.jpg"))
    assert {line.split(b"\t")[0] for line in ran.out.splitlines()} == {b"1"}
    assert b"(1 shown)" in ran.err
    assert duplicates("--avoid", originals / "dump").out.splitlines()[0].endswith(b"originals/a.jpg")
    assert duplicates("-n", "0").out == b""


def test_a_query_chooses_groups_and_its_dashes_filter(duplicates) -> None:
    assert len(duplicates("name:part").out.splitlines()) == 2
    assert duplicates("name:lone").out == b""
    both = duplicates("name:jpg", "-name:small", "-name:a.jpg", "-name:b.jpg", "-name:part")
    assert both.code == 0
    assert both.out == b""


def test_a_terminal_gets_a_table_with_reasons(library_folder: Path, originals: Path) -> None:
    text = run_on_terminal("--library", library_folder, "duplicates").out.decode()
    assert "it has more pixels" in text
    assert "the same bytes as" in text
    assert originals.name in text


def test_a_plan_and_a_gallery_are_written_and_nothing_else_is_touched(
    duplicates, originals: Path, tmp_path: Path
) -> None:
    before = sorted((path.name, path.stat().st_mtime_ns) for path in originals.rglob("*"))
    plan, page = tmp_path / "plan.tsv", tmp_path / "copies.html"
    ran = duplicates("--plan", plan, "--gallery", page)
    assert ran.code == 0
    assert b"nothing was changed" in ran.err
    lines = [line.split("\t") for line in plan.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert [line[0] for line in lines] == ["action", "keep", "remove", "remove", "keep", "review"]
    assert {line[3] for line in lines[1:]} == {"present"}
    text = page.read_text("utf-8")
    assert "Group 1, same picture: keep 1, remove 2" in text
    assert "Keep" in text
    assert before == sorted((path.name, path.stat().st_mtime_ns) for path in originals.rglob("*"))


@pytest.mark.parametrize("way", ["photo", "new", "link", "linked folder"])
def test_a_plan_is_never_written_among_the_originals(duplicates, originals: Path, tmp_path: Path, way: str) -> None:
    (tmp_path / "link.tsv").symlink_to(originals / "a.jpg")
    (tmp_path / "folder").symlink_to(originals)
    targets = {
        "photo": originals / "a.jpg", "new": originals / "dump" / "plan.tsv", "link": tmp_path / "link.tsv",
        "linked folder": tmp_path / "folder" / "b.jpg",
    }  # fmt: skip
    before = {path: path.read_bytes() for path in originals.rglob("*") if path.is_file()}
    ran = duplicates("--plan", targets[way])
    assert ran.code == 2
    assert b"among the originals" in ran.err
    assert ran.out == b""
    assert {path: path.read_bytes() for path in originals.rglob("*") if path.is_file()} == before


def test_a_plan_never_replaces_a_photo_that_was_scanned_alone(
    duplicates, library_folder: Path, originals: Path, tmp_path: Path
) -> None:
    lone = tmp_path / "elsewhere" / "lone.jpg"
    lone.parent.mkdir()
    shutil.copyfile(originals / "lone.jpg", lone)
    LibraryRunner(library_folder).scan(lone)
    before = lone.read_bytes()
    ran = duplicates("--plan", lone)
    assert ran.code == 2
    assert b"is an original" in ran.err
    assert lone.read_bytes() == before
    assert duplicates("--plan", lone.with_name("plan.tsv")).code == 0
    assert duplicates("--gallery", lone).code == 2
    assert lone.read_bytes() == before


@pytest.mark.parametrize(("refusal", "code"), [(KeyboardInterrupt(), 130), (OSError(28, "No space left"), 9)])
def test_a_plan_that_cannot_be_finished_leaves_nothing_behind(
    duplicates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: BaseException, code: int
) -> None:
    plan = tmp_path / "plans" / "\x1b[31mplan.tsv"
    plan.parent.mkdir()

    def refuse(*_names: object) -> None:
        raise refusal

    monkeypatch.setattr(os, "replace", refuse)
    ran = duplicates("--plan", plan)
    assert ran.code == code
    assert b"\x1b" not in ran.err
    assert os.listdir(plan.parent) == []


def test_an_existing_plan_is_not_replaced(duplicates, tmp_path: Path) -> None:
    plan = tmp_path / "plan\x1b.tsv"
    assert duplicates("--plan", plan).code == 0
    plan.write_text("the work of an evening")
    (tmp_path / "link.tsv").symlink_to(tmp_path / "nothing.tsv")
    (tmp_path / "other.tsv").symlink_to(plan)
    for target in (plan, tmp_path / "link.tsv", tmp_path / "other.tsv"):
        ran = duplicates("--plan", target)
        assert ran.code == 2
        assert b"already exists; name another file, or remove it" in ran.err
        assert b"\x1b" not in ran.err
        assert ran.out == b""
    assert plan.read_text() == "the work of an evening"
    assert sorted(os.listdir(tmp_path)) == ["library", "link.tsv", "originals", "other.tsv", "plan\x1b.tsv"]


def test_a_plan_can_be_written_to_a_pipe(duplicates, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    # The plan fits into the pipe's buffer, so nothing needs to read meanwhile.
    with open(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)) as reading:
        ran = duplicates("--plan", tmp_path / "link")
        lines = reading.read().splitlines()
    assert ran.code == 0
    assert len([line for line in lines if not line.startswith("#")]) == 6


def test_a_file_deleted_after_the_scan_is_not_the_copy_to_keep(duplicates, originals: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.tsv"
    (originals / "a.jpg").unlink()
    ran = duplicates("--plan", plan)
    folder = os.fsencode(originals)
    assert ran.out.splitlines()[:2] == [b"1\tkeep\t" + folder + b"/dump/a.jpg", b"1\tremove\t" + folder + b"/small.jpg"]
    assert b"1 file is gone" in ran.err
    (originals / "small.jpg").unlink()
    (originals / "part.jpg").unlink()
    plan.unlink()
    ran = duplicates("--plan", plan)
    assert ran.out == b""
    assert b"3 files are gone since the last scan" in ran.err
    assert not any(line.startswith(("keep", "remove", "review")) for line in plan.read_text("utf-8").splitlines())


def test_a_page_is_the_only_output_on_stdout(duplicates) -> None:
    ran = duplicates("--gallery", "-", "--json")
    assert ran.out.lstrip().lower().startswith(b"<!doctype html")
    assert b'"schema"' not in ran.out


def test_invalid_options_are_refused(duplicates, tmp_path: Path) -> None:
    assert duplicates("--radius", "40").code == 2
    assert duplicates("--json", "--csv").code == 2
    assert duplicates("--unknown").code == 2
    ran = duplicates("--prefer", tmp_path / "origunals")
    assert ran.code == 2
    assert b"there is no such file or folder" in ran.err
    ran = duplicates("--plan", tmp_path / "nowhere" / "plan.tsv")
    assert ran.code == 2
    assert b"plan.tsv" in ran.err


def test_the_page_shows_the_file_that_the_plan_keeps(duplicates, originals: Path, tmp_path: Path) -> None:
    """A photo of equal files has one card, and whoever reviews the page must see the file that stays."""
    plan, page = tmp_path / "plan.tsv", tmp_path / "copies.html"
    first = next(path for path in sorted(originals.rglob("*")) if path.is_file())
    for prefer in (originals, first.parent):
        plan.unlink(missing_ok=True)
        assert duplicates("--exact", "--plan", plan, "--gallery", page, "--prefer", prefer).code == 0
        lines = [line.split("\t") for line in plan.read_text("utf-8").splitlines() if not line.startswith("#")][1:]
        kept = [os.path.basename(line[-1]) for line in lines if line[0] == "keep"]
        removed = [os.path.basename(line[-1]) for line in lines if line[0] == "remove"]
        text = page.read_text("utf-8")
        assert kept
        assert all(f"<h2>{name}" in text or f">{name}<" in text for name in kept)
        assert removed
