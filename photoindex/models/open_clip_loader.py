"""Loading an open_clip model from its folder only: without network, the model's own code or pickles that run code."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photoindex.errors import ModelUnavailable
from photoindex.models.base import Preprocessing

CONFIG_NAME = "open_clip_config.json"
TEXT_MODEL_FOLDER = "text_model"
OWN_VOCABULARY = "bpe_simple_vocab.txt.gz"
WEIGHT_NAMES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
    "pytorch_model.bin",
)
TOKENIZER_NAMES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "sentencepiece.bpe.model",
    "spiece.model",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
)
_CODE_KEYS = ("auto_map", "custom_pipelines")
_TOKENIZER_SETTINGS = frozenset({"clean", "strip_sep_token", "additional_special_tokens", "bpe_path"})


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """An open_clip model on the CPU in float32, ready for inference.

    model: open_clip's CLIP or CustomTextCLIP, with `encode_text`. visual: its image tower. dim: dimension of the vectors.
    context_length: maximum number of tokens of the text tower.
    """

    model: Any
    visual: Any
    dim: int
    context_length: int
    preprocessing: Preprocessing


def load_model(folder: Path) -> LoadedModel:
    """Load the model from a folder with `open_clip_config.json` and weights.

    Raises ModelUnavailable with the reason if the folder has no model that can be run.
    """
    import open_clip

    weights = next((folder / name for name in WEIGHT_NAMES if (folder / name).is_file()), None)
    if weights is None:
        raise ModelUnavailable(f"there are no weights in {folder}: expected one of {', '.join(WEIGHT_NAMES)}")
    with staged(folder) as stage:
        (stage / weights.name).symlink_to(weights.resolve())
        try:
            model = open_clip.create_model(
                f"local-dir:{stage}", pretrained_text=False, require_pretrained=True, weights_only=True
            )
        except Exception as error:
            raise ModelUnavailable(f"the model in {folder} cannot be loaded: {_reason(error)}") from error
    model.eval().requires_grad_(requires_grad=False)
    config = read_config(folder)
    text = config["model_cfg"]["text_cfg"]
    return LoadedModel(
        model=model,
        visual=model.visual,
        dim=int(config["model_cfg"]["embed_dim"]),
        context_length=int(text.get("context_length", 77)),
        preprocessing=preprocessing_of(open_clip.get_model_preprocess_cfg(model), folder),
    )


def read_config(folder: Path) -> dict[str, Any]:
    """Read a model's `open_clip_config.json`; raises ModelUnavailable if it is not usable."""
    path = folder / CONFIG_NAME
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelUnavailable(f"there is no {CONFIG_NAME} in {folder}: it is not an open_clip model") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{path} cannot be read: {error}") from error
    model = config.get("model_cfg") if isinstance(config, dict) else None
    if not isinstance(model, dict) or not all(isinstance(model.get(part), dict) for part in ("vision_cfg", "text_cfg")):
        raise ModelUnavailable(f"{path} does not describe an open_clip model: model_cfg is missing or incomplete")
    if not isinstance(model.get("embed_dim"), int):
        raise ModelUnavailable(f"{path} does not describe an open_clip model: embed_dim is missing")
    if "multimodal_cfg" in model:
        raise ModelUnavailable(f"{path} describes a captioning model (CoCa), which has no plain image tower")
    if ":" in (timm := str(model["vision_cfg"].get("timm_model_name", ""))):
        raise ModelUnavailable(f"{path} refers to an image tower in another repository: {timm}")
    return config


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder with a model's configuration and tokenizer that are safe to pass to open_clip.

    Settings that would make open_clip or transformers contact the hub or run the model's code are removed or point to the
    folder.
    """
    config = read_config(folder)
    text = config["model_cfg"]["text_cfg"]
    with tempfile.TemporaryDirectory(prefix="photoindex-model-") as temporary:
        stage = Path(temporary)
        text["tokenizer_kwargs"] = _tokenizer_settings(folder, text)
        # A text tower of another library has its configuration and tokenizer in its own folder, or next to the weights.
        source = folder / TEXT_MODEL_FOLDER if (folder / TEXT_MODEL_FOLDER).is_dir() else folder
        if text.get("hf_model_name"):
            _copy_json(source / "config.json", stage / "text_model" / "config.json")
            text["hf_model_name"] = str(stage / "text_model")
            text["hf_model_pretrained"] = False
        if text.get("hf_tokenizer_name"):
            for name in ("config.json", *TOKENIZER_NAMES):
                if (source / name).is_file():
                    _copy_json(source / name, stage / name)
        (stage / CONFIG_NAME).write_text(json.dumps(config), encoding="utf-8")
        yield stage


def _tokenizer_settings(folder: Path, text: dict[str, Any]) -> dict[str, Any]:
    settings = dict(text.get("tokenizer_kwargs") or {})
    unknown = sorted(set(settings) - _TOKENIZER_SETTINGS)
    if text.get("tokenizer_mode"):
        unknown.append(f"tokenizer_mode {text['tokenizer_mode']}")
    if unknown:
        raise ModelUnavailable(f"the tokenizer of {folder} has settings that are not supported: {', '.join(unknown)}")
    settings.pop("bpe_path", None)
    if (folder / OWN_VOCABULARY).is_file():
        settings["bpe_path"] = str((folder / OWN_VOCABULARY).resolve())
    return settings


def _copy_json(source: Path, destination: Path) -> None:
    """Copy a file; entries that refer to code are removed from JSON files."""
    destination.parent.mkdir(exist_ok=True)
    if source.name not in ("config.json", "tokenizer_config.json"):
        shutil.copyfile(source, destination)
        return
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelUnavailable(f"{source}, the configuration of the model's text tower, is missing") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{source} cannot be read: {error}") from error
    if isinstance(content, dict):
        content = {key: value for key, value in content.items() if key not in _CODE_KEYS}
    destination.write_text(json.dumps(content), encoding="utf-8")


def preprocessing_of(config: Mapping[str, Any], folder: Path) -> Preprocessing:
    """Return what open_clip's `preprocess_cfg` says; raises ModelUnavailable if that is not supported."""
    size = config["size"]
    width, height = (size, size) if isinstance(size, int) else size
    resize = config["resize_mode"]
    if width != height or resize not in ("shortest", "squash"):
        raise ModelUnavailable(
            f"the model in {folder} uses pictures of {width} x {height}, resized by '{resize}'; only squares, "
            "resized by 'shortest' or 'squash', are supported"
        )
    red, green, blue = (float(value) for value in config["mean"])
    deviations = tuple(float(value) for value in config["std"])
    return Preprocessing(
        size_px=int(width),
        resize=resize,
        interpolation="bilinear" if config["interpolation"] == "bilinear" else "bicubic",
        mean=(red, green, blue),
        standard_deviation=(deviations[0], deviations[1], deviations[2]),
    )


def _reason(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return " ".join(line.strip() for line in lines[:3])
