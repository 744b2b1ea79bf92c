"""What a stage is: the data that registers it, and the base of what runs its batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from photoindex.types import Failure, Result


class Subject(StrEnum):
    """What one task of a stage is about; the values stand in the task table."""

    FILE = "file"
    ASSET = "asset"
    LIBRARY = "library"


class Needs(StrEnum):
    """What a stage reads: the original's bytes, the preview, or what other stages left in the database."""

    ORIGINAL = "original"
    PREVIEW = "preview"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of work.

    name: its word in the task table and on the command line. code_version: raised when the results change for the same
    input and model; part of the variant. command: `photoindex COMMAND` works off its tasks. open: `module:function` that
    returns the OpenStage in the process where it runs; empty where the stage does not run in a model process.
    """

    name: str
    code_version: int
    subject: Subject
    needs: Needs
    command: str
    open: str = ""


class UnreadablePreview(Exception):
    """A preview is damaged; the message says how."""


Outcome = tuple[Result, ...] | Failure
"""What a stage found in one subject, or why it could not look at it."""


class OpenStage(ABC):
    """An opened stage: inputs are prepared in threads and run in batches.

    runs_on: device, precision and runtime, for people: `cuda:0 (float16, torch)`.
    """

    runs_on: str = "cpu"

    def allocate(self, count: int) -> Any:
        """Return room for `count` inputs: an array or a list; it is indexed, sliced and filled by several threads."""
        return [None] * count

    @abstractmethod
    def prepare(self, data: bytes) -> Any:
        """Return the input that a preview (JPEG bytes) becomes. Called in threads. Raises UnreadablePreview."""

    @abstractmethod
    def run(self, batch: Any) -> Sequence[Outcome]:
        """Return the outcome of each input of a batch, in their order.

        Raises OutOfDeviceMemory where the batch does not fit, DeviceLost where only a new process can help.
        """

    @abstractmethod
    def prove(self) -> None:
        """Run an input of no content, to show that the stage works at all after a process was lost; raises what `run` raises.

        Without that, a device that fails over every input would look like inputs that are bad one by one.
        """
