"""kill -9 between two statements of a command: what is done is whole, and the same command does the rest."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from photoindex.store.words import documents
from tests.caption_server import caption_server
from tests.harness import LibraryRunner
from tests.label_models import write_colour_model
from tests.series import ONE_EACH, SOAKING
from tests.small_captioners import write_small_captioner
from tests.tiny_clip.scenes import Scene
from tests.tiny_faces import write_faces, write_tiny_faces
from tests.tiny_model import FIXTURE, write_scenes
from tests.tiny_ocr import write_lines, write_tiny_ocr

STAGES = {
    "faces": "faces --batch-size 2",
    "caption": "caption --endpoint {server} --model colours --batch-size 2",
    "blip": "caption --model blip --batch-size 2",
    "tags": "tag auto --only tags --only labels",
    "ocr": "ocr --batch-size 2",
}
WORDS = {
    "rename": "tag rename animals pets",
    "merge": "tag merge garden park trees",
    "apply": "tag apply {answers}",
    "rate": "rate 4 type:photo --yes",
}
KILLS = 3 if SOAKING else 1
ALL = 1 << 30
RESULTS = """
    SELECT stage, asset_id, round(x, 3), round(y, 3) FROM region
        JOIN variant ON variant.id = variant_id JOIN region_vector ON region_id = region.id
    UNION ALL SELECT 'faces', primary_asset_id, 'counted', faces FROM photo WHERE faces > 0
    UNION ALL SELECT stage, asset_id, kind, text FROM asset_text JOIN variant ON variant.id = variant_id
    UNION ALL SELECT stage, asset_id, name, round(raw, 3) FROM label
        JOIN variant ON variant.id = variant_id JOIN tag ON tag.id = tag_id
"""
TASKS = "SELECT stage, subject_id, state, attempts FROM task WHERE subject_kind = 'asset'"
TABLES = (
    "tag", "tag_alias", "asset_tag", "tag_rejection", "label", "correction", "journal", "journal_change", "photo", "photo_text",
)  # fmt: skip
"""What the commands about words write."""
LEFT_OUT = ("at", "created_at", "before", "after")


@dataclass(frozen=True)
class Made:
    """A library that no stage has looked through, except for vectors; copy it. after: what each command makes of it."""

    folder: Path
    server: str
    after: dict[str, Any] = field(default_factory=dict)
    statements: dict[str, int] = field(default_factory=dict)

    @property
    def library(self) -> Path:
        return self.folder / "library"

    def run(self, library: Path, words: str, *, last: int = ALL) -> subprocess.CompletedProcess[str]:
        """Run a command that dies at its last statement."""
        places = {"{server}": self.server, "{answers}": str(self.folder / "answers.jsonl")}
        argv = [places.get(word, word) for word in words.split()]
        command = [sys.executable, "-m", "tests.fault.dying", str(last), "--library", str(library), *argv]
        own = {name: value for name, value in os.environ.items() if not name.startswith("PHOTOINDEX_")}
        paths = (self.folder / "packages", Path(__file__).parents[2], own.get("PYTHONPATH", ""))
        environment = own | {
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PHOTOINDEX_EMBED__MODEL": "tiny-clip",
            "PHOTOINDEX_TAGS__VOCABULARY": str(self.folder / "terms.txt"),
            "PHOTOINDEX_TAGS__MODELS": str(self.folder / "colours" / "colours.toml"),
        }
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A library of scenes, faces and lines of text, embedded, with three kinds of own tags."""
    folder = tmp_path_factory.mktemp("made")
    photos = folder / "photos"
    scenes = [("red", "circle", "grass"), ("blue", "star", "sand"), ("yellow", "heart", "wood")]
    write_scenes(photos, [Scene(colour, shape, 1, ground, "middle") for colour, shape, ground in scenes])
    for number in range(3):
        boxes = {(40 + 150 * one, 60, 100 + 150 * one, 120): one for one in range(number + 1)}
        write_faces(photos / f"FACE_{number}.jpg", boxes, seed=number)
        write_lines(
            photos / f"TEXT_{number}.jpg", {(100, 100 + 200 * one, 30): "FACED"[one:] for one in range(number + 1)}
        )
    write_tiny_ocr(folder / "packages")
    write_colour_model(folder / "colours")
    (folder / "terms.txt").write_text("shapes/circle\nshapes/star\ncolours/red\nground/grass\nground/sand\n")
    lines = [("accept", "trees", [1, 2]), ("reject", "garden", [3]), ("reject", "park", [1, 4])]
    answers = [{"schema": 1, "do": do, "tag": tag, "photos": ids} for do, tag, ids in lines]
    (folder / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)))
    with caption_server() as server:
        made = Made(folder, server.url)
        for words in (
            f"scan {photos}",
            f"models install {FIXTURE} --id tiny-clip",
            "embed",
            f"models install {write_tiny_faces(folder / 'pack')} --id tiny-faces",
            "tag add animals/dog --and animals/cat id:1..4",
            "tag add garden id:2..5",
            "tag add park --and park/bench --and trees id:3..7",
        ):
            done = made.run(made.library, words)
            assert done.returncode == 0, (words, done.stderr)
        yield made


def prepare(made: Made, folder: Path, name: str, words: str) -> Path:
    """Return a copy of the library for a command; run it undisturbed in another one, the first time it is asked for."""
    if name == "blip" and not (made.folder / name).exists():
        pytest.importorskip("transformers")
        write_small_captioner(made.folder / name, "blip", seed=1)
        installed = made.run(made.library, f"models install {made.folder / name} --id blip")
        assert installed.returncode == 0, installed.stderr
    if name not in made.statements:
        copy = shutil.copytree(made.library, folder / "undisturbed")
        done = made.run(copy, words)
        assert done.returncode == 0, done.stderr
        made.statements[name] = int(done.stderr.rpartition(":")[2])
        made.after[name] = results(copy) if name in STAGES else tables(copy)
    return shutil.copytree(made.library, folder / "library")


def results(library: Path) -> dict[tuple[str, int], set[Any]]:
    """Return what stages found, by stage and content."""
    found: dict[tuple[str, int], set[Any]] = {}
    for stage, asset_id, *row in LibraryRunner(library).rows(RESULTS):
        found.setdefault((stage, asset_id), set()).add(tuple(row))
    return found


def tables(library: Path) -> dict[str, list[Any]]:
    """Return the rows of the tables of words, without when they were written; of changes which rows they are of."""
    runner = LibraryRunner(library)
    found = {}
    for table in TABLES:
        names = [row[1] for row in runner.rows(f"PRAGMA table_info({table})")]
        columns = ", ".join(f'"{name}"' for name in names if name not in LEFT_OUT)
        found[table] = sorted(runner.rows(f"SELECT {columns} FROM {table}"), key=repr)
    return found


def check_intact(library: Path) -> None:
    """Check the database, and that the full-text documents say what the other tables do."""
    runner = LibraryRunner(library)
    assert runner.value("PRAGMA integrity_check") == "ok"
    assert runner.rows("PRAGMA foreign_key_check") == []
    texts = runner.rows("SELECT * FROM photo_text")
    with runner.open() as opened, opened.database.write() as connection:
        documents.refresh(connection, [row[0] for row in texts])
    assert runner.rows("SELECT * FROM photo_text") == texts


@pytest.mark.slow
@pytest.mark.parametrize("seed", ONE_EACH)
@pytest.mark.parametrize("name", STAGES)
def test_a_stage_killed_at_any_statement_has_all_results_of_a_photo_or_none(
    made: Made, tmp_path: Path, name: str, seed: int
) -> None:
    library = prepare(made, tmp_path, name, STAGES[name])
    after = made.after[name]
    chance = random.Random(f"{name} {seed}")
    for kills in range(1, KILLS + 1):
        killed = made.run(library, STAGES[name], last=chance.randint(1, made.statements[name]))
        assert killed.returncode in (-signal.SIGKILL, 0), killed.stderr
        check_intact(library)
        tasks = LibraryRunner(library).rows(TASKS)
        done = {(stage, asset_id) for stage, asset_id, state, _attempts in tasks if state == "done"}
        assert results(library) == {key: rows for key, rows in after.items() if key in done}
        assert {state for _stage, _asset_id, state, _attempts in tasks} <= {"pending", "running", "done"}
        assert max(attempts for *_, attempts in tasks) <= kills
    done = made.run(library, STAGES[name])
    assert done.returncode == 0, done.stderr
    check_intact(library)
    assert results(library) == after
    assert {state for _stage, _asset_id, state, _attempts in LibraryRunner(library).rows(TASKS)} == {"done"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", ONE_EACH)
@pytest.mark.parametrize("name", WORDS)
def test_a_change_of_words_killed_at_any_statement_is_made_as_a_whole_or_not_at_all(
    made: Made, tmp_path: Path, name: str, seed: int
) -> None:
    library = prepare(made, tmp_path, name, WORDS[name])
    before = left = tables(library)
    chance = random.Random(f"{name} {seed}")
    for _ in range(KILLS):
        if left == before:
            killed = made.run(library, WORDS[name], last=chance.randint(1, made.statements[name]))
            assert killed.returncode in (-signal.SIGKILL, 0), killed.stderr
            check_intact(library)
            left = tables(library)
            assert left in (before, made.after[name])
    if left == before:
        done = made.run(library, WORDS[name])
        assert done.returncode == 0, done.stderr
        assert tables(library) == made.after[name]
