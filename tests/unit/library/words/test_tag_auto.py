"""`tag auto` with the vectors of the tiny model: what is stored, shown, found again, replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from photoindex.errors import ConfigError, ModelUnavailable
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.words.change import WordsChanged
from photoindex.library.words.tagging import zero_shot
from photoindex.library.words.tagging.auto import AutoRequest, AutoSummary, tag_auto
from photoindex.library.words.tags import merge_tags, rename_tag
from photoindex.progress import PhaseAdvanced, PhaseStarted
from tests.tiny_clip.scenes import Scene
from tests.tiny_model import SemanticRunner, write_scenes

TERMS = (
    "shapes/circle", "shapes/square", "shapes/star", "shapes/heart", "colours/red", "colours/blue", "ground/grass",
    "ground/sand", "ground/wood", "dog", "elephant", "wedding",
)  # fmt: skip
SCENES = (
    Scene("red", "circle", 1, "grass", "middle"),
    Scene("blue", "star", 3, "sand", "left"),
    Scene("yellow", "heart", 2, "black", "top"),
    Scene("white", "square", 1, "wood", "right"),
)


class Tagged(SemanticRunner):
    """A library whose pictures are tagged."""

    def tag(self, **request: Any) -> AutoSummary:
        """Run `tag auto --only tags`."""
        with self.open() as library:
            return tag_auto(library, AutoRequest(("tags",), **request), self.events.append)

    def shown(self) -> dict[str, set[str]]:
        """Return file name -> tags that are shown."""
        found: dict[str, set[str]] = {}
        rows = self.rows(
            "SELECT f.name, t.name FROM label l JOIN tag t ON t.id = l.tag_id JOIN file f ON f.asset_id = l.asset_id"
            " WHERE l.shown = 1"
        )
        for name, tag in rows:
            found.setdefault(name, set()).add(tag)
        return found


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    path = tmp_path / "my tags.txt"
    path.write_text("\n".join(TERMS))
    return path


@pytest.fixture
def tagged(tmp_path: Path, vocabulary: Path) -> Tagged:
    """Four pictures of scenes, embedded, and a vocabulary of twelve terms."""
    runner = Tagged(tmp_path / "library", settings={"tags.vocabulary": str(vocabulary)})
    write_scenes(tmp_path / "photos", SCENES)
    runner.scan(tmp_path / "photos")
    runner.install()
    runner.embed()
    return runner


def test_pictures_get_the_terms_that_fit_and_none_that_do_not(tagged: Tagged) -> None:
    (summary,) = tagged.tag().runs
    shown = tagged.shown()
    assert shown["IMG_0000.jpg"] == {"ground/grass", "shapes/circle", "colours/red"}
    assert shown["IMG_0003.jpg"] >= {"ground/wood", "shapes/square"}
    assert not {"dog", "elephant", "wedding"} & set.union(*shown.values())
    assert (summary.pictures, summary.labels) == (4, sum(map(len, shown.values())))


def test_no_preview_is_read(tagged: Tagged) -> None:
    import shutil

    shutil.rmtree(tagged.folder / "derived")
    assert tagged.tag().runs[0].pictures == 4


def test_each_label_says_which_model_gave_it_how_surely_and_when(tagged: Tagged) -> None:
    tagged.tag()
    rows = tagged.rows(
        "SELECT v.stage, v.key, v.created_at, l.confidence, l.raw FROM label l JOIN variant v ON v.id = l.variant_id"
    )
    assert {row[0] for row in rows} == {"tags"}
    assert all('"model":"tiny-clip"' in row[1] and row[2] > 0 and 0.5 <= row[3] <= 1 for row in rows)


def test_words_of_tags_find_the_pictures_at_once(tagged: Tagged) -> None:
    tagged.tag()
    with tagged.open() as library:
        assert len(matching_photo_ids(library, ["text:circle"])) == 1


def test_a_second_run_has_nothing_to_do_and_a_new_picture_is_done_alone(tagged: Tagged, tmp_path: Path) -> None:
    tagged.tag()
    assert tagged.tag().runs[0].pictures == 0
    write_scenes(tmp_path / "photos", [Scene("green", "cross", 2, "sand", "left")], seed=9)
    tagged.scan_and_embed()
    assert tagged.tag().runs[0].pictures == 1


def test_pictures_that_are_not_embedded_wait(tagged: Tagged, tmp_path: Path) -> None:
    write_scenes(tmp_path / "photos", [Scene("green", "cross", 2, "sand", "left")], seed=9)
    tagged.scan()
    (summary,) = tagged.tag().runs
    assert (summary.pictures, summary.pending) == (4, 0)


def test_a_picture_that_is_to_be_embedded_again_waits_for_its_new_vector(tagged: Tagged) -> None:
    tagged.tag()
    with tagged.open() as library, library.database.write() as connection:
        from photoindex.stages import stages_of_previews
        from photoindex.store.tasks import asset_tasks

        asset_tasks.reset_after_new_preview(connection, 1, stages_of_previews())
    assert tagged.tag().runs[0].pictures == 0
    assert tagged.embed().embedded == 1
    assert tagged.tag().runs[0].pictures == 1


def test_another_vocabulary_replaces_the_tags(tagged: Tagged, vocabulary: Path) -> None:
    tagged.tag()
    vocabulary.write_text("ground/lawn: grass\nground/wood\n")
    assert tagged.tag().runs[0].pictures == 4
    assert set.union(*tagged.shown().values()) == {"ground/lawn", "ground/wood"}
    assert tagged.value("SELECT count(DISTINCT variant_id) FROM task WHERE stage = 'tags'") == 1


def test_a_vocabulary_with_bad_lines_is_refused_by_line_and_nothing_is_tagged(tagged: Tagged, vocabulary: Path) -> None:
    vocabulary.write_text("dog\ncat, mouse\nDog\n")
    with pytest.raises(ConfigError) as raised:
        tagged.tag()
    assert "my tags.txt" in str(raised.value)
    assert "line 2: 'cat, mouse' has a comma" in str(raised.value)
    assert "line 3: Dog is in line 1 already" in str(raised.value)
    assert tagged.value("SELECT count(*) FROM task WHERE stage = 'tags'") == 0


@pytest.mark.parametrize(("data", "says"), [(b"dog\n\xff\n", "line 2, is not UTF-8"), (None, "cannot be read")])
def test_a_file_that_is_no_text_or_is_missing_is_named(
    data: bytes | None, says: str, tagged: Tagged, vocabulary: Path
) -> None:
    vocabulary.unlink()
    if data is not None:
        vocabulary.write_bytes(data)
    with pytest.raises(ConfigError, match=says):
        tagged.tag()


def test_a_higher_threshold_hides_labels_and_a_lower_one_shows_them_again(tagged: Tagged) -> None:
    tagged.tag()
    before = tagged.shown()
    tagged.settings["ai_confidence_threshold"] = 98
    assert tagged.tag().remarked >= 2
    assert tagged.shown() == {"IMG_0000.jpg": {"ground/grass", "shapes/circle", "colours/red"}}
    assert tagged.value("SELECT count(*) FROM photo_text WHERE labels != ''") == 1
    tagged.settings["ai_confidence_threshold"] = 70
    tagged.tag()
    assert tagged.shown() == before


def test_a_threshold_below_what_was_kept_runs_again(tagged: Tagged) -> None:
    tagged.tag()
    tagged.settings["ai_confidence_threshold"] = 5
    assert tagged.tag().runs[0].pictures == 4
    assert tagged.value("SELECT min(confidence) FROM label") < 0.5


def test_the_vectors_of_the_terms_are_encoded_once(tagged: Tagged, tmp_path: Path) -> None:
    def encoded() -> int:
        return sum(isinstance(one, PhaseStarted) and one.phase == "encoding the tags" for one in tagged.events)

    tagged.tag(limit=1)
    assert encoded() == 1
    tagged.tag(limit=1)
    assert encoded() == 1
    (kept,) = (tagged.folder / "indices").glob("tags-*.npy")
    kept.write_bytes(b"damaged")
    tagged.tag(limit=1)
    assert encoded() == 2


def test_a_stop_while_terms_are_encoded_ends_the_run_with_everything_pending(tagged: Tagged) -> None:
    seen: list[object] = []

    def stop() -> bool:
        return any(isinstance(one, PhaseStarted) and one.phase == "encoding the tags" for one in seen)

    with tagged.open() as library:
        (summary,) = tag_auto(library, AutoRequest(("tags",)), seen.append, stop).runs
    assert (summary.pictures, summary.pending, summary.stopped) == (0, 4, True)


def test_tags_renamed_and_merged_while_pictures_are_tagged_end_as_the_new_ones(
    tagged: Tagged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zero_shot, "BATCH", 1)
    write_scenes(tmp_path / "photos", SCENES, seed=4)  # the same scenes once more, so that each tag is given again
    tagged.scan_and_embed()
    changed: list[WordsChanged] = []

    def meanwhile(event: object) -> None:
        """Rename a tag and merge two, as another process does, when half of the pictures are tagged."""
        if isinstance(event, PhaseAdvanced) and event.phase == "tagging" and event.done == len(SCENES) and not changed:
            with tagged.open() as other:
                changed.append(rename_tag(other, "shapes/circle", "forms/disc"))
                changed.append(merge_tags(other, "ground/grass", ["ground/sand"]))

    with tagged.open() as library:
        (summary,) = tag_auto(library, AutoRequest(("tags",)), meanwhile).runs
    assert (summary.pictures, summary.pending, [one.entry_id for one in changed]) == (8, 0, [1, 2])
    shown = tagged.shown()
    assert shown["IMG_0000.jpg"] == shown["IMG_0004.jpg"] == {"forms/disc", "colours/red", "ground/grass"}
    assert all("ground/grass" in shown[name] for name in ("IMG_0001.jpg", "IMG_0005.jpg"))
    with tagged.open() as library:
        assert (
            len(matching_photo_ids(library, ["text:disc"])) == len(matching_photo_ids(library, ["tag:forms/disc"])) == 2
        )
        assert len(matching_photo_ids(library, ["text:grass"])) == 4
        assert not matching_photo_ids(library, ["text:sand"])


def test_without_vectors_the_message_says_how_to_make_them(tmp_path: Path) -> None:
    runner = Tagged(tmp_path / "library")
    with pytest.raises(ModelUnavailable, match="photoindex embed"):
        runner.tag()
