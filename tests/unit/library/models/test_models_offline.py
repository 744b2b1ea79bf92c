"""Only `models pull` opens a connection; the hub's libraries are set to offline mode."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from photoindex.cli.main import COMMANDS
from photoindex.errors import EXIT_SOME_QUARANTINED, EXIT_TERMINATED, ChecksFailed, FetchFailed
from photoindex.models.ocr.rapidocr_models import is_installed
from photoindex.models.offline import offline, online
from tests.demo_family import make_family
from tests.demo_pictures import make_library
from tests.model_folders import TINY_CLIP, copy_of, write_catalog
from tests.tiny_ocr import write_tiny_ocr

REPOSITORY = Path(__file__).resolve().parents[4]
PHOTO = "photos/2019/Lisboa/IMG_0412.jpg"

RUNS: dict[str, tuple[str, ...]] = {
    "models": (
        "models install MODEL --id tiny",
        "models list",
        "models show tiny",
        "models verify",
        "models bundle tiny tiny.tar",
        "models install tiny.tar",
    ),
    "scan": ("scan photos", "scan family"),
    "embed": ("embed --device cpu",),
    "spaces": ("spaces list", "spaces use tiny"),
    "index": ("index status", "index rebuild"),
    "search": ("search sunset", f"search --like {PHOTO}"),
    "duplicates": ("duplicates", "duplicates --plan plan.tsv"),
    "bursts": ("bursts",),
    "saved": ("search sunset --saved evening", "saved"),
    "stats": ("stats", "stats sunset --page numbers.html"),
    "open": (f"open {PHOTO} --with true",),
    "show": (f"show {PHOTO}",),
    "facts": (f"facts {PHOTO}",),
    "why": (f"why {PHOTO}",),
    "faces": ("models install FACES --id tiny-faces", "faces --device cpu"),
    "ocr": ("ocr --device cpu",),
    "cluster": ("cluster", "cluster stats"),
    "people": (
        "people list",
        "people suggest",
        "people review --output people.html",
        "search face:family/P5010009.jpg",
    ),
    "tag": (f"tag add Reise {PHOTO}", "tag list", "tag auto --only tags --device cpu"),
    "rate": (f"rate 4 {PHOTO}",),
    "favourite": (f"favourite {PHOTO}",),
    "caption": (f"caption set Evening {PHOTO}", f"caption list {PHOTO}"),
    "album": ("album create Reise", f"album add Reise {PHOTO}", "album list"),
    "run": ("run --stage embed --stage tags --max-cpu-util 100",),
    "schedule": ("schedule show --by cron",),
    "watch": ("watch --calm 1s",),
    "verify": ("verify", "verify --originals"),
    "doctor": ("doctor",),
    "metrics": ("metrics --json",),
    "costs": ("costs",),
    "events": ("events",),
    "time": (f"time shift --by 1h --dry-run {PHOTO}",),
    "pair": (f"pair explain {PHOTO}",),
    "status": ("status",),
    "tasks": ("tasks",),
    "retry": ("retry",),
    "redo": ("redo --dry-run ingest",),
    "prune": ("prune --dry-run",),
    "log": ("log",),
    "undo": ("undo --dry-run",),
    "backup": ("backup backups --init", "backup list backups"),
    "restore": ("restore SNAPSHOT --library restored",),
    "sql": ("sql SELECT(1)",),
    "config": ("config show",),
}
"""The command lines to run for each command, in this order."""

_BLOCKING = """
import json, os, socket

def blocked(name, real):
    def call(*args, **kwargs):
        if args and isinstance(args[0], socket.socket) and args[0].family == socket.AF_UNIX:
            return real(*args, **kwargs)
        with open(os.environ["TRIED"], "a") as file:
            file.write(name + " " + repr(args) + "\\n")
        raise OSError(101, "the network is blocked")
    return call

for name in ("connect", "connect_ex", "sendto", "sendmsg", "bind"):
    setattr(socket.socket, name, blocked(name, getattr(socket.socket, name)))
for name in ("getaddrinfo", "gethostbyname", "create_connection"):
    setattr(socket, name, blocked(name, getattr(socket, name)))
"""
"""Python runs this at the start of every process that finds it as `sitecustomize`, workers too."""

_RUNNING = """
import json, os, signal, sys, threading
from photoindex.cli.main import main
for line in sys.stdin:
    if line.startswith("watch"):
        threading.Timer(5, os.kill, (os.getpid(), signal.SIGTERM)).start()
    print(json.dumps([line.split(), main(line.split())]), file=sys.stderr, flush=True)
"""


ENDS = (0, ChecksFailed.exit_code, EXIT_SOME_QUARANTINED, EXIT_TERMINATED)
"""How these commands end: `doctor` may find fault with this computer, and `watch` goes on until it is told to end."""


@dataclass
class Blocked:
    """A folder whose processes have no network; `tried` lists the connections they attempted.

    packages: folders in which they find packages before those that are installed.
    """

    folder: Path
    packages: tuple[Path, ...] = ()

    def run(self, *lines: str, ends: tuple[int, ...] = ENDS) -> None:
        """Run command lines in one process; each must end with one of the exit codes `ends`."""
        (self.folder / "blocking").mkdir(exist_ok=True)
        (self.folder / "blocking" / "sitecustomize.py").write_text(_BLOCKING)
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, (self.folder / "blocking", *self.packages, REPOSITORY))),
            "TRIED": str(self.folder / "tried"),
            "PHOTOINDEX_LIBRARY": str(self.folder / "library"),
            "PHOTOINDEX_EMBED__MODEL": "tiny",
        }
        for switch in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            environment.pop(switch, None)
        result = subprocess.run(
            [sys.executable, "-c", _RUNNING], input="\n".join(lines), cwd=self.folder, env=environment,
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        ended = [json.loads(line) for line in result.stderr.splitlines() if line.startswith('[["')]
        assert len(ended) == len(lines), result.stderr
        assert [one for one in ended if one[1] not in ends] == [], result.stderr

    @property
    def tried(self) -> list[str]:
        path = self.folder / "tried"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def blocked(tmp_path: Path) -> Blocked:
    return Blocked(tmp_path)


def test_every_command_has_something_to_run_here() -> None:
    assert set(COMMANDS) <= set(RUNS)


def test_the_block_works_and_pull_is_stopped_by_it(blocked: Blocked) -> None:
    write_catalog(blocked.folder / "library" / "models")
    blocked.run("models pull tiny", ends=(FetchFailed.exit_code,))
    assert blocked.tried


@pytest.mark.slow
def test_no_other_command_opens_a_connection(blocked: Blocked) -> None:
    make_library(blocked.folder / "photos")
    make_family(blocked.folder / "family")
    blocked.packages = (write_tiny_ocr(blocked.folder / "packages"),)
    model, faces = str(TINY_CLIP), str(TINY_CLIP.with_name("tiny-faces"))
    wanted = [
        line.replace("MODEL", model).replace("FACES", faces)
        for name, lines in RUNS.items()
        if name in COMMANDS
        for line in lines
    ]
    before = [line for line in wanted if "SNAPSHOT" not in line]
    blocked.run(*before)
    (snapshot,) = (blocked.folder / "backups").glob("photoindex-2*")
    blocked.run(*(line.replace("SNAPSHOT", f"backups/{snapshot.name}") for line in wanted if "SNAPSHOT" in line))
    assert blocked.tried == []


@pytest.mark.slow
def test_reading_text_with_the_real_package_opens_no_connection(blocked: Blocked) -> None:
    if not is_installed():
        pytest.skip("the extra `ocr` is not installed")
    make_library(blocked.folder / "photos")
    blocked.run("scan photos", "ocr --device cpu --limit 2")
    assert blocked.tried == []


@pytest.mark.slow
def test_exporting_a_model_opens_no_connection(blocked: Blocked) -> None:
    pytest.importorskip("torch", reason="the extra `ml` is not installed")
    source = copy_of(TINY_CLIP, blocked.folder / "source")
    for path in (source / "onnx").iterdir():
        path.unlink()
    blocked.run("models install source --id tiny")
    assert blocked.tried == []


def test_the_hubs_library_refuses_requests_after_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import OfflineModeIsEnabled

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    offline()
    with pytest.raises(OfflineModeIsEnabled):
        HfApi(endpoint="http://127.0.0.1:9").model_info("someone/tiny")


def test_online_lasts_for_its_block_and_respects_the_users_own_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    offline()
    from huggingface_hub import constants

    with online():
        assert "HF_HUB_OFFLINE" not in os.environ
        assert not constants.HF_HUB_OFFLINE
    assert constants.HF_HUB_OFFLINE
    assert os.environ["HF_HUB_OFFLINE"]
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "1")
    with pytest.raises(FetchFailed, match="TRANSFORMERS_OFFLINE is set"), online():
        pass
