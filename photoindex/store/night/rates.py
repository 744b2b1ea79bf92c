"""How many tasks had to be tried again, and when the library was written last."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from photoindex.store.schema.tables import file, journal, throughput


@dataclass(frozen=True, slots=True)
class StageRate:
    """Of the measured pieces of work of one stage: tasks finished, failed and tried before; seconds in the model."""

    stage: str
    subjects: int
    failed: int
    retried: int
    seconds: float
    infer_seconds: float

    @property
    def per_second(self) -> float:
        """Tasks per second of work."""
        return self.subjects / self.seconds if self.seconds > 0 else 0.0


def stage_rates(connection: Connection) -> list[StageRate]:
    """Return the sums over all pieces of work that are kept, by stage."""
    sums = [func.sum(throughput.c[name]) for name in ("subjects", "failed", "retried", "seconds", "infer_seconds")]
    rows = connection.execute(
        select(throughput.c.stage, *sums).group_by(throughput.c.stage).order_by(throughput.c.stage)
    )
    return [StageRate(*row) for row in rows]


def gpu_seconds(connection: Connection) -> float:
    """Return the seconds that models ran on a GPU, of the pieces of work that are kept."""
    on_gpu = throughput.c.device.startswith("cuda")
    return float(
        connection.execute(select(func.coalesce(func.sum(throughput.c.infer_seconds), 0.0)).where(on_gpu)).scalar_one()
    )


def newest_change(connection: Connection) -> float | None:
    """Return when the library was changed last (UTC seconds since 1970), None if never."""
    newest = [
        connection.execute(select(func.max(column))).scalar()
        for column in (journal.c.at, throughput.c.at, file.c.first_seen_at)
    ]
    return max((float(one) for one in newest if one is not None), default=None)
