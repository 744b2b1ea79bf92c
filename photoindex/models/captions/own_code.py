"""Captioners that bring their own Python code, such as moondream2: run only with the user's consent, and untested.

Of the code only `caption(image)` is used, which returns `{"caption": text}`. The code runs with all rights of the process.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photoindex.errors import ModelUnavailable
from photoindex.models.base import DeviceLost, OutOfDeviceMemory, Said
from photoindex.models.captions.files import CODE_MAP, CODE_SUFFIX, CONFIG_NAME, class_with_code
from photoindex.models.lock import FoundCaptioner
from photoindex.models.torch_device import device_errors
from photoindex.models.weights import InstalledModel, difference

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

CONSENT = "caption.trust_remote_code"
"""The setting that allows such code."""
_NOT_OF_THE_CODE = (ModelUnavailable, DeviceLost, OutOfDeviceMemory, KeyboardInterrupt)
_MODULES = "transformers_modules"
"""The package that transformers makes of the code of models."""
_NAMED_MAX = 3


def code_of(installed: InstalledModel) -> tuple[str, ...]:
    """Return the files of code that a captioner runs, none if it needs no code of its own."""
    found = installed.locked.found
    if not isinstance(found, FoundCaptioner) or not found.runs_own_code:
        return ()
    return tuple(name for name in installed.files if name.endswith(CODE_SUFFIX))


def require_consent(model_id: str, code: Sequence[str], *, allowed: bool) -> None:
    """Raise ModelUnavailable if a model needs its own code, the files `code`, and the user has not allowed it."""
    if code and not allowed:
        more = len(code) - _NAMED_MAX
        named = ", ".join(code[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
        raise ModelUnavailable(
            f"the model '{model_id}' would run Python code that came with it: {named}. Read this code; if you trust it, "
            f"allow it with the setting {CONSENT} = true, or let a server run the model: caption.endpoint"
        )


def open_own_code(installed: InstalledModel, device: torch.device) -> OwnCodeCaptioner:
    """Load a model through its own code, and let it describe a test picture. The user's consent is the caller's business.

    Only files of the model's folder are loaded, and no code before its checksum was compared. Raises ModelUnavailable if a
    file is not as installed, or the code fails, DeviceLost, OutOfDeviceMemory.
    """
    import numpy as np

    with installed.checking():
        folder = Path(tempfile.mkdtemp(prefix="photoindex-model-"))
        try:
            captioner = OwnCodeCaptioner(_load(installed, folder), device)
            captioner.try_out(np.full((64, 64, 3), 128, dtype=np.uint8))
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, _NOT_OF_THE_CODE):
                raise
            raise ModelUnavailable(
                f"the own code of the model '{installed.id}' fails: {reason(error)}; a server may run it instead: set "
                f"caption.endpoint"
            ) from error
        # Not before: some modules are imported as late as they are used.
        weakref.finalize(captioner, shutil.rmtree, folder, ignore_errors=True)
    return captioner


def _load(installed: InstalledModel, folder: Path) -> Any:
    """Load the model. folder: takes the files, and must exist as long as the model."""
    import transformers

    files, modules = folder / installed.id.replace("-", "_"), folder / "modules"
    _copy(installed, files)
    config = json.loads((files / CONFIG_NAME).read_text(encoding="utf-8"))
    loader: Any = getattr(transformers, class_with_code(config) or "AutoModel")
    with _modules_in(modules):
        return loader.from_pretrained(files, dtype="auto", local_files_only=True, trust_remote_code=True)


def _copy(installed: InstalledModel, files: Path) -> None:
    """Copy a model's small files, compare the copies with their checksums, and link to the weights."""
    files.mkdir()
    for name, expected in installed.files.items():
        source, target = installed.folder / name, files / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not name.endswith((CODE_SUFFIX, ".json")):
            target.symlink_to(source.resolve())
            continue
        shutil.copyfile(source, target)
        if difference(target, expected) is not None:
            raise ModelUnavailable(f"{source} has changed")  # replaced by the error of `checking`
    config = json.loads((files / CONFIG_NAME).read_text(encoding="utf-8"))
    (files / CONFIG_NAME).write_text(json.dumps(config | {CODE_MAP: _of_this_folder(config)}), encoding="utf-8")


def _of_this_folder(config: dict[str, Any]) -> dict[str, str]:
    """Return where the code is, without repositories: `owner/name--module.Class` would be looked for elsewhere."""
    return {name: str(where).rpartition("--")[2] for name, where in config[CODE_MAP].items()}


@contextmanager
def _modules_in(folder: Path) -> Iterator[None]:
    """Let transformers put code of models into a folder, not into the user's cache."""
    from transformers import dynamic_module_utils

    dynamic: Any = dynamic_module_utils
    before = dynamic.HF_MODULES_CACHE
    for name in [name for name in sys.modules if name.partition(".")[0] == _MODULES]:
        del sys.modules[name]  # of a model that was open before, in another folder
    dynamic.HF_MODULES_CACHE = str(folder)
    try:
        yield
    finally:
        dynamic.HF_MODULES_CACHE = before
        if str(folder) in sys.path:  # what is imported later is found by its package
            sys.path.remove(str(folder))


class OwnCodeCaptioner:
    """A model whose own code describes pictures, one at a time."""

    least_px: int | None = None

    def __init__(self, model: Any, device: torch.device) -> None:
        import torch

        self._device = device
        with device_errors(device), torch.inference_mode():
            self._model = model.eval().to(device)
        self.runs_on = f"{device} (untested, by its own code)"

    def prepare(self, pixels: NDArray[np.uint8]) -> Any:
        """Return a picture, uint8 RGB [height, width, 3], as the model's code takes it."""
        from PIL import Image

        return Image.fromarray(pixels)

    def likely_length(self, prepared: Any) -> int:  # noqa: ARG002
        """Return the same for all pictures."""
        return 0

    def caption(self, prepared: Sequence[Any]) -> list[Said]:
        """Return what is in each picture; see `Captioner`."""
        return [self._said(picture) for picture in prepared]

    def try_out(self, pixels: NDArray[np.uint8]) -> None:
        """Describe a picture; errors of the code are raised."""
        self._answer(self.prepare(pixels))

    def _said(self, picture: Any) -> Said:
        try:
            return Said(self._answer(picture))
        except _NOT_OF_THE_CODE:
            raise
        except BaseException as error:  # noqa: BLE001 - it may also try to end the program
            return Said("", problem=f"the model's own code fails: {reason(error)}")

    def _answer(self, picture: Any) -> str:
        import torch

        with device_errors(self._device), torch.inference_mode():
            answer = self._model.caption(picture)
        text = answer.get("caption") if isinstance(answer, dict) else None
        if not isinstance(text, str):
            raise TypeError('its caption() does not return {"caption": text}')
        return text


def reason(error: BaseException) -> str:
    """Return the first line of an error's text, its kind if it has none."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
