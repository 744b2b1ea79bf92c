"""The caption stage: describes a preview in words, by a model of this computer or of a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photoindex.domain.words.answer_language import language_of
from photoindex.domain.words.captions import NotACaption, whole_caption_of
from photoindex.models.base import Captioner, Said
from photoindex.stages.base import Needs, OpenStage, Outcome, Stage, Subject, opened_preview
from photoindex.types import Failure, Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photoindex.providers.endpoint import Service

STAGE = Stage(
    name="caption",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.PREVIEW,
    command="caption",
    open="photoindex.stages.caption:open_installed",
    results=(Text,),
)
KIND = "caption"
"""The kind of its texts."""
ROUND = 4
"""Batches that are read together where pictures of different shapes take different times, so that alike ones meet."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Which captioner to open. digest: of its files, which must match the installed ones. batch_size: pictures at a time.

    prompt, max_tokens: see `Question`. language: in which it is asked to answer, ISO 639-1. run_code: the user allows to run
    a model's own code.
    """

    models_folder: Path
    model: str
    digest: str
    device: str
    gpu_free_share: float
    prompt: str
    language: str
    max_tokens: int
    batch_size: int
    run_code: bool = False


def variant(*, model: str, digest: str, prompt: str, language: str) -> dict[str, object]:
    """Return everything that changes the stage's results, for the variant's key.

    digest: of the model's files, empty for a model of a server. The maximum length is left out: answers that reach it are
    refused, and the others do not depend on it; so are the device and its precision.
    """
    return {"code": STAGE.code_version, "model": model, "weights": digest, "prompt": prompt, "language": language}


def open_installed(opening: Opening) -> CaptionStage:
    """Open an installed captioner. Raises ModelUnavailable, DeviceFailed, OutOfDeviceMemory, like `open_captioner`."""
    from photoindex.models.captions.opening import open_captioner
    from photoindex.models.captions.transformers_captioner import Question
    from photoindex.models.weights import ModelStore

    installed = ModelStore(opening.models_folder).get_same(opening.model, opening.digest)
    question = Question(opening.prompt, opening.max_tokens)
    captioner = open_captioner(
        installed, question, device=opening.device, gpu_free_share=opening.gpu_free_share, run_code=opening.run_code
    )
    return CaptionStage(captioner, opening.language, opening.batch_size)


@dataclass(frozen=True, slots=True)
class EndpointOpening:
    """Which server to ask. language: in which it is asked to answer."""

    service: Service
    language: str


def open_endpoint(opening: EndpointOpening) -> CaptionStage:
    """Open a captioner of a server. Raises ProviderFailed, UsageError, like `EndpointCaptioner`."""
    from photoindex.providers.endpoint import EndpointCaptioner

    return CaptionStage(EndpointCaptioner(opening.service), opening.language, opening.service.at_once)


class CaptionStage(OpenStage):
    """A captioner that describes pictures of any size.

    language: in which it is asked to answer. batch_size: pictures at a time; a round of several batches is sorted first.
    """

    def __init__(self, captioner: Captioner, language: str, batch_size: int) -> None:
        self._captioner = captioner
        self._language = language
        self._batch_size = batch_size
        self.runs_on = captioner.runs_on

    def prepare(self, data: bytes) -> Any:
        """Return the captioner's input for a preview. Raises UnreadablePreview."""
        return self._captioner.prepare(_pixels(data, self._captioner.least_px))

    def run(self, batch: Sequence[Any]) -> Sequence[Outcome]:
        """Return the caption of each picture, or a failure if the answer is no caption.

        Pictures that likely take longest come first, so that a lack of memory shows at once.
        """
        order = sorted(range(len(batch)), key=lambda place: -self._captioner.likely_length(batch[place]))
        outcomes: dict[int, Outcome] = {}
        for start in range(0, len(order), self._batch_size):
            places = order[start : start + self._batch_size]
            said = self._captioner.caption([batch[place] for place in places])
            outcomes.update((place, self._outcome(one)) for place, one in zip(places, said, strict=True))
        return [outcomes[place] for place in range(len(batch))]

    def prove(self) -> None:
        """Describe a grey picture."""
        import numpy as np

        self._captioner.caption([self._captioner.prepare(np.full((64, 64, 3), 128, np.uint8))])

    def _outcome(self, said: Said) -> Outcome:
        if said.problem:
            return Failure("caption_failed", said.problem, retry=True)
        try:
            text = whole_caption_of(said.text, whole=said.whole)
        except NotACaption as error:
            remedy = f"; {error.remedy}, then: photoindex retry --stage caption" if error.remedy else ""
            return Failure(error.error_class, error.message + remedy)
        return (Text(KIND, text, language=language_of(text) or self._language, raw=said.text),)


def _pixels(preview_jpeg: bytes, least_px: int | None) -> NDArray[np.uint8]:
    import numpy as np

    with opened_preview(preview_jpeg) as picture:
        if least_px is not None:
            picture.draft("RGB", (least_px, least_px))
        return np.asarray(picture.convert("RGB"))
