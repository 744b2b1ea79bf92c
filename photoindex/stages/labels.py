"""The labels stage: gives a preview the labels of a user's own classifier, and runs the models of the stages objects and sensitive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from photoindex.errors import ModelUnavailable
from photoindex.stages.base import Needs, OpenStage, Outcome, Stage, Subject, opened_preview
from photoindex.types import Label

if TYPE_CHECKING:
    from photoindex.models.labels.description import LabelModelFiles
    from photoindex.models.labels.label_model import Input

STAGE = Stage(
    name="labels",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.PREVIEW,
    command="tag auto --only labels",
    open="photoindex.stages.labels:open_model",
    results=(Label,),
)


@dataclass(frozen=True, slots=True)
class Opening:
    """Which model to open. path: its description. digest: of all its files, as they were when the run began.

    kept_from: least confidence that is kept. network: where it is, if not beside the description.
    """

    path: Path
    digest: str
    device: str
    kept_from: float
    network: Path | None = None


def variant(stage: Stage, *, model: str, digest: str, kept_from: float) -> dict[str, object]:
    """Return everything that changes the stage's results, for the variant's key."""
    return {"code": stage.code_version, "model": model, "weights": digest, "kept_from": kept_from}


def open_model(opening: Opening) -> PictureLabels:
    """Open a model. Raises ModelUnavailable, DeviceFailed, OutOfDeviceMemory."""
    from photoindex.models.labels.description import read_label_model

    files = read_label_model(opening.path, opening.network)
    if files.digest != opening.digest:
        raise ModelUnavailable(f"the model {files.path} was replaced while it was opened; nothing was labelled with it")
    return PictureLabels(files, opening.device, opening.kept_from)


class PictureLabels(OpenStage):
    """A label model that looks at previews."""

    def __init__(self, files: LabelModelFiles, device: str, kept_from: float) -> None:
        from photoindex.models.labels.label_model import LabelModel

        self._model = LabelModel(files, device=device)
        self._kept_from = kept_from
        self.runs_on = self._model.runs_on

    def prepare(self, data: bytes) -> Input:
        """Return the model's input. Raises UnreadablePreview."""
        import numpy as np

        with opened_preview(data) as picture:
            return self._model.prepare(np.asarray(picture.convert("RGB")))

    def run(self, batch: Sequence[Input]) -> Sequence[Outcome]:
        """Return the labels of each picture, the surest first."""
        found = self._model.run(batch, self._kept_from)
        return [tuple(Label(one.name, one.score, one.raw, one.box) for one in picture) for picture in found]

    def prove(self) -> None:
        """Look at a black picture."""
        import numpy as np

        self.run([self._model.prepare(np.zeros((64, 64, 3), np.uint8))])
