"""The description of a label model: a TOML file beside its network."""

from __future__ import annotations

import hashlib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from photoindex.domain.words.names import checked_tag
from photoindex.errors import ModelUnavailable
from photoindex.models.names import PlainName
from photoindex.paths import display

Channels = tuple[float, float, float]
NO_LABEL = "-"
"""A line of the names for a class that gives no label, such as a background."""
_NAMES_MAX = 100_000


class LabelModelDescription(BaseModel):
    """What a model takes, and what its outputs mean.

    kind: `labels` of whole pictures, or `objects` with boxes. file: the network, beside the description. names: a text file
    with the name of one class a line, or the names. prefix: level that is put before each name: `objects`. colours: order of
    the channels; channels: whether they are the first or last axis of a picture. mean, standard_deviation: of 0 to 255, in
    that order. input_px: side of the square input, where the network does not fix it. fit: `squash` scales both sides to
    resize_px, `shortest` the shorter one; the middle of input_px is cut out. `letterbox` scales the longer side and fills the rest with grey. output: what the
    scores of `labels` are; `objects` are always `yolox`. score: least score that counts. overlap: two boxes of a class that
    overlap more (intersection over union) are one object.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    version: Literal[1] = 1
    kind: Literal["labels", "objects"]
    file: PlainName
    names: PlainName | tuple[str, ...]
    prefix: str = ""
    colours: Literal["RGB", "BGR"] = "RGB"
    channels: Literal["first", "last"] = "first"
    mean: Channels = (0.0, 0.0, 0.0)
    standard_deviation: Channels = (1.0, 1.0, 1.0)
    input_px: Annotated[int, Field(ge=16, le=4096)] | None = None
    fit: Literal["squash", "shortest", "letterbox"] = "shortest"
    resize_px: Annotated[int, Field(ge=16, le=4096)] | None = None
    output: Literal["probabilities", "logits", "independent", "yolox"] = "logits"
    score: Annotated[float, Field(gt=0, lt=1)] = 0.05
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.45

    @field_validator("standard_deviation")
    @classmethod
    def _is_not_zero(cls, value: Channels) -> Channels:
        if not all(deviation > 0 for deviation in value):
            raise ValueError("no standard deviation is 0 or less")
        return value

    @model_validator(mode="after")
    def _fits_its_kind(self) -> LabelModelDescription:
        if (self.kind == "objects") != (self.output == "yolox"):
            raise ValueError('the kind "objects" goes with output = "yolox", and "labels" with the others')
        if (self.kind == "objects") != (self.fit == "letterbox"):
            raise ValueError('the kind "objects" goes with fit = "letterbox", and "labels" with the others')
        return self


@dataclass(frozen=True, slots=True)
class LabelModelFiles:
    """A description with its files. names: of the tags by class, None for a class that gives none. digest: of everything."""

    path: Path
    description: LabelModelDescription
    network: Path
    names: tuple[str | None, ...]
    digest: str

    @property
    def model(self) -> str:
        """What it is called: the description's file name."""
        return self.path.stem


def read_label_model(path: Path, network: Path | None = None) -> LabelModelFiles:
    """Read a description and the names that it mentions, and hash its network. Raises ModelUnavailable.

    network: where it is, if not beside the description.
    """
    description = _described(path)
    network = network or path.parent / description.file
    try:
        with network.open("rb") as file:
            weights = hashlib.file_digest(file, "sha256").hexdigest()
        names = _names(path, description)
    except OSError as error:
        raise ModelUnavailable(
            f"{_shown(path)} names {os.path.basename(error.filename)}, which cannot be read: {error.strerror}"
        ) from error
    said = f"{description.model_dump_json()}\n{weights}\n{names}"
    return LabelModelFiles(path, description, network, names, hashlib.sha256(said.encode()).hexdigest())


def _described(path: Path) -> LabelModelDescription:
    try:
        return LabelModelDescription.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"{where}: {first['msg']}" if where else first["msg"]
    except OSError as error:
        problem = error.strerror or str(error)
    except (ValueError, RecursionError) as error:
        problem = str(error)
    raise ModelUnavailable(f"the description of a label model {_shown(path)} cannot be used: {problem}")


def _names(path: Path, description: LabelModelDescription) -> tuple[str | None, ...]:
    given = description.names
    source = _shown(path)
    lines: list[str] | tuple[str, ...]
    if isinstance(given, str):
        source = _shown(path.parent / given)
        try:
            lines = (path.parent / given).read_text(encoding="utf-8").removeprefix("\ufeff").splitlines()
        except UnicodeDecodeError as error:
            raise ModelUnavailable(f"the label file {source} is not UTF-8 text") from error
    else:
        lines = given
    if not lines or len(lines) > _NAMES_MAX:
        raise ModelUnavailable(f"the label file {source} has {len(lines):,} names; 1 to {_NAMES_MAX:,} are allowed")
    return tuple(_name(line, description.prefix, f"{source}, line {number}") for number, line in enumerate(lines, 1))


def _name(line: str, prefix: str, where: str) -> str | None:
    """Return the tag of a class; of several names for it ("tench, Tinca tinca"), the first."""
    name = line.partition(",")[0].strip()
    if name == NO_LABEL:
        return None
    try:
        return checked_tag(f"{prefix.strip('/')}/{name}" if prefix.strip("/") else name)
    except ValueError as error:
        raise ModelUnavailable(
            f"{where}: '{name}' is no name of a tag: {error}; '{NO_LABEL}' gives no label"
        ) from error


def _shown(path: Path) -> str:
    return display(os.fsencode(path))
