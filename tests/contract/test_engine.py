"""The contract of every database engine. To test another implementation, add its name and factory to ENGINES."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, inspect, select, true, update

from photoindex.library.handle import Library
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.search.parse import parse
from photoindex.query.syntax import EVERYTHING
from photoindex.store.engine import text_search
from photoindex.store.engine.base import StepsExceeded
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.scan import staging
from photoindex.store.schema.columns import metadata
from photoindex.store.schema.tables import file, folder, photo, photo_text, task, volume
from photoindex.store.search.fields import FIELDS
from photoindex.store.tasks import asset_tasks, queue
from photoindex.store.tasks.asset_tasks import StageVariant
from photoindex.store.tasks.queue import ClaimRequest
from photoindex.types import Failure
from tests.rows import VolumeRows, library_in

ENGINES: dict[str, Callable[[Path], AbstractContextManager[Library]]] = {"sqlite": library_in}
STAGE = "embed"


@pytest.fixture(params=ENGINES)
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VolumeRows]:
    """Rows in a new, empty library, on each engine."""
    with ENGINES[request.param](tmp_path / "library") as library:
        yield VolumeRows(library, tmp_path / "originals")


def plan_tasks(rows: VolumeRows, count: int) -> StageVariant:
    """Add `count` photos and plan their tasks."""
    for _ in range(count):
        rows.add_photo()
    with rows.writing() as connection:
        stage_variant = StageVariant(STAGE, queue.ensure_variant(connection, STAGE, {"code": 1}))
        asset_tasks.plan(connection, stage_variant, first=1, last=count)
    return stage_variant


def claim_request(stage_variant: StageVariant, limit: int, *, after_id: int = 0) -> ClaimRequest:
    return ClaimRequest(STAGE, asset_tasks.FIRST, limit, 60.0, after_id=after_id, variant_id=stage_variant.variant_id)


def states(rows: VolumeRows) -> list[tuple[str, int]]:
    with rows.library.database.read() as connection:
        return [tuple(row) for row in connection.execute(select(task.c.state, task.c.attempts).order_by(task.c.id))]


def test_every_table_exists_with_its_columns(rows: VolumeRows) -> None:
    with rows.library.database.read() as connection:
        inspector = inspect(connection)
        for table in metadata.sorted_tables:
            assert {column["name"] for column in inspector.get_columns(table.name)} == set(table.c.keys()), table.name


def test_planning_twice_creates_each_task_once(rows: VolumeRows) -> None:
    stage_variant = plan_tasks(rows, 3)
    with rows.writing() as connection:
        assert asset_tasks.plan(connection, stage_variant, first=1, last=3) == 0
        assert asset_tasks.count_waiting(connection, stage_variant) == 3


def test_tasks_are_claimed_in_order_and_finished_by_their_owner(rows: VolumeRows) -> None:
    stage_variant = plan_tasks(rows, 5)
    with rows.writing() as connection:
        first = queue.claim(connection, claim_request(stage_variant, 2), owner="me")
        second = queue.claim(connection, claim_request(stage_variant, 2, after_id=first[-1].id), owner="other")
    assert [one.id for one in (*first, *second)] == sorted({one.id for one in (*first, *second)})
    assert [one.attempts for one in first] == [0, 0]
    with rows.writing() as connection:
        everything = [(one.id, 0.5) for one in (*first, *second)]
        queue.finish(connection, owner="me", variant_id=stage_variant.variant_id, done=everything)
    assert states(rows) == [("done", 1), ("done", 1), ("running", 1), ("running", 1), ("pending", 0)]


def test_a_worker_that_lost_its_lease_changes_nothing(rows: VolumeRows) -> None:
    stage_variant = plan_tasks(rows, 1)
    with rows.writing() as connection:
        (claimed,) = queue.claim(connection, claim_request(stage_variant, 1), owner="slow")
        assert queue.release_stale_leases(connection, stage=STAGE) == 1
        (again,) = queue.claim(connection, claim_request(stage_variant, 1), owner="quick")
        queue.finish(connection, owner="slow", variant_id=stage_variant.variant_id, done=[(claimed.id, 1.0)])
        queue.fail(connection, claimed.id, owner="slow", failure=Failure("hang", "late"), seconds=1.0, final=True)
    assert (again.id, again.attempts) == (claimed.id, 1)
    assert states(rows) == [("running", 2)]
    with rows.writing() as connection:
        queue.give_back(connection, owner="quick")
    assert states(rows) == [("pending", 1)]


def test_several_claimers_get_each_task_exactly_once(rows: VolumeRows) -> None:
    stage_variant = plan_tasks(rows, 60)
    claimed: list[int] = []

    def work(owner: str) -> None:
        after_id = 0
        while True:
            with rows.writing() as connection:
                some = queue.claim(connection, claim_request(stage_variant, 4, after_id=after_id), owner=owner)
            if not some:
                return
            after_id = some[-1].id
            claimed.extend(one.subject_id for one in some)

    workers = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(claimed) == list(range(1, 61))


# One query per field that matches the photo with all metadata, but not the one without any.
ALL_METADATA = {
    "taken_at": "2019-06-01T20:15:00", "taken_at_precision": "second", "taken_at_source": "exif", "latitude": 38.7223,
    "longitude": -9.1393, "camera_make": "Canon", "camera_model": "Canon EOS 6D", "lens": "EF24-105mm", "iso": 400,
    "aperture": 2.8, "exposure_seconds": 0.004, "focal_length_mm": 50.0, "rating": 4, "title": "Sunset",
    "description": "by the sea", "keywords": ["beach"], "width": 6000, "height": 4000, "orientation": 1,
    "duration_seconds": 12.5, "kind": "video", "format": "mp4", "size_bytes": 5_000_000, "sources": {"rating": "xmp"},
}  # fmt: skip
QUERIES = {
    "date": "date:2019-06", "month": "month:june", "day": "day:06-01", "weekday": "weekday:saturday",
    "time": "time:20..21", "near": "near:38.7,-9.1,30km", "type": "type:video",
    "camera": "camera:eos", "lens": "lens::24-1\\d5", "iso": "iso:>=400", "aperture": "aperture:2.8",
    "exposure": "exposure:1/250", "focal": "focal:50", "rating": "rating:4", "text": "text:sunset", "ocr": 'ocr:"boarding pass"', "title": "title:SUN*",
    "description": "description:sea", "keyword": "keyword:Beach", "path": "path:full/*.mp4", "name": "name::^MOV_\\d+",
    "ext": "ext:mp4", "volume": "volume:disk rating:4", "size": "size:5MB", "width": "width:>5000", "height": "height:4000",
    "megapixels": "megapixels:24", "orientation": "orientation:landscape", "duration": "duration:>10s",
    "has": "has:keywords", "is": "-is:missing -is:paired rating:4", "added": "added:2023 iso:400", "source": "source:rating=xmp",
    "id": "id:1",
}  # fmt: skip
TESTED_ELSEWHERE = {
    "place": "needs the table of places; see tests/unit/geo",
    "event": "needs events; see tests/unit/library/photos/test_events.py",
    "like": "ranks and does not filter",
    **dict.fromkeys(("tag", "album"), "needs tags and albums; see tests/cli/test_words_commands.py"),
    "caption": "needs captions; see tests/cli/test_caption_command.py",
    **dict.fromkeys(
        ("person", "faces", "age", "face"), "needs people; see tests/unit/library/people/queries/test_person_fields.py"
    ),
}


def test_every_field_has_a_query_here() -> None:
    assert set(QUERIES) | set(TESTED_ELSEWHERE) == {field.name for field in FIELDS}


@pytest.mark.parametrize("field", QUERIES)
def test_a_query_on_each_field_finds_only_the_matching_photo(rows: VolumeRows, field: str) -> None:
    rows.add_whole_photo("full/MOV_0001.mp4", **ALL_METADATA)
    rows.add_whole_photo("plain/IMG_0002.jpg")
    with rows.writing() as connection:
        texts = {
            "name": "MOV_0001.mp4",
            "title": "Sunset",
            "description": "by the sea",
            "keywords": "beach",
            "ocr": "boarding pass",
        }
        connection.execute(update(photo_text).where(photo_text.c.photo_id == 1).values(**texts))
    assert matching_photo_ids(rows.library, parse(rows.library, QUERIES[field])) == [1], QUERIES[field]
    assert matching_photo_ids(rows.library, EVERYTHING) == [1, 2]


def test_texts_are_found_regardless_of_case_and_accents_until_they_change(rows: VolumeRows) -> None:
    rows.add_whole_photo("a.jpg")

    def finds_photo(query: str) -> bool:
        return matching_photo_ids(rows.library, parse(rows.library, query)) == [1]

    with rows.writing() as connection:
        connection.execute(update(photo_text).values(title="Crème brûlée in Zürich"))
    assert finds_photo("creme BRULEE")
    assert finds_photo('text:"brulee in zur*"')
    assert not finds_photo('text:"zurich in"')
    with rows.writing() as connection:
        connection.execute(update(photo_text).values(title="Lisbon"))
    assert not finds_photo("zurich")
    text_search.rebuild(rows.library.database)
    assert text_search.exists(rows.library.database)
    assert finds_photo("lisbon")


@pytest.mark.parametrize("path", [b"2019/caf\xe9/IMG 1.jpg", "2019/café/IMG 1.jpg".encode(), b"a\nb/\xff\xfe.jpg"])
def test_paths_are_stored_byte_for_byte_and_found_by_their_folder(rows: VolumeRows, path: bytes) -> None:
    rows.add_whole_photo(path)
    rows.add_whole_photo("other/b.jpg")
    with rows.library.database.read() as connection:
        names = list(connection.execute(select(file.c.name).order_by(file.c.id)).scalars())
        parents = list(connection.execute(select(folder.c.path).order_by(folder.c.id)).scalars())
    assert names[0] == path.rpartition(b"/")[2]
    assert parents[0].endswith(path.rpartition(b"/")[0])
    inside = "path:" + path.partition(b"/")[0].decode("utf-8", "surrogateescape").replace("\n", "*")
    assert matching_photo_ids(rows.library, parse(rows.library, f'"{inside}"'.replace('"path:', 'path:"'))) == [1]


def test_a_scan_stages_differences_and_applies_them(rows: VolumeRows) -> None:
    photo_id = rows.add_whole_photo("a/known.jpg")
    with rows.library.database.session() as session:
        with session.read() as connection:
            staging.make(connection)
            folders = staging.folders_of(connection, rows.volume_id)
            (parent,) = folders
            assert set(staging.known_files(connection, folders[parent])) == {b"known.jpg"}
            new = {
                "volume_id": rows.volume_id, "folder_path": parent, "name": b"new.jpg", "size_bytes": 1, "mtime_ns": 2,
                "file_id": None, "what": "new",
            }  # fmt: skip
            staging.stage(connection, [new])
            staging.set_scope(connection, listed=folders.values(), others=(), file_ids=())
        with session.write() as connection:
            staging.apply(connection, variant_id=rows.variant_id, derive=True)
            assert staging.count_work(connection) == 1
            wanted = ClaimRequest("ingest", staging.NEW_FILES_FIRST, 9, 60.0, subjects=staging.work_subjects())
            (claimed,) = queue.claim(connection, wanted, owner="me")
            name = connection.execute(select(file.c.name).where(file.c.id == claimed.subject_id)).scalar_one()
    assert (photo_id, name) == (1, b"new.jpg")


def test_ids_are_never_reused(rows: VolumeRows) -> None:
    first = rows.add_file("a.jpg")
    with rows.writing() as connection:
        connection.execute(delete(file))
        assert engine_of(connection).largest_number_ever(connection, file) == first
    assert rows.add_file("b.jpg") == first + 1


def test_foreign_keys_can_be_checked_at_commit(rows: VolumeRows) -> None:
    with rows.writing() as connection:
        engine = engine_of(connection)
        engine.check_links_at_commit(connection)
        connection.execute(insert(folder).values(id=7, volume_id=99, path=b"early"))
        assert engine.has_broken_link(connection)
        row = {"label": "late", "identity": "late", "mount_point": b"/late", "file_system": "ext4", "last_seen_at": 0.0}
        connection.execute(insert(volume).values(id=99, **row))
        assert not engine.has_broken_link(connection)
    with rows.library.database.read() as connection:
        assert connection.execute(select(folder.c.path).where(folder.c.id == 7)).scalar_one() == b"early"


def test_a_statement_that_exceeds_the_step_limit_is_stopped(rows: VolumeRows) -> None:
    for _ in range(40):
        rows.add_photo()
    one, two, three = (photo.alias(name) for name in ("one", "two", "three"))
    pairs = select(one.c.id).select_from(one.join(two, true()).join(three, true()))
    with rows.library.database.read() as connection:
        engine = engine_of(connection)
        with pytest.raises(StepsExceeded), engine.limited(connection, 1_000):
            connection.execute(pairs).all()
        with engine.limited(connection, None):
            assert len(connection.execute(select(photo.c.id)).all()) == 40
