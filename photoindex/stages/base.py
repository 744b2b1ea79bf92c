"""The definition of a stage: its registration, and the base class that runs its batches."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from photoindex.types import Failure, Result

if TYPE_CHECKING:
    from PIL import Image


class Subject(StrEnum):
    """What one task of a stage processes; the values are stored in the task table."""

    FILE = "file"
    ASSET = "asset"


class Needs(StrEnum):
    """What a stage reads: the original's bytes, the preview, or the results of other stages in the database."""

    ORIGINAL = "original"
    PREVIEW = "preview"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of work.

    name: used in the task table and on the command line. code_version: part of the variant; raise it when results
    change for the same input and model. command: `photoindex COMMAND` runs its tasks. open: `module:function` that
    returns the OpenStage in the model process; empty if the stage does not run in one. results: the kinds of results that
    `run` gives, checked. after: with Needs.RESULTS, the stage whose results it reads; only contents for which that stage
    is done get a task.
    """

    name: str
    code_version: int
    subject: Subject
    needs: Needs
    command: str
    open: str = ""
    results: tuple[type[Result], ...] = ()
    after: str = ""


class UnreadablePreview(Exception):
    """A preview is damaged; the message is the reason."""


class StageFaulty(Exception):
    """A stage returned what it must not; a bug in it, for which no input is to blame."""


@contextmanager
def opened_preview(data: bytes) -> Iterator[Image.Image]:
    """Yield a preview (JPEG bytes), opened but not decoded. Raises UnreadablePreview, also for errors in the block."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            yield picture
    except UnidentifiedImageError as error:
        raise UnreadablePreview("it is not a JPEG picture") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadablePreview(str(error)) from error


Outcome = tuple[Result, ...] | Failure
"""The results for one subject, or its failure."""


class OpenStage(ABC):
    """An opened stage: inputs are prepared in threads and run in batches.

    runs_on: device, precision and runtime, for users: `cuda:0 (float16, torch)`.
    """

    runs_on: str = "cpu"

    def allocate(self, count: int) -> Any:
        """Return an array or list for `count` inputs; it is indexed, sliced and filled by several threads."""
        return [None] * count

    @abstractmethod
    def prepare(self, data: Any) -> Any:
        """Convert what the stage needs to an input: a preview (JPEG bytes), or another stage's results of one content.

        Called in threads. Raises UnreadablePreview.
        """

    @abstractmethod
    def run(self, batch: Any) -> Sequence[Outcome]:
        """Return the outcome of each input of a batch, in order.

        Raises OutOfDeviceMemory if the batch does not fit, DeviceLost if only a new process can help.
        """

    @abstractmethod
    def prove(self) -> None:
        """Run a blank input to check that the stage works after a process was lost; raises what `run` raises.

        Otherwise a device that fails on every input would make each input look bad.
        """
