"""Progress on stderr, for terminals, logs and other programs."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading

import pytest
from rich.cells import cell_len

from photoindex.cli.output.progress import ProgressMode, progress_sink
from photoindex.cli.output.progress_text import Phase, amount, duration, fitted_line, rate_text, size_text
from photoindex.progress import FileQuarantined, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted


class Clock:
    """A clock in seconds that only the test advances."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def shown(mode: ProgressMode, *steps: object) -> list[str]:
    """Return the lines that `steps` (events, or seconds to wait) print to a stream that is not a terminal."""
    stream, clock = io.StringIO(), Clock()
    with progress_sink(mode, stream=stream, clock=clock) as sink:
        for step in steps:
            if isinstance(step, float):
                clock.now += step
            else:
                sink(step)  # type: ignore[arg-type]
    return stream.getvalue().splitlines()


def test_a_log_gets_a_line_at_the_start_every_ten_seconds_and_at_the_end() -> None:
    steps: list[object] = [PhaseStarted("read", 400)]
    for done in range(1, 401):
        steps += [0.125, PhaseAdvanced("read", done, bytes_done=done * 1_000_000)]
    lines = shown(ProgressMode.AUTO, *steps, PhaseFinished("read", 400, 50.0))
    assert lines[0] == "read: 400 files"
    assert lines[1] == "read: 80 of 400 files (20 %), 8.0/s, 8.0 MB/s, about 0:40 left"
    assert lines[-1] == "read: 400 files in 0:50, 8.0/s"
    assert len(lines) == 1 + 5 + 1


def test_a_log_line_names_what_is_slow_and_an_unknown_total_has_no_estimate() -> None:
    lines = shown(
        ProgressMode.PLAIN, PhaseStarted("walk", None, "entries"), 20.0, PhaseAdvanced("walk", 100, slow="a.nef\n")
    )
    assert lines == [
        "walk: started",
        "walk: 100 entries, 5.0/s; slow: a.nef\\n",
        "walk: stopped at 100 entries after 0:20",
    ]


def test_a_model_that_is_loaded_is_named_when_that_begins_and_ends_or_stops() -> None:
    loading: list[object] = [PhaseStarted("read", 9, "pictures"), PhaseStarted("loading clip", None, unit=""), 3.0]
    assert shown(ProgressMode.AUTO, *loading, PhaseFinished("loading clip", 1, 3.0)) == [
        "read: 9 pictures",
        "loading clip ...",
        "loading clip: done in 3.0 s",
        "read: stopped at 0 of 9 pictures after 3.0 s",
    ]
    assert shown(ProgressMode.AUTO, *loading)[-1] == "loading clip: stopped after 3.0 s"
    assert fitted_line(Phase("loading clip", 0.0, unit=""), 3.0, 80).plain == "loading clip"


def test_the_rate_follows_the_last_half_minute() -> None:
    phase = Phase("read", 0.0, total=100_000)
    for second in range(1, 101):
        phase.advance(PhaseAdvanced("read", second * 100), float(second))
    assert phase.rates(100.0)[0] == pytest.approx(100)
    for second in range(101, 201):
        phase.advance(PhaseAdvanced("read", 10_000 + (second - 100)), float(second))
    assert phase.rates(200.0)[0] == pytest.approx(1)
    assert phase.rates(1000.0)[0] < 0.1, "a stall is visible"


def test_an_unfinished_phase_ends_as_one_line_whatever_ends_the_block() -> None:
    stream, clock = io.StringIO(), Clock()

    def interrupted() -> None:
        with progress_sink(ProgressMode.PLAIN, stream=stream, clock=clock) as sink:
            sink(PhaseStarted("read", 10))
            clock.now += 3
            sink(PhaseAdvanced("read", 4))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert stream.getvalue().splitlines()[-1] == "read: stopped at 4 of 10 files after 3.0 s"


@pytest.mark.parametrize("mode", [ProgressMode.PLAIN, ProgressMode.NONE])
def test_a_quarantined_file_is_one_line_whatever_its_name(mode: ProgressMode) -> None:
    lines = shown(mode, FileQuarantined(b"a\n\x1b[2J\xff.jpg", "Truncated", "ends\nearly"))
    assert lines == ["quarantined a\\n\\x1b[2J\\xff.jpg: Truncated: ends\\nearly"]


def test_none_still_prints_warnings_and_quarantined_files() -> None:
    lines = shown(
        ProgressMode.NONE,
        PhaseStarted("read", 1),
        Notice("by the way"),
        Notice("the clock is wrong", "warning"),
        PhaseFinished("read", 1, 1.0),
    )
    assert lines == ["warning: the clock is wrong"]


def test_json_lines_contain_every_event_and_at_most_one_advance_per_second() -> None:
    steps: list[object] = [PhaseStarted("read", 100)]
    for done in range(1, 51):
        steps += [0.1, PhaseAdvanced("read", done, 10 * done, "x.nef")]
    lines = shown(
        ProgressMode.JSON,
        *steps,
        FileQuarantined(b"\xff\n", "Truncated", "ends"),
        Notice("hello"),
        PhaseFinished("read", 50, 5.0),
        PhaseStarted("embed", None),
    )
    events = [json.loads(line) for line in lines]
    assert all(event["schema"] == 1 and event["time"].endswith("+00:00") for event in events)
    kinds = [event["event"] for event in events]
    assert kinds[0] == "phase_started"
    assert kinds[-5:] == ["file_quarantined", "notice", "phase_finished", "phase_started", "phase_stopped"]
    advances = [event for event in events if event["event"] == "phase_advanced"]
    assert 4 <= len(advances) <= 5
    assert advances[0]["per_second"] == pytest.approx(10, rel=0.2)
    assert advances[0]["seconds_left"] == pytest.approx(9, rel=0.2)
    assert advances[0]["slow"] == "x.nef"
    quarantined = next(event for event in events if event["event"] == "file_quarantined")
    assert quarantined["path"].encode("utf-8", "surrogateescape") == b"\xff\n"


def test_a_closed_stream_does_not_stop_the_work() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    stream = os.fdopen(write_end, "w", buffering=1)
    done = 0
    with progress_sink(ProgressMode.PLAIN, stream=stream) as sink:
        for name in ("a", "b"):
            sink(Notice(name))
            done += 1
    assert done == 2
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    stream.close()


def test_events_may_come_from_several_threads() -> None:
    stream = io.StringIO()
    with progress_sink(ProgressMode.PLAIN, stream=stream) as sink:

        def work(number: int) -> None:
            for _ in range(200):
                sink(FileQuarantined(b"%d" % number, "X", "y" * 50))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 800
    assert {len(line) for line in lines} == {len("quarantined 0: X: ") + 50}


@pytest.mark.parametrize("width", [1, 2, 5, 12, 20, 33, 40, 60, 80, 120, 200])
def test_the_bar_fits_any_width(width: int) -> None:
    phase = Phase("reading originals", 0.0, total=1_000_000)
    phase.advance(PhaseAdvanced("x", 123_456, 10**12, "日本語" * 40 + ".nef"), 1000.0)
    assert cell_len(fitted_line(phase, 1000.0, width).plain) <= width


def test_a_wide_terminal_shows_everything_and_a_narrow_one_the_most_important() -> None:
    phase = Phase("read", 0.0, total=1000)
    phase.advance(PhaseAdvanced("read", 500, 50_000_000_000, "b.nef"), 100.0)
    wide = fitted_line(phase, 100.0, 120).plain
    assert wide == "read  " + "━" * 15 + "─" * 15 + "  500 of 1,000 files  5.0/s  1:40 left  500 MB/s  slow: b.nef"
    assert fitted_line(phase, 100.0, 40).plain == "read  500 of 1,000 files  1:40 left"


@pytest.mark.parametrize(("count", "text"), [(0, "0 pairs"), (1, "1 pair"), (1234, "1,234 pairs")])
def test_a_count_of_one_has_a_singular_unit(count: int, text: str) -> None:
    assert amount(count, "pairs") == text
    assert amount(count, "copies") == text.replace("pairs", "copies").replace("pair", "copy")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.0 s"), (9.94, "9.9 s"), (59.6, "1:00"), (3661, "1:01:01"), (200_000, "2 d 7 h")]
)
def test_durations_are_formatted_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_rates_and_sizes_are_formatted_for_people() -> None:
    assert [rate_text(rate) for rate in (0.2, 1.25, 12345.6)] == ["12/min", "1.2/s", "12,346/s"]
    assert [size_text(size) for size in (0, 999, 1_500, 250e6, 3.2e12, 5e16)] == [
        "0 B", "999 B", "1.5 kB", "250 MB", "3.2 TB", "50000.0 TB",
    ]  # fmt: skip


PROGRAM = """
import sys, time
from photoindex.cli.output.progress import ProgressMode, progress_sink
from photoindex.progress import *
try:
    with progress_sink() as sink:
        print("data")
        sink(PhaseStarted("read", 1000))
        for done in range(1, 31):
            sink(PhaseAdvanced("read", done * 20, done * 10**8, "a-rather-long-name-for-a-photo.nef"))
            time.sleep(0.02)
        sink(FileQuarantined(b"bad\\x1b[2J.jpg", "Truncated", "ends early"))
        {ending}
except KeyboardInterrupt:
    sys.exit(130)
"""


def on_terminal(program: str, columns: int) -> tuple[int, str, bytes]:
    """Run `program` with stderr on a terminal of that width; return its exit code, stderr and stdout."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("COLUMNS", None)
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=follower, stdout=subprocess.PIPE, stderr=follower, env=environment
    )
    os.close(follower)
    received = b""
    while True:
        try:
            block = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        received += block
    os.close(leader)
    assert process.stdout is not None
    out = process.stdout.read()
    process.stdout.close()
    return process.wait(), received.decode(), out


CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.mark.parametrize("columns", [30, 80])
def test_a_terminal_gets_a_bar_that_never_wraps_and_is_erased(columns: int) -> None:
    code, screen, out = on_terminal(PROGRAM.format(ending='sink(PhaseFinished("read", 1000, 2.0))'), columns)
    assert (code, out) == (0, b"data\n")
    bars = [CONTROL.sub("", line) for line in re.split(r"[\r\n]+", screen) if " of 1,000 files" in line]
    assert bars
    assert all(cell_len(bar) <= columns for bar in bars)
    assert "quarantined bad\\x1b[2J.jpg: Truncated: ends early" in CONTROL.sub("", screen)
    assert "\x1b[2K" in screen, "the bar is erased"
    assert screen.rfind("\x1b[?25h") > screen.rfind("\x1b[?25l") >= 0, "the cursor is shown again"
    assert "read: 1,000 files in 2.0 s, 500/s" in CONTROL.sub("", screen)


def test_ctrl_c_leaves_the_terminal_tidy() -> None:
    code, screen, _out = on_terminal(
        PROGRAM.format(ending="import os, signal; os.kill(os.getpid(), signal.SIGINT); time.sleep(5)"), 80
    )
    assert code == 130
    assert screen.rfind("\x1b[?25h") > screen.rfind("\x1b[?25l") >= 0
    assert re.search(r"read: stopped at 600 of 1,000 files after \S+ s\s*$", CONTROL.sub("", screen))


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import os; os.environ['TERM'] = 'dumb'\n" + PROGRAM.format(
        ending='sink(PhaseFinished("read", 1000, 2.0))'
    )
    code, screen, _out = on_terminal(program, 80)
    assert code == 0
    assert "\x1b" not in screen
    assert screen.splitlines()[0] == "read: 1,000 files"
