"""The recipe of docs/fzf.md, as it stands there: with fzf itself, and its preview."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import PIL.Image
import pytest

from tests.command_line import run
from tests.reference import DOCS

RECIPE = re.search(r"```sh\n(photos\(\) \{\n.*?\n\}\n)```", (DOCS / "fzf.md").read_text(), re.DOTALL)
NAMES = ("plain.jpg", 'it\'s "a" $HOME `x` \\ (1); & é.jpg', "two\nlines.jpg", "-n.jpg")
PROGRAM = "#!/bin/sh\nexec {python} -c 'import sys; from photoindex.cli.main import main; sys.exit(main(sys.argv[1:]))' \"$@\"\n"
SECONDS_AT_MOST = 60.0
needs_fzf = pytest.mark.skipif(shutil.which("fzf") is None, reason="fzf is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fzf")
    (folder / "photos").mkdir()
    for number, name in enumerate(NAMES):
        PIL.Image.new("RGB", (64, 48), (250, 60 * number, 10)).save(folder / "photos" / name, quality=100)
    (folder / "bin").mkdir()
    viewer = f"#!/bin/sh\nprintf '%s\\0' \"$@\" > {folder}/viewed.new; mv {folder}/viewed.new {folder}/viewed\n"
    for name, text in (("photoindex", PROGRAM.format(python=sys.executable)), ("viewer", viewer)):
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o700)
    subprocess.run(
        ["photoindex", "scan", "photos"], cwd=folder, env=_environment(folder), check=True, capture_output=True
    )
    return folder


def _environment(folder: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color", "COLORTERM": "truecolor", "PHOTOINDEX_LIBRARY": str(folder / "library"),
        "PYTHONPATH": os.pathsep.join(sys.path), "PHOTOINDEX_OPEN__COMMAND": "viewer", **more,
    }  # fmt: skip


def _recipe() -> str:
    assert RECIPE is not None
    return RECIPE[1]


def _preview(folder: Path, name: str, **more: str) -> bytes:
    """Return what the preview command of the recipe prints for a photo."""
    command = re.search(r"--preview '([^']*)'", _recipe())
    assert command is not None
    path = shlex.quote(str(folder / "photos" / name))
    environment = _environment(folder, FZF_PREVIEW_COLUMNS="40", FZF_PREVIEW_LINES="20", **more)
    done = subprocess.run(
        ["sh", "-c", command[1].replace("{}", path)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return done.stdout


def _numbers(picture: bytes) -> set[int]:
    """Return the numbers of the photos whose colours are in coloured text."""
    return {round(int(green) / 60) for green in re.findall(rb"2;2[45]\d;(\d+);\d+", picture)}


@needs_fzf
def test_the_recipe_prints_the_paths_of_what_matches_whatever_their_names(folder: Path) -> None:
    for typed, names in (("two", ["two\nlines.jpg"]), ("HOME", [NAMES[1]]), ("jpg", sorted(NAMES))):
        # Exact, as the letters of any word may be in the path of a temporary folder.
        environment = _environment(folder, FZF_DEFAULT_OPTS=f"--exact --filter={typed}")
        done = subprocess.run(
            ["sh", "-c", _recipe() + "photos type:jpeg"], env=environment, capture_output=True, check=True
        )
        assert sorted(done.stdout.decode().split("\0")[:-1]) == [str(folder / "photos" / name) for name in names]


@needs_fzf
def test_keys_open_photos_and_print_paths_and_the_preview_is_shown(folder: Path) -> None:
    wanted = str(folder / "photos" / NAMES[1])
    child, terminal = pty.fork()
    if child == 0:
        command = f"stty rows 40 cols 140; {_recipe()} photos --sort=-name type:jpeg > {folder}/chosen.new; mv {folder}/chosen.new {folder}/chosen"
        os.execvpe("sh", ["sh", "-c", command], _environment(folder))
    seen = b""

    def wait(until: str | Path) -> None:
        nonlocal seen
        end, running = time.monotonic() + SECONDS_AT_MOST, True
        while not (until.exists() if isinstance(until, Path) else until.encode() in seen):
            assert running, seen.decode(errors="replace")[-3000:]
            running = time.monotonic() < end
            if select.select([terminal], [], [], 0.05)[0]:
                try:
                    seen += os.read(terminal, 65536)
                except OSError:  # the other side has ended
                    running = False

    try:
        wait("4/4")
        os.write(terminal, b"HOME")
        wait("1/4")
        seen = b""
        wait("facts")
        assert _numbers(seen) == {1}
        os.write(terminal, b"\r")
        wait(folder / "viewed")
        os.write(terminal, b"\x19")
        wait(folder / "chosen")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)
    assert (folder / "viewed").read_text() == f"{wanted}\0"
    assert (folder / "chosen").read_text() == f"{wanted}\0"


@pytest.mark.parametrize("name", NAMES[1:3])
def test_the_preview_has_the_picture_in_colours_above_what_is_known(folder: Path, name: str) -> None:
    picture, photo, text = _preview(folder, name).partition(b"\x1b[1;36mphoto ")
    plain = re.sub(r"\x1b\[[\d;]*m", "", text.decode()).splitlines()
    assert max(map(len, plain)) <= 40
    assert "facts" in plain
    assert photo, text
    assert _numbers(picture) == {NAMES.index(name)}
    lines = picture.decode().splitlines()
    assert 2 < len(lines) <= 10
    assert all(line.count("▀") <= 40 for line in lines)
    assert "64 x 48 pixels" in " ".join(" ".join(plain).split())


@pytest.mark.parametrize(
    ("more", "begins", "has"),
    [
        ({"TERM": "xterm-kitty"}, b"\x1b_Ga=T", "\U0010eeee".encode()),
        ({"TERM_PROGRAM": "WezTerm"}, b"\x1b]1337;File=inline=1", b"\x07\n\x1b[1;36mphoto "),
        ({"TERM": "foot"}, b"\x1bP0;1;0q", b"\x1b\\\n\x1b[1;36mphoto "),
    ],
)
def test_an_fzf_that_passes_pictures_on_gets_them_in_the_way_of_the_terminal(
    folder: Path, more: dict[str, str], begins: bytes, has: bytes
) -> None:
    shown = _preview(folder, "plain.jpg", FZF_SELECT_COUNT="0", **more)
    assert shown.startswith(begins)
    assert has in shown
    assert b"\x1b7" not in shown
    assert "▀".encode() not in shown


def test_an_older_fzf_which_shows_text_alone_gets_blocks_from_any_terminal(folder: Path) -> None:
    older = _preview(folder, "plain.jpg", TERM="xterm-kitty")
    assert "▀".encode() in older
    assert b"\x1b_G" not in older


def test_without_colours_a_picture_or_leave_the_preview_is_text(folder: Path) -> None:
    for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert _preview(folder, "plain.jpg", **more).startswith((b"photo ", b"\x1b[1mphoto "))
    tag = ["photoindex", "tag", "add", "sensitive", str(folder / "photos" / "plain.jpg")]
    subprocess.run(tag, env=_environment(folder), check=True, capture_output=True)
    assert _preview(folder, "plain.jpg").startswith(b"a sensitive photo; --sensitive shows it\n\x1b[1;36mphoto ")


def test_elsewhere_than_on_a_terminal_a_thumbnail_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(folder / "library"))
    photo = str(folder / "photos" / "-n.jpg")
    refused = run(capsysbinary, "show", "--thumbnail", photo)
    assert (refused.code, refused.out) == (2, b"")
    assert b"and this is neither" in refused.err
    refused = run(capsysbinary, "show", "--thumbnail", "--json", photo)
    assert (refused.code, refused.out) == (2, b"")
