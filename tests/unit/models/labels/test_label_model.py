"""Label models in ONNX Runtime: descriptions, classes, boxes, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.labels.description import read_label_model
from photoindex.models.labels.label_model import Found, LabelModel
from tests.label_models import write_colour_model, write_detector


def opened(toml: Path) -> LabelModel:
    return LabelModel(read_label_model(toml), device="cpu", threads=1)


def plain(colour: tuple[int, int, int], width: int = 40, height: int = 30) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


def found(model: LabelModel, *pictures: NDArray[np.uint8], least: float = 0.5) -> list[list[Found]]:
    return model.run([model.prepare(one) for one in pictures], least)


@pytest.mark.parametrize("softmax", [False, True])
def test_a_classifier_gives_each_picture_the_names_of_its_classes(softmax: bool, tmp_path: Path) -> None:
    more = f'input_px = 16\noutput = "{"probabilities" if softmax else "logits"}"\nprefix = "colours"\n'
    model = opened(write_colour_model(tmp_path, more=more, softmax=softmax))
    red, blue, grey = found(model, plain((250, 0, 0)), plain((0, 0, 250)), plain((90, 90, 90)))
    assert [one.name for one in red] == ["colours/red"]
    assert [one.name for one in blue] == ["colours/blue"]
    assert red[0].score > 0.99
    assert grey == []


def test_the_order_of_colours_is_as_described(tmp_path: Path) -> None:
    model = opened(write_colour_model(tmp_path, more='colours = "BGR"\n'))
    assert found(model, plain((250, 0, 0)))[0][0].name == "blue"


def test_of_several_names_for_a_class_the_first_counts_and_a_dash_gives_no_label(tmp_path: Path) -> None:
    model = opened(write_colour_model(tmp_path, names="-\ngreen, verdant\nblue\n"))
    red, green = found(model, plain((250, 0, 0)), plain((0, 250, 0)))
    assert (red, green[0].name) == ([], "green")


def test_objects_have_boxes_as_fractions_of_the_picture_without_repeats(tmp_path: Path) -> None:
    # The picture is twice as wide as high, so the lower half of the square is filled.
    objects = {
        0: (0, 0.9, (8.0, 4.0, 24.0, 20.0)),
        1: (0, 0.7, (9.0, 4.0, 25.0, 20.0)),
        2: (1, 0.8, (8.0, 4.0, 24.0, 20.0)),
        3: (0, 0.6, (40.0, 8.0, 72.0, 40.0)),
    }
    (seen,) = found(opened(write_detector(tmp_path, objects)), plain((9, 9, 9), 200, 100))
    assert [(one.name, round(one.score, 3)) for one in seen] == [
        ("objects/cup", 0.9), ("objects/plate", 0.8), ("objects/cup", 0.6)
    ]  # fmt: skip
    assert seen[0].box == pytest.approx((8 / 64, 4 / 32, 16 / 64, 16 / 32), abs=1e-3)
    assert seen[2].box == pytest.approx((40 / 64, 8 / 32, 24 / 64, 24 / 32), abs=1e-3)


@pytest.mark.parametrize("score", [4.0, float("nan"), float("inf")])
def test_scores_of_objects_that_are_no_probabilities_are_refused(score: float, tmp_path: Path) -> None:
    toml = write_detector(tmp_path, {0: (0, score, (8.0, 4.0, 24.0, 20.0))})
    with pytest.raises(ModelUnavailable, match="no probabilities"):
        opened(toml)


@pytest.mark.parametrize("output", ["logits", "independent"])
def test_scores_that_are_no_numbers_are_refused(output: str, tmp_path: Path) -> None:
    model = opened(write_colour_model(tmp_path, more=f'output = "{output}"\n', softmax=output == "independent"))
    broken = model.prepare(plain((250, 0, 0)))
    broken.values[:] = np.nan
    with pytest.raises(ModelUnavailable, match="no numbers"):
        model.run([broken], 0.5)


@pytest.mark.parametrize(
    ("names", "more", "says"),
    [
        ("red\ngreen\n", "", "gives scores for 3 classes, but .* names 2"),
        ("red\ngreen\nblue\nblack\n", "", "gives scores for 3 classes, but .* names 4"),
        ("red\n\nblue\n", "", "line 2: '' is no name of a tag"),
        ("", "", "has 0 names"),
        ("red\ngreen\nblue\n", 'output = "probabilities"\n', 'are no probabilities; write output = "logits"'),
        ("red\ngreen\nblue\n", "input_px = 32\n", "takes pictures of \\[16\\] pixels, not of 32"),
        ("red\ngreen\nblue\n", 'channels = "last"\n', 'is it channels = "first"'),
        ("red\ngreen\nblue\n", 'output = "yolox"\n', 'the kind "objects" goes with'),
        ("red\ngreen\nblue\n", "typo = 1\n", "typo: Extra inputs"),
        ("red\ngreen\nblue\n", "kind = ", "cannot be used"),
    ],
)
def test_what_does_not_fit_the_model_is_refused_with_the_reason(
    names: str, more: str, says: str, tmp_path: Path
) -> None:
    toml = write_colour_model(tmp_path, names=names, more=more)
    with pytest.raises(ModelUnavailable, match=says):
        opened(toml)


def test_missing_files_and_a_network_that_is_none_are_named(tmp_path: Path) -> None:
    toml = write_colour_model(tmp_path)
    (tmp_path / "colours.onnx").write_bytes(b"no network")
    with pytest.raises(ModelUnavailable, match=r"colours\.onnx cannot be run"):
        opened(toml)
    (tmp_path / "colours.txt").unlink()
    with pytest.raises(ModelUnavailable, match=r"names colours\.txt, which cannot be read"):
        opened(toml)
    toml.unlink()
    with pytest.raises(ModelUnavailable, match=r"colours.toml cannot be used: No such file"):
        opened(toml)


def test_the_digest_changes_with_the_network_the_names_and_the_description(tmp_path: Path) -> None:
    digests = [read_label_model(write_colour_model(tmp_path)).digest]
    digests.append(read_label_model(write_colour_model(tmp_path, names="red\ngreen\nnavy\n")).digest)
    digests.append(read_label_model(write_colour_model(tmp_path, more="score = 0.1\n")).digest)
    digests.append(read_label_model(write_colour_model(tmp_path, softmax=True)).digest)
    assert len(set(digests)) == 4
