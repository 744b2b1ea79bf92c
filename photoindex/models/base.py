"""The interfaces of image and text encoders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How to turn a picture into a model's input, as in training.

    size_px: side of the square input. resize: `shortest` scales the shorter side to it and crops the centre,
    `squash` scales both sides. mean, standard_deviation: of R, G, B in 0 to 1.
    """

    size_px: int
    resize: Literal["shortest", "squash"]
    interpolation: Literal["bicubic", "bilinear"]
    mean: tuple[float, float, float]
    standard_deviation: tuple[float, float, float]


class ImageEncoder(Protocol):
    """Encodes pictures as vectors. runs_on: device, precision and runtime, for display: `cuda:0 (float16, torch)`."""

    dim: int
    preprocessing: Preprocessing
    runs_on: str

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 [n, dim] of unit length for uint8 RGB [n, size_px, size_px, 3]; see `models.preprocess`.

        Raises OutOfDeviceMemory if the batch does not fit, DeviceLost if the device failed.
        """
        ...


class TextEncoder(Protocol):
    """Encodes texts as vectors of the same space."""

    dim: int

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [n, dim] of unit length; long texts are truncated like the model's own tokenizer does."""
        ...


class OutOfDeviceMemory(Exception):
    """A batch does not fit into the device's memory; a smaller one might."""


class DeviceLost(Exception):
    """The device failed in a way that needs a new process."""
