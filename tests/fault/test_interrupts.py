"""Ctrl-C on a terminal at any moment: exit 130, no traceback, nothing left running; of every command that takes long."""

from __future__ import annotations

import os
import pty
import random
import select
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.caption_server import caption_server
from tests.harness import LibraryRunner
from tests.originals import write_photo
from tests.series import ONE_EACH, SOAKING
from tests.tiny_faces import write_faces, write_tiny_faces
from tests.tiny_ocr import write_tiny_ocr

FIXTURE = Path(__file__).parents[1] / "fixtures" / "tiny-clip"
PHOTOS, FACES = 24, 6
MARK = "INTERRUPT_TEST"
COMMANDS = {
    "scan": "scan {photos} --library {new} -j 2",
    "rescan": "scan",
    "facts": "facts {photos}",
    "embed": "embed",
    "faces": "faces --batch-size 4",
    "originals": "faces --from originals",
    "caption": "caption --endpoint {server} --model colours",
    "tags": "tag auto --only tags",
    "ocr": "ocr --limit 6 --batch-size 2",
    "rate": "rate 4 type:photo",
    "cluster": "cluster",
    "stats": "cluster stats",
    "search": "search red circles --gallery {new}.html",
    "like": "search --like {photo}",
    "duplicates": "duplicates",
    "index": "index rebuild",
    "backup": "backup {new} --init",
    "verify": "backup verify {snapshot}",
    "restore": "restore {snapshot} --library {new}",
    "install": "models install {fixture} --id second",
    "redo": "redo ingest",
}
DONE = (0, 100)
"""The exit codes of commands that were done before Ctrl-C came."""
MOMENTS = range(1, 51) if SOAKING else ONE_EACH
BEFORE = {"embed": "redo embed", "faces": "redo faces"}
"""What gives a command something to do."""


@dataclass(frozen=True)
class Made:
    """A library with embedded photos, their faces and a snapshot of it.

    server: describes pictures. seconds: how long each command takes undisturbed.
    """

    folder: Path
    snapshot: Path
    server: str
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def photos(self) -> Path:
        return self.folder / "photos"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("interrupts")
    for index in range(PHOTOS):
        write_photo(folder / "photos" / f"IMG_{index:04d}.jpg", index, size=(1200, 900))
    for index in range(FACES):
        write_faces(folder / "photos" / f"FACE_{index:04d}.jpg", {(200, 200, 236, 236): index}, size_px=(1200, 900))
    for words in (
        ["scan", folder / "photos"],
        ["models", "install", FIXTURE, "--id", "tiny-clip"],
        ["embed"],
        ["models", "install", write_tiny_faces(folder / "pack"), "--id", "tiny-faces"],
        ["faces"],
        ["backup", folder / "backups", "--init"],
    ):
        done = subprocess.run(
            command(words, folder / "library"), check=False, capture_output=True, text=True, env=environment()
        )
        assert done.returncode == 0, (words, done.stderr)
    with pytest.MonkeyPatch.context() as patch, caption_server() as server:
        patch.setenv("PYTHONPATH", str(write_tiny_ocr(folder / "packages")), prepend=os.pathsep)
        yield Made(folder, next((folder / "backups").glob("photoindex-2*")), server.url)


def environment(mark: str = "") -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PHOTOINDEX_")}
    return own | {
        MARK: mark,
        "TERM": "xterm-256color",
        "PYTHONFAULTHANDLER": "1",
        "PHOTOINDEX_EMBED__MODEL": "tiny-clip",
    }


def command(words: Sequence[str | Path], library: Path) -> list[str]:
    return [sys.executable, "-m", "photoindex", "--library", str(library), *map(str, words)]


@dataclass(frozen=True)
class Interrupted:
    """How a command ended. left: command lines of processes that outlived it."""

    code: int
    output: str
    left: list[list[str]]
    seconds: float


def run_and_interrupt(words: list[str], folder: Path, after_seconds: float) -> Interrupted:
    """Run a command on a terminal of its own and type Ctrl-C there after `after_seconds`."""
    mark = uuid.uuid4().hex
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell starts background jobs with it ignored
        os.chdir(folder)
        os.execvpe(words[0], words, environment(mark))
    started = time.monotonic()
    output, typed = b"", False
    while True:
        waited = time.monotonic() - started
        if waited > 60:
            os.kill(pid, signal.SIGABRT)  # PYTHONFAULTHANDLER prints where every thread is
        if not typed and waited >= after_seconds:
            os.write(terminal, b"\x03")
            typed = True
        if not select.select([terminal], [], [], 0.02)[0]:
            continue
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux says EIO when the last holder of the other end is gone
            break
        if not chunk:
            break
        output += chunk
    seconds = time.monotonic() - started
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return Interrupted(code, output.decode("utf-8", "replace"), _left(mark), seconds)


def _left(mark: str) -> list[list[str]]:
    deadline = time.monotonic() + 10
    while alive := [process for process in psutil.process_iter() if _has_mark(process, mark)]:
        if time.monotonic() > deadline:
            return [process.cmdline() for process in alive]
        time.sleep(0.05)
    return []


def _has_mark(process: psutil.Process, mark: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == mark
    except psutil.Error:
        return False


def words_of(name: str, made: Made, folder: Path) -> list[str]:
    places = {
        "{photos}": made.photos, "{photo}": made.photos / "IMG_0001.jpg", "{snapshot}": made.snapshot,
        "{new}": folder / "new", "{fixture}": FIXTURE, "{server}": made.server,
    }  # fmt: skip
    words = COMMANDS[name].split()
    for place, path in places.items():
        words = [word.replace(place, str(path)) for word in words]
    return command(words, folder / "library")


def copy_of(made: Made, folder: Path, name: str) -> Path:
    """Copy the library, with what the command needs done before."""
    shutil.copytree(made.folder / "library", folder / "library")
    if before := BEFORE.get(name):
        subprocess.run(command(before.split(), folder / "library"), check=True, capture_output=True, env=environment())
    return folder


def undisturbed_seconds(made: Made, folder: Path, name: str) -> float:
    """Run a command to its end, the first time it is asked for."""
    if name not in made.seconds:
        usual = run_and_interrupt(words_of(name, made, copy_of(made, folder, name)), folder, after_seconds=3600)
        assert usual.code in DONE, usual.output
        made.seconds[name] = usual.seconds
    return made.seconds[name]


@pytest.mark.slow
@pytest.mark.parametrize("seed", MOMENTS)
@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_ends_a_command_with_130_and_without_a_traceback(
    made: Made, tmp_path: Path, name: str, seed: int
) -> None:
    usual = undisturbed_seconds(made, tmp_path / "undisturbed", name)
    folder = copy_of(made, tmp_path / "interrupted", name)
    # Until the program's first line runs, Ctrl-C is the interpreter's; how long that takes depends on the machine's load.
    started = run_and_interrupt(command(["--version"], folder / "library"), folder, after_seconds=3600).seconds
    moment = random.Random(f"{name} {seed}").uniform(started, max(started, usual))
    ended = run_and_interrupt(words_of(name, made, folder), folder, moment)
    assert ended.code in (130, *DONE), (moment, ended.output)
    for word in ("Traceback", "Exception", "Error"):
        assert word not in ended.output, (moment, ended.output)
    assert ended.left == []
    again = subprocess.run(
        command(["status"], folder / "library"), capture_output=True, text=True, check=False, env=environment()
    )
    assert again.returncode == 0, again.stderr
    held = "SELECT count(*) FROM task WHERE state = 'running' OR (state = 'pending' AND attempts > 0)"
    assert LibraryRunner(folder / "library").value(held) == 0
