"""One network in ONNX Runtime, on the CPU or on CUDA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import DeviceFailed, ModelUnavailable
from photoindex.models.base import DeviceLost, OutOfDeviceMemory

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_CUDA = "CUDAExecutionProvider"
_NO_SPINNING = {"session.intra_op.allow_spinning": "0", "session.inter_op.allow_spinning": "0"}
_FATAL_ONLY = 4
"""Errors are raised; the runtime would also print them."""
_RUN_MAX = 16
"""Inputs per run: enough for a GPU, and a few hundred megabytes of activations at most."""
_OUT_OF_MEMORY = ("OUT OF MEMORY", "FAILED TO ALLOCATE", "ALLOC_FAILED", "BAD_ALLOC")
_GPU_LIBRARIES = ("CUDA", "CUBLAS", "CUDNN")


class Network:
    """A network with one input [n, 3, height, width]; the numbers that its file fixes are ints in `shape`.

    device: auto (CUDA if ONNX Runtime has it), cpu, cuda or cuda:N. threads: maximum number per run, None for one per core.
    Raises ModelUnavailable if the runtime rejects the file, DeviceFailed if the device was asked for and is not there.
    """

    def __init__(self, path: Path, *, device: str, threads: int | None) -> None:
        self.path = path
        self._session, self.device = _open(path, device, threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type != "tensor(float)":
            raise ModelUnavailable(f"{path} does not take one float32 picture [n, 3, height, width]")
        self._input = inputs[0].name
        self.shape: list[int | None] = [one if isinstance(one, int) and one > 0 else None for one in inputs[0].shape]
        self.outputs = {one.name: list(one.shape) for one in outputs}
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, values: NDArray[np.float32], *, one_by_one: bool = False) -> list[NDArray[np.float32]]:
        """Return the outputs for float32 [n, 3, height, width], n at least 1, one array [n, …] each.

        The batch is run in parts: of the size that the file fixes, else of a power of two, so that a device sees few shapes.
        one_by_one: outputs have no axis of the batch; it is added. Raises OutOfDeviceMemory, DeviceLost.
        """
        parts: list[list[NDArray[np.float32]]] = []
        first = 0
        while first < len(values):
            fixed = 1 if one_by_one else self.shape[0]
            count = fixed or min(_RUN_MAX, 1 << ((len(values) - first).bit_length() - 1))
            part = values[first : first + count]
            made = self._run(_padded(part, count))
            parts.append([one[None] if one_by_one else one[: len(part)] for one in made])
            first += count
        return [np.concatenate(same) if len(parts) > 1 else same[0] for same in zip(*parts, strict=True)]

    def _run(self, values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        with device_errors(self.device):
            made: list[Any] = self._session.run(None, {self._input: values})
        return [np.asarray(one, dtype=np.float32) for one in made]


def _padded(part: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    if len(part) == count:
        return part
    return np.concatenate([part, np.repeat(part[-1:], count - len(part), axis=0)])


def providers_of(device: str) -> list[Any]:
    """Return ONNX Runtime's providers for a device: auto, cpu, cuda or cuda:N; DeviceFailed if it has no CUDA but should."""
    import onnxruntime

    on_cuda = device.startswith("cuda") or (device == "auto" and _CUDA in onnxruntime.get_available_providers())
    if not on_cuda:
        return ["CPUExecutionProvider"]
    if _CUDA not in onnxruntime.get_available_providers():
        raise DeviceFailed(_no_cuda(device, "this ONNX Runtime has only the CPU"))
    if hasattr(onnxruntime, "preload_dlls"):
        # CUDA's libraries may be in Python packages, as torch installs them.
        onnxruntime.preload_dlls()
    # Trying out every algorithm for every new shape takes longer than it saves.
    options = {"device_id": device.partition(":")[2] or "0", "cudnn_conv_algo_search": "HEURISTIC"}
    return [(_CUDA, options), "CPUExecutionProvider"]


def _open(path: Path, device: str, threads: int | None) -> tuple[InferenceSession, str]:
    """Return a session and the device that it runs on."""
    # The runtime falls back to the CPU by itself; who asked for CUDA gets an error.
    session = _session(path, threads, providers_of(device))
    if session.get_providers()[0] == _CUDA:
        return session, f"cuda:{device.partition(':')[2] or '0'}"
    if device.startswith("cuda"):
        raise DeviceFailed(_no_cuda(device, "ONNX Runtime could not use it"))
    return session, "cpu"


def _session(path: Path, threads: int | None, providers: list[Any]) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    # Spinning threads would take CPU time from everything else on a small machine.
    for name, value in _NO_SPINNING.items():
        options.add_session_config_entry(name, value)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:
        if any(one in str(error).upper() for one in _OUT_OF_MEMORY):
            raise OutOfDeviceMemory(f"{path.name} does not fit into the device's memory") from error
        raise ModelUnavailable(f"{path} cannot be run: {_first_line(error)}") from error


def _no_cuda(device: str, why: str) -> str:
    return (
        f"there is no {device}: {why}; install the package onnxruntime-gpu in place of onnxruntime, see: nvidia-smi, or use "
        f"--device cpu"
    )


@contextmanager
def device_errors(device: str) -> Iterator[None]:
    """Convert errors of a device that is out of memory or has failed to OutOfDeviceMemory and DeviceLost."""
    try:
        yield
    except Exception as error:
        text = str(error).upper()
        if any(one in text for one in _OUT_OF_MEMORY):
            raise OutOfDeviceMemory(f"a batch does not fit into the memory of {device}") from error
        if device == "cpu" or not any(library in text for library in _GPU_LIBRARIES):
            raise
        raise DeviceLost(f"{device} failed: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
