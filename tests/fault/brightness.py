"""A stage that reads no preview but what another stage found: bright or dark, by the labels of the mean colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, func, insert, select

from photoindex.library.stage_run import StageSetup
from photoindex.stages.base import Needs, OpenStage, Outcome, Stage, Subject
from photoindex.types import Label, Result, Vector
from tests.fault.mean_colour import STAGE as MEAN_COLOUR
from tests.fault.mean_colour import mean_colour

STAGE = Stage(
    name="brightness",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.RESULTS,
    command="brightness",
    open="tests.fault.brightness:Brightness",
    results=(Label,),
    after=MEAN_COLOUR.name,
)
brightness = Table("brightness", MetaData(), Column("asset_id", Integer), Column("name", Text))


class Brightness(OpenStage):
    """Gives one label per content. wrong: how its outcomes are wrong, for tests: "too few" or "kind"."""

    def __init__(self, wrong: str) -> None:
        self._wrong = wrong

    def prepare(self, data: float) -> float:
        return data

    def run(self, batch: list[float]) -> Sequence[Outcome]:
        if self._wrong == "too few":
            return []
        if self._wrong == "kind":
            return [(Vector([mean]),) for mean in batch]  # type: ignore[arg-type]
        return [(Label("bright" if mean > 0.5 else "dark", mean, mean),) for mean in batch]

    def prove(self) -> None:
        self.run([0.0])


class BrightnessWriter:
    def put(self, connection: Connection, results: Mapping[int, tuple[Result, ...]]) -> None:
        rows = [{"asset_id": asset_id, "name": label.name} for asset_id, (label,) in results.items()]  # type: ignore[union-attr]
        connection.execute(insert(brightness), rows)


def _writer(connection: Connection, _variant_id: int) -> BrightnessWriter:
    brightness.create(connection, checkfirst=True)
    return BrightnessWriter()


def _inputs(connection: Connection, asset_ids: Sequence[int]) -> Mapping[int, Any]:
    """Return the mean of the three channels of each content."""
    columns = mean_colour.c
    rows = connection.execute(
        select(columns.asset_id, func.avg(columns.score).label("mean"))
        .where(columns.asset_id.in_(asset_ids))
        .group_by(columns.asset_id)
    )
    return {row.asset_id: row.mean for row in rows}


def setup(*, wrong: str = "") -> StageSetup:
    return StageSetup(
        stage=STAGE, variant={"code": 1}, opening=lambda: wrong, writer=_writer, phase="judging", batch_size=4, threads=1,
        inputs=_inputs,
    )  # fmt: skip
