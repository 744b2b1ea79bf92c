"""The interfaces of image and text encoders, of face packs, of captioners and of readers of text in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from photoindex.types import TextLine

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


@dataclass(frozen=True, slots=True)
class FacesInPicture:
    """The faces that a detector found in one picture, best score first.

    boxes: float32 [n, 4], x and y of the upper left corner, width, height, in pixels; they may reach beyond the picture.
    scores: float32 [n], 0 to 1. landmarks: float32 [n, 5, 2], x and y in pixels of both eyes, the tip of the nose and both
    corners of the mouth; of each two, the one on the left of an upright face comes first. limited: there were more faces
    than a detector returns of one picture.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    limited: bool = False

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class DescribedFaces:
    """The faces of one picture with their vectors and quality, in the order of `found`.

    vectors: float32 [n, dim] of unit length. sharpness: float32 [n], variance of the Laplacian of the aligned face (grey, 0 to
    255). yaw, roll: float32 [n], degrees; 0 is frontal, upright. yaw is positive where the face looks to the right of the
    picture, roll where it is turned clockwise.
    """

    found: FacesInPicture
    vectors: NDArray[np.float32]
    sharpness: NDArray[np.float32]
    yaw: NDArray[np.float32]
    roll: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.found)


class FaceDetector(Protocol):
    """Finds faces."""

    def detect(self, pictures: Sequence[NDArray[np.uint8]]) -> list[FacesInPicture]:
        """Return the faces of each picture, uint8 RGB [height, width, 3] of any sizes; no face is not an error.

        Raises OutOfDeviceMemory if the batch does not fit, DeviceLost if the device failed.
        """
        ...


class FaceEmbedder(Protocol):
    """Describes aligned faces by vectors. input_px: side of the square input."""

    dim: int
    input_px: int

    def embed(self, aligned: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 [n, dim] of unit length for uint8 RGB [n, input_px, input_px, 3]; see `models.faces.alignment`.

        Raises OutOfDeviceMemory if the batch does not fit, DeviceLost if the device failed.
        """
        ...


class FacePack(Protocol):
    """A detector and an embedder that belong together. runs_on: as of ImageEncoder."""

    detector: FaceDetector
    embedder: FaceEmbedder
    dim: int
    runs_on: str

    def describe(self, pictures: Sequence[NDArray[np.uint8]]) -> list[DescribedFaces]:
        """Find, align, embed and rate the faces of each picture, uint8 RGB [height, width, 3].

        Raises OutOfDeviceMemory if the batch does not fit, DeviceLost if the device failed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """What a model answered about a picture. whole: it ended by itself, not because it had reached the maximum length.

    problem: why there is no answer about this picture, empty as a rule.
    """

    text: str
    whole: bool = True
    problem: str = ""


class Captioner(Protocol):
    """Describes pictures in words. runs_on: as of ImageEncoder.

    least_px: a picture may be decoded at reduced size while its shorter side stays at least this long; None: not at all.
    """

    runs_on: str
    least_px: int | None

    def prepare(self, pixels: NDArray[np.uint8]) -> Any:
        """Return a picture, uint8 RGB [height, width, 3], as `caption` takes it; called in threads."""
        ...

    def likely_length(self, prepared: Any) -> int:
        """Return about how long it takes, in any unit: batches of alike pictures waste less."""
        ...

    def caption(self, prepared: Sequence[Any]) -> list[Said]:
        """Return what is in each picture.

        Raises OutOfDeviceMemory if the batch does not fit, DeviceLost if the device failed.
        """
        ...


class TextReader(Protocol):
    """Reads the text in pictures. runs_on: as of ImageEncoder."""

    runs_on: str

    def read(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[TextLine]]:
        """Return the lines of text in each picture, uint8 RGB [height, width, 3]; with an empty text where none can be read.

        Raises OutOfDeviceMemory if the batch does not fit, DeviceLost if the device failed.
        """
        ...


class OutOfDeviceMemory(Exception):
    """A batch does not fit into the device's memory; a smaller one might."""


class DeviceLost(Exception):
    """The device failed in a way that needs a new process."""
