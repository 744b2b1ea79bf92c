"""Choosing the device that torch runs on, and telling its failures from errors of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from photoindex.errors import DeviceFailed
from photoindex.models.base import DeviceLost, OutOfDeviceMemory

if TYPE_CHECKING:
    import torch

_GPU_LIBRARIES = ("CUDA", "CUBLAS", "CUDNN", "NVML", "NVRTC")


def torch_device(device: str, gpu_free_share: float, *, needs: Sequence[str] = ("torch", "open_clip")) -> torch.device:
    """Return the device that `auto`, cpu, cuda or cuda:N names.

    gpu_free_share: fraction of the GPU's memory to leave free. needs: modules that must be installed. Raises DeviceFailed.
    """
    for module in needs:
        if find_spec(module) is None:
            raise DeviceFailed(f"{device} needs {module}, which is not installed; run: pip install 'photoindex[ml]'")
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    found = torch.device(device)
    if found.type != "cuda":
        return found
    count = torch.cuda.device_count()
    if not torch.cuda.is_available() or (found.index or 0) >= count:
        raise DeviceFailed(f"there is no {device}: torch finds {count} GPUs; see: nvidia-smi, or use --device cpu")
    torch.cuda.set_per_process_memory_fraction(1.0 - gpu_free_share, found)
    return found


@contextmanager
def device_errors(device: torch.device) -> Iterator[None]:
    """Convert torch's errors of a GPU that is out of memory or has failed to OutOfDeviceMemory and DeviceLost."""
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
        # After a failure, every later CUDA call of this process fails too.
        raise DeviceLost(f"{device} failed: {first}") from error
