"""Real models: YOLOX-Nano finds things in real photos; open_nsfw, where its package is installed, raises few false alarms."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from photoindex.models.labels.description import read_label_model
from photoindex.models.labels.label_model import LabelModel
from photoindex.models.labels.open_nsfw import DESCRIPTION, PACKAGE, network_file

COCO = (  # noqa: SIM905 - a list would be a line each
    "person|bicycle|car|motorcycle|airplane|bus|train|truck|boat|traffic light|fire hydrant|stop sign|parking meter|bench|"
    "bird|cat|dog|horse|sheep|cow|elephant|bear|zebra|giraffe|backpack|umbrella|handbag|tie|suitcase|frisbee|skis|snowboard|"
    "sports ball|kite|baseball bat|baseball glove|skateboard|surfboard|tennis racket|bottle|wine glass|cup|fork|knife|spoon|"
    "bowl|banana|apple|sandwich|orange|broccoli|carrot|hot dog|pizza|donut|cake|chair|couch|potted plant|bed|dining table|"
    "toilet|tv|laptop|mouse|remote|keyboard|cell phone|microwave|oven|toaster|sink|refrigerator|book|clock|vase|scissors|"
    "teddy bear|hair drier|toothbrush"
).split("|")


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        shown = picture.convert("RGB")
    shown.thumbnail((1024, 1024))
    return np.asarray(shown)


@pytest.mark.shared
def test_yolox_finds_animals_where_they_are(testdata: Path, tmp_path: Path) -> None:
    (tmp_path / "yolox_nano.onnx").symlink_to(testdata / "models" / "yolox_nano.onnx")
    toml = tmp_path / "yolox_nano.toml"
    names = ", ".join(f'"{one}"' for one in COCO)
    toml.write_text(
        f'kind = "objects"\nfile = "yolox_nano.onnx"\nnames = [{names}]\ncolours = "BGR"\nfit = "letterbox"\n'
        'output = "yolox"\n'
    )
    model = LabelModel(read_label_model(toml), device="cpu", threads=2)
    photos = testdata / "photos" / "imagenet"
    for ending, name in (("brown_bear.JPEG", "bear"), ("peacock.JPEG", "bird")):
        (path,) = photos.glob(f"*{ending}")
        best = model.run([model.prepare(pixels(path))], 0.5)[0][0]
        assert best.name == name
        assert best.box is not None
        assert best.box[2] * best.box[3] > 0.3


@pytest.mark.shared
@pytest.mark.skipif(find_spec(PACKAGE) is None, reason="the extra sensitive is not installed")
def test_open_nsfw_takes_few_ordinary_photos_for_sensitive(testdata: Path) -> None:
    model = LabelModel(read_label_model(DESCRIPTION, network_file()), device="cpu", threads=2)
    paths = sorted((testdata / "photos" / "imagenet").glob("*.JPEG"))[:60]
    inputs = [model.prepare(pixels(path)) for path in paths]
    alarms = [path.name for path, found in zip(paths, model.run(inputs, 0.7), strict=True) if found]
    assert len(alarms) <= 1, alarms
