"""What `doctor` promises: its remedies change what it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import time

import pytest

from tests.cli.promises.house import House, promises
from tests.tiny_model import MODEL_ID
from tests.unit.library.night.test_schedule import CRONTAB


def findings(house: House, check: str) -> list[tuple[str, str]]:
    """Return level and remedy of each finding of a check."""
    lines = map(json.loads, house.result("doctor", "--json").out.splitlines())
    return [(line["level"], line["remedy"]) for line in lines if line["check"] == check]


BACKUP = "photoindex backup DEST --init"
AGAIN = "photoindex backup {}"
VERIFY = "photoindex backup verify {}"
AWAY = "mount its disk; see: photoindex backup list {}"


@promises(BACKUP, AGAIN, VERIFY, AWAY)
def test_a_backup_is_made_proved_and_made_again(scanned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    destination = scanned.folder / "my backup"
    scanned.follow(BACKUP, scanned.run("doctor"), DEST=str(destination))
    assert [level for level, _ in findings(scanned, "backups")] == ["ok"]
    (snapshot,) = (path for path in destination.iterdir() if path.is_dir())
    (snapshot / "verified.json").unlink()
    scanned.follow(VERIFY, scanned.run("doctor"))
    assert [level for level, _ in findings(scanned, "backups")] == ["ok"]
    destination.rename(scanned.folder / "away")
    said = scanned.run("doctor")
    (scanned.folder / "away").rename(destination)
    scanned.follow(AWAY, said)
    later = time.time() + 8 * 86_400
    with monkeypatch.context() as next_week:
        next_week.setattr("time.time", lambda: later)
        ((_, remedy),) = findings(scanned, "backups")
    scanned.follow(AGAIN, remedy)
    assert len(list(destination.glob("photoindex-2*"))) == 2


@promises("photoindex models pull clip-vit-b-32")
def test_the_model_that_is_missing_is_one_of_the_catalogue(scanned: House) -> None:
    (command,) = scanned.commands("photoindex models pull clip-vit-b-32", scanned.run("doctor"))
    assert command[-1] in scanned.run("models", "list", "--json")


@promises("photoindex index rebuild", "photoindex index optimize")
def test_a_damaged_index_and_one_with_much_to_merge_are_put_right(
    embedded: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.run("index", "rebuild")
    embedded.write_photos("another.jpg", first=9)
    embedded.run("scan")
    embedded.run("embed", "--model", MODEL_ID)
    monkeypatch.setattr("photoindex.library.index.maintain.DUE_LEAST", 1)
    embedded.follow("photoindex index optimize", embedded.run("doctor"))
    assert [level for level, _ in findings(embedded, "index")] == ["ok"]
    (next((embedded.library / "indices").glob("*")) / "DAMAGED").write_text("a test")
    embedded.follow("photoindex index rebuild", embedded.run("doctor"))
    assert [level for level, _ in findings(embedded, "index")] == ["ok"]


@promises("photoindex verify --originals", "photoindex verify --originals --older-than {}d")
def test_originals_are_proved_and_proved_again(scanned: House) -> None:
    scanned.follow("photoindex verify --originals", scanned.run("doctor"))
    assert [level for level, _ in findings(scanned, "originals")] == ["ok"]
    with scanned.rows.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE proof SET at = at - 200 * 86400")
    scanned.follow("photoindex verify --originals --older-than {}d", scanned.run("doctor"))
    assert [level for level, _ in findings(scanned, "originals")] == ["ok"]


@promises("photoindex verify --originals PATH")
def test_an_original_that_was_cured_is_proved_by_its_path(scanned: House) -> None:
    torn, kept = scanned.photos / "a 0.jpg", scanned.folder / "kept"
    shutil.copy2(torn, kept)
    torn.write_bytes(bytes(torn.stat().st_size))
    shutil.copystat(kept, torn)
    scanned.run("verify", "--originals", code=100)
    said = scanned.run("doctor", code=18)
    shutil.copy2(kept, torn)
    scanned.follow("photoindex verify --originals PATH", said, PATH=torn)
    assert [level for level, _ in findings(scanned, "originals")] == ["ok"]


RETRIES = "see why: photoindex tasks --state failed"


@promises(RETRIES)
def test_why_tasks_were_tried_again_is_in_their_list(scanned: House) -> None:
    with scanned.rows.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE throughput SET retried = subjects")
        connection.exec_driver_sql("UPDATE task SET state = 'failed', error = 'the NAS slept' WHERE id = 1")
    assert "the NAS slept" in scanned.follow(RETRIES, scanned.run("doctor"))


@promises("photoindex verify")
def test_a_check_that_ends_with_an_error_sends_to_verify(scanned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_library: object) -> object:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("photoindex.library.doctor.doctor.LIBRARY_CHECKS", (("broken", broken),))
    scanned.follow("photoindex verify", scanned.run("doctor", code=18))


LIBRARY = "choose a folder on a disk with --library FOLDER"
LOCAL = "choose a folder on a local disk with --library FOLDER"
PERMISSIONS = "choose another disk with --library FOLDER"


@promises(LIBRARY, LOCAL, PERMISSIONS)
@pytest.mark.parametrize(("file_system", "said"), [("tmpfs", LIBRARY), ("nfs4", LOCAL), ("exfat", PERMISSIONS)])
def test_a_library_goes_to_another_disk(
    house: House, monkeypatch: pytest.MonkeyPatch, file_system: str, said: str
) -> None:
    from photoindex.library.doctor import machine_checks
    from photoindex.mounts import Mount, mount_of

    unsuitable = Mount(os.fsencode(house.folder), "source", file_system, "identity", 1)
    monkeypatch.setattr(
        machine_checks, "mount_of", lambda path: unsuitable if path.endswith(b"my library") else mount_of(path)
    )
    house.seen |= {LIBRARY, LOCAL, PERMISSIONS}
    house.excerpt(said, house.run("doctor", code=None))
    assert said not in house.run("doctor", "--library", house.folder / "other", code=None)


@promises("photoindex schedule install")
def test_a_schedule_that_is_missing_is_installed(scanned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    program = scanned.folder / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(CRONTAB)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("CRONTAB_FILE", str(scanned.folder / "crontab"))
    monkeypatch.setattr("photoindex.library.night.schedule.usual_kind", lambda: "cron")
    scanned.follow("photoindex schedule install", scanned.run("doctor"))
    assert findings(scanned, "schedule") == [("ok", "")]


MEASURED = "no stage was measured yet; run photoindex scan or photoindex embed"


@promises(MEASURED)
def test_hours_are_forecast_after_some_work(installed: House) -> None:
    with installed.rows.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM throughput")
    said = installed.run("doctor", "--sizing")
    installed.excerpt(MEASURED, said)
    installed.run("embed", "--model", MODEL_ID)
    assert re.search(r"embed +200,000: ", installed.run("doctor", "--sizing"))


EXTRA = "metrics as text need prometheus-client, which is not installed; run: pip install 'photoindex[metrics]', or use --json"


@promises(EXTRA)
def test_metrics_without_the_package_come_as_json(scanned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    scanned.excerpt(EXTRA, scanned.run("metrics", code=2))
    assert "photoindex_contents" in scanned.run("metrics", "--json")
