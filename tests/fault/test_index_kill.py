"""kill -9 at every step of writing an index: the current generation is intact, and the next write works."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from photoindex.vectors.generation import Generation, open_generation
from photoindex.vectors.generation_writer import append, write
from tests.vectors import DIM, in_blocks, unit_vectors

BEFORE, AFTER = 300, 400
CALLS = ("mkdir", "link", "ftruncate", "fsync", "rename", "replace", "unlink", "rmdir")

WRITER = """
import os, signal, sys
from pathlib import Path
import numpy as np
from photoindex.vectors import generation_writer
from photoindex.vectors.generation import open_generation
from tests.vectors import DIM, in_blocks, unit_vectors

folder, how, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
ids, values = np.arange(1, {after} + 1), unit_vectors({after})
generation_writer.CODED_FROM_ROWS = 1
base = open_generation(folder, DIM)

def dying(name):
    real = getattr(os, name)
    def call(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            print(name, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)
    setattr(os, name, call)

for name in {calls}:
    dying(name)

def blocks(start):
    for block in in_blocks(ids[start:], values[start:], 40):
        global left
        left -= 1
        if left == 0:
            print("block", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        yield block

if how == "append":
    generation_writer.append(folder, base, blocks({before}))
else:
    generation_writer.write(folder, blocks(0), DIM)
print("finished")
"""


def opened(folder: Path) -> Generation:
    found = open_generation(folder, DIM)
    assert found is not None
    return found


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index with codes that has been merged once."""
    monkeypatch.setattr("photoindex.vectors.generation_writer.CODED_FROM_ROWS", 1)
    ids, values = np.arange(1, BEFORE + 1), unit_vectors(AFTER)[:BEFORE]
    write(tmp_path / "before", in_blocks(ids[:250], values[:250]), DIM)
    append(tmp_path / "before", opened(tmp_path / "before"), in_blocks(ids[250:], values[250:]))
    return tmp_path / "before"


def start_writer(folder: Path, how: str, left: int) -> subprocess.Popen[str]:
    source = WRITER.format(before=BEFORE, after=AFTER, calls=CALLS)
    command = [sys.executable, "-c", source, str(folder), how, str(left)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["append", "write"])
def test_a_writer_killed_at_any_step_leaves_an_intact_index(before: Path, tmp_path: Path, how: str) -> None:
    values = unit_vectors(AFTER)
    died_at, rows_left = [], set()
    at_once = 6
    left = 1
    while True:
        folders = [tmp_path / f"killed-{step}" for step in range(left, left + at_once)]
        for folder in folders:
            shutil.copytree(before, folder)
        writers = [start_writer(folder, how, left + number) for number, folder in enumerate(folders)]
        last_lines = [writer.communicate(timeout=60)[0].split()[-1:] for writer in writers]
        for folder, writer, last in zip(folders, writers, last_lines, strict=True):
            found = opened(folder)
            assert len(found) in (BEFORE, AFTER), last
            assert (found.flat.block(0, len(found)) == values[: len(found)]).all()
            found.verify_vectors()
            assert found.codes is not None
            assert len(found.codes) == len(found)
            if last == ["finished"]:
                assert (writer.returncode, len(found)) == (0, AFTER)
                continue
            assert writer.returncode == -signal.SIGKILL
            died_at += last
            rows_left.add(len(found))
            # The leftovers do not block the next writer, which removes them.
            write(folder, in_blocks(np.arange(1, AFTER + 1), values), DIM)
            assert len(list(folder.iterdir())) == 2
            assert len(opened(folder)) == AFTER
        if ["finished"] in last_lines:
            break
        left += at_once
    assert {"block", "fsync", "replace"} <= set(died_at)
    assert ("link" in died_at) == (how == "append")
    assert rows_left == {BEFORE, AFTER}


@pytest.mark.parametrize("how", ["append", "write"])
def test_the_next_writer_finishes_the_work_of_a_killed_one(before: Path, how: str) -> None:
    writer = start_writer(before, how, 6)
    writer.communicate(timeout=60)
    assert writer.returncode == -signal.SIGKILL
    assert any(path.name.startswith(".new-") for path in before.iterdir())
    old = opened(before)
    assert len(old) == BEFORE
    values = unit_vectors(AFTER)
    append(before, old, in_blocks(np.arange(BEFORE + 1, AFTER + 1), values[BEFORE:]))
    new = opened(before)
    new.verify_vectors()
    assert (new.flat.block(0, AFTER) == values).all()
    assert new.flat.path.stat().st_size == values.nbytes
    assert sorted(path.name for path in before.iterdir()) == ["CURRENT", new.folder.name]
