"""A complete stage in one file: labels for the mean colour of a preview, their table, and faults on demand."""

from __future__ import annotations

import io
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sqlalchemy import Column, Connection, Float, Integer, MetaData, Table, Text, delete, insert

from photoindex.library.stage_run import StageSetup
from photoindex.models.base import OutOfDeviceMemory
from photoindex.stages.base import Needs, OpenStage, Outcome, Stage, Subject, UnreadablePreview
from photoindex.types import Label, Result

STAGE = Stage(
    name="mean-colour",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.PREVIEW,
    command="mean-colour",
    open="tests.fault.mean_colour:open_stage",
    results=(Label,),
)
CHANNELS = ("red", "green", "blue")

mean_colour = Table(
    "mean_colour",
    MetaData(),
    Column("asset_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("score", Float, nullable=False),
)


@dataclass(frozen=True)
class Opening:
    """folder: records the calls. room: previews that fit into memory. kill_at, hang_at: calls that fail this way.

    kill_over: a preview with a higher mean kills the process. slow: seconds per call.
    """

    folder: Path
    room: int = 1 << 30
    kill_at: tuple[int, ...] = ()
    hang_at: tuple[int, ...] = ()
    kill_over: float = 256.0
    slow: float = 0.0


def open_stage(opening: Opening) -> MeanColour:
    """Open the stage in the process that runs it."""
    return MeanColour(opening)


class MeanColour(OpenStage):
    """Gives three labels per picture, with scores from 0 to 1; records its calls over all processes."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    def prepare(self, data: bytes) -> np.ndarray:
        try:
            return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float32).mean(axis=(0, 1))
        except OSError as error:
            raise UnreadablePreview(str(error)) from error

    def run(self, batch: list[np.ndarray]) -> Sequence[Outcome]:
        opening = self._opening
        calls = [*self.calls(opening.folder), len(batch)]
        unfinished = opening.folder / "calls.new"
        unfinished.write_text(json.dumps(calls))
        unfinished.rename(opening.folder / "calls.json")
        if len(batch) > opening.room:
            raise OutOfDeviceMemory(f"{len(batch)} previews do not fit")
        if len(calls) in opening.kill_at or any(colour.mean() > opening.kill_over for colour in batch):
            os.kill(os.getpid(), signal.SIGKILL)
        while len(calls) in opening.hang_at:
            time.sleep(60)
        time.sleep(opening.slow)
        return [
            tuple(Label(name, value, value) for name, value in zip(CHANNELS, (colour / 255).tolist(), strict=True))
            for colour in batch
        ]

    def prove(self) -> None:
        self.run([np.zeros(3, np.float32)])

    @staticmethod
    def calls(folder: Path) -> list[int]:
        """Return the number of previews in each call."""
        path = folder / "calls.json"
        return json.loads(path.read_text()) if path.exists() else []


class MeanColourWriter:
    """Stores the labels in a table that only this test has."""

    def put(self, connection: Connection, results: Mapping[int, tuple[Result, ...]]) -> None:
        connection.execute(delete(mean_colour).where(mean_colour.c.asset_id.in_(results)))
        rows = [
            {"asset_id": asset_id, "name": label.name, "score": label.confidence}
            for asset_id, labels in results.items()
            for label in labels
            if isinstance(label, Label)
        ]
        if rows:
            connection.execute(insert(mean_colour), rows)


def writer(connection: Connection, _variant_id: int) -> MeanColourWriter:
    """Create the table if it does not exist, and return the writer."""
    mean_colour.create(connection, checkfirst=True)
    return MeanColourWriter()


def setup(folder: Path, *, hang_seconds: float | None = None, **faults: Any) -> StageSetup:
    """Return the setup of a run with batches of 4; faults as in `Opening`."""
    return StageSetup(
        stage=STAGE,
        variant={"code": STAGE.code_version},
        opening=lambda: Opening(folder, **faults),
        writer=writer,
        phase="measuring colours",
        batch_size=4,
        threads=2,
        hang_seconds=hang_seconds,
    )
