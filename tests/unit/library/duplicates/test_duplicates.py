"""Groups of copies: which photos are grouped, which are not, which one is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from json import dumps
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import insert, select, update

from photoindex.errors import UsageError
from photoindex.library.duplicates.find import Duplicates, DuplicatesRequest, find_duplicates
from photoindex.library.duplicates.groups import star_groups
from photoindex.library.duplicates.plan import escaped, plan_lines, unescaped, write_plan
from photoindex.library.duplicates.verdicts import CopiedFile, DuplicateGroup
from photoindex.library.search.parse import parse
from photoindex.pipeline.duplicates.candidates import CROWD, Collector, add_near_hashes
from photoindex.progress import Notice
from photoindex.store.schema.tables import asset, photo, variant, volume
from photoindex.store.schema.tables import folder as folder_table
from photoindex.store.vectors.spaces import ensure_space
from photoindex.store.vectors.vectors import put
from photoindex.types import Vector
from photoindex.vectors.binary import ClosePairs, close_pairs
from photoindex.vectors.near_pairs import near_pairs
from tests.edits import EDITS, cut, jpeg, scaled, scene, two_views
from tests.harness import LibraryRunner
from tests.rows import VolumeRows, library_in
from tests.unit.media.media_pictures import video


def exif_of(taken: str | None = None, *, camera: str = "Canon EOS 5D", fraction: str | None = None) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = camera.split(" ", 1)[0], camera
    if taken is not None:
        exif.get_ifd(0x8769)[0x9003] = taken
    if fraction is not None:
        exif.get_ifd(0x8769)[0x9291] = fraction
    return exif


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    return tmp_path / "originals"


@pytest.fixture
def runner(library_folder: Path) -> LibraryRunner:
    return LibraryRunner(library_folder)


def write(path: Path, picture: Image.Image, quality: int = 88, exif: Image.Exif | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(picture, quality, exif))
    return path


def found(runner: LibraryRunner, originals: Path, **request: object) -> Duplicates:
    runner.scan(originals)
    with runner.open() as library:
        return find_duplicates(library, DuplicatesRequest(**request), runner.events.append)  # type: ignore[arg-type]


def names(group: DuplicateGroup) -> list[tuple[str, str]]:
    return [(one.action, os.path.basename(os.fsdecode(one.path))) for one in group.files]


def actions(group: DuplicateGroup) -> dict[str, str]:
    return {name: action for action, name in names(group)}


def reason(group: DuplicateGroup, name: str) -> str:
    return next(one.reason for one in group.files if os.fsdecode(one.path).endswith(name))


def test_equal_bytes_are_one_group_and_the_plain_name_is_kept(runner: LibraryRunner, originals: Path) -> None:
    first = write(originals / "a" / "IMG_1.jpg", scene(1))
    shutil.copyfile(first, originals / "a" / "IMG_1 (1).jpg")
    write(originals / "b.jpg", scene(2))
    (group,) = found(runner, originals, exact=True).groups
    assert group.kind == "exact"
    assert names(group) == [("keep", "IMG_1.jpg"), ("remove", "IMG_1 (1).jpg")]
    assert "IMG_1 (1).jpg" in group.keep_reason
    assert group.bytes_of("remove") == first.stat().st_size


def test_a_companion_is_never_kept_instead_of_the_file_itself(runner: LibraryRunner, originals: Path) -> None:
    backup = write(originals / "a.jpg_original", scene(1))
    (originals / "from an old disk").mkdir()
    shutil.copyfile(backup, originals / "from an old disk" / "holiday.jpg")
    (group,) = found(runner, originals, exact=True).groups
    assert names(group) == [("keep", "holiday.jpg"), ("remove", "a.jpg_original")]


def test_a_cameras_thumbnail_of_a_movie_is_no_copy_of_a_picture(runner: LibraryRunner, originals: Path) -> None:
    picture = scene(1)
    write(originals / "a" / "MVI_1.THM", scaled(picture, 0.4))
    (originals / "a" / "MVI_1.MP4").write_bytes(video([np.full((48, 64, 3), frame, np.uint8) for frame in range(20)]))
    write(originals / "b" / "frame.jpg", picture)
    assert found(runner, originals).groups == ()


def test_resaved_copies_are_grouped_and_the_best_one_is_kept(runner: LibraryRunner, originals: Path) -> None:
    picture = scene(3)
    write(originals / "IMG_1.jpg", picture, 95, exif_of("2019:06:01 12:00:00"))
    write(originals / "small.jpg", scaled(picture, 0.4))
    write(originals / "grey.jpg", EDITS["grey"](picture), exif=exif_of("2019:06:01 12:00:00"))
    write(originals / "mirrored.jpg", EDITS["mirrored"](picture))
    write(originals / "other.jpg", scene(4))
    result = found(runner, originals)
    (group,) = result.groups
    assert group.kind == "same picture"
    assert actions(group) == {
        "IMG_1.jpg": "keep", "small.jpg": "remove", "grey.jpg": "review", "mirrored.jpg": "review",
    }  # fmt: skip
    assert "mirrored" in reason(group, "mirrored.jpg")
    assert "400 x 300 against 1000 x 750" in reason(group, "small.jpg")
    assert group.keep_reason == "it is less compressed (JPEG quality about 95 against 88)"
    assert result.removable_bytes == (originals / "small.jpg").stat().st_size


def test_shots_of_one_scene_and_frames_of_a_burst_are_not_grouped(runner: LibraryRunner, originals: Path) -> None:
    picture = scene(5)
    # A tripod: visually the same picture, but three exposures by their metadata.
    for number, fraction in enumerate(("10", "35", "60")):
        shot = Image.fromarray(
            np.clip(np.asarray(picture) + np.random.default_rng(number).normal(0, 3, (750, 1000, 1)), 0, 255).astype(
                np.uint8
            )
        )
        write(originals / f"IMG_{number:04d}.jpg", shot, exif=exif_of("2019:06:01 12:00:00", fraction=fraction))
    views = two_views(scene(6), right=0.04)
    for number, view in enumerate(views):
        write(originals / f"view{number}.jpg", view)
    result = found(runner, originals)
    assert result.groups == ()
    assert result.apart >= 3


def test_a_copy_of_one_frame_is_grouped_with_that_frame_only(runner: LibraryRunner, originals: Path) -> None:
    first, second = (scene(7), two_views(scene(7), thing=scene(70))[1].resize((1000, 750)))
    write(originals / "IMG_0001.jpg", first, exif=exif_of("2019:06:01 12:00:00"))
    write(originals / "IMG_0002.jpg", second, exif=exif_of("2019:06:01 12:00:01"))
    write(originals / "sent.jpg", scaled(first, 0.5))
    (group,) = found(runner, originals).groups
    assert actions(group) == {"IMG_0001.jpg": "keep", "sent.jpg": "remove"}


def test_an_edit_paired_with_its_original_is_not_a_duplicate(runner: LibraryRunner, originals: Path) -> None:
    picture = scene(8)
    write(originals / "IMG_1234.jpg", picture, exif=exif_of("2019:06:01 12:00:00"))
    write(originals / "IMG_E1234.jpg", EDITS["darker"](picture), exif=exif_of("2019:06:01 12:00:00"))
    assert found(runner, originals).groups == ()
    write(originals / "elsewhere" / "small.jpg", scaled(picture, 0.3))
    (group,) = found(runner, originals).groups
    assert actions(group) == {"IMG_1234.jpg": "keep", "IMG_E1234.jpg": "keep", "small.jpg": "remove"}


def test_edits_with_distant_hashes_are_found_by_their_time(runner: LibraryRunner, originals: Path) -> None:
    picture, taken = scene(9), exif_of("2019:06:01 12:00:00")
    write(originals / "whole.jpg", picture, exif=taken)
    write(originals / "part.jpg", cut(picture, 0.3, 0.3, 0.8, 0.8), exif=taken)
    (group,) = found(runner, originals, radius=4).groups
    assert actions(group) == {"whole.jpg": "keep", "part.jpg": "review"}
    assert "25%" in reason(group, "part.jpg")


def test_of_equal_copies_the_one_in_a_preferred_folder_is_kept(runner: LibraryRunner, originals: Path) -> None:
    first = write(originals / "dump" / "x.jpg", scene(10))
    for folder in ("album", "backup"):
        (originals / folder).mkdir()
        shutil.copyfile(first, originals / folder / "x.jpg")

    def kept(**request: Sequence[bytes]) -> str:
        (group,) = found(runner, originals, **request).groups
        (path,) = (one.path for one in group.files if one.action == "keep")
        return Path(os.fsdecode(path)).parent.name

    album, backup, dump = (os.fsencode(originals / name) for name in ("album", "backup", "dump"))
    assert kept(prefer=[album]) == "album"
    assert kept(prefer=[backup, album]) == "backup"
    assert kept(avoid=[dump, backup]) == "album"


def test_quality_ranks_before_a_preferred_folder(runner: LibraryRunner, originals: Path) -> None:
    write(originals / "dump" / "big.jpg", scene(11))
    write(originals / "album" / "small.jpg", scaled(scene(11), 0.5))
    (group,) = found(runner, originals, prefer=[os.fsencode(originals / "album")]).groups
    assert actions(group) == {"big.jpg": "keep", "small.jpg": "remove"}


def test_the_words_of_a_copy_are_named_and_never_decide(runner: LibraryRunner, originals: Path) -> None:
    picture = scene(12)
    write(originals / "big.jpg", picture)
    exif = Image.Exif()
    exif[0x4746], exif[0x010E] = 5, "Anna's birthday"
    write(originals / "small.jpg", scaled(picture, 0.5), exif=exif)
    (group,) = found(runner, originals).groups
    assert actions(group) == {"big.jpg": "keep", "small.jpg": "remove"}
    assert reason(group, "small.jpg").endswith("; carries over: rating 5, caption Anna's birthday")


def test_the_better_picture_is_kept_though_a_worse_one_has_the_takeout_json(
    runner: LibraryRunner, originals: Path
) -> None:
    picture, exif = scene(14), exif_of("2019:06:01 12:00:00")
    write(originals / "phone" / "IMG_7.jpg", picture, 85, exif)
    write(originals / "takeout" / "IMG_7.jpg", picture, 40, exif)
    json = {"title": "IMG_7.jpg", "description": "At the lake", "geoData": {"latitude": 47.5, "longitude": 11.3}}
    (originals / "takeout" / "IMG_7.jpg.json").write_text(dumps(json))
    (group,) = found(runner, originals, prefer=[os.fsencode(originals / "takeout")]).groups
    assert [(one.action, Path(os.fsdecode(one.path)).parent.name) for one in group.files] == [
        ("keep", "phone"), ("remove", "takeout"),
    ]  # fmt: skip
    assert group.keep_reason == "it is less compressed (JPEG quality about 85 against 40)"
    assert reason(group, "takeout/IMG_7.jpg").endswith("; carries over: caption At the lake, the position")


def test_saving_a_cameras_file_again_at_a_higher_quality_makes_no_better_copy(
    runner: LibraryRunner, originals: Path
) -> None:
    camera = write(originals / "camera.jpg", scene(15), 88, exif_of("2019:06:01 12:00:00"))
    write(originals / "export.jpg", Image.open(camera), 97)
    assert actions(found(runner, originals).groups[0]) == {"camera.jpg": "keep", "export.jpg": "remove"}
    # Between copies of one quality, the user's folder counts more than names and metadata.
    preferred = found(runner, originals, prefer=[os.fsencode(originals / "export.jpg")])
    assert actions(preferred.groups[0]) == {"export.jpg": "keep", "camera.jpg": "remove"}


@pytest.mark.parametrize("larger", ["animation", "still"])
def test_an_animation_and_a_still_of_it_are_never_marked_for_removal(
    runner: LibraryRunner, originals: Path, larger: str
) -> None:
    parts = {"animation": 0.6, "still": 0.6, larger: 1.0}
    first, second = (scaled(scene(number), parts["animation"]) for number in (22, 23))
    write(originals / "still.jpg", scaled(scene(22), parts["still"]), 95)
    first.save(originals / "moves.webp", lossless=True, save_all=True, append_images=[second])
    first.save(originals / "alone.webp", lossless=True)
    runner.scan(originals)
    with runner.open() as library:
        (group,) = find_duplicates(library, DuplicatesRequest()).groups
    kept, other = ("moves.webp", "still.jpg") if larger == "animation" else ("still.jpg", "moves.webp")
    assert actions(group)[kept] == "keep"
    assert actions(group)[other] == "review"
    assert "it is animated" in reason(group, other)
    assert actions(group)["alone.webp"] == ("review" if larger == "animation" else "remove")


def test_a_picture_with_a_short_video_is_not_removed_for_one_without(runner: LibraryRunner, originals: Path) -> None:
    write(originals / "large.jpg", scene(24))
    write(originals / "small.jpg", scaled(scene(24), 0.5))
    runner.scan(originals)
    with runner.open() as library:
        with library.database.write() as connection:
            small = select(asset.c.photo_id).order_by(asset.c.size_bytes).limit(1).scalar_subquery()
            connection.execute(update(photo).where(photo.c.id == small).values(motion=True))
        (group,) = find_duplicates(library, DuplicatesRequest()).groups
        assert actions(group) == {"large.jpg": "keep", "small.jpg": "review"}
        assert "short video" in reason(group, "small.jpg")
        with library.database.write() as connection:
            connection.execute(update(photo).values(motion=True))
        (group,) = find_duplicates(library, DuplicatesRequest()).groups
    assert actions(group) == {"large.jpg": "keep", "small.jpg": "remove"}


@pytest.mark.parametrize("option", ["prefer", "avoid"])
def test_a_preferred_path_that_neither_exists_nor_is_known_is_refused(
    library_folder: Path, tmp_path: Path, option: str
) -> None:
    def ask(path: Path) -> None:
        find_duplicates(library, DuplicatesRequest(**{option: [os.fsencode(path)]}))  # type: ignore[arg-type]

    with library_in(library_folder) as library:
        away = VolumeRows(library, tmp_path / "away", online=False, label="nas")
        away.add_whole_photo("album/a.jpg", state="missing")
        away.add_file("album/b.jpg", create=False)
        ask(tmp_path / "away" / "album")
        ask(tmp_path)
        with pytest.raises(UsageError, match=f"--{option} .*albun: there is no such file or folder"):
            ask(tmp_path / "away" / "albun")


def test_a_query_finds_only_the_groups_of_its_photos(runner: LibraryRunner, originals: Path) -> None:
    for seed, folder in ((13, "2019"), (14, "2020")):
        write(originals / folder / f"{seed}.jpg", scene(seed))
        write(originals / "exports" / f"{seed}.jpg", scaled(scene(seed), 0.5))
    runner.scan(originals)
    with runner.open() as library:
        (group,) = find_duplicates(library, DuplicatesRequest(query=parse(library, "path:2019"))).groups
        assert find_duplicates(library, DuplicatesRequest(query=parse(library, "camera:none"))).groups == ()
    assert set(actions(group)) == {"13.jpg"}
    assert len(group.files) == 2


def test_missing_files_are_ignored_and_those_on_an_unmounted_volume_are_named(
    library_folder: Path, tmp_path: Path
) -> None:
    with library_in(library_folder) as library:
        here, away = (
            VolumeRows(library, tmp_path / "here"),
            VolumeRows(library, tmp_path / "away", online=False, label="nas"),
        )
        photo_id = here.add_photo(primary_asset_id=None)
        asset_id = here.asset_of(photo_id)
        away.add_file("a.jpg", asset_id=asset_id, create=False)
        here.add_file("b.jpg", asset_id=asset_id)
        here.add_file("c.jpg", asset_id=asset_id, state="missing", create=False)
        (group,) = find_duplicates(library, DuplicatesRequest()).groups
    assert names(group) == [("keep", "b.jpg"), ("review", "a.jpg")]
    assert [one.state for one in group.files] == ["present", "away"]
    assert group.files[1].volume == "nas"


def test_missing_thumbnails_are_reported_and_do_no_harm(runner: LibraryRunner, originals: Path) -> None:
    write(originals / "a.jpg", scene(15))
    write(originals / "b.jpg", scaled(scene(15), 0.5))
    runner.scan(originals)
    lost, *_ = (runner.folder / "derived").rglob("*.thumb.jpg")
    lost.write_bytes(b"no picture")
    with runner.open() as library:
        assert find_duplicates(library, DuplicatesRequest(), runner.events.append).groups == ()
    assert any(isinstance(event, Notice) and "thumbnail" in event.message for event in runner.events)


def test_an_empty_library_has_no_duplicates(library_folder: Path) -> None:
    with library_in(library_folder) as library:
        assert find_duplicates(library, DuplicatesRequest()).groups == ()


def test_nothing_of_the_library_or_the_originals_is_changed(
    runner: LibraryRunner, originals: Path, tmp_path: Path
) -> None:
    first = write(originals / "a.jpg", scene(16))
    shutil.copyfile(first, originals / "b.jpg")
    write(originals / "c.jpg", scaled(scene(16), 0.5))
    result = found(runner, originals)

    def state() -> list[tuple[object, ...]]:
        files = sorted((str(path), path.stat().st_mtime_ns, path.read_bytes()) for path in originals.iterdir())
        return [*files, *runner.rows("SELECT count(*) FROM journal"), *runner.rows("SELECT id, state FROM file")]

    before = state()
    with runner.open() as library:
        find_duplicates(library, DuplicatesRequest())
        write_plan(library, result.groups, tmp_path / "plan.tsv")
    assert state() == before


# Groups


def by_number(numbers: Collection[int]) -> list[int]:
    return sorted(numbers)


def test_a_chain_of_similar_pictures_is_not_a_group() -> None:
    asked: list[tuple[int, int]] = []

    def judge(first: int, second: int) -> bool:
        asked.append((first, second))
        return False

    groups = list(star_groups({(1, 2), (2, 3), (3, 4), (4, 5)}, by_number, judge))
    assert groups == [[1, 2], [3, 4]]
    assert (1, 4) not in asked
    assert (1, 3) in asked


def test_photos_similar_to_the_best_one_join_its_group_without_being_candidates() -> None:
    assert list(star_groups({(2, 1), (3, 2)}, by_number, lambda *_: True)) == [[1, 2, 3]]
    assert list(star_groups(set(), by_number, lambda *_: True)) == []


# Candidates


def all_pairs(blocks: Collection[ClosePairs]) -> dict[tuple[int, int], int]:
    return {
        (int(first), int(second)): int(distance)
        for block in blocks
        for first, second, distance in zip(block.first, block.second, block.distances, strict=True)
    }


def clustered_codes(seed: int, clusters: int = 200) -> np.ndarray:
    random = np.random.default_rng(seed)
    codes = []
    for centre in random.integers(0, 1 << 63, clusters, dtype=np.uint64).tolist():
        for _ in range(4):
            flips = random.choice(64, random.integers(0, 9), replace=False).tolist()
            codes.append(centre ^ sum(1 << bit for bit in flips))
    return np.unique(np.array(codes, np.uint64))


@pytest.mark.parametrize("radius", [0, 3, 8, 11])
def test_tables_find_the_same_pairs_as_brute_force(radius: int, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = clustered_codes(1, 60 if radius > 8 else 200)
    others = np.random.default_rng(2).permutation(codes)[: len(codes) // 2]
    expected = all_pairs(list(close_pairs(codes, radius)))
    expected_others = all_pairs(list(close_pairs(codes, min(radius, 8), others=others)))
    monkeypatch.setattr("photoindex.vectors.binary._BRUTE_FORCE_PAIRS", 0)
    assert all_pairs(list(close_pairs(codes, radius))) == expected
    assert all_pairs(list(close_pairs(codes, min(radius, 8), others=others))) == expected_others
    assert all(first < second for first, second in expected)
    differing = {pair: int(np.bitwise_count(codes[pair[0]] ^ codes[pair[1]])) for pair in expected}
    assert differing == expected


def test_a_crowd_of_near_codes_gives_a_linear_number_of_pairs() -> None:
    random = np.random.default_rng(3)
    codes = np.unique(random.integers(0, 1 << 12, 3000, dtype=np.uint64))
    pairs = all_pairs(list(close_pairs(codes, 12, neighbours=20)))
    assert len(codes) <= len(pairs) <= 20 * len(codes)
    assert {number for pair in pairs for number in pair} == set(range(len(codes)))


def test_thousands_of_pictures_with_one_hash_give_a_linear_number_of_pairs() -> None:
    hashes = np.full(4000, 0x8000000000000000, np.uint64)
    kinds = np.arange(4000) % 2000

    def signatures(places: np.ndarray) -> np.ndarray:
        vectors = np.random.default_rng(4).standard_normal((2000, 32)).astype(np.float32)
        vectors[:100] = 0  # without structure
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return (vectors / lengths)[kinds[places]]

    collector, steps = Collector(), []
    add_near_hashes(collector, hashes, 12, signatures, steps.append)
    result = collector.result()
    pairs = set(zip(result.first.tolist(), result.second.tolist(), strict=True))
    assert {(one, one + 2000) for one in range(100, 2000)} <= pairs
    assert not any(one % 2000 < 100 for pair in pairs for one in pair)
    assert len(pairs) < 10 * len(hashes)
    assert steps == list(range(1, 9))


def test_all_pairs_of_small_buckets_are_compared() -> None:
    hashes = np.repeat(np.array([1 << 40, (1 << 40) ^ 3, 0xFFFF0000], np.uint64), [CROWD, 2, 1])
    collector = Collector()
    add_near_hashes(collector, hashes, 2, lambda _: np.zeros((0, 4), np.float32), lambda _: None)
    result = collector.result()
    pairs = set(zip(result.first.tolist(), result.second.tolist(), strict=True))
    assert {(one, other) for one in range(CROWD) for other in range(one)} <= {(b, a) for a, b in pairs}
    assert (CROWD, CROWD + 1) in pairs
    assert any(first < CROWD <= second for first, second in pairs)
    assert not any(CROWD + 2 in pair for pair in pairs)


def unit_rows(seed: int, count: int, dim: int = 32) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def neighbours(rows: np.ndarray, **options: float) -> set[tuple[int, int]]:
    """Return the pairs of vectors with ids 10, 20, …, read in blocks of 300."""
    ids = np.arange(1, len(rows) + 1) * 10

    def blocks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, len(rows), 300):
            yield ids[start : start + 300], rows[start : start + 300].astype(np.float16)

    found = list(near_pairs(blocks, len(rows), **options))  # type: ignore[arg-type]
    return {(int(a), int(b)) for one in found for a, b in zip(one.first, one.second, strict=True)}


def test_near_vectors_are_found_in_cells_as_by_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit_rows(5, 2000)
    copies = rows[:200] + 0.05 * unit_rows(6, 200)
    rows = np.concatenate([rows, copies / np.linalg.norm(copies, axis=1, keepdims=True)])
    expected = {(10 * (one + 1), 10 * (one + 2001)) for one in range(200)}
    assert neighbours(rows, minimum_cosine=0.95) == expected
    monkeypatch.setattr("photoindex.vectors.near_pairs._EXACT_COUNT", 0)
    monkeypatch.setattr("photoindex.vectors.near_pairs._PASS_BYTES", 40_000)
    assert len(neighbours(rows, minimum_cosine=0.95) & expected) >= 198
    assert neighbours(rows[:0]) == set()


def test_edits_with_distant_hashes_are_found_by_neighbours_in_the_space(runner: LibraryRunner, originals: Path) -> None:
    write(originals / "whole.jpg", scene(20))
    write(originals / "part.jpg", cut(scene(20), 0.25, 0.2, 0.8, 0.85))
    write(originals / "other.jpg", scene(21))
    assert found(runner, originals).groups == ()
    # Vectors close to each other, as a model gives for similar pictures: the comparison decides.
    rows = np.tile(unit_rows(7, 1, 16), (3, 1)) + 0.02 * unit_rows(8, 3, 16)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    with runner.open() as library, library.database.write() as connection:
        connection.execute(insert(variant).values(id=900, stage="embed", key="{}", created_at=0.0))
        made = ensure_space(connection, model="drawn", variant_id=900, dim=16)
        ids = connection.execute(select(asset.c.id).order_by(asset.c.id)).scalars().all()
        vectors = [(number, Vector(row)) for number, row in zip(ids, rows, strict=True)]
        put(connection, made.id, vectors)
    with runner.open() as library:
        result = find_duplicates(library, DuplicatesRequest())
    (group,) = result.groups
    assert actions(group) == {"whole.jpg": "keep", "part.jpg": "review"}
    assert result.space == "drawn"
    assert result.compared == 3


def test_neighbours_that_are_different_shots_by_metadata_are_not_compared(
    runner: LibraryRunner, originals: Path
) -> None:
    for second in (1, 2, 30):
        write(originals / f"{second}.jpg", scene(30 + second), exif=exif_of(f"2019:06:01 12:00:{second:02}"))
    write(originals / "unknown.jpg", scene(34))
    runner.scan(originals)
    rows = np.tile(unit_rows(7, 1, 16), (4, 1)) + 0.02 * unit_rows(8, 4, 16)
    with runner.open() as library:
        with library.database.write() as connection:
            connection.execute(insert(variant).values(id=900, stage="embed", key="{}", created_at=0.0))
            made = ensure_space(connection, model="drawn", variant_id=900, dim=16)
            ids = connection.execute(select(asset.c.id)).scalars().all()
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            put(connection, made.id, [(number, Vector(row)) for number, row in zip(ids, rows, strict=True)])
        assert find_duplicates(library, DuplicatesRequest()).compared == 3


# Unavailable files

AWAY = {"identity": "nfs:server:/nas", "label": "nas", "mount_point": b"/", "file_system": "nfs", "last_seen_at": 0.0}

# Plans

HOSTILE = (
    b"/photos/tab\there\nnew line\r.jpg",
    b"/photos/\x1b[31mred\x07.jpg",
    b"/photos/caf\xe9 \xff.jpg",
    "/photos/\u202egpj.exe é 日本\u00a0.jpg".encode(),
    b"/photos/back\\slash\\x41\\.jpg",
    b"=cmd|' /C calc'!A0",
)


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_in_a_plan_is_one_printable_field_and_round_trips(path: bytes) -> None:
    text = escaped(path)
    assert text.isprintable()
    assert "\t" not in text
    assert unescaped(text) == path


def copied(path: bytes, action: str, state: str = "present", kept: int = 1) -> CopiedFile:
    return CopiedFile(
        path, action, "because\tof\n", 1, 1, bytes(32), 7, 1, "jpeg", 4, 3, "disk", state, kept_asset_id=kept
    )


def copied_now(path: Path, action: str, *, state: str = "present", kept: int = 1) -> CopiedFile:
    status = path.stat()
    one = copied(os.fsencode(path), action, state, kept)
    return replace(one, size_bytes=status.st_size, mtime_ns=status.st_mtime_ns)


def plan_rows(library_folder: Path, *files: CopiedFile) -> list[list[str]]:
    """Return the lines of a plan for one group, without the header."""
    with library_in(library_folder) as library:
        lines = "".join(plan_lines(library, [DuplicateGroup("exact", (1,), "it came first", files)])).splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")][1:]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("kept.jpg", "copy.jpg"):
        (tmp_path / name).write_bytes(b"the same")
    return tmp_path / "kept.jpg", tmp_path / "copy.jpg"


def test_a_plan_has_a_line_for_every_file_with_its_current_state(library_folder: Path, two: tuple[Path, Path]) -> None:
    files = (
        copied_now(two[0], "keep"), copied_now(two[1], "remove"), copied(b"/nowhere/a.jpg", "remove"),
        copied(b"/x/b.jpg", "review", "away"), *(copied(path, "review") for path in HOSTILE),
    )  # fmt: skip
    rows = plan_rows(library_folder, *files)
    assert [row[0] for row in rows[:4]] == ["keep", "remove", "review", "review"]
    assert [row[3] for row in rows[:4]] == ["present", "present", "gone", "away"]
    assert [unescaped(row[-1]) for row in rows[4:]] == list(HOSTILE)
    assert all(len(row) == 8 for row in rows)
    assert rows[0][6] == "kept: it came first"
    with library_in(library_folder) as library:
        lines = list(plan_lines(library, [DuplicateGroup("exact", (1,), "it came first", files)]))
    assert lines[0].startswith("# Plan of photoindex duplicates")
    assert any("1 file to keep, 1 to remove, 8 to review" in line for line in "".join(lines).splitlines())


@pytest.mark.parametrize("what", ["gone", "changed", "away", "another content"])
def test_a_plan_removes_no_file_whose_kept_copy_is_unavailable(
    library_folder: Path, two: tuple[Path, Path], what: str
) -> None:
    kept = copied_now(two[0], "keep", state="away" if what == "away" else "present")
    copy = copied_now(two[1], "remove", kept=2 if what == "another content" else 1)
    if what == "gone":
        two[0].unlink()
    if what == "changed":
        two[0].write_bytes(b"cut short")
    rows = plan_rows(library_folder, kept, copy)
    assert [row[0] for row in rows] == ["keep", "review"]
    assert what == "another content" or f"the kept file is {what}" in rows[1][6]


def test_a_plan_removes_no_copy_that_was_changed_since_the_scan(library_folder: Path, two: tuple[Path, Path]) -> None:
    files = copied_now(two[0], "keep"), copied_now(two[1], "remove")
    two[1].write_bytes(b"painted over since")
    rows = plan_rows(library_folder, *files)
    assert (rows[1][0], rows[1][3]) == ("review", "changed")
    assert "changed since the last scan" in rows[1][6]


@pytest.mark.parametrize("way", ["symlink", "hard link", "folder"])
def test_a_plan_does_not_remove_the_kept_file_under_another_name(
    library_folder: Path, two: tuple[Path, Path], tmp_path: Path, way: str
) -> None:
    kept, copy = two
    copy.unlink()
    if way == "symlink":
        copy.symlink_to(kept)
    elif way == "hard link":
        os.link(kept, copy)
    else:
        (tmp_path / "way").symlink_to(tmp_path)
        copy = tmp_path / "way" / "kept.jpg"
    for files in ((kept, copy), (copy, kept)):
        rows = plan_rows(library_folder, copied_now(files[0], "keep"), copied_now(files[1], "remove"))
        assert rows[1][0] == "review"
        assert "the same file" in rows[1][6]


def test_available_copies_rank_before_preferred_ones_that_are_not(library_folder: Path, tmp_path: Path) -> None:
    with library_in(library_folder) as library:
        here, away = (
            VolumeRows(library, tmp_path / "here"),
            VolumeRows(library, tmp_path / "away", online=False, label="nas"),
        )
        asset_id = here.asset_of(here.add_photo(primary_asset_id=None))
        away.add_file("a.jpg", asset_id=asset_id, create=False)
        for name in ("b.jpg", "c.jpg"):
            here.add_file(name, asset_id=asset_id)
        preferred = DuplicatesRequest(prefer=[os.fsencode(tmp_path / "away")])
        (group,) = find_duplicates(library, preferred).groups
        assert actions(group) == {"b.jpg": "keep", "c.jpg": "remove", "a.jpg": "review"}
        assert "--prefer" in reason(group, "a.jpg")
        (tmp_path / "here" / "b.jpg").write_bytes(b"another picture now")
        (group,) = find_duplicates(library, preferred).groups
    assert actions(group) == {"c.jpg": "keep", "b.jpg": "review", "a.jpg": "review"}
    assert {one.path.rpartition(b"/")[2]: one.state for one in group.files}[b"b.jpg"] == "changed"


def test_an_available_smaller_picture_is_not_removed_for_a_larger_unavailable_one(
    runner: LibraryRunner, originals: Path
) -> None:
    write(originals / "large.jpg", scene(18))
    for name, part in (("middle.jpg", 0.6), ("small.jpg", 0.3)):
        write(originals / name, scaled(scene(18), part))
    (group,) = found(runner, originals).groups
    assert actions(group) == {"large.jpg": "keep", "middle.jpg": "remove", "small.jpg": "remove"}
    with runner.open() as library:
        (originals / "large.jpg").write_bytes(b"cut short")
        (group,) = find_duplicates(library, DuplicatesRequest()).groups
        assert actions(group) == {"middle.jpg": "keep", "small.jpg": "remove", "large.jpg": "review"}
        (originals / "large.jpg").unlink()
        (group,) = find_duplicates(library, DuplicatesRequest(), runner.events.append).groups
        assert actions(group) == {"middle.jpg": "keep", "small.jpg": "remove"}
        (originals / "middle.jpg").unlink()
        assert find_duplicates(library, DuplicatesRequest()).groups == ()
    assert any(isinstance(one, Notice) and "1 file is gone since the last scan" in one.message for one in runner.events)


def test_a_copy_on_an_unmounted_volume_is_reviewed_and_a_mounted_one_is_kept(
    runner: LibraryRunner, originals: Path
) -> None:
    write(originals / "nas" / "large.jpg", scene(19))
    write(originals / "here" / "small.jpg", scaled(scene(19), 0.5))
    runner.scan(originals)
    with runner.open() as library:
        with library.database.write() as connection:
            made = connection.execute(insert(volume).values(**AWAY)).inserted_primary_key
            assert made is not None
            folders = {row.path: row.id for row in connection.execute(select(folder_table.c.id, folder_table.c.path))}
            (number,) = (one for path, one in folders.items() if path.endswith(b"/nas"))
            connection.execute(update(folder_table).where(folder_table.c.id == number).values(volume_id=made[0]))
        (group,) = find_duplicates(library, DuplicatesRequest()).groups
    assert actions(group) == {"small.jpg": "keep", "large.jpg": "review"}
    assert "its volume is mounted" in group.keep_reason
    assert "away" in reason(group, "large.jpg")


def test_a_plan_that_cannot_be_written_leaves_nothing_behind(library_folder: Path, tmp_path: Path) -> None:
    with library_in(library_folder) as library, pytest.raises(UsageError, match="nowhere"):
        write_plan(library, [], tmp_path / "nowhere" / "plan.tsv")
    with library_in(library_folder) as library:
        write_plan(library, [], tmp_path / "plan.tsv")
    assert [path.name for path in tmp_path.iterdir() if "plan" in path.name] == ["plan.tsv"]


@pytest.mark.shared
@pytest.mark.slow
def test_real_sets_of_copies_are_grouped_and_pictures_that_only_resemble_each_other_are_not(
    runner: LibraryRunner, testdata: Path
) -> None:
    runner.scan(testdata / "duplicates", testdata / "photos" / "pano-burst")
    with runner.open() as library:
        groups = find_duplicates(library, DuplicatesRequest()).groups
    together = [sorted({Path(os.fsdecode(one.path)).name for one in group.files}) for group in groups]
    assert ["obama-1080p.jpg", "obama-240p.jpg", "obama-480p.jpg", "obama-720p.jpg"] in together
    assert sum(len({Path(os.fsdecode(one.path)).name for one in group.files}) == 1 for group in groups) == 3
    folders = {Path(os.fsdecode(one.path)).parent.name for group in groups for one in group.files}
    assert not folders & {"not-duplicates", "mosaic-pairs-not-duplicates", "pano-burst", "imagehash"}
