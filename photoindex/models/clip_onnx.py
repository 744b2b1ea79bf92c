"""Running the exported towers of a CLIP model with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.base import Preprocessing
from photoindex.models.description import ExportDescription
from photoindex.models.token_table import MappedTable
from photoindex.models.tokenizer import TextTokenizer

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_NO_SPINNING = {"session.intra_op.allow_spinning": "0", "session.inter_op.allow_spinning": "0"}
_QUICK_START = {"session.disable_prepacking": "1"}
_ERRORS_ONLY = 3


def open_session(path: Path, *, threads: int | None, quick_start: bool) -> InferenceSession:
    """Open an ONNX file for the CPU.

    threads: maximum number per run; None uses the runtime's default (one per core). quick_start: use the weights as stored in
    the file, which loads faster but runs slower. Raises ModelUnavailable if the runtime rejects the file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    # Spinning threads would take CPU time from everything else on a small machine.
    entries = _NO_SPINNING | (_QUICK_START if quick_start else {})
    for name, value in entries.items():
        options.add_session_config_entry(name, value)
    if quick_start:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelUnavailable(f"{path} cannot be run: {_first_line(error)}; install the model again") from error


class OnnxTextEncoder:
    """The text tower on the CPU."""

    def __init__(
        self,
        session: InferenceSession,
        tokenizer: TextTokenizer,
        description: ExportDescription,
        table: MappedTable | None = None,
    ) -> None:
        """table: of the token vectors, if `description` has one."""
        _check_dim(session, description.dim)
        self.dim = description.dim
        self._session = session
        self._tokenizer = tokenizer
        self._table = table
        self._inputs = {one.name for one in session.get_inputs()}

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [n, dim] of unit length; see `models.base.TextEncoder`."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        tokens = self._tokenizer.tokens(texts)
        given: dict[str, NDArray[np.generic]] = {"tokens": tokens}
        if self._table is not None:
            given["rows"] = self._table.rows(tokens)
        return _run(self._session, {name: values for name, values in given.items() if name in self._inputs})


class OnnxImageEncoder:
    """The image tower on the CPU."""

    runs_on = "cpu (float32, ONNX Runtime)"

    def __init__(self, session: InferenceSession, description: ExportDescription) -> None:
        _check_dim(session, description.dim)
        self.dim = description.dim
        self.preprocessing: Preprocessing = description.preprocessing
        self._session = session

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 [n, dim] of unit length; see `models.base.ImageEncoder`."""
        if not len(pixels):
            return np.empty((0, self.dim), dtype=np.float32)
        return _run(self._session, {"pixels": np.ascontiguousarray(pixels)})


def _run(session: InferenceSession, given: dict[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    (vectors,) = session.run(None, given)
    return np.asarray(vectors, dtype=np.float32)


def _check_dim(session: InferenceSession, dim: int) -> None:
    found = session.get_outputs()[0].shape[-1]
    if found != dim:
        raise ModelUnavailable(
            f"the model's tower gives vectors of dimension {found}, but its description says {dim}; install it again"
        )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
