"""The tags stage on vectors made up for it."""

from __future__ import annotations

import pickle

import numpy as np

from photoindex.stages.tags import Opening, TagStage
from photoindex.types import Label


def test_a_label_says_whether_its_confidence_was_measured_also_in_another_process() -> None:
    terms = np.eye(3, dtype=np.float32)[:2]
    stage = TagStage(
        Opening(
            names=["dog", "garden"],
            terms=terms,
            neutral=np.eye(3, dtype=np.float32)[2:],
            slopes=np.full(2, 100, np.float32),
            intercepts=np.zeros(2, np.float32),
            calibrated=np.array([True, False]),
        )
    )
    (found,) = stage.run([terms.sum(axis=0, keepdims=True).astype(np.float16)])
    assert isinstance(found, tuple)
    assert {one.name: one.calibrated for one in found if isinstance(one, Label)} == {"dog": True, "garden": False}
    assert pickle.loads(pickle.dumps(found)) == found
