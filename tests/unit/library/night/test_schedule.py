"""Timers of systemd and lines of a crontab; the crontab is a program that keeps its file, as the real one does."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from photoindex.errors import UsageError
from photoindex.library.night import schedule
from photoindex.library.night.schedule import Kind, Schedule, cron_lines, jobs, unit_files

AWKWARD = Path("/srv/my photos 100% $HOME \"x\" 'y' ü")
CRONTAB = """#!/bin/sh
if [ "$1" = -l ]; then
    [ -z "$CRONTAB_REFUSES" ] || { echo "crontab: cannot connect" >&2; exit 1; }
    [ -e "$CRONTAB_FILE" ] || { echo "no crontab for you" >&2; exit 1; }
    cat "$CRONTAB_FILE"
else
    cat > "$CRONTAB_FILE"
fi
"""


@pytest.fixture
def crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A crontab for this test alone; returns the file that it keeps."""
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(CRONTAB)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CRONTAB_FILE", str(tmp_path / "crontab"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "crontab"


def echoing(tmp_path: Path, library: Path | None = None) -> Schedule:
    """A schedule whose program writes its arguments, one a line."""
    program = tmp_path / "photo index"
    program.write_text(f"#!{sys.executable}\nimport sys\nprint(*sys.argv[1:], sep='\\n')\n")
    program.chmod(0o755)
    return Schedule(jobs(backup_to=AWKWARD), (str(program),), library)


def test_each_line_of_a_crontab_runs_as_it_was_meant(tmp_path: Path) -> None:
    """As cron does it: what stands before an unescaped % goes to `sh -c`, with \\% read as %."""
    made = echoing(tmp_path, AWKWARD)
    for job, line in zip(made.jobs, cron_lines(made), strict=True):
        assert "\n" not in line
        command = line.split(maxsplit=5)[5].replace("\\%", "%")
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True, env={"PATH": ""})
        assert done.stdout.splitlines() == [*job.arguments, "--library", str(AWKWARD)]
        assert done.stderr == ""


def test_installing_keeps_other_lines_and_replaces_its_own(tmp_path: Path, crontab: Path) -> None:
    made, other = echoing(tmp_path, Path("/one")), echoing(tmp_path, Path("/other"))
    crontab.write_text("MAILTO=me\n5 5 * * * true")
    schedule.install(made, "cron")
    schedule.install(other, "cron")
    schedule.install(Schedule(jobs(until="05:00"), made.program, made.library), "cron")
    lines = crontab.read_text().splitlines()
    assert lines[:2] == ["MAILTO=me", "5 5 * * * true"]
    assert sum("--until 05:00" in line for line in lines) == 1
    assert sum("--until 06:00" in line for line in lines) == 1
    assert f"# photoindex: begin {made.key}" in lines
    assert schedule.remove(made, "cron") == 3
    assert made.key not in crontab.read_text()
    assert schedule.remove(made, "cron") == 0
    assert schedule.remove(other, "cron") == 4
    assert crontab.read_text() == "MAILTO=me\n5 5 * * * true\n"


def test_bytes_of_other_lines_come_back_as_they_were(tmp_path: Path, crontab: Path) -> None:
    others = b"MAILTO=me\r\n# f\xfc\xe4 \x0c form feed\n5 5 * * * echo a\xe2\x80\xa8b\n"
    crontab.write_bytes(others)
    made = echoing(tmp_path)
    schedule.install(made, "cron")
    schedule.install(made, "cron")
    assert crontab.read_bytes() == others + schedule.cron_block(made).encode()
    schedule.remove(made, "cron")
    assert crontab.read_bytes() == others


@pytest.mark.parametrize("change", [schedule.install, schedule.remove])
def test_a_crontab_that_cannot_be_read_is_not_replaced(
    tmp_path: Path, crontab: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Schedule, Kind], object]
) -> None:
    crontab.write_text("5 5 * * * true\n")
    monkeypatch.setenv("CRONTAB_REFUSES", "1")
    with pytest.raises(UsageError, match="cannot be read, and was left as it is: crontab: cannot connect"):
        change(echoing(tmp_path), "cron")
    assert crontab.read_text() == "5 5 * * * true\n"


@pytest.mark.parametrize("change", [schedule.install, schedule.remove])
@pytest.mark.parametrize("marks", ["begin", "end", "end begin", "begin end begin"])
def test_a_crontab_with_damaged_marks_is_left_to_the_user(
    tmp_path: Path, crontab: Path, marks: str, change: Callable[[Schedule, Kind], object]
) -> None:
    made = echoing(tmp_path)
    lines = "".join(f"# photoindex: {mark} {made.key}\n5 5 * * * true\n" for mark in marks.split())
    crontab.write_text(lines)
    with pytest.raises(UsageError, match="crontab -e"):
        change(made, "cron")
    assert crontab.read_text() == lines


def test_a_missed_night_is_not_made_up_for_by_day(tmp_path: Path) -> None:
    timers = {name: text for name, text in unit_files(echoing(tmp_path)).items() if name.endswith(".timer")}
    assert {name.split("-")[1]: "Persistent=true" in text for name, text in timers.items()} == {
        "scan": True, "run": False, "backup": True, "verify": True,
    }  # fmt: skip


def test_a_user_without_a_crontab_gets_one(tmp_path: Path, crontab: Path) -> None:
    schedule.install(echoing(tmp_path), "cron")
    assert len(crontab.read_text().splitlines()) == 6


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("library", [None, Path("/srv/library"), AWKWARD])
def test_systemd_accepts_the_units(tmp_path: Path, library: Path | None) -> None:
    units = unit_files(echoing(tmp_path, library))
    assert len(units) == 8
    folder = tmp_path / "units"
    folder.mkdir()
    for name, text in units.items():
        (folder / name).write_text(text)
    command = ["systemd-analyze", "verify", *(str(folder / name) for name in units)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_damage_that_a_weekly_verify_finds_is_a_failure_of_its_unit(tmp_path: Path) -> None:
    """Exit code 100 is damage there, and quarantined files elsewhere."""
    fine = {
        name: text.split("SuccessExitStatus=")[1].splitlines()[0]
        for name, text in unit_files(echoing(tmp_path)).items()
        if "Status" in text
    }
    assert {name.split("-")[1]: codes for name, codes in fine.items()} == {
        "scan": "75 100", "run": "75 100", "backup": "75 100", "verify": "75",
    }  # fmt: skip


def test_a_word_of_a_unit_is_quoted_as_systemd_reads_it(tmp_path: Path) -> None:
    text = unit_files(echoing(tmp_path, AWKWARD))
    line = next(one for unit in text.values() for one in unit.splitlines() if one.startswith("ExecStart="))
    # Of the rules of systemd.service(5) these words need the quotes of a shell, and %% and $$.
    words = shlex.split(line.removeprefix("ExecStart="))
    assert words[-1].replace("%%", "%").replace("$$", "$") == str(AWKWARD)


def test_a_computer_without_systemd_and_crontab_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="schedule show --by cron"):
        schedule.usual_kind()
