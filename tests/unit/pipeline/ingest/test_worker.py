"""What decoding costs a worker process: modules, threads and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.unit.media.media_pictures import EVERY_FORMAT, dng, heic, jxl, saved, scene

DECODE = """
import json, os, resource, sys
from photoindex.media.content import read_content
from photoindex.media.decode.decode import decode
from photoindex.media.decode.previews import derive
from photoindex.media.decode.preload import preload_modules
from photoindex.media.identify.kind import sniff
from photoindex.media.problems import MediaProblem
from photoindex.types import DerivedParams, Limits

def take(path, longest_side_px=1024):
    content = read_content(os.fsencode(path))
    media = sniff(content.head, content.open)
    return derive(decode(content, media, longest_side_px, Limits()), DerivedParams())
"""


def run(script: str, *arguments: str) -> object:
    """Run DECODE and a script in a new process; return the JSON that it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", DECODE + script, *arguments],
        cwd=REPOSITORY,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_a_worker_that_decodes_only_jpegs_never_loads_the_other_decoders(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(saved(scene(1600, 1200), "JPEG"))
    loaded = run("take(sys.argv[1]); print(json.dumps(sorted(sys.modules)))", str(path))
    assert isinstance(loaded, list)
    assert "simplejpeg" in loaded
    assert not {"rawpy", "av", "pillow_heif", "pillow_jxl", "exifread", "sqlalchemy", "imagehash", "scipy"} & set(
        loaded
    )


def test_preloading_covers_everything_that_a_jpeg_with_a_profile_needs(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(EVERY_FORMAT["jpeg adobe rgb"]())
    script = """
import importlib
for name in preload_modules(): importlib.import_module(name)
before = set(sys.modules)
take(sys.argv[1])
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    assert run(script, str(path)) == []


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "heic", "avif", "jxl", "jp2", "dng", "mp4"])
def test_decoding_leaves_no_threads_behind(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(EVERY_FORMAT[name]())
    script = """
import importlib
for name in preload_modules(): importlib.import_module(name)
import cv2
cv2.setNumThreads(1)
before = len(os.listdir("/proc/self/task"))
take(sys.argv[1], 64)
print(json.dumps(len(os.listdir("/proc/self/task")) - before))
"""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("this system does not show the threads of a process")
    # NumPy and SciPy start an OpenBLAS pool when they are loaded, before the count.
    assert run(script, str(path)) == 0


def test_running_out_of_memory_is_distinguished_from_damage_and_names_the_option(tmp_path: Path) -> None:
    large = scene(2400, 1600)
    pictures = {
        "png": saved(large, "PNG", compress_level=1),
        "tiff": saved(large, "TIFF", compression="tiff_lzw"),
        "progressive": saved(large, "JPEG", progressive=True),
        "webp": saved(large, "WEBP", method=0),
        "jp2": saved(large, "JPEG2000"),
        "avif": saved(large, "AVIF", speed=10),
        "heic": heic(large),
        "jxl": jxl(large),
        "dng": dng(large),
    }
    for name, data in pictures.items():
        (tmp_path / name).write_bytes(data)
    script = """
import av, pillow_heif, pillow_jxl, rawpy
from PIL import AvifImagePlugin, Jpeg2KImagePlugin, TiffImagePlugin, WebPImagePlugin
contents = [read_content(os.fsencode(path)) for path in sys.argv[1:]]
with open("/proc/self/status") as status:
    used = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (used + (4 << 20), resource.getrlimit(resource.RLIMIT_DATA)[1]))
outcomes = {}
for path, content in zip(sys.argv[1:], contents):
    try:
        decode(content, sniff(content.head, content.open), 1024, Limits(memory_mb=4))
        outcomes[os.path.basename(path)] = "decoded"
    except MediaProblem as problem:
        outcomes[os.path.basename(path)] = problem.error_class + " --worker-memory-mb" * ("--worker-memory-mb" in str(problem))
print(json.dumps(outcomes))
"""
    outcomes = run(script, *(str(tmp_path / name) for name in pictures))
    assert isinstance(outcomes, dict)
    assert set(outcomes) == set(pictures)
    assert outcomes == dict.fromkeys(pictures, "out_of_memory --worker-memory-mb")
