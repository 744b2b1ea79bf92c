"""`photoindex run` and `photoindex schedule`: output, exit codes, reports, and what cron would see."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from photoindex.library.lock import exclusive
from photoindex.library.night import state
from photoindex.library.night.schedule import Schedule, cron_lines, jobs
from tests.command_line import CommandResult, run
from tests.harness import LibraryRunner
from tests.originals import write_photo
from tests.tiny_clip.scenes import all_scenes
from tests.tiny_model import install_tiny, write_scenes

README = Path(__file__).parent.parent.parent / "README.md"
PHOTOS = 4


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibraryRunner:
    """A library of PHOTOS scanned pictures and a model for vectors and tags; other tests do not make a run wait."""
    write_scenes(tmp_path / "photos", all_scenes()[:PHOTOS])
    runner = LibraryRunner(tmp_path / "library")
    runner.scan(tmp_path / "photos")
    install_tiny(runner.folder)
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    monkeypatch.setenv("PHOTOINDEX_RUN__MAX_CPU_UTIL", "100")
    return runner


def ran(capture: pytest.CaptureFixture[bytes], *options: str | Path) -> CommandResult:
    return run(capture, "run", "--progress", "none", "--stage", "embed", "--stage", "tags", *options)


def text(result: CommandResult) -> str:
    return (result.out + result.err).decode()


@pytest.mark.usefixtures("runner")
def test_a_run_ends_with_a_line_for_each_stage_and_a_quiet_one_says_nothing_when_nothing_was_done(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    first = ran(capsysbinary)
    assert (first.code, first.out) == (0, b"")
    assert re.fullmatch(
        rf"embed: {PHOTOS} pictures.* with tiny-clip\ntags: {PHOTOS} pictures.*\nrun: done after .*\n",
        first.err.decode(),
    )
    quiet = ran(capsysbinary, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, b"", b"")


@pytest.mark.usefixtures("runner")
def test_a_quiet_run_says_what_it_did(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert f"embed: {PHOTOS} pictures" in text(ran(capsysbinary, "--quiet"))


@pytest.mark.usefixtures("runner")
def test_a_plan_and_the_json_of_a_run_are_documented_objects(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (plan,) = ran(capsysbinary, "--plan", "--json", "--for", "1h").json
    assert (plan["schema"], plan["window_seconds"], plan["unmeasured"]) == (1, 3600, ["embed", "tags"])
    (summary,) = ran(capsysbinary, "--json").json
    assert (summary["schema"], summary["outcome"], summary["left"]) == (1, "done", 0)
    assert [one["done"] for one in summary["steps"]] == [PHOTOS, PHOTOS]


def test_a_plan_says_speed_range_and_end(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    ran(capsysbinary)
    write_scenes(tmp_path / "photos", all_scenes()[PHOTOS : 3 * PHOTOS], seed=50)
    runner.scan(tmp_path / "photos")
    said = ran(capsysbinary, "--plan", "--until", "06:00")
    assert said.err == b""
    lines = said.out.decode().splitlines()
    assert re.match(rf"embed: {2 * PHOTOS} pictures with tiny-clip; \S+ \(\S+ to \S+\): ", lines[0])
    assert lines[2].startswith("in all: ")
    assert "started now it ends" in lines[2]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--until", "noon"), "--until: 'noon' is not a time of day; write one like 06:00"),
        (("--for", "soon"), "--for: "),
        (("--report", "night.pdf"), "--report night.pdf: the name must end in .json or .html"),
        (("--report", "/nowhere/night.html"), "there is no folder /nowhere"),
        (("--stage", "dreams"), "there is no stage 'dreams'; choose of scan, hash, embed"),
    ],
)
@pytest.mark.usefixtures("runner")
def test_a_mistake_is_named_before_anything_is_done(
    capsysbinary: pytest.CaptureFixture[bytes], options: tuple[str, ...], problem: str
) -> None:
    refused = ran(capsysbinary, *options)
    assert refused.code == 2
    assert problem in text(refused)


@pytest.mark.usefixtures("runner")
def test_a_report_that_cannot_be_written_is_refused_before_the_run(
    capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    """Among originals, in place of a folder, or with --plan, which has nothing to report."""
    originals = sorted((tmp_path / "photos").iterdir())
    folder = tmp_path / "folder.json"
    folder.mkdir()
    for options, why in (
        (("--report", tmp_path / "photos" / "night.json"), "where photoindex never writes"),
        (("--report", folder), "is a folder"),
        (("--report", tmp_path / "night.json", "--plan"), "--report goes without --plan"),
    ):
        refused = ran(capsysbinary, *options)
        assert (refused.code, why in text(refused)) == (2, True), text(refused)
    assert sorted((tmp_path / "photos").iterdir()) == originals
    assert not (tmp_path / "night.json").exists()


def test_a_report_holds_what_was_done_what_failed_and_what_is_left(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    preview = next(path for path in sorted((runner.folder / "derived").rglob("*.jpg")) if path.stat().st_size > 4000)
    preview.write_bytes(b"<script>alert(1)</script>")
    page, data = tmp_path / "night.html", tmp_path / "night.json"
    assert ran(capsysbinary, "--report", page, "--limit", "3").code in (0, 100)
    assert ran(capsysbinary, "--report", data).code in (0, 100)
    report: dict[str, Any] = json.loads(data.read_bytes())
    failed = {one["message"] for one in report["failures"]}
    html = page.read_text()
    assert "default-src 'none'" in html
    assert "<script" not in html
    assert "embed" in html
    assert any("preview" in message for message in failed) or "preview" in html


def test_a_second_run_names_the_first_one_and_a_quiet_one_leaves_the_work_to_it(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    with exclusive(runner.folder, "run", name=state.LOCK):
        refused = ran(capsysbinary)
        assert refused.code == 5
        assert f"`run` (process {os.getpid()}" in text(refused)
        quiet = ran(capsysbinary, "--quiet")
        assert (quiet.code, text(quiet)) == (0, "")


def test_a_command_that_has_gone_on_for_more_than_a_day_is_worth_a_mail(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    with exclusive(runner.folder, "run", name=state.LOCK):
        holder = runner.folder / f"{state.LOCK}.holder"
        said = json.loads(holder.read_text())
        holder.write_text(json.dumps(said | {"since": time.time() - 25 * 3600}))
        assert ran(capsysbinary, "--quiet").code == 5


def test_a_quiet_scan_speaks_of_what_is_new_or_wrong_and_once(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    def scanned() -> CommandResult:
        return run(capsysbinary, "scan", "--quiet")

    assert (scanned().code, text(scanned())) == (0, "")
    write_photo(tmp_path / "photos" / "new.jpg", 77)
    assert "1 new" in text(scanned())
    assert text(scanned()) == ""
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    assert "broken.jpg" in text(scanned())
    assert text(scanned()) == ""
    with exclusive(runner.folder, "scan"):
        assert (scanned().code, text(scanned())) == (0, "")


def test_a_quiet_backup_says_nothing_but_its_faults(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    destination = tmp_path / "backups"
    assert run(capsysbinary, "backup", destination, "--quiet").code == 2
    assert "disk of the library itself" in text(run(capsysbinary, "backup", destination, "--init", "--quiet"))
    quiet = run(capsysbinary, "backup", destination, "--quiet")
    assert (quiet.code, text(quiet)) == (0, "")
    assert len(run(capsysbinary, "backup", "list", destination, "--json").json) == 2


def test_the_crontab_of_the_readme_is_what_schedule_install_writes() -> None:
    (block,) = re.findall(r"^```crontab\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    made = Schedule(jobs(backup_to=Path("/mnt/backup/photoindex")), ("photoindex",), None)
    assert block.splitlines() == cron_lines(made)


def test_each_line_of_the_readmes_crontab_runs_and_stays_silent(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    """As cron runs them: with `sh -c`, and nearly nothing in the environment."""
    destination = tmp_path / "backups"
    run(capsysbinary, "backup", destination, "--init")
    run(capsysbinary, "run", "--progress", "none", "--stage", "embed", "--stage", "tags")
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8",
        "PHOTOINDEX_LIBRARY": str(runner.folder), "PHOTOINDEX_RUN__MAX_CPU_UTIL": "100",
        "PYTHONPATH": str(README.parent),
    }  # fmt: skip
    (block,) = re.findall(r"^```crontab\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    for line in block.splitlines():
        command = line.split(maxsplit=5)[5].replace("/mnt/backup/photoindex", str(destination))
        command = command.replace("photoindex ", f"{sys.executable} -m photoindex ", 1)
        command += " --stage embed --stage tags" if " run " in command else ""
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, env=environment, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), command
