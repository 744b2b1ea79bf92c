"""What the program makes is its owner's alone, or a group's by the settings; what a person asks for follows their umask."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.originals import write_photos

FIXTURE = Path(__file__).parents[1] / "fixtures" / "tiny-clip"


class Machine:
    """Runs commands as processes with the umask 022, with everything in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: dict[str, str] = {}

    def run(self, *words: str | Path, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "photoindex", *map(str, words)], cwd=self.folder, umask=0o022, capture_output=True,
            text=True, check=False, env=os.environ | {"PHOTOINDEX_LIBRARY": str(self.folder / "library"), **self.settings},
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout

    def use(self) -> None:
        """Make everything that the program makes."""
        write_photos(self.folder / "photos", 3)
        self.run("scan", "photos")
        self.run("models", "install", FIXTURE, "--id", "tiny-clip")
        self.run("embed")
        self.run("index", "rebuild")
        self.run("search", "red", "circles", "--gallery", "found.html", code=0)
        self.run("backup", "nas/backups", "--init")
        self.run("restore", next((self.folder / "nas" / "backups").glob("photoindex-2*")), "--library", "restored")

    def modes(self, *names: str) -> Iterator[tuple[str, str, str]]:
        """Yield every file and folder below `names`: its kind, octal mode and path."""
        for name in names:
            top = self.folder / name
            for path in (top, *top.rglob("*")):
                state = path.lstat()
                kind = "folder" if stat.S_ISDIR(state.st_mode) else "file"
                yield kind, f"{stat.S_IMODE(state.st_mode):o}", str(path.relative_to(self.folder))


MADE = ("library", "derived", "nas", "restored")


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [("private", {"file": "600", "folder": "700"}), ("group", {"file": "640", "folder": "750"})],
)
def test_everything_that_is_made_has_the_modes_of_the_settings_whatever_the_umask(
    tmp_path: Path, permissions: str, expected: dict[str, str]
) -> None:
    machine = Machine(tmp_path)
    machine.settings = {"PHOTOINDEX_PERMISSIONS": permissions, "DERIVED_PATH": str(tmp_path / "derived")}
    machine.use()
    found = list(machine.modes(*MADE))
    assert len(found) > 40
    assert [one for one in found if one[1] != expected[one[0]]] == []
    assert {mode for _kind, mode, _path in machine.modes("found.html")} == {"644"}


def test_the_mode_of_an_open_folder_is_named_with_its_remedy_and_left_alone(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "library").mkdir(mode=0o755)
    os.chmod(tmp_path / "library", 0o755)
    write_photos(tmp_path / "photos", 1)
    machine.run("scan", "photos")
    assert {mode for _kind, mode, path in machine.modes("library") if path == "library"} == {"755"}
    assert f"chmod 700 {tmp_path / 'library'}" in machine.run("status", "--json")
    os.chmod(tmp_path / "library", 0o700)
    assert "chmod" not in machine.run("status", "--json")


def test_a_folder_opened_to_a_group_on_purpose_is_not_named(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.settings = {"PHOTOINDEX_PERMISSIONS": "group"}
    write_photos(tmp_path / "photos", 1)
    machine.run("scan", "photos")
    assert "chmod" not in machine.run("status", "--json")
    os.chmod(tmp_path / "library", 0o755)
    assert f"chmod 750 {tmp_path / 'library'}" in machine.run("status", "--json")
