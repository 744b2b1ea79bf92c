"""Opening the encoders of an installed model."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from photoindex.errors import DeviceFailed, ModelUnavailable
from photoindex.models.base import ImageEncoder, TextEncoder
from photoindex.models.description import (
    DATA_SUFFIX,
    DESCRIPTION,
    FOLDER,
    TABLE_SUMS,
    TEXT,
    TOKENIZER,
    VISUAL,
    ExportDescription,
    read_description,
)
from photoindex.models.open_clip_loader import CONFIG_NAME
from photoindex.models.torch_device import torch_device

if TYPE_CHECKING:
    import torch

    from photoindex.models.clip_torch import Precision
    from photoindex.models.weights import InstalledModel

Runtime = Literal["auto", "torch", "onnx"]


def open_text_encoder(installed: InstalledModel, *, threads: int | None = None) -> TextEncoder:
    """Open the text tower with ONNX Runtime, optimised for a fast start; files are hashed while they are loaded.

    A table of token vectors is not read: each query checks the parts of it that it needs.

    threads: maximum number per run, by default one per core. Raises ModelUnavailable if it is a face pack, or files are
    missing, changed since installation, or inconsistent.
    """
    dim = installed.encoders.dim
    with installed.checking(*_existing(installed, DESCRIPTION, TOKENIZER, TEXT, TEXT + DATA_SUFFIX, TABLE_SUMS)):
        from photoindex.models.clip_onnx import OnnxTextEncoder, open_session
        from photoindex.models.token_table import MappedTable
        from photoindex.models.tokenizer import TextTokenizer

        description = _description(installed, dim)
        tokenizer = TextTokenizer.from_file(
            installed.folder / TOKENIZER, description.tokenizer, description.context_length
        )
        table = None if description.table is None else MappedTable(installed.folder, description.table)
        session = open_session(installed.folder / TEXT, threads=threads, quick_start=True)
        return OnnxTextEncoder(session, tokenizer, description, table)


def open_image_encoder(
    installed: InstalledModel,
    *,
    device: str = "auto",
    runtime: Runtime = "auto",
    precision: Precision = "auto",
    gpu_free_share: float = 0.25,
    threads: int | None = None,
) -> ImageEncoder:
    """Open the image tower: with torch on a GPU, otherwise with ONNX Runtime unless torch is requested.

    A model that has no weights for torch always runs with ONNX Runtime.

    device: auto (a GPU if torch can use one), cpu, cuda or cuda:N. gpu_free_share: fraction of the GPU's memory to leave
    free. threads: maximum number of CPU threads per run, by default one per core. Raises ModelUnavailable if it is a face
    pack, or files are missing, changed since installation, or inconsistent, DeviceFailed if the device does not exist,
    OutOfDeviceMemory if the model itself does not fit.
    """
    dim = installed.encoders.dim
    if runtime == "onnx" and device.startswith("cuda"):
        raise DeviceFailed(f"ONNX Runtime runs models only on the CPU; omit the runtime to use {device}")
    if CONFIG_NAME not in installed.files:
        if runtime == "torch" or device.startswith("cuda"):
            raise DeviceFailed(
                f"the model '{installed.id}' has only ONNX files, which run on the CPU; set embed.device to auto or cpu"
            )
        runtime = "onnx"
    if runtime == "auto":
        on_gpu = device.startswith("cuda") or (device == "auto" and _has_gpu())
        runtime = "torch" if on_gpu else "onnx"
    if runtime == "onnx":
        return _open_onnx(installed, dim, threads)
    return _open_torch(installed, dim, torch_device(device, gpu_free_share), precision, threads)


def _open_onnx(installed: InstalledModel, dim: int, threads: int | None) -> ImageEncoder:
    with installed.checking(*_existing(installed, DESCRIPTION, VISUAL, VISUAL + DATA_SUFFIX)):
        from photoindex.models.clip_onnx import OnnxImageEncoder, open_session

        description = _description(installed, dim)
        session = open_session(installed.folder / VISUAL, threads=threads, quick_start=False)
        return OnnxImageEncoder(session, description)


def _open_torch(
    installed: InstalledModel, dim: int, device: torch.device, precision: Precision, threads: int | None
) -> ImageEncoder:
    # Of the exported files, only the description is used here.
    names = [name for name in installed.files if not name.startswith(f"{FOLDER}/")]
    with installed.checking(DESCRIPTION, *names):
        import torch

        from photoindex.models.clip_torch import TorchImageEncoder
        from photoindex.models.open_clip_loader import load_model

        if threads is not None and device.type == "cpu":
            torch.set_num_threads(threads)
        description = _description(installed, dim)
        loaded = load_model(installed.folder)
        if loaded.dim != description.dim:
            raise ModelUnavailable(_dim_differs(installed, "weights", loaded.dim))
        return TorchImageEncoder(loaded.visual, description.preprocessing, description.dim, device, precision=precision)


def _existing(installed: InstalledModel, *names: str) -> list[str]:
    """Return the names without files that a small model does not have because its ONNX file contains all weights."""
    return [name for name in names if name in installed.files or not name.endswith((DATA_SUFFIX, TABLE_SUMS))]


def _description(installed: InstalledModel, dim: int) -> ExportDescription:
    description = read_description(installed.folder)
    if description.dim != dim:
        raise ModelUnavailable(_dim_differs(installed, DESCRIPTION, description.dim))
    return description


def _dim_differs(installed: InstalledModel, what: str, found: int) -> str:
    return (
        f"the model '{installed.id}' was installed with vectors of dimension {installed.description.dim}, not {found} as in "
        f"its {what}; install it again: {installed.remedy}"
    )


def _has_gpu() -> bool:
    """Tell whether torch is installed and has a GPU; this imports torch."""
    if find_spec("torch") is None or find_spec("open_clip") is None:
        return False
    import torch

    return torch.cuda.is_available()
