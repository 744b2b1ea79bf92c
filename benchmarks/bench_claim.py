"""Claiming and finishing 300,000 tasks with 4 processes: one statement against three, and each process's share.

Three: read the ids, update each of them in one driver call, then finish them with another UPDATE. One: as photoindex
does, an UPDATE from a common table expression that picks the rows, with RETURNING; finishing is the same.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

from common import options, report
from sqlalchemy import Connection, bindparam, func, insert, select, update

from photoindex.store.engine.database import Database
from photoindex.store.engine.predicates import has_state
from photoindex.store.schema.migrate import bring_up_to_date
from photoindex.store.schema.tables import task
from photoindex.store.tasks.queue import Claimed, ClaimRequest, claim, ensure_variant, finish

STAGE = "embed"
LEASE_SECONDS = 60.0
BATCH = 100
SHARE_AT_LEAST = 0.15
RATIO_AT_MOST = 1.1


def claim_by_three(connection: Connection, wanted: ClaimRequest, *, owner: str) -> list[Claimed]:
    """Read, then update row by row."""
    chosen = (
        select(task.c.id, task.c.subject_id, task.c.attempts)
        .where(
            task.c.stage == wanted.stage,
            has_state("pending"),
            task.c.priority == wanted.priority,
            task.c.id > wanted.after_id,
        )
        .order_by(task.c.id)
        .limit(wanted.limit)
    )
    rows = [Claimed(*row) for row in connection.execute(chosen)]
    if rows:
        now = time.time()
        connection.execute(
            update(task)
            .where(task.c.id == bindparam("task_id"))
            .values(
                state="running",
                lease_owner=owner,
                lease_until=now + wanted.lease_seconds,
                updated_at=now,
                attempts=task.c.attempts + 1,
            ),
            [{"task_id": row.id} for row in rows],
        )
    return rows


WAYS: dict[str, Callable[..., list[Claimed]]] = {"three": claim_by_three, "one": claim}


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--tasks", type=int, default=300_000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if given.quick:
        given.tasks, given.rounds = 4_000, 1
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    least: dict[str, float] = dict.fromkeys(WAYS, 1.0)
    for number in range(given.rounds):
        for way in WAYS if number % 2 == 0 else reversed(WAYS):
            took, shares = one_round(way, given.tasks, given.processes)
            seconds[way].append(took)
            least[way] = min(least[way], *shares)
    report(
        "claim", tasks=given.tasks, processes=given.processes, batch=BATCH, rounds=given.rounds,
        best_seconds={way: round(min(values), 2) for way, values in seconds.items()},
        ratio_of_best=round(min(seconds["one"]) / min(seconds["three"]), 3),
        median_ratio_of_pairs=round(
            statistics.median(one / three for one, three in zip(seconds["one"], seconds["three"], strict=True)), 3
        ),
        least_share={way: round(share, 3) for way, share in least.items()},
        goal={"ratio": RATIO_AT_MOST, "share": SHARE_AT_LEAST},
    )  # fmt: skip


def one_round(way: str, tasks: int, processes: int) -> tuple[float, list[float]]:
    """Return the wall time in seconds until all processes were done, and each process's share of the tasks."""
    with tempfile.TemporaryDirectory(prefix="bench-claim-") as folder:
        path = Path(folder) / "tasks.db"
        variant_id = make_tasks(path, tasks)
        context = get_context("spawn")
        start, results = context.Barrier(processes + 1), context.SimpleQueue()
        workers = [
            context.Process(target=work, args=(way, path, variant_id, f"worker-{number}", start, results))
            for number in range(processes)
        ]
        for worker in workers:
            worker.start()
        start.wait()
        began = time.perf_counter()
        for worker in workers:
            worker.join()
        took = time.perf_counter() - began
        done = [results.get() for _ in workers]
        assert sum(done) == tasks, "each task exactly once"
        assert count_done(path) == tasks
        return took, [count / tasks for count in done]


def make_tasks(path: Path, count: int) -> int:
    database = Database(path)
    bring_up_to_date(database)
    with database.write() as connection:
        variant_id = ensure_variant(connection, STAGE, {"code": 1})
        row = {"subject_kind": "asset", "stage": STAGE, "variant_id": variant_id, "state": "pending", "attempts": 0}
        rows = ({**row, "priority": 0, "subject_id": number, "updated_at": 0.0} for number in range(count))
        connection.execute(insert(task), list(rows))
    database.close()
    return variant_id


def work(way: str, path: Path, variant_id: int, owner: str, start: Barrier, results) -> None:
    database = Database(path)
    done = after_id = 0
    start.wait()
    while True:
        wanted = ClaimRequest(
            stage=STAGE, priority=0, limit=BATCH, lease_seconds=LEASE_SECONDS, after_id=after_id, variant_id=None
        )
        with database.write() as connection:
            claimed = WAYS[way](connection, wanted, owner=owner)
        if not claimed:
            break
        after_id = claimed[-1].id
        with database.write() as connection:
            finish(connection, owner=owner, variant_id=variant_id, done=[(one.id, 0.0) for one in claimed])
        done += len(claimed)
    results.put(done)
    database.close()


def count_done(path: Path) -> int:
    database = Database(path)
    with database.read() as connection:
        found = connection.execute(select(func.count()).select_from(task).where(task.c.state == "done")).scalar_one()
    database.close()
    return int(found)


if __name__ == "__main__":
    main()
