"""The demo of captions and text in pictures, which the README shows."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.slow
def test_the_demo_describes_pictures_and_reads_their_text(tmp_path: Path) -> None:
    # Other tests put their networks in the place of these packages, which works only as long as nobody has imported them.
    for package in ("transformers", "rapidocr"):
        if find_spec(package) is None:
            pytest.skip(f"the package {package} is not installed")
    command = [REPOSITORY / "tests" / "words_demo.sh", Path(sys.executable).parent, tmp_path / "demo"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "\n$ photoindex search 'caption:\"three yellow\"' --format '{name}'\nP1240022.jpg\n" in done.stdout
    assert "\n$ photoindex search 'ocr:\"boarding pass\"' --format '{name}'\nIMG_4102.jpg\n" in done.stdout
