"""The documented views: their columns and paths, and that reading one row needs no scan."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.domain.people.values import How
from photoindex.library.handle import Library
from photoindex.library.people.summaries import make_summaries
from photoindex.store.schema import views
from tests.face_rows import FaceRows
from tests.rows import VolumeRows, library_in


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with library_in(tmp_path / "library") as opened:
        with opened.database.write() as connection:
            views.create(connection)
        yield opened


@pytest.fixture
def volume_rows(library: Library, tmp_path: Path) -> VolumeRows:
    return VolumeRows(library, tmp_path / "originals")


def rows_of(library: Library, sql: str) -> list[sqlite3.Row]:
    connection = library.database.raw_connection()
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("view", views.VIEWS, ids=lambda view: view.name)
def test_each_view_has_exactly_the_documented_columns(library: Library, view: views.View) -> None:
    connection = library.database.raw_connection()
    found = connection.execute(f"SELECT * FROM {view.name}")
    names = [column[0] for column in found.description]
    connection.close()
    assert names == list(view.columns)


def test_the_columns_that_other_programs_rely_on_keep_their_names() -> None:
    columns = {view.name: list(view.columns) for view in views.VIEWS}
    assert columns["v_photo"] == [
        "id", "path", "kind", "format", "width", "height", "orientation", "duration_seconds", "size", "taken_at",
        "taken_at_source", "taken_at_confidence", "latitude", "longitude", "altitude_m", "place", "camera_make",
        "camera_model", "lens", "iso", "aperture", "exposure_seconds", "focal_length_mm", "rating", "title",
        "description", "keywords", "added_at", "is_missing", "taken_at_utc", "taken_at_precision", "utc_offset_minutes",
        "zone", "zone_source", "city", "region", "country", "country_code", "burst", "motion",
    ]  # fmt: skip
    assert columns["v_content"] == ["id", "photo_id", "digest", "kind", "format", "role", "why", "facts", "regions"]
    assert columns["v_sidecar"] == ["id", "path", "kind", "of_file_id", "why", "facts", "regions"]
    assert columns["v_file"] == [
        "id", "photo_id", "path", "volume", "volume_id", "size", "mtime", "state", "missing_since", "first_seen_at",
        "digest", "media", "reason",
    ]  # fmt: skip
    assert columns["v_task"] == [
        "id", "stage", "state", "path", "attempts", "error_class", "error", "seconds", "updated_at", "dismissed_at",
        "variant", "subject_kind", "subject_id",
    ]  # fmt: skip
    assert columns["v_volume"] == ["id", "label", "mount_point", "identity", "file_system", "last_seen_at"]
    assert columns["v_person"] == [
        "id", "name", "born", "died", "is_ignored", "is_hidden", "faces", "confirmed", "photos", "first_at", "last_at",
        "cover_face_id",
    ]  # fmt: skip
    assert columns["v_face"] == [
        "id", "photo_id", "content_id", "is_counted", "person_id", "person", "how", "certainty", "x", "y", "width",
        "height", "score", "size_px", "sharpness", "yaw", "roll", "frame", "seconds", "marked_by", "model",
    ]  # fmt: skip
    assert columns["v_journal"] == ["id", "at", "command", "summary", "changes", "undoes", "undone_by"]


def test_a_photo_is_shown_with_its_present_file_before_a_missing_one(library: Library, volume_rows: VolumeRows) -> None:
    photo_id = volume_rows.add_photo(keywords=["sea", "Añil"], title="Beach")
    volume_rows.add_file("old.jpg", asset_id=volume_rows.asset_of(photo_id), state="missing", create=False)
    volume_rows.add_file("2019/new.jpg", asset_id=volume_rows.asset_of(photo_id))
    [row] = rows_of(library, "SELECT * FROM v_photo")
    assert row["path"] == str(Path(volume_rows.originals.decode(), "2019/new.jpg"))
    assert (row["is_missing"], row["title"]) == (0, "Beach")
    assert row["added_at"] == "2023-11-14T22:13:20.000Z"


def test_a_photo_without_a_present_file_is_missing_and_shows_its_last_path(
    library: Library, volume_rows: VolumeRows
) -> None:
    volume_rows.add_whole_photo("gone.jpg", state="missing")
    [row] = rows_of(library, "SELECT path, is_missing FROM v_photo")
    assert (row["path"].endswith("/originals/gone.jpg"), row["is_missing"]) == (True, 1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"caf\xe9.jpg", "caf\N{REPLACEMENT CHARACTER}.jpg"),
        (b"\xff\xfe.jpg", None),
        (b"tail\xc3", None),
        ("\U0001f600 ü\n.jpg".encode(), "\U0001f600 ü\n.jpg"),
        (b"folder\x80/x.jpg", "folder\x80/x.jpg"),
    ],
)
def test_a_name_that_is_not_utf_8_is_shown_as_text_that_every_reader_can_decode(
    library: Library, volume_rows: VolumeRows, name: bytes, shown: str | None
) -> None:
    volume_rows.add_file(name, create=False)
    [row] = rows_of(library, "SELECT path FROM v_file")
    assert isinstance(row["path"], str)
    if shown is not None:
        assert row["path"].endswith("/originals/" + shown)


def test_a_file_at_the_top_of_a_volume_that_is_the_root_has_one_slash(library: Library, tmp_path: Path) -> None:
    volume_rows = VolumeRows(library, tmp_path, online=False)
    volume_rows.add_file("top.jpg", create=False)
    with library.database.write() as connection:
        connection.exec_driver_sql("UPDATE volume SET mount_point = '/'")
        connection.exec_driver_sql("UPDATE folder SET path = ''")
    assert rows_of(library, "SELECT path FROM v_file")[0]["path"] == "/top.jpg"


def test_a_task_is_shown_with_the_path_of_its_file_or_of_its_contents_first_file(
    library: Library, volume_rows: VolumeRows
) -> None:
    photo_id = volume_rows.add_whole_photo("a.jpg")
    volume_rows.add_task(volume_rows.asset_of(photo_id), subject_kind="asset", stage="embed", state="pending")
    volume_rows.add_task(0, subject_kind="library", stage="cluster", state="pending")
    found = {row["stage"]: row["path"] for row in rows_of(library, "SELECT * FROM v_task")}
    assert found["ingest"] == found["embed"] == str(Path(volume_rows.originals.decode(), "a.jpg"))
    assert found["cluster"] is None


@pytest.mark.parametrize("view", views.VIEWS, ids=lambda view: view.name)
def test_one_row_is_found_by_id_without_a_scan(library: Library, volume_rows: VolumeRows, view: views.View) -> None:
    key = "id" if "id" in view.columns else "photo_id"
    plan = [row["detail"] for row in rows_of(library, f"EXPLAIN QUERY PLAN SELECT * FROM {view.name} WHERE {key} = 1")]
    # The only scans allowed are the one that cleans a single name, and those of the few rows that were looked up.
    few = {"SCAN given", f"SCAN {view.name}"}
    scans = [step for step in plan if step.startswith("SCAN") and step not in few]
    assert [step for step in scans if "step" not in step and "CONSTANT" not in step] == []


def test_people_are_shown_with_their_counts_before_and_after_a_summary_is_made(
    library: Library, tmp_path: Path
) -> None:
    rows = FaceRows(library, tmp_path / "originals")
    faces = rows.add_face_photo("a.jpg", "anna", "ben", taken_at="2012-05-01T10:00:00")
    faces += rows.add_face_photo("b.jpg", "anna", taken_at="2019-05-01T10:00:00")
    rows.add_face_photo("c.jpg", "anna", taken_at="2024-05-01T10:00:00", taken_at_source="mtime")
    anna = rows.add_person("Anna", [faces[0]])
    rows.assign(anna, [faces[2]], how=How.CLUSTER)
    rows.add_person(None, [faces[1]], how=How.CLUSTER)
    before = [tuple(row) for row in rows_of(library, "SELECT * FROM v_person ORDER BY id")]
    assert before[0][:5] == (anna, "Anna", None, None, 0)
    assert before[0][6:11] == (2, 1, 2, "2012-05-01T10:00:00", "2019-05-01T10:00:00")
    make_summaries(library)
    assert [tuple(row) for row in rows_of(library, "SELECT * FROM v_person ORDER BY id")] == before


def test_faces_are_shown_with_whom_they_show_and_whether_they_count(library: Library, tmp_path: Path) -> None:
    rows = FaceRows(library, tmp_path / "originals")
    (face,) = rows.add_face_photo("a.jpg", "anna")
    other = rows.add_face(rows.add_asset(1, role="raw"), None)
    rows.add_person("Anna", [face])
    columns = "id, photo_id, is_counted, person, how, marked_by, model"
    assert [tuple(row) for row in rows_of(library, f"SELECT {columns} FROM v_face ORDER BY id")] == [
        (face, 1, 1, "Anna", "confirmed", None, "by-hand"),
        (other, 1, 0, None, None, "mwg", None),
    ]
