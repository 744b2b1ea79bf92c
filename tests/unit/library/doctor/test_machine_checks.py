"""Checks of the computer, with made-up commands and drivers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

from photoindex.library.doctor import machine_checks
from photoindex.library.doctor.examination import Finding
from photoindex.mounts import Mount
from photoindex.store.engine import features

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install programs, as shell scripts; there are no others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def write(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return write


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU answers through the package."""
    monkeypatch.setattr(machine_checks, "find_gpus", lambda: None)


def only(found: Iterator[Finding]) -> tuple[str, str]:
    (finding,) = found
    assert finding.level == "ok" or finding.remedy
    return str(finding.level), finding.text


def installed_torch(monkeypatch: pytest.MonkeyPatch, version: str | None) -> None:
    real = metadata.version

    def told(name: str) -> str:
        if name != "torch":
            return real(name)
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(metadata, "version", told)


def test_without_gpu_and_driver_all_is_well(tmp_path: Path, install: Install, no_driver: None) -> None:
    assert only(machine_checks.gpu(tmp_path)) == ("ok", "no GPU; models run on the processor")


@pytest.mark.parametrize(
    ("torch", "level", "text"),
    [
        ("2.6.0+cu126", "ok", "NVIDIA H200, 570.1; torch 2.6.0+cu126"),
        ("2.6.0+cpu", "warn", "torch 2.6.0+cpu cannot use it"),
        (None, "warn", "torch is not installed"),
    ],
)
def test_a_gpu_is_named_with_its_driver_and_needs_a_torch_that_can_use_it(
    tmp_path: Path,
    install: Install,
    no_driver: None,
    monkeypatch: pytest.MonkeyPatch,
    torch: str | None,
    level: str,
    text: str,
) -> None:
    install("nvidia-smi", "echo 'NVIDIA H200, 570.1'")
    installed_torch(monkeypatch, torch)
    found = only(machine_checks.gpu(tmp_path))
    assert found[0] == level
    assert text in found[1]


def test_a_driver_that_does_not_answer_is_a_warning(tmp_path: Path, install: Install, no_driver: None) -> None:
    install("nvidia-smi", "echo 'Driver/library version mismatch'; exit 18")
    assert only(machine_checks.gpu(tmp_path))[0] == "warn"


def test_a_package_that_is_too_old_or_missing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(machine_checks.versions(tmp_path))[0] == "ok"
    monkeypatch.setattr(
        metadata, "requires", lambda _name: ["numpy>=999", "not-there-at-all", "torch>=2; extra == 'ml'", "pillow>=1"]
    )
    level, text = only(machine_checks.versions(tmp_path))
    assert level == "fail"
    assert "where >=999 is needed, not-there-at-all is not installed" in text
    assert "torch" not in text


def test_a_sqlite_without_full_text_search_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(machine_checks.sqlite(tmp_path))[0] == "ok"
    monkeypatch.setitem(features._NEEDED, "full-text search (FTS5)", "CREATE VIRTUAL TABLE temp.t USING fts99(a)")
    level, text = only(machine_checks.sqlite(tmp_path))
    assert level == "fail"
    assert "lacks full-text search (FTS5)" in text


def test_a_clock_that_is_not_set_or_not_kept_is_said(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert only(machine_checks.clock(tmp_path))[0] == "ok"
    install("timedatectl", "echo no")
    assert only(machine_checks.clock(tmp_path))[0] == "warn"
    install("timedatectl", "echo yes")
    assert only(machine_checks.clock(tmp_path))[0] == "ok"
    monkeypatch.setattr("time.time", lambda: 1000.0)
    assert only(machine_checks.clock(tmp_path))[0] == "fail"


@pytest.mark.parametrize(
    ("file_system", "level"), [("ext4", "ok"), ("tmpfs", "warn"), ("exfat", "warn"), ("nfs4", "fail")]
)
def test_a_file_system_suits_a_library_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_system: str, level: str
) -> None:
    mount = Mount(os.fsencode(tmp_path), "source", file_system, "identity", 1)
    monkeypatch.setattr(machine_checks, "mount_of", lambda _path: mount)
    assert only(machine_checks.file_system(tmp_path))[0] == level


def test_a_timer_or_a_marked_line_of_the_crontab_is_a_schedule(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert only(machine_checks.schedule(tmp_path))[0] == "warn"
    install("crontab", "echo '15 3 * * * something'")
    assert only(machine_checks.schedule(tmp_path))[0] == "warn"
    install("crontab", "echo '15 3 * * * nightly  # photoindex'")
    assert only(machine_checks.schedule(tmp_path)) == ("ok", "a line of the crontab")
    install("crontab", "echo '#17 * * * * photoindex scan --quiet'; echo '5 5 * * * rsync /home/photoindex /mnt'")
    assert only(machine_checks.schedule(tmp_path))[0] == "warn"
    install("crontab", "echo '17 * * * *  /usr/bin/photoindex scan --quiet'")
    assert only(machine_checks.schedule(tmp_path)) == ("ok", "a line of the crontab")
    units = tmp_path / "systemd" / "user"
    units.mkdir(parents=True)
    (units / "photoindex-night.timer").touch()
    assert only(machine_checks.schedule(tmp_path)) == ("ok", "the timer photoindex-night.timer")
