"""What is left to do is counted from indexes; the numbers are those of a look at each content."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import insert

from photoindex.library.handle import Library
from photoindex.store.schema.tables import task, vector
from photoindex.store.tasks import asset_tasks, queue
from photoindex.store.tasks.asset_tasks import StageVariant
from photoindex.store.vectors import spaces
from tests.rows import VolumeRows, library_in

CONTENTS = 80
STATES = (None, None, "pending", "running", "failed", "quarantined", "done", "done")


@dataclass
class Drawn:
    """A library, the state of each content's task by stage and variant, the contents with a preview, and with a vector."""

    library: Library
    states: dict[tuple[str, int], dict[int, str]]
    usable: set[int]
    embedded: set[int]
    space: spaces.SpaceRow


@pytest.fixture(scope="module", params=range(4))
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    folder, chance = tmp_path_factory.mktemp("counts"), random.Random(request.param)
    with library_in(folder / "library") as library:
        rows = VolumeRows(library, folder / "originals")
        usable, contents = set(), []
        for _ in range(CONTENTS):
            derived, role = chance.random() < 0.8, chance.choice(("primary", "raw", "superseded", "primary"))
            asset_id = rows.asset_of(rows.add_photo(asset_derived=derived, asset_role=role))
            contents.append(asset_id)
            usable |= {asset_id} if derived and role != "superseded" else set()
        states: dict[tuple[str, int], dict[int, str]] = {}
        with library.database.write() as connection:
            for stage, key in (("embed", 1), ("embed", 2), ("ocr", 1), ("tags", 1), ("tags", 2)):
                variant_id = queue.ensure_variant(connection, stage, {"key": key})
                given = {one: state for one in contents if (state := chance.choice(STATES)) is not None}
                states[stage, variant_id] = {} if (stage, key) == ("tags", 2) else given
                for asset_id, state in states[stage, variant_id].items():
                    values = {"subject_kind": "asset", "subject_id": asset_id, "stage": stage, "variant_id": variant_id}
                    connection.execute(insert(task).values(**values, state=state, updated_at=1.0))
            space = spaces.ensure_space(
                connection, model="m", variant_id=next(number for stage, number in states if stage == "embed"), dim=2
            )
            embedded = {one for one in contents if chance.random() < 0.5}
            for asset_id in embedded:
                for frame in range(chance.choice((1, 1, 3))):
                    values = {"space_id": space.id, "asset_id": asset_id, "frame": frame, "data": b"1234"}
                    connection.execute(insert(vector).values(**values))
        yield Drawn(library, states, usable, embedded, space)


def test_contents_to_do_are_counted_by_stage_and_variant(drawn: Drawn) -> None:
    with drawn.library.database.read() as connection:
        for (stage, number), states in drawn.states.items():
            finished = {one for one, state in states.items() if state in ("done", "quarantined")}
            of = StageVariant(stage, number)
            assert asset_tasks.count_to_do(connection, of) == len(drawn.usable - finished)
            for (earlier, earlier_number), earlier_states in drawn.states.items():
                of = StageVariant(stage, number, after=earlier, after_variant=earlier_number)
                ready = {one for one, state in earlier_states.items() if state == "done"}
                assert asset_tasks.count_to_do(connection, of) == len(ready - finished)
        assert asset_tasks.count_to_do(connection, StageVariant("faces", -1)) == len(drawn.usable)


def test_contents_without_any_task_are_counted_by_stage(drawn: Drawn) -> None:
    with drawn.library.database.read() as connection:
        for stage in ("embed", "ocr", "tags", "faces"):
            planned = {one for (name, _), states in drawn.states.items() if name == stage for one in states}
            assert asset_tasks.count_never_planned(connection, stage) == len(drawn.usable - planned)


def test_contents_without_a_vector_are_counted_by_space(drawn: Drawn) -> None:
    states = drawn.states["embed", drawn.space.variant_id]
    given_up = {one for one, state in states.items() if state == "quarantined"}
    with drawn.library.database.read() as connection:
        found = spaces.count_not_embedded(connection, drawn.space)
    assert found == len(drawn.usable - drawn.embedded - given_up)
