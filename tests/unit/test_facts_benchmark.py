"""The benchmark that compares facts with exiftool's reports the dates, durations and sizes of videos."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.metadata_blocks import jpeg

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "facts.py"


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed (libimage-exiftool-perl)")
def test_dates_durations_and_sizes_are_compared(tmp_path: Path) -> None:
    import av
    import numpy as np

    (tmp_path / "a.jpg").write_bytes(jpeg())
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        container.metadata["creation_time"] = "2019-07-24T08:25:57Z"
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    command = [sys.executable, str(SCRIPT), str(tmp_path), "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=SCRIPT.parents[1]).stdout
    others = {line["format"]: line["others"] for line in map(json.loads, output.splitlines()) if "format" in line}
    assert others["jpeg"] == {"size": {"same": 1}}
    assert others["mp4"] == {"video date": {"same": 1}, "duration": {"same": 1}, "size": {"same": 1}}
