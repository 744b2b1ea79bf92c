"""What messages about unattended runs and their schedule promise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.promises.house import House, promises
from tests.tiny_model import install_tiny

PENDING = "SELECT count(*) FROM task WHERE stage = 'embed' AND state = 'pending'"
CONTINUES = "left: {}; the next photoindex run continues"
NOT_RUN = "not run: {}; to see why: photoindex run --plan"
FAILED = "to see what failed and why: photoindex tasks --state quarantined"
INSTALLED = "installed; to see it: photoindex schedule show; to remove it: photoindex schedule remove"
NO_TIMERS = "neither the user's systemd nor crontab is there; to see the lines for another program: photoindex schedule show --by cron"
NO_SYSTEMD = "the user's systemd cannot be reached: {}; run: photoindex schedule install --by cron"
NO_DESTINATION = "{} is not a backup destination yet; make a first backup by hand: photoindex backup {} --init"


@pytest.fixture(autouse=True)
def _beside_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOINDEX_RUN__MAX_CPU_UTIL", "100")


@pytest.fixture
def crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A crontab of its own, where no systemd is; returns the file that it keeps."""
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nif [ "$1" = -l ]; then cat "$CRONTAB_FILE"; else cat > "$CRONTAB_FILE"; fi\n')
    program.chmod(0o755)
    (program.parent / "systemctl").write_text("#!/bin/sh\nexit 1\n")
    (program.parent / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CRONTAB_FILE", str(tmp_path / "crontab"))
    return tmp_path / "crontab"


@promises(CONTINUES, NOT_RUN)
def test_a_run_whose_window_closed_says_what_continues_and_a_plan_why_stages_did_not_run(scanned: House) -> None:
    install_tiny(scanned.library)
    stages = ("--stage", "embed", "--stage", "objects")
    said = scanned.run("run", "--for", "1ms", *stages, code=75)
    assert "objects: cannot run: no model is set" in scanned.follow(NOT_RUN, said)
    scanned.excerpt(CONTINUES, said)
    scanned.run("run", *stages)
    assert scanned.rows.value("SELECT count(*) FROM vector") == 3
    assert scanned.rows.value(PENDING) == 0


@promises(FAILED)
def test_a_run_in_which_pictures_failed_says_where_they_are_named(scanned: House) -> None:
    install_tiny(scanned.library)
    preview = next((scanned.library / "derived").rglob("*.p.jpg"), None) or next(
        (scanned.library / "derived").rglob("*.jpg")
    )
    for one in preview.parent.iterdir():
        one.write_bytes(b"no picture")
    said = scanned.run("run", "--stage", "embed", code=100)
    assert "preview" in scanned.follow(FAILED, said)


@promises(INSTALLED)
def test_a_schedule_that_was_installed_can_be_seen_and_removed(scanned: House, crontab: Path) -> None:
    crontab.write_text("5 5 * * * true\n")
    said = scanned.run("schedule", "install")
    assert "run --until 06:00 --quiet" in crontab.read_text()
    assert scanned.run("schedule", "show") in said
    scanned.follow(INSTALLED, said)
    assert crontab.read_text() == "5 5 * * * true\n"


@promises(NO_TIMERS)
def test_without_cron_and_systemd_the_lines_can_be_seen(scanned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photoindex.library.night.schedule.shutil.which", lambda _name: None)
    refused = scanned.run("schedule", "install", code=2)
    assert "17 * * * *" in scanned.follow(NO_TIMERS, refused)


@promises(NO_SYSTEMD)
def test_where_the_systemd_of_the_user_does_not_run_nothing_is_written_and_cron_is_named(
    scanned: House, crontab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    refused = scanned.run("schedule", "install", "--by", "systemd", code=2)
    assert not (tmp_path / "settings" / "systemd").exists()
    scanned.follow(NO_SYSTEMD, refused)
    assert "run --until 06:00 --quiet" in crontab.read_text()


@promises(NO_DESTINATION)
def test_a_schedule_with_backups_asks_for_a_first_one_by_hand(scanned: House, crontab: Path) -> None:
    destination = scanned.folder / "my backups"
    command = ("schedule", "install", "--backup-to", destination)
    refused = scanned.run(*command, code=2)
    assert not crontab.exists()
    scanned.follow(NO_DESTINATION, refused)
    scanned.run(*command)
    assert "my backups" in crontab.read_text()
