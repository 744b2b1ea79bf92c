"""The wheel contains every file that the program reads, and runs without the repository."""

from __future__ import annotations

import configparser
import email
import os
import re
import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path

import pytest

import photoindex
from photoindex.cli.main import COMMANDS
from photoindex.store.schema.migrate import HEAD

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built offline by the build backend in pyproject.toml."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed; see the extra 'dev'")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="session")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's files, as after an installation."""
    folder = tmp_path_factory.mktemp("site-packages")
    wheel.extractall(folder)
    return folder


def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def run(installed: Path, library: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed program from a folder outside the repository."""
    environment = os.environ | {"PYTHONPATH": str(installed), "PHOTOINDEX_LIBRARY": str(library)}
    command = [sys.executable, "-P", "-m", "photoindex", *arguments]
    return subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_contains_every_module_and_every_file_that_the_program_reads(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    sources = {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "photoindex").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sources <= names
    settings = {f"photoindex/_config/{path.name}" for path in (REPOSITORY / "config").iterdir()}
    assert {"photoindex/_config/p1.toml", "photoindex/_config/p2.toml"} <= settings <= names
    assert any(re.search(rf"migrations/versions/{HEAD}_\w+\.py$", name) for name in names)


def test_the_wheel_contains_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in wheel.namelist()} == {
        "photoindex",
        f"photoindex-{photoindex.__version__}.dist-info",
    }
    assert not any(name.endswith(".pyc") for name in wheel.namelist())


def test_the_wheel_has_metadata(wheel: zipfile.ZipFile) -> None:
    said = metadata(wheel)
    assert said["Name"] == "photoindex"
    assert said["Version"] == photoindex.__version__
    assert said["Requires-Python"] == ">=3.11"
    assert said["License-Expression"] == "Apache-2.0"
    assert {"all", "dev", "insightface", "lens"} <= set(said.get_all("Provides-Extra") or ())
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_the_wheel_declares_the_command(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    entries = configparser.ConfigParser()
    entries.read_string(wheel.read(name).decode())
    assert dict(entries["console_scripts"]) == {"photoindex": "photoindex.__main__:run"}


def test_the_base_installation_requires_no_large_model_library(wheel: zipfile.ZipFile) -> None:
    needed = [line for line in metadata(wheel).get_all("Requires-Dist") or () if "extra ==" not in line]
    names = {re.match(r"[\w.-]+", line)[0].lower() for line in needed}  # type: ignore[index]
    assert not names & {"torch", "torchvision", "open-clip-torch", "transformers", "insightface"}


def test_only_the_extra_lens_requires_the_library_under_the_gpl(wheel: zipfile.ZipFile) -> None:
    needed = [line for line in metadata(wheel).get_all("Requires-Dist") or () if line.startswith("exiv2")]
    assert len(needed) == 1
    assert needed[0].endswith("extra == 'lens'")


def test_the_installed_program_reads_its_own_profiles(installed: Path, tmp_path: Path) -> None:
    result = run(installed, tmp_path / "library", "config", "show")
    assert (result.returncode, result.stderr) == (0, "")
    assert "database.cache_mb\t64\tprofile P1" in result.stdout.splitlines()
    where = [
        sys.executable,
        "-P",
        "-c",
        "from photoindex.config.layers import profile_file; print(profile_file('P1'))",
    ]
    found = subprocess.run(
        where, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True
    )
    assert Path(found.stdout.strip()) == installed / "photoindex" / "_config" / "p1.toml"


def test_the_installed_program_shows_its_commands_and_version(installed: Path, tmp_path: Path) -> None:
    assert run(installed, tmp_path / "library", "--version").stdout.strip() == f"photoindex {photoindex.__version__}"
    text = run(installed, tmp_path / "library", "--help").stdout
    assert all(command in text for command in COMMANDS)


def test_the_installed_program_creates_a_library_with_its_own_migrations(installed: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "notes.txt").write_text("no photo\n")
    result = run(installed, tmp_path / "library", "scan", str(photos))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "library" / "photoindex.db").is_file()
