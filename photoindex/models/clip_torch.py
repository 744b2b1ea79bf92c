"""The image tower of a CLIP model on torch: a GPU, or the CPU where torch is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from photoindex.models.base import DeviceLost, OutOfDeviceMemory, Preprocessing

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "float32", "float16", "bfloat16"]
"""What the tower computes in: `auto` is float16 on a GPU and float32 on the CPU."""

_GPU_LIBRARIES = ("CUDA", "CUBLAS", "CUDNN", "NVML", "NVRTC")


class TorchImageEncoder:
    """The image tower, `visual` of an open_clip model, in float16 on a GPU and in float32 on the CPU."""

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
        with _device_errors(device):
            self._tower = tower.eval().to(device=device, memory_format=torch.channels_last)
            _shorten_weights(self._tower, self._dtype)
            self._mean = _channels(preprocessing.mean, device)
            self._deviation = _channels(preprocessing.standard_deviation, device)

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 [n, dim] of unit length; see `models.base.ImageEncoder`."""
        if not len(pixels):
            return np.empty((0, self.dim), dtype=np.float32)
        with _device_errors(self._device):
            return self._encode(np.ascontiguousarray(pixels))

    def _encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        on_gpu = self._device.type == "cuda"
        with torch.inference_mode():
            batch = torch.from_numpy(pixels)
            if on_gpu:
                batch = batch.pin_memory().to(self._device, non_blocking=True)
            # The pixels come as rows of RGB, which is what channels_last means: no copy is made here.
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
        # Of the two short formats float16 keeps three more bits of each number: vectors stay nearer to those of the CPU.
        return torch.float16 if device.type == "cuda" else torch.float32
    return {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[precision]


def _shorten_weights(tower: Any, dtype: torch.dtype) -> None:
    """Keep the weights of products in the short format, which autocast would otherwise convert for every batch."""
    import torch

    if dtype == torch.float32:
        return
    for module in tower.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d | torch.nn.MultiheadAttention):
            module.to(dtype)


def _channels(values: tuple[float, float, float], device: torch.device) -> torch.Tensor:
    """Return a value of each channel, given for 0 to 1, for pixels of 0 to 255: float32 [1, 3, 1, 1]."""
    import torch

    return (torch.tensor(values, dtype=torch.float32) * 255).reshape(1, 3, 1, 1).to(device)


@contextmanager
def _device_errors(device: torch.device) -> Iterator[None]:
    """Raise OutOfDeviceMemory and DeviceLost for what torch raises when a GPU runs out of memory or fails."""
    import torch

    if device.type != "cuda":
        yield
        return
    try:
        yield
    except RuntimeError as error:
        first = next(iter(str(error).splitlines()), "no reason given")
        if isinstance(error, torch.cuda.OutOfMemoryError) or "ALLOC_FAILED" in first:
            torch.cuda.empty_cache()
            raise OutOfDeviceMemory(f"a batch does not fit into the memory of {device}") from error
        if not any(library in first.upper() for library in _GPU_LIBRARIES):
            raise
        # What CUDA raises after a failure comes back with every later call of this process.
        raise DeviceLost(f"{device} failed: {first}") from error
