"""Recognising the files of an insightface pack (the layout of its `FaceAnalysis`, such as buffalo_l) by their networks."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from photoindex.errors import ModelUnavailable
from photoindex.models.faces.description import (
    FACE_PACK,
    DetectorDescription,
    EmbedderDescription,
    FacePackDescription,
)
from photoindex.models.network import Network

_DETECTOR_OUTPUTS: Final = 5
"""A network with at least so many outputs is a detector."""
_OTHER_SIDES = (96, 192)
"""Sides of the inputs of the networks for age and gender, and for more landmarks."""
_NODES_LOOKED_AT = 8
_DETECTOR_VALUES: Final = ((127.5,) * 3, (128.0,) * 3)
_EMBEDDER_VALUES: Final = ((127.5,) * 3, (127.5,) * 3)
_NORMALISES_ITSELF: Final = ((0.0,) * 3, (1.0,) * 3)
# Field numbers of ONNX's onnx.proto.
_MODEL_GRAPH, _GRAPH_NODE, _NODE_NAME = 7, 1, 3
_VARINT, _EIGHT_BYTES, _LENGTH_FIRST, _FOUR_BYTES = 0, 1, 2, 5


def is_face_pack(names: Iterable[str]) -> bool:
    """Tell whether a folder with these files is a face pack: it has a description, or ONNX files and nothing of open_clip's."""
    there = set(names)
    if FACE_PACK in there:
        return True
    return "open_clip_config.json" not in there and "onnx" not in there and any(one.endswith(".onnx") for one in there)


def recognised(folder: Path) -> FacePackDescription:
    """Return the description of an insightface pack; its networks may lie in folders of the pack.

    A network's inputs and outputs say what it is, by the rules of the insightface package (model_zoo.py and arcface_onnx.py of
    version 2.1); the first of a kind in the order of names is used, and of its defaults the two sizes at which the detector
    sees a picture. Raises ModelUnavailable, naming what is missing.
    """
    detector: DetectorDescription | None = None
    embedder: EmbedderDescription | None = None
    problem = ""
    for path in sorted(folder.rglob("*.onnx")):
        try:
            network = Network(path, device="cpu", threads=None)
        except ModelUnavailable as error:
            problem = f" ({error})"
            continue
        name = path.relative_to(folder).as_posix()
        height, width = network.shape[2:]
        if len(network.outputs) >= _DETECTOR_OUTPUTS:
            detector = detector or _detector(name)
        elif height is not None and height == width and _is_side_of_embedder(height):
            embedder = embedder or _embedder(name, network, height)
    for kind, found in (("detector", detector), ("embedder", embedder)):
        if found is None:
            raise ModelUnavailable(
                f"{folder} is no face pack: no .onnx file in it is the {kind} of an insightface pack; describe other networks "
                f"in {FACE_PACK}{problem}"
            )
    assert detector is not None
    assert embedder is not None
    return FacePackDescription(kind="insightface", detector=detector, embedder=embedder)


def _is_side_of_embedder(side: int) -> bool:
    return side >= 112 and side % 16 == 0 and side not in _OTHER_SIDES


def written(description: FacePackDescription) -> str:
    """Return the text of a `face_pack.toml`."""
    lines = [
        f"version = {description.version}",
        f'kind = "{description.kind}"',
        f'runtime = "{description.runtime}"',
    ]
    for part in ("detector", "embedder"):
        lines += ["", f"[{part}]"]
        for name, value in getattr(description, part).model_dump(exclude_none=True).items():
            lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _detector(name: str) -> DetectorDescription:
    mean, deviation = _DETECTOR_VALUES
    return DetectorDescription(
        file=name,
        layout="scrfd",
        mean=mean,
        standard_deviation=deviation,
        longest_px=640,
        closer=0.2,
        square=True,
        score=0.5,
        overlap=0.4,
    )


def _embedder(name: str, network: Network, side: int) -> EmbedderDescription:
    mean, deviation = _NORMALISES_ITSELF if _normalises_itself(network.path) else _EMBEDDER_VALUES
    (vectors, *_) = network.run(np.zeros((1, 3, side, side), dtype=np.float32))
    return EmbedderDescription(file=name, mean=mean, standard_deviation=deviation, dim=vectors.shape[-1], input_px=side)


def _normalises_itself(path: Path) -> bool:
    """Tell whether an embedder begins with a subtraction and a multiplication, as those converted from MXNet do."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            names = list(_first_node_names(data))
        except (IndexError, ValueError):
            return False
    subtracts = any(name.startswith((b"Sub", b"_minus")) for name in names)
    return subtracts and any(name.startswith((b"Mul", b"_mul")) for name in names)


def _first_node_names(data: mmap.mmap) -> Iterator[bytes]:
    """Yield the names of the first nodes of an ONNX file."""
    left = _NODES_LOOKED_AT
    for field, start, end in _fields(data, 0, len(data)):
        if field != _MODEL_GRAPH:
            continue
        for part, node_start, node_end in _fields(data, start, end):
            if part == _GRAPH_NODE:
                yield from (data[a:b] for name, a, b in _fields(data, node_start, node_end) if name == _NODE_NAME)
                left -= 1
                if left == 0:
                    return


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, start and end of the fields of a protobuf message. Raises IndexError, ValueError if it is damaged."""
    while start < end:
        key, start = _varint(data, start)
        kind = key & 7
        if kind == _LENGTH_FIRST:
            length, start = _varint(data, start)
        elif kind == _VARINT:
            length = _varint(data, start)[1] - start
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"unknown kind of field: {kind}")
        yield key >> 3, start, start + length
        start += length


def _varint(data: mmap.mmap, start: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = data[start]
        value |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:
            return value, start
