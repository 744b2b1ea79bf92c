"""The description of an exported model, `onnx/model.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from photoindex.errors import ModelUnavailable
from photoindex.models.base import Preprocessing

FOLDER = "onnx"
DESCRIPTION = f"{FOLDER}/model.json"
TOKENIZER = f"{FOLDER}/tokenizer.json"
VISUAL = f"{FOLDER}/visual.onnx"
TEXT = f"{FOLDER}/text.onnx"
DATA_SUFFIX = ".data"
TABLE = f"{FOLDER}/text.table"
TABLE_SUMS = f"{FOLDER}/text.table.sums"
WHOLE = "whole"
"""Folder of a model that is published as one ONNX file with both towers, and of what belongs to it."""
WHOLE_GRAPH = f"{WHOLE}/onnx/model.onnx"
WHOLE_NEEDED = ("tokenizer.json", "preprocessor_config.json")
WHOLE_WANTED = ("tokenizer_config.json",)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TokenizerSettings(_Frozen):
    """Processing of a text before and after `onnx/tokenizer.json`.

    clean: one of open_clip's three ways of cleaning a text. pad_id: pads shorter texts on padding_side. cleared_id: token
    replaced by 0 after padding, as some models were trained. cut_padding: the tower gives the same vector without padding,
    so that short texts are cheap. around_words: the tokens before and after a text, set only if every word of the letters a
    to z with its own token (ending in `</w>`) in `tokenizer.json` becomes that token.
    """

    clean: Literal["lower", "canonicalize", "whitespace"]
    pad_id: int = Field(ge=0)
    padding_side: Literal["left", "right"] = "right"
    cleared_id: int | None = Field(default=None, ge=0)
    cut_padding: bool = False
    around_words: tuple[int, int] | None = None


class TokenTable(_Frozen):
    """A large table of token vectors outside `text.onnx`, in `onnx/text.table`: little-endian float16 [tokens, width].

    `onnx/text.table.sums` has the SHA-256, 32 bytes, of each block of `block_tokens` rows, so that a query reads and checks
    only the blocks of its own tokens.
    """

    tokens: int = Field(ge=1, le=10_000_000)
    width: int = Field(ge=1, le=65536)
    block_tokens: int = Field(ge=1, le=65536)


class ExportDescription(_Frozen):
    """An exported model: both towers give float32 [n, dim] of unit length.

    `visual.onnx` takes `pixels`, uint8 RGB [n, size_px, size_px, 3], and normalises them itself; `text.onnx` takes
    `tokens`, int64 [n, up to context_length]; with a table also, or only, `rows`: those of the tokens, float16 [n, length,
    width].
    """

    version: Literal[1] = 1
    dim: int = Field(ge=1, le=65536)
    context_length: int = Field(ge=1, le=65536)
    preprocessing: Preprocessing
    tokenizer: TokenizerSettings
    table: TokenTable | None = None

    @field_validator("preprocessing")
    @classmethod
    def _is_possible(cls, value: Preprocessing) -> Preprocessing:
        if not 1 <= value.size_px <= 8192 or not all(deviation > 0 for deviation in value.standard_deviation):
            raise ValueError("size_px is 1 to 8192, and no standard deviation is 0")
        return value


def read_description(model_folder: Path) -> ExportDescription:
    """Read `onnx/model.json` of a model's folder; raises ModelUnavailable if it is missing or malformed."""
    path = model_folder / DESCRIPTION
    try:
        return ExportDescription.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ModelUnavailable(
            f"the model in {model_folder} has no exported towers ({DESCRIPTION} is missing); install it again"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelUnavailable(f"{path} cannot be used: {where}: {first['msg']}; install the model again") from None
    except OSError as error:
        raise ModelUnavailable(f"{path} cannot be read: {error.strerror}") from error
