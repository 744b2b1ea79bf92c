"""What a run sees of the computer that it works on."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from photoindex.library.night.machine import MachineWatcher

BURN = "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"
# Without an output of its own it would hold ours open, and who reads that would wait until the burning has ended.
ORPHAN = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", {BURN!r}], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)
"""


def test_the_work_of_our_own_processes_is_not_taken_for_that_of_others() -> None:
    """A child that keeps a core busy is ours; the same program, started by somebody else, is not."""
    watcher = MachineWatcher(gpus=None)
    child = subprocess.Popen([sys.executable, "-c", BURN])
    try:
        time.sleep(2)
        with_child = watcher.look(own_runs=True).others_cpu
    finally:
        child.kill()
        child.wait()
    # The daemon's parent is process 1, so it is nobody's child.
    orphan = subprocess.run(
        [sys.executable, "-c", ORPHAN],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    try:
        watcher.look(own_runs=True)
        time.sleep(2)
        with_orphan = watcher.look(own_runs=True).others_cpu
    finally:
        subprocess.run(["kill", "-9", orphan.stdout.strip()], check=False)
    assert with_child is not None
    assert with_orphan is not None
    # Other tests may run beside this one, so only what the burning adds can be told.
    assert 0 <= with_child <= 1
    assert with_orphan > 0.1


def test_energy_is_summed_up_from_the_counters_of_the_processors(tmp_path: Path) -> None:
    package = tmp_path / "intel-rapl:0"
    package.mkdir()
    part = tmp_path / "intel-rapl:0:0"
    part.mkdir()
    (part / "energy_uj").write_text("999")
    counter = package / "energy_uj"
    counter.write_text("1000000")
    watcher = MachineWatcher(gpus=None, powercap=tmp_path)
    counter.write_text("4000000")
    watts = watcher.look(own_runs=False).watts
    assert watts is not None
    assert watts > 0
    assert watcher.joules == pytest.approx(3.0)
    counter.write_text("10")  # it starts again
    assert watcher.look(own_runs=False).watts is None
    counter.write_text("1000010")
    watcher.look(own_runs=False)
    assert watcher.joules == pytest.approx(4.0)


def test_without_counters_energy_is_unknown(tmp_path: Path) -> None:
    watcher = MachineWatcher(gpus=None, powercap=tmp_path)
    assert watcher.look(own_runs=False).watts is None
    assert watcher.joules is None
