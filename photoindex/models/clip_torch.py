"""Running the image tower of a CLIP model with torch, on a GPU or the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from photoindex.models.base import Preprocessing
from photoindex.models.torch_device import device_errors

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "float32", "float16", "bfloat16"]
"""Number format of the computation: `auto` is float16 on a GPU and float32 on the CPU."""


class TorchImageEncoder:
    """The image tower (`visual`) of an open_clip model, by default in float16 on a GPU and float32 on the CPU."""

    def __init__(
        self,
        tower: Any,
        preprocessing: Preprocessing,
        dim: int,
        device: torch.device,
        *,
        precision: Precision = "auto",
    ) -> None:
        import torch

        self.dim = dim
        self.preprocessing = preprocessing
        self._device = device
        self._dtype = _dtype(precision, device)
        self.runs_on = f"{device} ({str(self._dtype).removeprefix('torch.')}, torch)"
        with device_errors(device):
            self._tower = tower.eval().to(device=device, memory_format=torch.channels_last)
            _convert_weights(self._tower, self._dtype)
            self._mean = _channels(preprocessing.mean, device)
            self._deviation = _channels(preprocessing.standard_deviation, device)

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 [n, dim] of unit length; see `models.base.ImageEncoder`."""
        if not len(pixels):
            return np.empty((0, self.dim), dtype=np.float32)
        with device_errors(self._device):
            return self._encode(np.ascontiguousarray(pixels))

    def _encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        on_gpu = self._device.type == "cuda"
        with torch.inference_mode():
            batch = torch.from_numpy(pixels)
            if on_gpu:
                batch = batch.pin_memory().to(self._device, non_blocking=True)
            # The pixels are already in channels_last order, so this makes no copy.
            values = batch.permute(0, 3, 1, 2).to(torch.float32)
            values = values.sub_(self._mean).div_(self._deviation)
            with torch.autocast(self._device.type, dtype=self._dtype, enabled=self._dtype != torch.float32):
                vectors = self._tower(values)
            vectors = torch.nn.functional.normalize(vectors.float(), dim=-1)
            result: NDArray[np.float32] = vectors.cpu().numpy()
            return result


def _dtype(precision: Precision, device: torch.device) -> torch.dtype:
    import torch

    if precision == "auto":
        # float16 has three more mantissa bits than bfloat16, so the vectors are closer to those of the CPU.
        return torch.float16 if device.type == "cuda" else torch.float32
    return {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[precision]


def _convert_weights(tower: Any, dtype: torch.dtype) -> None:
    """Store the weights of matrix products in half precision; otherwise autocast would convert them for every batch."""
    import torch

    if dtype == torch.float32:
        return
    for module in tower.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d | torch.nn.MultiheadAttention):
            module.to(dtype)


def _channels(values: tuple[float, float, float], device: torch.device) -> torch.Tensor:
    """Scale per-channel values from 0..1 to pixels of 0..255: float32 [1, 3, 1, 1]."""
    import torch

    return (torch.tensor(values, dtype=torch.float32) * 255).reshape(1, 3, 1, 1).to(device)
