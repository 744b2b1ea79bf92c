"""`embed` with the tiny model: its files are checked, its vectors are found at once, and no heavy library is loaded here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from photoindex.errors import ModelUnavailable
from photoindex.library.index.maintain import open_index
from photoindex.store.vectors import spaces
from tests.tiny_clip.scenes import Scene
from tests.tiny_model import SemanticKeeper, write_scenes

SCENES = [
    Scene("red", "circle", 1, "white", "left"),
    Scene("blue", "star", 3, "grass", "right"),
    Scene("green", "heart", 4, "black", "bottom"),
]


@pytest.fixture
def keeper(tmp_path: Path) -> SemanticKeeper:
    """A scanned library of three scenes with the tiny model installed."""
    keeper = SemanticKeeper(tmp_path / "library")
    keeper.install()
    write_scenes(tmp_path / "photos", SCENES)
    keeper.scan(tmp_path / "photos")
    return keeper


def test_weights_that_changed_on_the_disk_are_refused_and_nothing_is_embedded(keeper: SemanticKeeper) -> None:
    weights = keeper.folder / "models" / "tiny-clip" / "onnx" / "visual.onnx"
    data = bytearray(weights.read_bytes())
    data[-100] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ModelUnavailable, match=r"visual\.onnx has changed since the model 'tiny-clip' was installed"):
        keeper.embed()
    assert keeper.value("SELECT count(*) FROM vector") == 0
    assert keeper.value("SELECT count(*) FROM task WHERE stage = 'embed' AND state = 'pending'") == len(SCENES)
    keeper.install()
    assert keeper.embed().embedded == len(SCENES)


def test_vectors_are_searchable_the_moment_they_are_committed(keeper: SemanticKeeper) -> None:
    seen = []

    def look() -> bool:
        with keeper.open() as library, library.database.read() as connection:
            space = spaces.active_space(connection)
            if space is not None:
                there = spaces.count_vectors(connection, space.id)
                with keeper.open() as other:
                    seen.append((there, len(open_index(other, space))))
        return False

    keeper.settings["embed.batch_size"] = 1
    keeper.embed(stop=look)
    assert all(searchable >= there for there, searchable in seen)
    with keeper.open() as library, library.database.read() as connection:
        space = spaces.active_space(connection)
        assert space is not None
        index = open_index(library, space)
    for asset, data in keeper.rows("SELECT id, data FROM vector"):
        own = np.frombuffer(data, "<f2").astype(np.float32)
        assert index.search(own, 1).ids.tolist() == [asset]


def test_the_process_that_claims_and_commits_never_loads_torch(keeper: SemanticKeeper) -> None:
    program = (
        "import sys; from photoindex.cli.main import main; code = main(['embed', '--progress', 'none', '--json']); "
        "assert not {'torch', 'open_clip', 'transformers'} & set(sys.modules); sys.exit(code)"
    )
    environment = {**os.environ, "PHOTOINDEX_LIBRARY": str(keeper.folder), "PHOTOINDEX_EMBED__MODEL": "tiny-clip"}
    environment["PHOTOINDEX_EMBED__DEVICE"] = "cpu"
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert keeper.value("SELECT count(*) FROM vector") == len(SCENES)
