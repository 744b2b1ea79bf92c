"""Completion of fields and values in a query, and of the values of options."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert

from photoindex.library.search.saved import save
from photoindex.library.words.tags import add_tags
from photoindex.models.lock import read_lock, write_lock
from photoindex.query.vocabulary import EXAMPLES, FIELDS, SORT_KEYS
from photoindex.store.schema.tables import event, place
from tests.completions import Completed, completed_by_bash
from tests.rows import VolumeRows, library_in

LENSES = [f"Lens {number:03}" for number in range(200)]
HEAVY = ("sqlalchemy", "numpy", "torch", "faiss", "onnxruntime", "PIL", "cv2", "sklearn", "rich.console")


@pytest.fixture(scope="module")
def library_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("values")
    with library_in(folder / "library") as library:
        rows = VolumeRows(library, folder / "photos")
        with rows.writing() as connection:
            town = {
                "country": "Portugal",
                "country_code": "PT",
                "words": "",
                "alternates": "",
                "latitude": 1.0,
                "population": 1,
            }
            connection.execute(insert(place).values(id=1, city="Lisboa", region="Lisboa", longitude=1.0, **town))
            connection.execute(insert(place).values(id=2, city="Lagos", longitude=2.0, **town))
            days = {
                "kind": "day",
                "words": "",
                "first_at": "2019-06-01",
                "last_at": "2019-06-01",
                "photos": 1,
                "found_at": 0.0,
            }
            connection.execute(insert(event).values(key="2019-06-01-lisbon", title="Lisbon", **days))
        for number, lens in enumerate(LENSES):
            rows.add_photo(lens=lens, camera_make="Canon", camera_model=f"Canon EOS {5 + number % 2}D", place_id=1)
        rows.add_photo(camera_make="Apple", camera_model="iPhone SE", format="heic", keywords=["Été"])
        last = rows.add_photo(kind="raw", format="cr3")
        rows.add_task(last, "failed", error_class="DecodeError")
        add_tags(library, ["sea"], [last])
        save(library, "best", "rating:5")
        save(library, "beach", "tag:beach")
    return folder / "library"


@pytest.fixture
def bash(
    library_folder: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Completed:
    return completed_by_bash(library_folder, monkeypatch, capsysbinary)


def test_fields_are_completed_and_a_single_one_with_its_values(bash: Completed) -> None:
    assert bash("search", "pl") == ["place:Lisboa", "place:Portugal"]
    assert bash("search", "-pl") == ["-place:Lisboa", "-place:Portugal"]
    assert bash("search", "p") == ["path:", "person:", "place:"]
    assert bash("search", "") == [*(f"{one}:" for one in FIELDS), "@beach", "@best"]
    assert bash("search", "iso") == ["iso:100..400", "iso:\\>=800"]
    assert bash("search", "beach") == []
    assert bash("search", "pers") == ["person:"]


def test_values_are_those_of_the_library_and_of_the_language(bash: Completed) -> None:
    assert bash("search", "camera", ":", "ca") == ["Canon", "Canon\\ EOS\\ 5D", "Canon\\ EOS\\ 6D"]
    assert bash("search", "camera", ":", "eos") == ["Canon\\ EOS\\ 5D", "Canon\\ EOS\\ 6D"]
    assert bash("search", "camera", ":", "Apple,ip") == ["Apple,iPhone\\ SE"]
    assert bash("search", "place", ":", "p") == ["Portugal"]
    assert bash("search", "place", ":", "lag") == []  # no photo was taken there
    assert bash("search", "event", ":", "20") == ["2019-06-01-lisbon"]
    assert bash("search", "type", ":") == ["photo", "image", "raw", "video", "live", "motion", "cr3", "heic", "jpeg"]
    assert bash("search", "month", ":", "j") == ["january", "june", "july"]
    assert bash("search", "weekday", ":", "s") == ["saturday", "sunday"]
    assert bash("search", "is", ":", "un") == ["unnamed", "unreviewed"]
    assert bash("search", "HAS", ":", "g") == ["gps"]
    assert bash("search", "source", ":", "taken_") == ["taken_at="]
    assert bash("search", "source", ":", "taken_at", "=", "m") == ["mtime"]
    assert bash("search", "source", ":", "tag", "=", "") == bash("search", "")  # another word
    assert bash("search", "date", ":") == list(EXAMPLES["date"])
    assert bash("search", "date", ":", "20") == []
    assert bash("search", "@", "be") == ["@beach", "@best"]
    assert bash("search", "-", "@", "bes") == ["@best"]
    assert bash("search", "@") == ["@beach", "@best"]
    assert bash("search", "camera", "::", "ca") == []


def test_of_very_many_values_some_are_shown_and_what_they_begin_with_is_what_all_begin_with(bash: Completed) -> None:
    shown = bash("search", "lens", ":", "L")
    assert len(shown) == 60
    assert (shown[0], shown[-1]) == ("Lens\\ 000", "Lens\\ 199")
    assert bash("search", "lens", ":", "Lens 19")[-1] == "Lens\\ 199"


def test_values_of_options(bash: Completed) -> None:
    assert bash("search", "--sort", "") == [*SORT_KEYS, *(f"-{key}" for key in SORT_KEYS[1:])]
    assert bash("search", "--sort", "-d") == ["-date"]
    assert bash("search", "--sort", "=", "rel") == ["relevance"]
    assert bash("album", "sort", "x", "--by", "r") == ["rating"]
    assert bash("tasks", "--state", "d") == ["done", "dismissed"]
    assert bash("retry", "--state", "") == ["failed", "quarantined", "dismissed"]
    assert bash("tasks", "--stage", "e") == ["embed"]
    assert bash("tasks", "--error-class", "") == ["DecodeError"]
    assert bash("run", "--stage", "sc") == ["scan"]
    assert bash("stats", "--by", "year,ca") == ["year,camera"]
    assert bash("search", "--camera", "ip") == ["iPhone\\ SE"]
    assert bash("search", "--not-place", "lis") == ["Lisboa"]
    assert bash("search", "--is", "fav") == ["favourite"]
    assert bash("search", "--layout", "'{year}/{ev") == ["{year}/{event}"]
    assert bash("search", "--format", "'{id} {pat") == ["{id} {path}"]
    assert bash("events", "--format", "'{ti") == ["{title}"]
    assert bash("events", "--save", "2019") == ["2019-06-01-lisbon"]
    assert bash("saved", "remove", "b") == ["beach", "best"]
    assert bash("scan", "--progress", "p") == ["plain"]
    assert bash("redo", "f") == ["faces"]
    assert bash("rate", "re") == ["reject"]


def test_models_are_those_of_the_role(bash: Completed, library_folder: Path) -> None:
    found = {
        "image-text": {"dim": 4, "context_length": 7, "preprocessing": PREPROCESSING},
        "faces": {"dim": 4, "input_px": 8, "layout": "scrfd", "detector": "d.onnx", "embedder": "e.onnx"},
        "captions": {"captioner": "small"},
    }
    lock = read_lock(library_folder / "models")
    models = {
        f"my-{task}": {
            "title": "x", "task": task, "source": "x", "licence": "x", "terms": "x", "installed_at": "x", "found": one,
            "files": {"a": {"sha256": "0" * 64, "size_bytes": 1}},
        }
        for task, one in found.items()
    }  # fmt: skip
    (library_folder / "models").mkdir(exist_ok=True)
    write_lock(library_folder / "models", type(lock).model_validate({"schema": 1, "models": models}))
    assert bash("embed", "--model", "") == ["my-image-text"]
    assert bash("faces", "--model", "") == ["my-faces"]
    assert bash("caption", "--model", "m") == ["my-captions"]
    assert bash("models", "show", "my") == ["my-captions", "my-faces", "my-image-text"]
    assert "clip-vit-b-32" in bash("models", "pull", "clip")


PREPROCESSING = {
    "size_px": 8,
    "mean": [0.0] * 3,
    "standard_deviation": [1.0] * 3,
    "interpolation": "bicubic",
    "resize": "shortest",
}


def test_no_library_a_newer_one_and_a_locked_one_give_nothing_and_no_error(bash: Completed, tmp_path: Path) -> None:
    asked = (("search", "camera", ":", "C"), ("search", "@", "b"), ("embed", "--model", ""), ("spaces", "use", ""))
    for words in asked:
        assert bash(*words, library=tmp_path / "none") == []
    assert not (tmp_path / "none").exists()
    newer = tmp_path / "newer"
    newer.mkdir()
    with closing(sqlite3.connect(newer / "photoindex.db")) as connection:
        connection.execute("CREATE TABLE photo (id, cameras)")
        connection.execute("CREATE TABLE alembic_version (version_num)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        connection.commit()
        assert bash("search", "camera", ":", "C", library=newer) == []
        connection.execute("BEGIN EXCLUSIVE")
        assert bash("search", "camera", ":", "C", library=newer) == []
    with library_in(tmp_path / "locked") as library:
        VolumeRows(library, tmp_path / "photos").add_photo(camera_model="Canon")
    with closing(sqlite3.connect(tmp_path / "locked" / "photoindex.db")) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        assert bash("search", "camera", ":", "C", library=tmp_path / "locked") in ([], ["Canon"])


def test_a_completion_loads_nothing_heavy(library_folder: Path) -> None:
    program = f"import sys\nfrom photoindex.cli.main import main\nmain([])\nprint([one for one in {HEAVY!r} if one in sys.modules])"
    for words in ("search\ncamera\n:\nCa", "search\n@\nb", "search\ncam", "tasks\n--state\nqu"):
        environment = os.environ | {
            "PHOTOINDEX_LIBRARY": str(library_folder), "_PHOTOINDEX_COMPLETE": "complete_bash", "COMP_WORDS": f"photoindex\n{words}",
            "COMP_CWORD": str(words.count("\n") + 1),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        *found, heavy = done.stdout.splitlines()
        assert found
        assert heavy == "[]"
