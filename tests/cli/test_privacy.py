"""Nothing leaves the computer: no command opens a socket of the Internet families."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo_pictures import make_library
from tests.tiny_model import FIXTURE, MODEL_ID

INTERNET = ("AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET")


def opened_sockets(folder: Path, *command: str) -> list[str]:
    """Run a command and its child processes under strace; return the sockets they open, as strace prints them."""
    trace = folder / "trace"
    result = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=socket", "-o", str(trace), *command],
        env=os.environ | {"PHOTOINDEX_LIBRARY": str(folder / "library")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in result.stderr.lower():
        pytest.skip(f"strace is not permitted: {result.stderr.strip()}")
    assert result.returncode in (0, 100), result.stderr
    return [line for line in trace.read_text().splitlines() if any(f"socket({family}," in line for family in INTERNET)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    return tmp_path


def test_a_connection_would_be_detected(folder: Path) -> None:
    program = "import socket; socket.socket(socket.AF_INET).close()"
    assert opened_sockets(folder, sys.executable, "-c", program)


@pytest.mark.slow
def test_no_command_opens_an_internet_socket(folder: Path) -> None:
    make_library(folder / "photos")
    photoindex = (sys.executable, "-m", "photoindex")
    for arguments in (
        ["scan", "photos"],
        ["models", "install", str(FIXTURE), "--id", MODEL_ID],
        ["embed", "--model", MODEL_ID, "--device", "cpu"],
        ["search", "sunset"],
        ["index", "rebuild"],
        ["duplicates"],
        ["show", "photos/2019/Lisboa/IMG_0412.jpg"],
        ["status"],
        ["backup", "backups", "--init"],
    ):
        assert opened_sockets(folder, *photoindex, *arguments) == [], arguments
