"""A second look: the first results of a search are scored again by a stronger model, from their previews."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from photoindex.errors import ModelUnavailable, UsageError
from photoindex.library.handle import Library
from photoindex.library.search import second_look
from photoindex.library.search.find import SearchRequest, find
from photoindex.library.search.second_look import closeness, stronger_model
from photoindex.library.search.semantic_query import SemanticOptions, WeightedText
from photoindex.models.weights import ModelStore
from photoindex.store.schema.tables import vector
from tests.tiny_clip.captions import describe
from tests.tiny_clip.scenes import Scene
from tests.tiny_model import MODEL_ID, SemanticRunner, write_scenes

SCENES = [
    Scene("red", "circle", 1, "white", "left"),
    Scene("blue", "star", 3, "grass", "right"),
    Scene("yellow", "square", 2, "wood", "top"),
    Scene("green", "heart", 4, "black", "bottom"),
]
EVERYTHING = SemanticOptions(everything=True)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> SemanticRunner:
    """Four scenes in the space of a weak model: each photo has the vector of the next one. The real model is installed, too."""
    folder = tmp_path_factory.mktemp("second look")
    runner = SemanticRunner(folder / "library", {"embed.model": "weak"})
    runner.install(model_id="weak")
    write_scenes(folder / "photos", SCENES)
    runner.scan_and_embed(folder / "photos")
    runner.install()
    with runner.open() as library, library.database.write() as connection:
        rows = connection.execute(select(vector.c.id, vector.c.data).order_by(vector.c.asset_id)).all()
        for row, other in zip(rows, [*rows[1:], rows[0]], strict=True):
            connection.execute(update(vector).where(vector.c.id == row.id).values(data=other.data))
    shutil.rmtree(runner.folder / "indices", ignore_errors=True)
    return runner


@pytest.fixture
def library(runner: SemanticRunner, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setattr(second_look, "closeness", lambda installed: 1 if installed.id == "weak" else 2)
    with runner.open() as library:
        yield library


def names(library: Library, request: SearchRequest) -> list[str]:
    return [hit.name.decode() for hit in find(library, request).hits()]


def test_the_stronger_model_brings_the_right_photo_to_the_front(library: Library) -> None:
    for number, scene in enumerate(SCENES):
        request = SearchRequest(describe(scene), EVERYTHING)
        assert names(library, request)[0] != f"IMG_{number:04d}.jpg"
        assert names(library, replace(request, rerank=4))[0] == f"IMG_{number:04d}.jpg"


def test_photos_after_the_first_n_stay_where_they_are(library: Library) -> None:
    request = SearchRequest(describe(SCENES[0]), EVERYTHING)
    before, after = names(library, request), names(library, replace(request, rerank=2))
    assert set(after[:2]) == set(before[:2])
    assert after[2:] == before[2:]
    assert names(library, replace(request, rerank=4, limit=1)) == ["IMG_0000.jpg"]


def test_a_second_look_is_explained_with_its_model_and_its_share(library: Library) -> None:
    why = find(library, SearchRequest(describe(SCENES[1]), EVERYTHING, complete=True, rerank=3)).reasons()
    assert why is not None
    assert (why.model, why.second_model) == ("weak", MODEL_ID)
    for place, hit in enumerate(why.hits[:3], 1):
        assert hit.second_score is not None
        assert [(one.name, one.weight, one.rank) for one in hit.lists if one.adds] == [("second look", 1.0, place)]
        assert hit.fused_score == pytest.approx(hit.fused) == pytest.approx(1 / (60 + place))
    assert why.hits[3].second_score is None


def test_subtracted_words_and_alternatives_count_in_a_second_look(library: Library) -> None:
    either = f'"{describe(SCENES[2])}" OR "{describe(SCENES[3])}"'
    assert set(names(library, SearchRequest(either, EVERYTHING, rerank=4))[:2]) == {"IMG_0002.jpg", "IMG_0003.jpg"}
    without = replace(EVERYTHING, without=(WeightedText(describe(SCENES[2]), 0.5),))
    assert names(library, SearchRequest(either, without, rerank=4))[0] == "IMG_0003.jpg"


def test_a_photo_without_a_preview_keeps_its_rank(library: Library, tmp_path: Path) -> None:
    previews = sorted(library.derived_folder.rglob("*.preview.jpg"))
    kept = {path: path.read_bytes() for path in previews[:2]}
    try:
        previews[0].unlink()
        previews[1].write_bytes(b"damaged")
        hits = list(find(library, SearchRequest(describe(SCENES[0]), EVERYTHING, rerank=4)).hits())
    finally:
        for path, data in kept.items():
            path.write_bytes(data)
    assert len(hits) == 4
    assert sum(hit.second_score is None for hit in hits) == 2


def test_pictures_and_fields_have_no_second_look(library: Library) -> None:
    with pytest.raises(UsageError, match="--rerank is for words alone"):
        find(library, SearchRequest("like:1", EVERYTHING, rerank=4))
    with pytest.raises(UsageError, match="the query has none"):
        find(library, SearchRequest("date:2019", rerank=4))


def test_a_stronger_model_has_a_larger_tower_or_input(runner: SemanticRunner) -> None:
    with runner.open() as library:
        weak, tiny = (ModelStore(library.models_folder).get(one) for one in ("weak", MODEL_ID))
        assert closeness(weak) == closeness(tiny) > 0
        with pytest.raises(
            ModelUnavailable, match=r"no installed model is stronger than 'weak'.*run: photoindex models pull"
        ):
            stronger_model(library, "weak")
        assert stronger_model(library, "another").id in ("weak", MODEL_ID)
