"""Describing aligned faces by vectors with a network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.faces.description import FACE_PACK, EmbedderDescription
from photoindex.models.faces.detector import normalised
from photoindex.models.network import Network


class OnnxFaceEmbedder:
    """An embedder of a face pack; see `models.base.FaceEmbedder`.

    Raises ModelUnavailable if the network does not take or give what its description says.
    """

    def __init__(self, network: Network, description: EmbedderDescription) -> None:
        self.dim = description.dim
        self.input_px = description.input_px
        self._network = network
        self._described = description
        problem = self._problem()
        if problem is not None:
            raise ModelUnavailable(f"{network.path} {problem}")

    def _problem(self) -> str | None:
        if len(self._network.outputs) != 1:
            return f"has {len(self._network.outputs)} outputs; an embedder has one"
        shape = next(iter(self._network.outputs.values()))
        if len(shape) != 2:
            return f"gives arrays of {len(shape)} axes; an embedder gives [n, dim]"
        if isinstance(shape[1], int) and shape[1] != self.dim:
            return f"gives vectors of dimension {shape[1]}, but embedder.dim in {FACE_PACK} says {self.dim}"
        sides = self._network.shape[2:]
        if any(side not in (None, self.input_px) for side in sides):
            return f"takes {sides[1]} x {sides[0]} pixels, but embedder.input_px in {FACE_PACK} says {self.input_px}"
        return None

    def embed(self, aligned: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors of aligned faces; see `models.base.FaceEmbedder`."""
        if not len(aligned):
            return np.empty((0, self.dim), dtype=np.float32)
        described = self._described
        values = normalised(aligned, described.colours, described.mean, described.standard_deviation)
        (vectors,) = self._network.run(values)
        if vectors.shape != (len(aligned), self.dim):
            raise ModelUnavailable(
                f"{self._network.path} gives vectors of dimension {vectors.shape[-1]}, but embedder.dim in {FACE_PACK} says {self.dim}"
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        result: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-12)
        return result
