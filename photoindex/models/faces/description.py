"""The description of a face pack, `face_pack.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from photoindex.errors import ModelUnavailable
from photoindex.models.names import PlainName

FACE_PACK = "face_pack.toml"
_STRIDE_MAX = 32
"""Sides of a detector's input are multiples of this."""

Layout = Literal["yunet", "scrfd", "retinaface"]
Channels = tuple[float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Network(_Part):
    """A network and the pixels it takes: (pixel - mean) / standard_deviation of 0 to 255, per channel in its colour order."""

    file: PlainName
    colours: Literal["RGB", "BGR"] = "RGB"
    mean: Channels = (0.0, 0.0, 0.0)
    standard_deviation: Channels = (1.0, 1.0, 1.0)

    @field_validator("standard_deviation")
    @classmethod
    def _is_not_zero(cls, value: Channels) -> Channels:
        if not all(deviation > 0 for deviation in value):
            raise ValueError("no standard deviation is 0 or less")
        return value


class DetectorDescription(_Network):
    """How faces are found.

    layout: what the network's outputs mean; see `models.faces.decoders`. longest_px: the longer side of the picture that the
    network sees, a multiple of 32; a smaller network of fixed size sees the picture whole, and in overlapping parts. square: its input is always square, and
    pictures are scaled to it linearly, as in the insightface package; otherwise it is the smallest of three shapes that the picture
    fits into, and pixels are averaged where many become one. closer: also look at the picture at
    this fraction of that size, for faces that fill it. score: least score of a face. overlap: two boxes that overlap more
    (intersection over union) are one face.
    """

    layout: Layout
    longest_px: Annotated[int, Field(ge=_STRIDE_MAX, le=4096, multiple_of=_STRIDE_MAX)] = 640
    square: bool = False
    closer: Annotated[float, Field(gt=0, lt=1)] | None = None
    score: Annotated[float, Field(gt=0, lt=1)] = 0.5
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.4


class EmbedderDescription(_Network):
    """How a face becomes a vector of `dim` numbers; input_px: side of the aligned face."""

    dim: Annotated[int, Field(ge=1, le=65536)]
    input_px: Annotated[int, Field(ge=32, le=512)] = 112


class FacePackDescription(_Part):
    """A face pack.

    kind: `insightface` for packs in the layout of that package, whose description was made by looking at them. runtime: what
    runs it: our own code for ONNX Runtime, or that package.
    """

    version: Literal[1] = 1
    kind: Literal["onnx", "insightface"] = "onnx"
    runtime: Literal["onnx", "insightface"] = "onnx"
    detector: DetectorDescription
    embedder: EmbedderDescription

    @model_validator(mode="after")
    def _has_two_networks(self) -> FacePackDescription:
        if self.detector.file == self.embedder.file:
            raise ValueError(f"{self.detector.file} is both the detector and the embedder")
        if self.runtime == "insightface" and self.detector.layout != "scrfd":
            raise ValueError("the package insightface runs only detectors of the layout scrfd")
        return self


def read_face_pack(folder: Path) -> FacePackDescription:
    """Read `face_pack.toml` of a folder; raises ModelUnavailable, naming the file, if it is missing or malformed."""
    path = folder / FACE_PACK
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return FacePackDescription.model_validate(content)
    except FileNotFoundError:
        raise ModelUnavailable(f"{path} is missing, so this is no face pack") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"{where}: {first['msg']}" if where else first["msg"]
    except (OSError, ValueError, RecursionError) as error:
        problem = str(error)
    raise ModelUnavailable(f"{path} cannot be used: {problem}")
