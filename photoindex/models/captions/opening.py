"""Opening an installed captioner: from its files alone, without network, and without code of its own unless it is allowed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photoindex.errors import DeviceFailed, ModelUnavailable
from photoindex.models.base import Captioner, DeviceLost, OutOfDeviceMemory
from photoindex.models.captions.families import Ask, Family, family_named
from photoindex.models.captions.files import CODE_MAP, CODE_SUFFIX
from photoindex.models.captions.own_code import code_of, open_own_code, reason, require_consent
from photoindex.models.torch_device import torch_device

if TYPE_CHECKING:
    from photoindex.models.captions.transformers_captioner import Processor, Question
    from photoindex.models.weights import InstalledModel

_NEEDED = ("torch", "transformers", "safetensors")
_CODE_KEYS = (CODE_MAP, "custom_pipelines")
_WEIGHT_SUFFIXES = (".safetensors", ".bin")


def open_captioner(
    installed: InstalledModel,
    question: Question,
    *,
    device: str = "auto",
    gpu_free_share: float = 0.1,
    run_code: bool = False,
) -> Captioner:
    """Open a captioner; its files are hashed while they are loaded.

    device: auto (a GPU if torch can use one), cpu, cuda or cuda:N. gpu_free_share: fraction of the GPU's memory to leave
    free. run_code: the user allows to run a model's own code. Raises ModelUnavailable if it is another kind of model, its
    files are not as installed, it needs code that is not allowed, or a library is missing, DeviceFailed if the device does not exist, OutOfDeviceMemory if the model does not fit.
    """
    family = family_named(installed.captioner.captioner)
    code = code_of(installed)
    require_consent(installed.id, code, allowed=run_code)
    target = torch_device(device, gpu_free_share, needs=_NEEDED)
    if code:
        return open_own_code(installed, target)
    with installed.checking():
        from photoindex.models.captions.transformers_captioner import TransformersCaptioner

        try:
            model, processor = _load(installed, family, question.prompt)
            return TransformersCaptioner(model, processor, family, question, target)
        except (ModelUnavailable, DeviceFailed, DeviceLost, OutOfDeviceMemory):
            raise
        except ImportError as error:
            raise ModelUnavailable(
                f"the model '{installed.id}' needs a library that is missing: {reason(error)}; run: pip install "
                f"'photoindex[ml]'"
            ) from error
        except Exception as error:
            raise ModelUnavailable(f"the model '{installed.id}' cannot be loaded: {reason(error)}") from error


def _load(installed: InstalledModel, family: Family, prompt: str) -> tuple[Any, Processor]:
    import transformers

    from photoindex.models.captions.transformers_captioner import Processor

    _quieten()
    auto: Any = transformers  # it has no types
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    with _without_code(installed) as folder:
        model = auto.AutoModelForImageTextToText.from_pretrained(folder, dtype="auto", **options)
        if family.ask is Ask.NOTHING:
            processor, tokenizer = auto.AutoImageProcessor.from_pretrained(folder, **options), None
        else:
            processor = auto.AutoProcessor.from_pretrained(folder, **options)
            tokenizer = getattr(processor, "tokenizer", None)
        if tokenizer is None:
            tokenizer = auto.AutoTokenizer.from_pretrained(folder, **options)
    return model, Processor(processor, tokenizer, family, prompt)


def _quieten() -> None:
    """Keep transformers from writing into the output of a command: bars of loading, and remarks on a model's settings."""
    import transformers

    logging: Any = transformers.utils.logging
    logging.disable_progress_bar()
    logging.set_verbosity_error()


@contextmanager
def _without_code(installed: InstalledModel) -> Iterator[Path]:
    """Yield a temporary folder with the model's files, in which no description refers to code."""
    with tempfile.TemporaryDirectory(prefix="photoindex-model-") as temporary:
        folder = Path(temporary)
        for name in installed.files:
            source, target = installed.folder / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(_WEIGHT_SUFFIXES):
                target.symlink_to(source.resolve())
            elif name.endswith(".json"):
                _copy_json(source, target)
            elif not name.endswith(CODE_SUFFIX):
                shutil.copyfile(source, target)
        yield folder


def _copy_json(source: Path, target: Path) -> None:
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{source} cannot be read: {error}") from error
    if isinstance(content, dict):
        content = {key: value for key, value in content.items() if key not in _CODE_KEYS}
    target.write_text(json.dumps(content), encoding="utf-8")
