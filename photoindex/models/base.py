"""What an image and text model gives, whoever runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes a model's input, as the model was trained.

    size_px: side of the square that the model sees. resize: `shortest` scales the shorter side to it and crops the middle,
    `squash` scales both sides. mean, standard_deviation: of R, G, B in 0 to 1.
    """

    size_px: int
    resize: Literal["shortest", "squash"]
    interpolation: Literal["bicubic", "bilinear"]
    mean: tuple[float, float, float]
    standard_deviation: tuple[float, float, float]


class ImageEncoder(Protocol):
    """Pictures in, vectors out. runs_on: device, precision and runtime, for people: `cuda:0 (float16, torch)`."""

    dim: int
    preprocessing: Preprocessing
    runs_on: str

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 [n, dim] of unit length for uint8 RGB [n, size_px, size_px, 3]; see `models.preprocess`.

        Raises OutOfDeviceMemory where the batch does not fit, DeviceLost where the device is gone.
        """
        ...


class TextEncoder(Protocol):
    """Texts in, vectors of the same space out."""

    dim: int

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [n, dim] of unit length; a text that is too long is cut as the model's own tokenizer does."""
        ...


class OutOfDeviceMemory(Exception):
    """A batch does not fit into the device's memory; a smaller one may."""


class DeviceLost(Exception):
    """The device failed in a way that only a new process can get over."""
