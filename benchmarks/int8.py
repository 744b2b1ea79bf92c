"""An image tower in int8, by ONNX Runtime's own dynamic quantisation, and what that does to search on the tests' trained model."""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
from pathlib import Path
from typing import Any

from common import photoindex

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

RECIPES = {"int8": ["MatMul", "Gemm"], "int8-all": None}
"""Suffix of the model -> the operators that are quantised; None: all that ONNX Runtime can quantise."""


def quantised(folder: Path, destination: Path, recipe: str) -> None:
    """Copy the folder of a model, with its image tower quantised."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().setLevel(
        logging.ERROR
    )  # it warns that the graph was not preprocessed, which changes nothing here
    shutil.copytree(folder, destination, ignore=shutil.ignore_patterns("visual.onnx*"))
    only = RECIPES[recipe]
    # Convolutions of signed weights have no kernel on the CPU.
    kind = QuantType.QInt8 if only else QuantType.QUInt8
    source, target = folder / "onnx" / "visual.onnx", destination / "onnx" / "visual.onnx"
    quantize_dynamic(source, target, weight_type=kind, op_types_to_quantize=only)


def recall_on_the_fixture(work: Path, given: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Return what `spaces eval` gives the trained model of the tests in float32 and with each recipe.

    The queries describe scenes that it was not trained on, one photo each.
    """
    from tests.model_folders import TINY_CLIP
    from tests.tiny_clip.captions import describe
    from tests.tiny_clip.scenes import all_scenes, is_unseen
    from tests.tiny_model import write_scenes

    scenes = work / "int8-scenes"
    shutil.rmtree(scenes, ignore_errors=True)
    library = scenes / "library"
    unseen = [scene for scene in all_scenes() if is_unseen(scene)][:: 20 if given.quick else 1]
    paths = write_scenes(scenes / "photos", unseen)
    queries = scenes / "queries.tsv"
    queries.write_text("".join(f"{describe(scene)}\t{path}\n" for scene, path in paths.items()))
    photoindex("scan", "--progress", "none", scenes / "photos", library=library)
    photoindex("models", "install", TINY_CLIP, "--id", "float32", library=library)
    for recipe in RECIPES:
        quantised(TINY_CLIP, scenes / recipe, recipe)
        photoindex("models", "install", scenes / recipe, "--id", recipe, library=library)
    for name in ("float32", *RECIPES):
        photoindex("embed", "--model", name, "--device", "cpu", "--progress", "none", library=library)
    out = photoindex("spaces", "eval", queries, "-k", "1", "--json", library=library)[1]
    scores: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    return {one["space"]: {"recall_at_1": one["recall"], "mrr": one["mrr"]} for one in scores}
