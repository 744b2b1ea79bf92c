"""`embed` with the tiny model: files are checked, vectors are searchable at once, and no heavy library is loaded."""

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
from tests.model_folders import TINY_CLIP, copy_of
from tests.tiny_clip.scenes import Scene
from tests.tiny_model import SemanticRunner, write_scenes

SCENES = [
    Scene("red", "circle", 1, "white", "left"),
    Scene("blue", "star", 3, "grass", "right"),
    Scene("green", "heart", 4, "black", "bottom"),
]


@pytest.fixture
def runner(tmp_path: Path) -> SemanticRunner:
    """A scanned library of three scenes, with the tiny model installed."""
    runner = SemanticRunner(tmp_path / "library")
    runner.install()
    write_scenes(tmp_path / "photos", SCENES)
    runner.scan(tmp_path / "photos")
    return runner


def test_weights_changed_on_disk_are_refused_and_nothing_is_embedded(runner: SemanticRunner) -> None:
    weights = runner.folder / "models" / "tiny-clip" / "onnx" / "visual.onnx"
    data = bytearray(weights.read_bytes())
    data[-100] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ModelUnavailable, match=r"visual\.onnx has changed since the model 'tiny-clip' was installed"):
        runner.embed()
    assert runner.value("SELECT count(*) FROM vector") == 0
    assert runner.value("SELECT count(*) FROM task WHERE stage = 'embed' AND state = 'pending'") == len(SCENES)
    runner.install()
    assert runner.embed().embedded == len(SCENES)


def test_a_model_with_an_image_tower_in_int8_is_a_model_of_its_own_with_nearly_the_same_vectors(
    runner: SemanticRunner, tmp_path: Path
) -> None:
    pytest.importorskip("onnx", reason="quantising needs photoindex[ml]")
    from onnxruntime.quantization import QuantType, quantize_dynamic

    towers = copy_of(TINY_CLIP, tmp_path / "int8") / "onnx"
    quantize_dynamic(towers / "visual.onnx", towers / "int8.onnx", weight_type=QuantType.QUInt8)
    (towers / "int8.onnx").replace(towers / "visual.onnx")
    runner.install(model_id="tiny-int8", fixture=towers.parent)
    runner.embed()
    runner.settings["embed.model"] = "tiny-int8"
    runner.embed()
    spaces_of: dict[str, dict[int, np.ndarray]] = {}
    for name, asset, vector in runner.rows(
        "SELECT space.name, asset_id, data FROM vector JOIN space ON space.id = space_id"
    ):
        spaces_of.setdefault(name, {})[asset] = np.frombuffer(vector, np.float16).astype(np.float32)
    assert spaces_of.keys() == {"tiny-clip", "tiny-int8"}
    for asset, vector in spaces_of["tiny-clip"].items():
        other = spaces_of["tiny-int8"][asset]
        assert not np.array_equal(vector, other)
        assert vector @ other / np.linalg.norm(vector) / np.linalg.norm(other) > 0.995


def test_vectors_are_searchable_the_moment_they_are_committed(runner: SemanticRunner) -> None:
    counts = []

    def count_searchable() -> bool:
        with runner.open() as library, library.database.read() as connection:
            space = spaces.active_space(connection)
            if space is not None:
                stored = spaces.count_vectors(connection, space.id)
                with runner.open() as other:
                    counts.append((stored, len(open_index(other, space))))
        return False

    runner.settings["embed.batch_size"] = 1
    runner.embed(stop=count_searchable)
    assert all(searchable >= stored for stored, searchable in counts)
    with runner.open() as library, library.database.read() as connection:
        space = spaces.active_space(connection)
        assert space is not None
        index = open_index(library, space)
    for asset, data in runner.rows("SELECT id, data FROM vector"):
        own = np.frombuffer(data, "<f2").astype(np.float32)
        assert index.search(own, 1).ids.tolist() == [asset]


def test_the_process_that_claims_and_commits_never_loads_torch(runner: SemanticRunner) -> None:
    program = (
        "import sys; from photoindex.cli.main import main; code = main(['embed', '--progress', 'none', '--json']); "
        "assert not {'torch', 'open_clip', 'transformers'} & set(sys.modules); sys.exit(code)"
    )
    environment = {**os.environ, "PHOTOINDEX_LIBRARY": str(runner.folder), "PHOTOINDEX_EMBED__MODEL": "tiny-clip"}
    environment["PHOTOINDEX_EMBED__DEVICE"] = "cpu"
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert runner.value("SELECT count(*) FROM vector") == len(SCENES)
