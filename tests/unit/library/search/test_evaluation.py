"""Scoring spaces by queries with known answers, using the tiny model of rendered scenes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select

from photoindex.errors import UsageError
from photoindex.library.search.evaluation import KnownQuery, queries_from_keywords, read_queries, score_spaces
from photoindex.store.people import individuals
from photoindex.store.schema.tables import asset, asset_tag, file, photo, tag
from tests.command_line import run
from tests.rows import VolumeRows, library_in
from tests.tiny_clip.scenes import Scene
from tests.tiny_model import SemanticRunner, write_scenes

SCENES = [
    Scene("red", "circle", 1, "white", "left"),
    Scene("blue", "star", 3, "grass", "right"),
    Scene("yellow", "square", 2, "wood", "top"),
    Scene("green", "heart", 4, "black", "bottom"),
    Scene("purple", "cross", 1, "sand", "middle"),
    Scene("orange", "triangle", 2, "sky", "left"),
]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> SemanticRunner:
    """A library of six scenes, embedded."""
    folder = tmp_path_factory.mktemp("scores")
    runner = SemanticRunner(folder / "library")
    runner.install()
    write_scenes(folder / "photos" / "red", SCENES[:1])
    write_scenes(folder / "photos" / "others", SCENES[1:], seed=1)
    runner.scan_and_embed(folder / "photos")
    return runner


def read(runner: SemanticRunner, file: Path, text: str) -> list[KnownQuery]:
    file.write_text(text, encoding="utf-8")
    with runner.open() as library:
        return read_queries(library, file)


def test_the_workers_vectors_match_the_models_own(runner: SemanticRunner) -> None:
    from photoindex.models.encoders import open_image_encoder
    from photoindex.models.weights import ModelStore
    from photoindex.stages.embed import pixels_of

    encoder = open_image_encoder(ModelStore(runner.folder / "models").get("tiny-clip"), device="cpu")
    for asset_id, data in runner.rows("SELECT asset_id, data FROM vector"):
        digest = runner.value("SELECT hex(digest) FROM asset WHERE id = ?", asset_id).lower()
        preview = runner.folder / "derived" / digest[:3] / f"{digest}.preview.jpg"
        expected = encoder.encode_images(pixels_of(preview.read_bytes(), encoder.preprocessing)[np.newaxis])[0]
        assert float(np.frombuffer(data, "<f2").astype(np.float32) @ expected) > 0.999


def test_a_new_space_is_calibrated_by_the_run_that_fills_it(runner: SemanticRunner) -> None:
    assert json.loads(runner.value("SELECT calibration FROM space"))["vectors"] == len(SCENES)


def test_queries_are_read_from_json_lines_and_tab_separated_files(runner: SemanticRunner, tmp_path: Path) -> None:
    by_tabs = read(runner, tmp_path / "q.tsv", "# mine\n\na red circle\tred/IMG_0000.jpg\nshapes\tothers/*.jpg\tid:1\n")
    by_json = read(
        runner,
        tmp_path / "q.jsonl",
        '{"query": "a red circle", "relevant": "red/IMG_0000.jpg"}\n{"query": "shapes", "relevant": ["others/*.jpg", 1]}',
    )
    assert [(one.text, one.relevant) for one in by_tabs] == [(one.text, one.relevant) for one in by_json]
    assert len(by_tabs[0].relevant) == 1
    assert len(by_tabs[1].relevant) in (5, 6)
    assert [one.line for one in by_tabs] == [3, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a beach\n", "q:1: a line needs a query and at least one relevant photo"),
        ("\tred/IMG_0000.jpg\n", "q:1: a line needs a query and at least one relevant photo"),
        ('\n{"query": "a beach"}\n', "q:2: write an object such as"),
        ("{broken\n", "q:1: write an object such as"),
        ("[1]\tred/IMG_0000.jpg\nx\tnowhere/*.jpg\n", "q:2: no photo in the library matches 'nowhere/"),
        ("a beach\tid:999\n", "q:1: no photo in the library matches 'id:999'"),
        ("a beach\tid:99999999999999999999\n", "q:1: a whole number of at most 18 digits"),
        ('\n{"query": "x", "relevant": 99999999999999999999}', "q:2: a whole number of at most 18 digits"),
        ('{"query": "x", "relevant": "\\ud800"}', "q:1: '\\ud800' is not a path"),
        ('{"query": "x", "relevant": [true]}', "q:1: True is neither a path nor a photo's number"),
        ("# nothing\n", "there is no query in"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(
    runner: SemanticRunner, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(UsageError) as error:
        read(runner, tmp_path / "q", text)
    assert message in str(error.value)


def test_a_file_that_cannot_be_read_is_refused(runner: SemanticRunner, tmp_path: Path) -> None:
    with runner.open() as library, pytest.raises(UsageError, match="cannot read the queries in"):
        read_queries(library, tmp_path / "missing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with runner.open() as library, pytest.raises(UsageError, match="cannot read the queries in"):
        read_queries(library, tmp_path / "binary")


def test_a_good_space_scores_high_and_wrong_answers_score_low(runner: SemanticRunner) -> None:
    photos = dict(runner.rows("SELECT file.name, asset.photo_id FROM file JOIN asset ON asset.id = file.asset_id"))
    true = {"a red circle": "IMG_0000.jpg", "three blue stars": "IMG_0001.jpg", "four green hearts": "IMG_0003.jpg"}
    right = [KnownQuery(text, frozenset({photos[name]}), 1) for text, name in true.items()]
    wrong = [KnownQuery(text, frozenset({photos["IMG_0005.jpg"]}), 1) for text in true]
    with runner.open() as library:
        (good,) = score_spaces(library, right, k=1)
        (bad,) = score_spaces(library, wrong, k=1)
        (all_found,) = score_spaces(library, wrong, k=6)
    assert (good.recall, good.mrr, good.queries, good.vectors) == (1.0, 1.0, 3, 6)
    assert [(one.recall, one.first_rank) for one in good.each] == [(1.0, 1)] * 3
    assert bad.recall == 0.0
    assert 0 < bad.mrr < 1
    assert all_found.recall == 1.0
    assert 0 < good.median_ms <= good.p95_ms


def test_recall_is_relative_to_what_k_photos_can_show(runner: SemanticRunner) -> None:
    with runner.open() as library:
        (score,) = score_spaces(library, [KnownQuery("a picture", frozenset(range(1, 7)), 1)], k=3)
    assert score.recall == 1.0


def test_eval_prints_one_line_per_space(
    runner: SemanticRunner, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = tmp_path / "queries.tsv"
    file.write_text("a red circle\tred/IMG_0000.jpg\nthree blue stars\tothers/IMG_0001.jpg\n")
    ran = run(capsysbinary, "spaces", "eval", file, "--k", "1", "--json", "--library", runner.folder)
    (score,) = ran.json
    assert ran.code == 0
    assert (score["space"], score["k"], score["recall"], score["mrr"], score["queries"]) == (
        "tiny-clip",
        1,
        1.0,
        1.0,
        2,
    )
    assert [one["query"] for one in score["each"]] == ["a red circle", "three blue stars"]
    plain = run(capsysbinary, "spaces", "eval", file, "--space", "tiny-clip", "--library", runner.folder).out
    assert plain.startswith(b"tiny-clip\t1.0\t1.0\t1.0\t")
    assert (score["fused_recall"], score["fused_mrr"]) == (1.0, 1.0)
    assert [one["fused_rank"] for one in score["each"]] == [1, 1]
    assert run(capsysbinary, "spaces", "eval", file, "--space", "other", "--library", runner.folder).code == 11


def test_queries_come_from_keywords_tags_and_titles_without_names_numbers_and_file_names(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        rows = VolumeRows(library, tmp_path / "originals")
        values: list[dict[str, Any]] = [
            {"keywords": ["animals/Dog", "2019"], "title": "At the  lake"},
            {"keywords": ["dog", "Anna"], "title": "IMG_4411"},
            {"keywords": ["Été|sea"], "title": "DSC 0001"},
        ]
        one, two, three = (rows.add_whole_photo(f"{number}.jpg", **each) for number, each in enumerate(values))
        with library.database.write() as connection:
            individuals.add(connection, name="Anna")
            named = {"id": 1, "name": "places/Old town", "name_key": "places/old town", "created_at": 0.0}
            connection.execute(insert(tag).values(named))
            connection.execute(insert(asset_tag).values(asset_id=rows.asset_of(three), tag_id=1, at=0.0))
        found = {query.text: query.relevant for query in queries_from_keywords(library)}
    assert found == {"Dog": {one, two}, "At the lake": {one}, "sea": {three}, "Old town": {three}}


def test_a_library_without_keywords_has_no_queries(runner: SemanticRunner) -> None:
    with runner.open() as library, pytest.raises(UsageError, match="no keywords, tags or titles"):
        queries_from_keywords(library)


def test_words_on_most_photos_of_a_large_library_are_no_queries(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        rows = VolumeRows(library, tmp_path / "originals")
        for number in range(25):
            rows.add_whole_photo(f"{number}.jpg", keywords=["photos", "beach"] if number < 3 else ["photos"])
        assert [query.text for query in queries_from_keywords(library)] == ["beach"]


def test_eval_from_keywords_scores_vectors_alone(
    runner: SemanticRunner, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    copy = SemanticRunner(tmp_path / "library")
    shutil.copytree(runner.folder, copy.folder)
    with copy.open() as library, library.database.write() as connection:
        star = connection.execute(select(asset.c.photo_id).join(file).where(file.c.name == b"IMG_0001.jpg"))
        given = photo.update().where(photo.c.id == star.scalar_one())
        connection.execute(given.values(keywords=["three blue stars"]))
    ran = run(capsysbinary, "spaces", "eval", "--from-keywords", "--json", "--library", copy.folder)
    (score,) = ran.json
    assert (score["recall"], score["fused_recall"], score["queries"]) == (1.0, None, 1)
    assert b"1 query from the keywords, tags and titles of 1 photo\n" in ran.err
    for given_too in ((), (tmp_path / "file", "--from-keywords")):
        refused = run(capsysbinary, "spaces", "eval", *given_too, "--library", copy.folder)
        assert refused.code == 2
        assert b"either a file with queries or --from-keywords" in refused.err
