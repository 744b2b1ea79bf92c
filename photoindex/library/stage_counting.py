"""Counting what a run of a stage finds, as its results are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from photoindex.pipeline.run.asset_work import Writer
from photoindex.types import Result


class Counted(Protocol):
    """What a run has stored so far."""

    def add(self, asset_id: int, results: Sequence[Result]) -> None:
        """Count the results of one content."""


@dataclass(frozen=True, slots=True)
class CountingWriter:
    """Stores results, and counts them."""

    writer: Writer
    counted: Counted

    def put(self, connection: Connection, results: Mapping[int, tuple[Result, ...]]) -> None:
        """Write the results of contents; see `Writer`."""
        self.writer.put(connection, results)
        for asset_id, found in results.items():
            self.counted.add(asset_id, found)
