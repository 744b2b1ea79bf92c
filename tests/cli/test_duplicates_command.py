"""`photoindex duplicates` as a user meets it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from photoindex.cli.duplicates import FLAGS, VALUED
from photoindex.cli.main import build_app
from tests.command_line import Ran, run, run_on_terminal
from tests.edits import cut, jpeg, scaled, scene
from tests.harness import Keeper


@pytest.fixture
def originals(tmp_path: Path, library_folder: Path) -> Path:
    """A scanned folder: a photo with an equal copy and a smaller one, a photo with a part of it, and a lone one."""
    folder = tmp_path / "originals"
    (folder / "dump").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(jpeg(scene(1)))
    shutil.copyfile(folder / "a.jpg", folder / "dump" / "a.jpg")
    (folder / "small.jpg").write_bytes(jpeg(scaled(scene(1), 0.5)))
    (folder / "b.jpg").write_bytes(jpeg(scene(2)))
    (folder / "part.jpg").write_bytes(jpeg(cut(scene(2), 0.04, 0, 1, 0.97)))
    (folder / "lone.jpg").write_bytes(jpeg(scene(3)))
    Keeper(library_folder).scan(folder)
    return folder


@pytest.fixture
def duplicates(library_folder: Path, originals: Path, capsysbinary: pytest.CaptureFixture[bytes]):
    """Run the command with words."""
    assert originals.is_dir()

    def run_it(*words: str | os.PathLike[str]) -> Ran:
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


def test_json_has_one_group_a_line(duplicates, originals: Path) -> None:
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


def test_exact_looks_at_no_picture(duplicates) -> None:
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
    assert "Group 1: same picture, 2 copies" in text
    assert "Keep" in text
    assert before == sorted((path.name, path.stat().st_mtime_ns) for path in originals.rglob("*"))


def test_a_page_on_stdout_comes_alone(duplicates) -> None:
    ran = duplicates("--gallery", "-", "--json")
    assert ran.out.lstrip().lower().startswith(b"<!doctype html")
    assert b'"schema"' not in ran.out


def test_what_makes_no_sense_is_refused(duplicates, tmp_path: Path) -> None:
    assert duplicates("--radius", "40").code == 2
    assert duplicates("--json", "--csv").code == 2
    assert duplicates("--unknown").code == 2
    ran = duplicates("--plan", tmp_path / "nowhere" / "plan.tsv")
    assert ran.code == 2
    assert b"plan.tsv" in ran.err


def test_every_option_is_known_to_the_order_of_the_words() -> None:
    import typer

    command = typer.main.get_command(build_app("duplicates"))
    (found,) = (one for name, one in command.commands.items() if name == "duplicates")  # type: ignore[attr-defined]
    options = {name for one in found.params for name in (*one.opts, *one.secondary_opts) if name.startswith("-")}
    assert options <= FLAGS | VALUED
