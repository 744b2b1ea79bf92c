"""Previews are read and decoded ahead of the model; a batch keeps its order, and failures are reported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photoindex.models.base import Preprocessing
from photoindex.pipeline.run.messages import Batch
from photoindex.pipeline.run.prefetch import Prefetcher
from photoindex.stages.embed import EmbedStage, Opening, pixels_of
from tests.originals import jpeg

CLIP = Preprocessing(224, "shortest", "bicubic", (0.48, 0.46, 0.41), (0.27, 0.26, 0.28))


class Encoder:
    """A model whose input size is all that matters here."""

    dim = 4
    preprocessing = CLIP
    runs_on = "cpu"

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.eye(4, dtype=np.float32)[np.zeros(len(pixels), int)]


def test_a_batch_keeps_its_order_and_reports_what_failed(tmp_path: Path) -> None:
    pictures = {number: jpeg(number) for number in range(10)}
    for number, data in pictures.items():
        (tmp_path / f"{number}.jpg").write_bytes(data)
    (tmp_path / "3.jpg").unlink()
    (tmp_path / "6.jpg").write_bytes(b"broken")
    (tmp_path / "7.jpg").unlink()
    (tmp_path / "7.jpg").mkdir()
    stage = EmbedStage(Encoder(), Opening(tmp_path, "m", "", "cpu", 0.25, "m", 4))
    prefetcher = Prefetcher(stage, threads=3)
    inputs = prefetcher.begin(Batch(5, tuple(str(tmp_path / f"{number}.jpg") for number in range(10)))).result()
    prefetcher.close()
    kept = [number for number in range(10) if number not in (3, 6, 7)]
    assert inputs.number == 5
    assert inputs.positions == tuple(kept)
    assert all(
        np.array_equal(inputs.values[place], pixels_of(pictures[number], CLIP)) for place, number in enumerate(kept)
    )
    assert {position: (failure.error_class, failure.retry) for position, failure in inputs.failures.items()} == {
        3: ("preview_missing", False),
        6: ("preview_damaged", False),
        7: ("preview_unreadable", True),
    }
    assert inputs.read > 0
    assert inputs.decode > 0
