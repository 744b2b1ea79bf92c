"""Semantic search end to end: photos are scanned, embedded by a model that recognises them, and found."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import insert, select

from photoindex.library.search.evaluation import KnownQuery, score_spaces
from photoindex.library.spaces import calibration
from photoindex.library.spaces.probe_texts import PROBE_TEXTS
from photoindex.library.spaces.spaces import drop_space, use_space
from photoindex.models.encoders import open_image_encoder, open_text_encoder
from photoindex.models.preprocess import prepare
from photoindex.models.weights import ModelStore
from photoindex.store.schema.tables import asset_text, file
from photoindex.store.tasks import queue
from photoindex.store.words import documents
from tests.command_line import run
from tests.tiny_clip.captions import AT, ON, describe
from tests.tiny_clip.scenes import Scene, all_scenes, is_unseen
from tests.tiny_model import MODEL_ID, SemanticRunner, write_scene, write_scenes, write_smaller_model

pytestmark = pytest.mark.slow  # embeds hundreds of pictures

# Combinations that the model was not trained on, with every colour, shape, number, position and background.
UNSEEN = [scene for scene in all_scenes() if is_unseen(scene)][::9]
SUMMER, WINTER = "2021:07:10 12:00:00", "2022:01:20 12:00:00"
Search = Callable[..., list[Path]]


@dataclass(frozen=True)
class PhotoSet:
    """A library with one photo of each unseen combination, scanned and embedded; tests must not change it."""

    runner: SemanticRunner
    paths: dict[Scene, Path]

    @property
    def library(self) -> Path:
        return self.runner.folder

    def scenes_of(self, paths: Sequence[Path]) -> list[Scene]:
        """Return the scenes of photos."""
        shown = {path: scene for scene, path in self.paths.items()}
        return [shown[path] for path in paths]


@pytest.fixture(scope="module")
def photo_set(tmp_path_factory: pytest.TempPathFactory, cache_folder: Path) -> Iterator[PhotoSet]:
    folder = tmp_path_factory.mktemp("photo_set")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOME", str(folder))
        environment.setenv("XDG_CACHE_HOME", str(cache_folder))
        # The product's probe texts describe everyday photos; a model that has only seen drawn shapes needs its own.
        environment.setattr(calibration, "PROBE_TEXTS", (*PROBE_TEXTS, *map(describe, UNSEEN[1::4])))
        half = len(UNSEEN) // 2
        paths = write_scenes(folder / "photos" / "summer", UNSEEN[:half], taken_at=SUMMER)
        paths |= write_scenes(folder / "photos" / "winter", UNSEEN[half:], seed=half, taken_at=WINTER)
        runner = SemanticRunner(folder / "library")
        runner.install()
        summary = runner.scan_and_embed(folder / "photos")
        assert summary.embedded == len(UNSEEN)
    return PhotoSet(runner, paths)


@pytest.fixture
def search(capsysbinary: pytest.CaptureFixture[bytes]) -> Search:
    """Run `photoindex search` on a library; return the paths in their order."""

    def find(library: Path, *words: str | Path, code: int = 0) -> list[Path]:
        ran = run(capsysbinary, "search", *words, "--null", "--library", library)
        assert ran.code == code, ran.err
        return [Path(path.decode()) for path in ran.out.split(b"\0") if path]

    return find


@pytest.mark.slow
def test_combinations_unseen_in_training_are_found_by_their_description(photo_set: PhotoSet, search: Search) -> None:
    ranks = {}
    for scene in UNSEEN:
        first = photo_set.scenes_of(search(photo_set.library, describe(scene), "--all", "-n", "5"))
        ranks[scene] = first.index(scene) if scene in first else None
    found = [rank for rank in ranks.values() if rank is not None]
    assert len(found) >= 0.97 * len(UNSEEN), ranks
    assert found.count(0) >= 0.85 * len(UNSEEN), ranks


def with_captions(photo_set: PhotoSet, folder: Path) -> SemanticRunner:
    """Return a copy of the library in which each photo has the caption that is true of it."""
    shutil.copytree(photo_set.library, folder)
    runner = SemanticRunner(folder)
    scenes = {path.name: scene for scene, path in photo_set.paths.items()}
    with runner.open() as library, library.database.write() as connection:
        variant_id = queue.ensure_variant(connection, "caption", {"model": "truth"})
        named = connection.execute(select(file.c.asset_id, file.c.name)).all()
        text = {"variant_id": variant_id, "kind": documents.CAPTION, "at": 0.0}
        rows = [text | {"asset_id": one.asset_id, "text": describe(scenes[os.fsdecode(one.name)])} for one in named]
        connection.execute(insert(asset_text), rows)
        documents.refresh_assets(connection, [one.asset_id for one in named])
    return runner


def shapes_of(scene: Scene) -> str:
    """Return the noun of a scene's description."""
    return describe(scene).split()[2]


QUERIES: dict[str, Callable[[Scene], tuple[str, Callable[[Scene], bool]]]] = {
    "colours": lambda one: (f"{one.colour} {shapes_of(one)}", lambda other: is_like(one, other, "colour", "shape")),
    "counts": lambda one: (
        " ".join([describe(one).split()[0], shapes_of(one)]), lambda other: is_like(one, other, "count", "shape")
    ),
    "positions": lambda one: (
        " ".join([describe(one).split()[0], AT[one.position][0]]), lambda other: is_like(one, other, "count", "position")
    ),
    "backgrounds": lambda one: (f"something {ON[one.background][0]}", lambda other: is_like(one, other, "background")),
    "descriptions": lambda one: (describe(one), lambda other: one == other),
}  # fmt: skip
"""A query for a scene by class, and whether another scene answers it."""


def is_like(one: Scene, other: Scene, *names: str) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in names)


def test_captions_help_every_class_of_queries_and_most_of_all_counts_and_positions(
    photo_set: PhotoSet, tmp_path: Path
) -> None:
    runner = with_captions(photo_set, tmp_path / "library")
    photos = dict(
        runner.rows("SELECT CAST(file.name AS TEXT), asset.photo_id FROM file JOIN asset ON asset.id = file.asset_id")
    )
    found = {}
    with runner.open() as library:
        for kind, ask in QUERIES.items():
            asked = dict(map(ask, UNSEEN[2::4]))
            answers = {
                text: frozenset(photos[path.name] for scene, path in photo_set.paths.items() if answers(scene))
                for text, answers in asked.items()
            }
            (score,) = score_spaces(library, [KnownQuery(text, some, 1) for text, some in answers.items()], k=5)
            found[kind] = score.recall, score.fused_recall or 0.0
    assert all(fused >= vectors for vectors, fused in found.values()), found
    for kind in ("counts", "positions"):
        vectors, fused = found[kind]
        assert fused > vectors + 0.05, found


def test_the_cut_off_keeps_the_described_scene_and_little_else(photo_set: PhotoSet, search: Search) -> None:
    for scene in UNSEEN[5::15]:
        found = photo_set.scenes_of(search(photo_set.library, describe(scene)))
        assert scene in found
        assert len(found) <= len(UNSEEN) / 4


def test_a_partial_description_finds_all_matching_photos(photo_set: PhotoSet, search: Search) -> None:
    for word, has in {
        "something blue": lambda scene: scene.colour == "blue",
        "on grass": lambda scene: scene.background == "grass",
        "in the middle": lambda scene: scene.position == "middle",
    }.items():
        wanted = {scene for scene in UNSEEN if has(scene)}
        first = photo_set.scenes_of(search(photo_set.library, word, "--all", "-n", str(len(wanted))))
        assert len(wanted.intersection(first)) >= 0.8 * len(wanted), word


def test_something_that_no_photo_shows_is_not_found(photo_set: PhotoSet, search: Search) -> None:
    assert len(search(photo_set.library, "a golden retriever")) <= len(UNSEEN) / 10


def test_like_a_photo_finds_it_and_similar_ones(photo_set: PhotoSet, search: Search) -> None:
    for scene in UNSEEN[3::20]:
        first = search(photo_set.library, f"like:{photo_set.paths[scene]}", "--all", "-n", "6")
        assert first[0] == photo_set.paths[scene]
        alike = [shared(scene, other) for other in photo_set.scenes_of(first[1:])]
        others = [shared(scene, other) for other in UNSEEN if other != scene]
        assert np.mean(alike) > np.mean(others) + 0.7


def shared(one: Scene, other: Scene) -> int:
    """Return how many of their five words two scenes have in common."""
    names = ("colour", "shape", "count", "background", "position")
    return sum(getattr(one, name) == getattr(other, name) for name in names)


def test_like_a_picture_outside_the_library_finds_the_same_scene(
    photo_set: PhotoSet, search: Search, tmp_path: Path
) -> None:
    for number, scene in enumerate(UNSEEN[4::15]):
        other = write_scene(tmp_path / f"{number}.jpg", scene, 9000 + number, size_px=(900, 700), quality=70)
        assert photo_set.paths[scene] in search(photo_set.library, "--like", other, "--all", "-n", "3")


def test_words_and_a_picture_are_combined(photo_set: PhotoSet, search: Search, tmp_path: Path) -> None:
    wanted = UNSEEN[1::15]
    ranks = []
    for number, scene in enumerate(wanted):
        # The same except for its colour, which is given in words.
        other = replace(scene, colour="green" if scene.colour == "red" else "red")
        like = write_scene(tmp_path / f"{number}.jpg", other, 9000 + number)
        words = f"something {scene.colour}"
        asked: tuple[tuple[str | Path, ...], ...] = ((words,), ("--like", like), (words, "--like", like))
        ranks.append([search(photo_set.library, *ask, "--all").index(photo_set.paths[scene]) for ask in asked])
    by_words, by_picture, by_both = np.transpose(ranks)
    assert by_both.max() < 3, ranks
    assert by_both.sum() < min(by_words.sum(), by_picture.sum()), ranks


def test_photos_of_subtracted_words_rank_lower(photo_set: PhotoSet, search: Search) -> None:
    before = photo_set.scenes_of(search(photo_set.library, "something yellow", "--all"))
    after = photo_set.scenes_of(search(photo_set.library, "something yellow", "--not", "on grass", "--all"))
    grass = [scene for scene in UNSEEN if scene.colour == "yellow" and scene.background == "grass"]
    assert grass
    assert all(after.index(scene) > before.index(scene) for scene in grass)
    assert all(scene.colour == "yellow" and scene.background != "grass" for scene in after[:3])


def test_nothing_to_subtract_from_is_an_error(photo_set: PhotoSet, search: Search) -> None:
    assert search(photo_set.library, "--not", "on grass", "--all", code=2) == []


def test_a_filter_keeps_the_order(photo_set: PhotoSet, search: Search) -> None:
    everything = search(photo_set.library, "something red", "--all")
    summer = search(photo_set.library, "something red", "date:2021", "--all")
    assert summer == [path for path in everything if path.parent.name == "summer"]
    assert search(photo_set.library, "something red", "-date:2022", "--all") == summer


def test_a_photo_that_alone_passes_the_filter_is_found_however_poor_its_match(
    photo_set: PhotoSet, search: Search
) -> None:
    scene = next(scene for scene in UNSEEN if scene.colour == "blue")
    name = photo_set.paths[scene].name
    assert search(photo_set.library, "something red", f"name:{name}", "--all") == [photo_set.paths[scene]]


def test_new_photos_are_found_once_they_are_embedded(tmp_path: Path, search: Search) -> None:
    photos, runner = tmp_path / "photos", SemanticRunner(tmp_path / "library")
    some = [scene for scene in UNSEEN if scene.colour in ("green", "white")]
    paths = write_scenes(photos, some)
    runner.install()
    assert runner.scan_and_embed(photos).embedded == len(some)
    star = replace(UNSEEN[0], colour="red", shape="star", count=1, background="black", position="middle")
    new = write_scene(photos / "new.jpg", star, 500)
    runner.scan()
    assert new not in search(runner.folder, describe(star), "--all")
    assert runner.embed().embedded == 1
    assert search(runner.folder, describe(star), "--all", "-n", "1") == [new]
    new.unlink()
    runner.scan()
    left = search(runner.folder, describe(star), "--all")
    assert sorted(left) == sorted(paths.values())


def test_embedded_photos_are_not_embedded_again(tmp_path: Path) -> None:
    photos, runner = tmp_path / "photos", SemanticRunner(tmp_path / "library")
    paths = list(write_scenes(photos, UNSEEN[:4]).values())
    runner.install()
    runner.scan_and_embed(photos)
    shutil.copyfile(paths[0], photos / "copy.jpg")
    paths[1].rename(photos / "renamed.jpg")
    assert runner.scan_and_embed(photos).embedded == 0


@pytest.mark.slow
def test_another_model_gets_its_own_space_and_search_switches_on_request(tmp_path: Path, search: Search) -> None:
    pytest.importorskip("open_clip")
    photos, runner = tmp_path / "photos", SemanticRunner(tmp_path / "library")
    some = UNSEEN[::6]
    paths = write_scenes(photos, some)
    runner.install()
    runner.scan_and_embed(photos)
    first = {scene: search(runner.folder, describe(scene), "--all") for scene in some}

    runner.install(model_id="tiny-other", fixture=write_smaller_model(tmp_path / "other"))
    other = SemanticRunner(runner.folder, {"embed.model": "tiny-other"})
    assert other.embed(limit=3).embedded == 3
    assert {scene: search(runner.folder, describe(scene), "--all") for scene in some} == first
    assert other.embed().embedded == len(some) - 3
    assert dict(runner.rows("SELECT name, dim FROM space")) == {"tiny-clip": 64, "tiny-other": 48}

    with runner.open() as library:
        use_space(library, "tiny-other")
    second = {scene: search(runner.folder, describe(scene), "--all") for scene in some}
    assert second != first
    assert all(paths[scene] in found[:5] for scene, found in second.items())
    with runner.open() as library:
        use_space(library, "tiny-clip")
        drop_space(library, "tiny-other")
    assert {scene: search(runner.folder, describe(scene), "--all") for scene in some} == first


@pytest.mark.slow
def test_torch_and_onnx_runtime_give_the_same_ranking(photo_set: PhotoSet) -> None:
    pytest.importorskip("open_clip")
    with photo_set.runner.open() as library:
        installed = ModelStore(library.models_folder).get(MODEL_ID)
    preprocessing = installed.encoders.preprocessing
    pixels = np.stack([prepare(Image.open(path), preprocessing) for path in photo_set.paths.values()])
    torch = open_image_encoder(installed, device="cpu", runtime="torch").encode_images(pixels)
    onnx = open_image_encoder(installed, device="cpu", runtime="onnx").encode_images(pixels)
    assert np.sum(torch * onnx, axis=1).min() > 0.9999
    texts = open_text_encoder(installed).encode_texts([describe(scene) for scene in photo_set.paths])
    scores_torch, scores_onnx = texts @ torch.T, texts @ onnx.T
    # Two photos may swap ranks only if their scores are practically equal.
    by_torch, by_onnx = np.argsort(-scores_torch, axis=1), np.argsort(-scores_onnx, axis=1)
    moved = np.take_along_axis(scores_onnx, by_torch, axis=1) - np.take_along_axis(scores_onnx, by_onnx, axis=1)
    assert np.abs(moved).max() < 1e-4
    assert np.mean(by_torch == by_onnx) > 0.99
