"""`status`: counts, disk use and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.maintenance import status as status_module
from photoindex.library.maintenance.status import as_json, size_of_derived, status
from photoindex.models.ocr import rapidocr_models
from photoindex.store.schema.tables import variant
from tests.rows import VolumeRows, library_in


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    # Without models that read text; else their pictures would be work to do wherever the extra is installed.
    monkeypatch.setattr(rapidocr_models, "is_installed", lambda: False)
    with library_in(tmp_path / "library") as opened:
        yield opened


def commands(library: Library) -> list[str]:
    return [step.command for step in status(library).next_steps]


def test_an_empty_library_suggests_a_first_scan_and_no_backup(library: Library) -> None:
    assert commands(library) == ["photoindex scan PATH"]
    assert status(library).photos == 0


def test_files_are_counted_by_volume_and_state(library: Library, tmp_path: Path) -> None:
    here = VolumeRows(library, tmp_path / "originals")
    away = VolumeRows(library, tmp_path / "nas", online=False, label="nas")
    here.add_whole_photo("a.jpg")
    here.add_whole_photo("b/b.heic", format="heic")
    here.add_whole_photo("gone.jpg", state="missing")
    here.add_file("notes.txt", media=False)
    here.add_file("new.jpg", media=None)
    here.add_file("left.jpg", state="excluded")
    away.add_whole_photo("c.jpg")
    value = as_json(status(library))
    assert value["formats"] == {"jpeg": 3, "heic": 1}
    assert (value["photos"], value["assets"]) == (4, 4)
    assert value["files"] == {"present": 5, "missing": 1, "excluded": 1, "not_media": 1, "undetermined": 1, "bytes": 35}
    volumes = {one["label"]: one for one in value["volumes"]}  # type: ignore[attr-defined]
    assert (volumes["disk"]["online"], volumes["disk"]["present"], volumes["disk"]["missing"]) == (True, 4, 1)
    assert (volumes["nas"]["online"], volumes["nas"]["present"], volumes["nas"]["bytes"]) == (False, 1, 7)


def test_a_volume_without_files_is_listed(library: Library, tmp_path: Path) -> None:
    VolumeRows(library, tmp_path / "originals")
    assert [one.files.present for one in status(library).volumes] == [0]


def test_tasks_are_counted_by_stage_and_state_and_dismissed_ones_separately(library: Library, tmp_path: Path) -> None:
    volume_rows = VolumeRows(library, tmp_path / "originals")
    for number, state in enumerate(["done", "done", "pending", "running", "failed", "quarantined", "quarantined"]):
        volume_rows.add_task(
            volume_rows.add_file(f"{number}.jpg"), state, error_class="truncated" if state == "quarantined" else None
        )
    volume_rows.add_task(volume_rows.add_file("x.jpg"), "quarantined", error_class="truncated", dismissed_at=1.0)
    volume_rows.add_task(1, "pending", subject_kind="asset", stage="embed")
    with exclusive(library.folder, "scan"):
        value = as_json(status(library))
    assert value["tasks"] == {
        "embed": {"pending": 1},
        "ingest": {"done": 2, "pending": 1, "running": 1, "failed": 1, "quarantined": 2, "dismissed": 1},
    }
    # What a killed run left is not running: the next run takes it.
    assert as_json(status(library))["tasks"]["ingest"] == {
        "done": 2, "pending": 2, "failed": 1, "quarantined": 2, "dismissed": 1
    }  # fmt: skip
    assert value["quarantined"] == {"truncated": 2}


def test_the_next_steps_name_the_commands_that_help(library: Library, tmp_path: Path) -> None:
    volume_rows = VolumeRows(library, tmp_path / "originals")
    volume_rows.add_root(scanned_at=None)
    volume_rows.add_whole_photo("gone.jpg", state="missing")
    volume_rows.add_task(volume_rows.add_file("bad.jpg"), "quarantined")
    volume_rows.add_task(volume_rows.add_file("new.jpg"), "pending")
    VolumeRows(library, tmp_path / "nas", online=False, label="nas")
    found = status(library)
    assert [step.command for step in found.next_steps] == [
        "photoindex scan",
        "photoindex scan",
        "photoindex models pull clip-vit-b-32",
        "photoindex tasks --state quarantined",
        "photoindex retry",
        "photoindex scan",
        "photoindex prune --dry-run",
        "photoindex backup DEST",
    ]
    assert "never completely scanned" in found.next_steps[0].why
    assert "nas is not mounted" in found.next_steps[5].why


def test_a_library_without_pending_work_suggests_the_models_that_it_lacks_and_a_backup(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume_rows = VolumeRows(library, tmp_path / "originals")
    volume_rows.add_root()
    volume_rows.add_whole_photo("a.jpg")
    assert commands(library) == [
        "photoindex models pull clip-vit-b-32",
        "photoindex models list",
        "photoindex backup DEST",
    ]
    assert status(library).next_steps[1].why == "no model is installed for: faces, caption"
    monkeypatch.setattr(status_module, "installed_ids", lambda _library: ["one"])
    assert commands(library) == ["photoindex models list", "photoindex backup DEST"]
    monkeypatch.setattr(status_module, "installed_packs", lambda _library: ["two"])
    assert status(library).next_steps[0].why == "no model is installed for: caption"
    monkeypatch.setattr(status_module, "installed_captioners", lambda _library: ["three"])
    assert commands(library) == ["photoindex backup DEST"]


def test_a_library_without_a_photo_asks_for_a_folder_that_has_some(library: Library, tmp_path: Path) -> None:
    assert commands(library) == ["photoindex scan PATH"]
    VolumeRows(library, tmp_path / "originals").add_root()
    assert commands(library) == ["photoindex scan PATH"]


def test_each_root_shows_its_last_scan(library: Library, tmp_path: Path) -> None:
    VolumeRows(library, tmp_path / "originals").add_root(summary={"new": 3})
    [root] = as_json(status(library))["roots"]  # type: ignore[misc]
    assert root["path"] == str(tmp_path / "originals")
    assert (root["scanned_at"], root["summary"]) == ("2023-11-14T22:13:20.000Z", {"new": 3})


def test_the_size_of_previews_is_exact_for_few_folders_and_estimated_for_many(tmp_path: Path) -> None:
    for number in range(40):
        folder = tmp_path / f"{number:03x}"
        folder.mkdir()
        (folder / "a.preview.jpg").write_bytes(b"x" * (90 + number % 2 * 20))
    assert size_of_derived(tmp_path, sampled=40) == (4000, False)
    estimate, is_estimate = size_of_derived(tmp_path, sampled=10)
    assert is_estimate
    assert abs(estimate - 4000) <= 400
    assert size_of_derived(tmp_path / "none") == (0, False)


def test_the_disk_use_counts_the_database_and_its_log(library: Library) -> None:
    disk = status(library).disk
    on_disk = sum(path.stat().st_size for path in library.folder.glob("photoindex.db*"))
    assert disk.database == on_disk > 0
    assert disk.free > 0


def test_contents_read_by_an_earlier_version_suggest_a_redo(library: Library, tmp_path: Path) -> None:
    volume_rows = VolumeRows(library, tmp_path / "originals")
    volume_rows.add_root()
    volume_rows.add_whole_photo("a.jpg")
    assert "photoindex redo ingest" not in commands(library)
    with library.database.write() as connection:
        connection.execute(variant.update().values(key='{"code":1}'))
    (step,) = (one for one in status(library).next_steps if one.command == "photoindex redo ingest")
    assert step.why.startswith("1 photo was read by an earlier version; reading again brings sidecars")
    with library.database.write() as connection:
        connection.execute(variant.update().values(key='{"code":2}'))
    (step,) = (one for one in status(library).next_steps if one.command == "photoindex redo ingest")
    assert "sidecars" not in step.why
    assert "lenses" in step.why
