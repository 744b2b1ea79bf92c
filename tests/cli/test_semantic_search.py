"""Semantic `photoindex search` with a real model: text, pictures, filters, messages and exit codes."""

from __future__ import annotations

import io
import os
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.command_line import CommandResult, run, run_on_terminal
from tests.tiny_clip.scenes import Scene
from tests.tiny_model import SemanticRunner, write_scene, write_scenes

COLOURS = ("red", "blue", "yellow", "green")
COUNTS = (1, 2, 4)
BACKGROUND = {"red": "wood", "blue": "sand", "yellow": "black", "green": "white"}
SCENES = [Scene(colour, "star", count, BACKGROUND[colour], "middle") for colour in COLOURS for count in COUNTS]


@dataclass
class SceneLibrary:
    """A library of twelve embedded scenes, created once; tests must not change it."""

    runner: SemanticRunner
    paths: dict[Scene, Path]

    def path(self, colour: str, count: int) -> str:
        return str(next(path for scene, path in self.paths.items() if (scene.colour, scene.count) == (colour, count)))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> SceneLibrary:
    folder = tmp_path_factory.mktemp("scenes")
    runner = SemanticRunner(folder / "library")
    runner.install()
    paths = write_scenes(folder / "photos", SCENES, taken_at="2019:06:01 12:00:00")
    runner.scan_and_embed(folder / "photos")
    return SceneLibrary(runner, paths)


class Search:
    """Runs searches in the library of scenes."""

    def __init__(self, capture: pytest.CaptureFixture[bytes]) -> None:
        self._capture = capture

    def __call__(self, *words: str) -> CommandResult:
        return run(self._capture, "search", *words)

    def paths(self, *words: str) -> list[str]:
        """Return the paths found; fail on an error or any message."""
        ran = self(*words)
        assert (ran.code, ran.err) == (0, b"")
        return ran.out.decode().splitlines()


@pytest.fixture
def search(scenes: SceneLibrary, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Search:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(scenes.runner.folder))
    monkeypatch.setenv("PHOTOINDEX_EMBED__MODEL", "tiny-clip")
    return Search(capsysbinary)


def test_words_find_what_photos_show(scenes: SceneLibrary, search: Search) -> None:
    expected = {scenes.path("yellow", count) for count in COUNTS}
    assert set(search.paths("something", "yellow", "-n", "3")) == expected
    assert search.paths("two", "blue", "stars", "-n", "1") == [scenes.path("blue", 2)]


def test_something_that_no_photo_shows_finds_nothing_and_a_hint_says_how_to_see_all(search: Search) -> None:
    ran = search("a", "golden", "retriever")
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err == b"hint: nothing looks enough like this; --all shows the nearest\n"
    assert search("elephant", "--fail-if-empty").code == 11


def test_all_ranks_every_photo_and_a_minimum_score_replaces_the_cut_off(search: Search) -> None:
    everything = search.paths("two", "blue", "stars", "--all")
    assert len(everything) == len(SCENES)
    assert everything[: len(search.paths("two", "blue", "stars"))] == search.paths("two", "blue", "stars")
    assert len(search.paths("two", "blue", "stars", "--min-score", "-1")) == len(SCENES)
    assert search("two", "blue", "stars", "--min-score", "0.999").out == b""


def test_a_picture_from_a_file_stdin_or_the_library_finds_similar_photos(
    scenes: SceneLibrary, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_scene(tmp_path / "other.jpg", Scene("red", "star", 4, "wood", "middle"), seed=77)
    assert search.paths("--like", str(other), "-n", "1") == [scenes.path("red", 4)]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(other.read_bytes())))
    assert search.paths("--like", "-", "-n", "1") == [scenes.path("red", 4)]
    star = scenes.path("blue", 2)
    assert search.paths(f"like:{star}", "--all")[0] == star
    (photo,) = search(f'path:"{star}"', "--json").json
    assert search.paths(f"like:{photo['id']}", f"-id:{photo['id']}", "-n", "1", "--all") != [star]


def test_the_reference_photos_themselves_are_found_however_different_they_are(
    scenes: SceneLibrary, search: Search
) -> None:
    different = [scenes.path("red", 1), scenes.path("green", 4), scenes.path("blue", 2)]
    assert set(different) <= set(search.paths(*(f"like:{path}" for path in different)))
    assert set(different[:2]) <= set(search.paths("--like", different[0], "--like", different[1]))


def test_text_and_picture_are_combined_with_weights(scenes: SceneLibrary, search: Search) -> None:
    star = scenes.path("blue", 2)
    colours = {
        weight: search.paths("something", "yellow", f"like:{star}", "--weight", f"like={weight}", "-n", "1", "--all")
        for weight in ("0.05", "20")
    }
    assert colours["20"] == [star]
    assert colours["0.05"] != [star]
    assert search.paths("yellow^5", "blue^0.1", "--all", "-n", "1")[0] in {scenes.path("yellow", one) for one in COUNTS}
    assert (
        search.paths("yellow", "blue", "--weight", "Yellow=5", "--weight", "blue=0.1", "--all")
        == search.paths("yellow^5", "blue^0.1", "--all")
    )  # fmt: skip


def test_not_lowers_similar_photos_and_a_minus_excludes(scenes: SceneLibrary, search: Search) -> None:
    before = search.paths("red", "--all")
    after = search.paths("red", "--not", "four stars", "--all")
    four = scenes.path("red", 4)
    assert len(after) == len(before)
    assert after.index(four) > before.index(four)
    assert four not in search.paths("red", f"-name:{Path(four).name}", "--all")


def test_filters_and_alternatives_combine_with_words(scenes: SceneLibrary, search: Search) -> None:
    star = scenes.path("blue", 2)
    assert search.paths("stars", f"name:{Path(star).name}", "--all") == [star]
    assert search("red", "date:2018").out == b""
    both = search.paths("blue OR yellow", "--all")[:6]
    assert set(both) == {scenes.path(colour, count) for colour in ("blue", "yellow") for count in COUNTS}


def test_an_exact_file_name_is_found_whatever_the_photo_shows(scenes: SceneLibrary, search: Search) -> None:
    name = Path(scenes.path("green", 4)).stem
    assert scenes.path("green", 4) in search.paths(name)[:2]
    assert search.paths(f"text:{name}") == [scenes.path("green", 4)]


def test_stats_count_the_photos_that_search_finds_by_meaning(
    search: Search, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    found = int(search("red", "--count").out)
    assert found > 0
    assert search("text:red", "--count").out == b"0\n"
    rows = run(capsysbinary, "stats", "red", "--by", "month", "--json").json
    assert [(row["value"], row["photos"]) for row in rows] == [("2019-06", found)]


def test_counts_json_templates_and_other_orders_support_the_score(search: Search) -> None:
    found = len(search.paths("red"))
    assert search("red", "--count").out == f"{found}\n".encode()
    assert search("red", "--count", "--json").json == [{"schema": 1, "count": found}]
    hits = search("red", "--json").json
    assert [hit["score_rank"] for hit in hits] == list(range(1, found + 1))
    assert all(0 <= hit["relevance"] <= 100 and hit["words_rank"] is None and hit["fused"] > 0 for hit in hits)
    assert [hit["relevance"] for hit in hits] == sorted((hit["relevance"] for hit in hits), reverse=True)
    assert len(search("red", "-0").out.split(b"\0")) == found + 1
    (line,) = search("red", "-n", "1", "--format", "{relevance}|{fused}\n").out.decode().splitlines()
    assert line == f"{hits[0]['relevance']}|{hits[0]['fused']}"
    by_name = search.paths("red", "--sort", "name")
    assert by_name == sorted(by_name)
    assert set(by_name) == set(search.paths("red", "--sort", "relevance"))
    assert b",relevance," in search("red", "--csv").out.splitlines()[0]


def test_only_explain_shows_cosines(search: Search) -> None:
    """They may be negative, and say little to who does not know the model."""
    (hit,) = search("red", "-n", "1", "--json").json
    assert not {"score", "second_score"} & hit.keys()
    assert b"score," not in search("red", "--csv").out.splitlines()[0]
    refused = search("red", "--format", "{score}")
    assert refused.code == 2
    assert b"no field {score}" in refused.err
    (whole,) = search("red", "--explain", "--json").json
    assert 0 < whole["by_meaning"]["hits"][0]["score"] <= 1


def test_a_search_by_fields_has_no_scores_and_loads_no_model(search: Search) -> None:
    (hit,) = search("date:2019", "-n", "1", "--json").json
    assert (hit["relevance"], hit["score_rank"], hit["words_rank"], hit["fused"]) == (None, None, None, None)


def test_a_terminal_shows_the_relevance_only_if_there_is_one(search: Search) -> None:
    shown = run_on_terminal("search", "red").out.decode()
    assert "Relevance" in shown.splitlines()[0]
    assert "Relevance" not in run_on_terminal("search", "date:2019").out.decode().splitlines()[0]


def test_explain_splits_the_score_and_names_the_cut_off_and_the_filters(scenes: SceneLibrary, search: Search) -> None:
    words = ("red", "--not", "on sand^0.2", f"-name:{Path(scenes.path('red', 1)).name}", "--min-score", "0.2")
    (whole,) = search(*words, "--explain", "--json").json
    why = whole["by_meaning"]
    assert why["space"] == "tiny-clip"
    (alternative,) = why["alternatives"]
    assert [(part["kind"], part["label"], part["weight"]) for part in alternative["parts"]] == [
        ("text", "red", 1.0),
        ("without", "on sand", -0.2),
    ]
    assert alternative["cut"]["minimum"] == 0.2
    assert [one["photos"] for one in why["removed"]] == [1]
    assert why["reached"] - 1 == why["found"]
    for hit in why["hits"]:
        assert sum(hit["shares"]) == pytest.approx(hit["score"], abs=1e-5)
        assert hit["fused"] == pytest.approx(hit["fused_score"] + hit["fused_words"])
    text = search(*words, "--explain").out.decode()
    assert "-0.2 x without" in text
    assert "minimum score 0.200, as requested" in text
    assert "removes 1" in text
    assert "cut-off 0." in search("red", "--explain").out.decode()
    assert "by its words alone: sun*" in search("red", "sun*", "--explain").out.decode()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--not", "red"], "the query has none"),
        (["--not", " "], "--not needs a text"),
        (["red", "--not", "blue^0"], "from 0.01 to 100"),
        (["red", "--not", "red"], "cancel each other out"),
        (["red", "--all", "--min-score", "0.1"], "exclude each other"),
        (["date:2019", "--all"], "--all is for words"),
        (["red", "--weight", "blue=2"], "not a word or phrase of the query"),
        (["red", "--weight", "red"], "write NAME=NUMBER"),
        (["red", "--weight", "red=x"], "from 0.01 to 100"),
        (["-like:1"], "cannot be filtered out"),
        (["like:1 OR red"], "cannot be part of an OR"),
        (["--like", "."], "is a folder"),
        (["--like", "nowhere.jpg"], "there is no such file"),
        (["--like", __file__], "not a picture or video that photoindex knows"),
        (["--like", "-", "--like", "-"], "give it once"),
        (["red", "--sort", "loudness"], "there is no key 'loudness'"),
    ],
)
def test_invalid_combinations_are_refused_with_a_message(search: Search, words: list[str], message: str) -> None:
    ran = search(*words)
    assert (ran.code, ran.out) == (2, b"")
    assert message in ran.err.decode()


@pytest.mark.parametrize("what", ["like:4711", "like:nowhere.jpg"])
def test_a_photo_unknown_to_the_library_has_its_own_exit_code(search: Search, what: str) -> None:
    assert search(what).code == 11


def test_a_damaged_and_a_huge_picture_are_refused_with_the_reason(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.jpg"
    whole = io.BytesIO()
    Image.new("RGB", (400, 300), "red").save(whole, "JPEG")
    broken.write_bytes(whole.getvalue()[:700])
    assert search("--like", str(broken)).code == 2
    monkeypatch.setenv("PHOTOINDEX_SCAN__MAX_MEGAPIXELS", "0.01")
    large = tmp_path / "large.png"
    Image.new("RGB", (400, 300), "red").save(large)
    ran = search("--like", str(large))
    assert ran.code == 2
    assert b"with the setting scan.max_megapixels if" in ran.err


def test_queries_in_any_language_and_of_any_length_are_answered(search: Search) -> None:
    for words in (["ein", "roter", "Stern"], ["赤い星"], ["красная", "звезда"], ["🌟"[:1] + "a"], ["&amp;", "star"]):
        assert search(*words).code == 0
    ran = search(*["red"] * 400)
    assert ran.code == 0
    assert b"the model reads the first 18 words;" in ran.err
    many = search(*["red"] * 10_000)
    assert many.code == 2
    assert b"at most" in many.err


def copy_of(scenes: SceneLibrary, folder: Path) -> SemanticRunner:
    """A copy of the library of scenes that a test may change."""
    import shutil

    shutil.copytree(scenes.runner.folder, folder, ignore=shutil.ignore_patterns("*.lock*"))
    return SemanticRunner(folder)


def test_without_the_model_words_are_searched_in_texts_and_one_message_says_why(
    scenes: SceneLibrary, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = copy_of(scenes, tmp_path / "library")
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    (runner.folder / "models" / "tiny-clip").rename(tmp_path / "away")
    ran = search("something", "never", "asked")
    assert (ran.code, ran.out) == (0, b"")
    (sentence, *_) = ran.err.decode().splitlines()
    assert sentence.startswith("searching by words alone: ")
    assert "photoindex models" in sentence
    assert search("IMG_0001").out.count(b"\n") == 1
    for words in (["red", "--not", "never asked"], ["--like", scenes.path("red", 1)]):
        needing = search(*words)
        assert needing.code == 7
        assert b"photoindex models" in needing.err
    # A photo of the library already has a vector, so it needs no model.
    assert search("like:1", "--all").code == 0


def test_changed_weights_are_not_used(
    scenes: SceneLibrary, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = copy_of(scenes, tmp_path / "library")
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    changed = next((runner.folder / "models" / "tiny-clip" / "onnx").glob("text.onnx"))
    data = bytearray(changed.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(bytes(data))
    ran = search("a", "text", "that", "is", "new")
    assert ran.code == 0
    assert ran.err.startswith(b"searching by words alone: ")
    assert b"changed" in ran.err


def test_a_query_is_encoded_once_and_cached(
    scenes: SceneLibrary, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = copy_of(scenes, tmp_path / "library")
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    first = search.paths("two", "green", "stars", "please")
    assert runner.value("SELECT count(*) FROM query_vector WHERE text = 'two green stars please'") == 1
    (runner.folder / "models" / "tiny-clip").rename(tmp_path / "away")
    assert search.paths("two", "green", "stars", "please") == first


def test_a_locked_database_does_not_stop_a_search(
    scenes: SceneLibrary, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = copy_of(scenes, tmp_path / "library")
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    writer = sqlite3.connect(runner.folder / "photoindex.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert search.paths("a", "picture", "of", "two", "blue", "stars", "-n", "1") == [scenes.path("blue", 2)]
    finally:
        writer.execute("ROLLBACK")
        writer.close()
    assert runner.value("SELECT count(*) FROM query_vector WHERE text = 'a picture of two blue stars'") == 0


def test_a_photo_added_later_is_found_at_once(
    scenes: SceneLibrary, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = copy_of(scenes, tmp_path / "library")
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    new = write_scene(tmp_path / "new" / "late.jpg", Scene("purple", "star", 2, "grass", "middle"), seed=5)
    runner.scan_and_embed(new.parent)
    assert search.paths("two", "purple", "stars", "-n", "1") == [str(new)]


def test_commands_that_change_something_never_use_a_model(
    scenes: SceneLibrary, search: Search, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "time", "shift", "--by", "+1h", "yellow", "--dry-run")
    assert ran.code == 11
    liked = run(capsysbinary, "time", "shift", "--by", "+1h", "like:1", "--dry-run")
    assert liked.code == 2
    assert b"use it only in `photoindex search`" in liked.err


def test_saved_queries_keep_words_weights_and_reference_photos(
    scenes: SceneLibrary, search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = copy_of(scenes, tmp_path / "library")
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    query = ["something", "yellow^2", "date:2019"]
    kept = search(*query, "--saved", "yellow")
    assert kept.code == 0
    assert search.paths("@yellow") == kept.out.decode().splitlines() == search.paths(*query)


def test_a_search_by_fields_imports_nothing_for_semantic_search(scenes: SceneLibrary) -> None:
    import subprocess

    code = (
        "import sys; from photoindex.cli.main import main; main(['search', 'date:2019', '-type:raw', '--count']); "
        "heavy = {'numpy', 'faiss', 'onnxruntime', 'tokenizers', 'photoindex.library.search.semantic_search'} & set(sys.modules); "
        "print(sorted(heavy))"
    )
    environment: dict[str, Any] = os.environ | {"PHOTOINDEX_LIBRARY": str(scenes.runner.folder)}
    out = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert out.stdout.splitlines() == [str(len(SCENES)), "[]"]


def test_the_relevance_goes_from_100_down_with_the_rank(search: Search) -> None:
    found = [hit["relevance"] for hit in search("red", "--all", "--json").json]
    assert len(found) > 3
    assert found == sorted(found, reverse=True)
    assert 0 <= found[-1] < found[0] <= 100
    assert [hit["relevance"] for hit in search("date:2019", "--json").json if hit["relevance"] is not None] == []


def test_the_relevance_of_a_photo_does_not_depend_on_how_many_are_shown(search: Search) -> None:
    def of_each(*words: str) -> dict[int, int]:
        return {hit["id"]: hit["relevance"] for hit in search("red", *words, "--json").json}

    everything = of_each("--all")
    assert len(set(everything.values())) > 1
    for limit in ("1", "2", "3"):
        few = of_each("-n", limit)
        assert few == {photo_id: everything[photo_id] for photo_id in few}
