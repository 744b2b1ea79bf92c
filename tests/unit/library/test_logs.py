"""The library log: JSON lines, rotation, and that it never disturbs the work."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from photoindex.config.schema import LogConfig
from photoindex.library.logs import both, log_events, open_log
from photoindex.progress import Event, FileQuarantined, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted


def lines(library: Path, name: str = "photoindex.log") -> list[dict[str, object]]:
    return [json.loads(line) for line in (library / "logs" / name).read_text().splitlines()]


def test_a_record_is_one_json_line_with_its_action_and_fields(tmp_path: Path) -> None:
    with open_log(tmp_path, LogConfig()) as log:
        log.info("read %d", 3, extra={"action": "scan", "files": 3, "path": b"a\xff", "root": tmp_path})
    (line,) = lines(tmp_path)
    assert line["level"] == "info"
    assert line["action"] == "scan"
    assert line["message"] == "read 3"
    assert line["files"] == 3
    assert str(line["path"]).encode("utf-8", "surrogateescape") == b"a\xff"
    assert line["root"] == str(tmp_path)
    assert line["pid"] == os.getpid()
    assert str(line["time"]).endswith("+00:00")


def test_an_exception_keeps_its_traceback_in_the_same_line(tmp_path: Path) -> None:
    with open_log(tmp_path, LogConfig()) as log:
        try:
            int("wrong")
        except ValueError:
            log.exception("failed", extra={"action": "scan"})
    (line,) = lines(tmp_path)
    assert "ValueError: invalid literal" in str(line["exception"])


def test_events_are_logged_with_one_line_per_quarantined_file(tmp_path: Path) -> None:
    with open_log(tmp_path, LogConfig()) as log:
        sink = log_events(log, "scan")
        sink(PhaseStarted("read", 2))
        sink(PhaseAdvanced("read", 1))
        sink(FileQuarantined(b"x\n.jpg", "Truncated", "ends\nearly %s"))
        sink(Notice("mind the gap", "warning"))
        sink(Notice("by the way"))
        sink(PhaseFinished("read", 2, 1.23456))
    found = lines(tmp_path)
    assert [line["message"] for line in found] == [
        "phase started",
        "quarantined: ends\nearly %s",
        "mind the gap",
        "by the way",
        "phase finished",
    ]
    assert {line["action"] for line in found} == {"scan"}
    assert found[1]["path"] == "x\n.jpg"
    assert found[1]["error_class"] == "Truncated"
    assert [line["level"] for line in found] == ["info", "warning", "warning", "info", "info"]
    assert found[-1]["seconds"] == 1.235


def test_only_what_the_level_allows_is_kept(tmp_path: Path) -> None:
    with open_log(tmp_path, LogConfig(level="warning")) as log:
        log.info("no")
        log.warning("yes")
    assert [line["message"] for line in lines(tmp_path)] == ["yes"]


@pytest.mark.parametrize(
    ("keep", "names"), [(2, {"photoindex.log", "photoindex.log.1", "photoindex.log.2"}), (0, {"photoindex.log"})]
)
def test_the_log_is_rotated_at_its_size_and_old_ones_are_dropped(tmp_path: Path, keep: int, names: set[str]) -> None:
    with open_log(tmp_path, LogConfig(max_mb=1, keep=keep)) as log:
        for number in range(50):
            log.info("x" * 100_000, extra={"number": number})
    files = list((tmp_path / "logs").iterdir())
    assert {file.name for file in files} == names
    assert all(file.stat().st_size <= 1 << 20 for file in files)
    assert lines(tmp_path)[-1]["number"] == 49


def test_two_commands_share_the_log_when_one_rotates_it(tmp_path: Path) -> None:
    config = LogConfig(max_mb=1, keep=3)
    with open_log(tmp_path, config) as first, open_log(tmp_path, config) as second:
        first.info("first")
        second.info("x" * (1 << 20))
        second.info("after rotation")
        first.info("first again")
    assert [line["message"] for line in lines(tmp_path)] == ["after rotation", "first again"]


def test_a_log_that_cannot_be_written_is_ignored(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    with open_log(tmp_path, LogConfig()) as log:
        log.warning("lost")
    (tmp_path / "other" / "logs" / "photoindex.log").mkdir(parents=True)
    with open_log(tmp_path / "other", LogConfig()) as log:
        log.warning("lost")
    assert capfd.readouterr() == ("", "")


def test_logging_to_a_full_disk_is_ignored(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "photoindex.log").symlink_to("/dev/full")
    with open_log(tmp_path, LogConfig()) as log:
        log.warning("lost")
        log.warning("lost")
    assert capfd.readouterr() == ("", "")


def test_the_root_logger_sees_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = dict(logging.root.manager.loggerDict)
    with open_log(tmp_path, LogConfig()) as log:
        log.error("ours alone")
    assert caplog.records == []
    assert logging.root.manager.loggerDict == before
    assert lines(tmp_path)[0]["message"] == "ours alone"


def test_no_file_is_created_before_the_first_record(tmp_path: Path) -> None:
    with open_log(tmp_path, LogConfig()):
        pass
    assert not (tmp_path / "logs").exists()


def test_both_passes_each_event_to_every_sink() -> None:
    first: list[Event] = []
    second: list[Event] = []
    both(first.append, second.append)(Notice("x"))
    assert first == second == [Notice("x")]
