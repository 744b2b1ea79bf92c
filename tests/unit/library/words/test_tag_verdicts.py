"""What a person says about tags of models: accepted and rejected ones, the page and its answers, calibration."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, insert, select, update

from photoindex.errors import NothingFound
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.words.review.answers import AnswersRefused, apply_answers
from photoindex.library.words.review.page import ReviewRequest, review_page
from photoindex.library.words.tagging.calibrate import calibrated
from photoindex.library.words.tags import add_tags, merge_tags
from photoindex.library.words.verdicts import accept_tag, reject_tag
from photoindex.store.schema.tables import label, tag, tag_alias
from photoindex.store.tasks import queue
from photoindex.store.words import calibrations
from photoindex.store.words.labels import LabelWriter
from photoindex.types import Label
from tests.rows import VolumeRows, library_in
from tests.semantic_rows import AXES, SemanticRows, unit

LABELS = {1: (("animals/dog", 0.95), ("garden", 0.8)), 2: (("animals/dog", 0.75),), 3: (("animals/dog", 0.6),), 4: ()}


class Labelled(VolumeRows):
    """Four photos with labels of a stage."""

    def label(
        self, labels: dict[int, tuple[tuple[str, float], ...]], *, model: str = "one", stage: str = "tags"
    ) -> None:
        """Write labels of photos, as a run of a model does."""
        with self.library.database.write() as connection:
            variant_id = queue.ensure_variant(connection, stage, {"model": model})
            given = {
                self.asset_of(photo): tuple(Label(name, sure, sure) for name, sure in found)
                for photo, found in labels.items()
            }
            LabelWriter(stage, variant_id, 0.7).put(connection, given)

    def rename(self, name: str, wanted: str) -> None:
        """Rename a tag, as a person does; the old name becomes an alias."""
        with self.writing() as connection:
            renamed = update(tag).where(tag.c.name == name).values(name=wanted, name_key=wanted)
            connection.execute(renamed)
            tag_id = select(tag.c.id).where(tag.c.name == wanted).scalar_subquery()
            connection.execute(insert(tag_alias).values(name_key=name, tag_id=tag_id))

    def found(self, *query: str) -> list[int]:
        return sorted(matching_photo_ids(self.library, query))


@pytest.fixture
def photos(library_folder: Path, tmp_path: Path):
    with library_in(library_folder) as library:
        rows = Labelled(library, tmp_path / "originals")
        rows.add_root()
        for number in LABELS:
            rows.add_whole_photo(f"{number}.jpg")
        rows.label(LABELS)
        yield rows


def test_tags_of_models_are_found_by_name_level_confidence_and_source(photos: Labelled) -> None:
    assert photos.found("tag:dog") == photos.found("tag:animals/") == [1, 2]
    assert photos.found("tag:dog@90") == [1]
    assert photos.found("tag:dog@60%") == [1, 2, 3]
    assert photos.found("tag:dog@90,garden") == [1]
    assert photos.found("-tag:dog") == [3, 4]
    assert photos.found("source:tags") == photos.found("source:tag=tags") == photos.found("has:tag") == [1, 2]
    assert photos.found("source:objects") == []


def test_accepting_makes_a_tag_ones_own_where_a_model_gave_it(photos: Labelled) -> None:
    done = accept_tag(photos.library, "animals/dog", [2, 3, 4])
    assert (done.photos, photos.found("source:tag=person")) == (2, [2, 3])
    assert photos.found("tag:dog") == [1, 2, 3]
    with pytest.raises(NothingFound, match="no model gave"):
        accept_tag(photos.library, "garden", [4])


def test_a_rejected_tag_never_returns_not_by_another_model_nor_after_a_rename(photos: Labelled) -> None:
    reject_tag(photos.library, "animals/dog", [1])
    assert photos.found("tag:dog") == [2]
    photos.label(LABELS, model="another", stage="labels")
    assert photos.found("tag:dog") == [2]
    photos.rename("animals/dog", "pets/hound")
    photos.label(LABELS)
    assert photos.found("tag:hound") == [2]
    assert photos.found("tag:dog") == [2], "the earlier name means the new one"


def test_rejecting_a_tag_that_no_model_gave_yet_keeps_it_away(photos: Labelled) -> None:
    reject_tag(photos.library, "garden", [4])
    photos.label({4: (("garden", 0.99),)})
    assert photos.found("tag:garden") == [1]


def test_verdicts_are_undone(photos: Labelled) -> None:
    from photoindex.library.maintenance.journal import undo

    done = reject_tag(photos.library, "animals/dog", [1, 2])
    undo(photos.library, done.entry_id)
    assert photos.found("tag:dog") == [1, 2]


def test_an_own_tag_wins_over_the_models_and_words_find_it(photos: Labelled) -> None:
    add_tags(photos.library, ["animals/dog"], [4])
    assert photos.found("tag:dog@100") == [4]
    assert photos.found("text:dog") == [1, 2, 4]


def page(photos: Labelled, *tags: str, **more: object) -> tuple[str, int]:
    made = review_page(photos.library, ReviewRequest(tags, **more))  # type: ignore[arg-type]
    return b"".join(made.page).decode(), made.pictures


def test_the_page_shows_what_nobody_judged_by_tag_the_surest_first(photos: Labelled) -> None:
    reject_tag(photos.library, "animals/dog", [2])
    text, pictures = page(photos)
    assert pictures == 3
    dog = text[text.index('data-tag="animals/dog"') :]
    assert dog.index('data-photo="1"') < dog.index('data-photo="3"')
    assert 'data-photo="2"' not in text
    # A tag that somebody judged comes after one that nobody did.
    assert text.index('data-tag="garden"') < text.index('data-tag="animals/dog"')
    assert page(photos, "garden")[1] == 1
    assert page(photos, limit=1)[1] == 1


def test_names_in_the_page_are_escaped_and_nothing_is_loaded_from_elsewhere(photos: Labelled) -> None:
    photos.label({4: (("<b>bold</b>", 0.9),)})
    text, _ = page(photos)
    assert "<b>bold" not in text
    assert "://" not in text


def test_sensitive_photos_are_left_out_of_the_page_unless_asked_for(photos: Labelled) -> None:
    photos.label({1: (("sensitive", 0.9),)}, stage="sensitive")
    assert photos.found("is:sensitive") == [1]
    assert 'data-photo="1"' not in page(photos)[0]
    assert 'data-photo="1"' in page(photos, sensitive=True)[0]
    reject_tag(photos.library, "sensitive", [1])
    assert photos.found("is:sensitive") == []


def test_where_nothing_is_to_be_judged_the_message_says_so(photos: Labelled) -> None:
    reject_tag(photos.library, "animals/dog", [1, 2, 3])
    reject_tag(photos.library, "garden", [1])
    with pytest.raises(NothingFound, match="no tags of models to judge"):
        page(photos)


def answers(*lines: dict[str, object]) -> bytes:
    return "\n".join(json.dumps({"schema": 1, **one}) for one in lines).encode()


def test_answers_are_applied_together_and_undone_together(photos: Labelled) -> None:
    from photoindex.library.maintenance.journal import undo

    data = answers(
        {"do": "accept", "tag": "animals/dog", "photos": [1, 3]}, {"do": "reject", "tag": "animals/dog", "photos": [2]}
    )
    assert apply_answers(photos.library, data, "a.jsonl", dry_run=True).changed.photos == 3
    assert photos.found("tag:dog") == [1, 2]
    done = apply_answers(photos.library, data, "a.jsonl")
    assert done.changed.summary == "2 tags accepted and 1 rejected in 3 photos"
    assert photos.found("tag:dog") == [1, 3]
    assert apply_answers(photos.library, data, "a.jsonl").changed.entry_id is None
    undo(photos.library, done.changed.entry_id)
    assert photos.found("tag:dog") == [1, 2]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"no json", "it is no JSON"),
        (b"[]", "it is no answer"),
        (answers({"do": "keep", "tag": "garden", "photos": [1]}), '"do" must be'),
        (answers({"do": "accept", "tag": "garden", "photos": []}), '"photos" must be'),
        (answers({"do": "accept", "tag": "garden", "photos": [True]}), '"photos" must be'),
        (answers({"do": "accept", "tag": "garden", "photos": [1], "more": 1}), '"more" is no part'),
        (answers({"do": "accept", "tag": "garden", "photos": [99]}), "there is no photo 99"),
        (answers({"do": "accept", "tag": "gardens", "photos": [1]}), "gardens"),
        (answers({"do": "accept", "tag": "animals/dog", "photos": [1]}), "line 1 says reject of animals/dog"),
    ],
)
def test_one_line_that_does_not_apply_leaves_everything_as_it_was(line: bytes, says: str, photos: Labelled) -> None:
    good = answers({"do": "reject", "tag": "animals/dog", "photos": [1]})
    with pytest.raises(AnswersRefused) as raised:
        apply_answers(photos.library, good + b"\n" + line, "a.jsonl")
    assert "a.jsonl: 1 of 2 lines does not apply, so nothing was changed" in str(raised.value)
    assert "line 2" in str(raised.value)
    assert says in str(raised.value)
    assert photos.found("tag:dog") == [1, 2]


def test_labels_written_while_a_tag_was_renamed_go_to_the_renamed_tag(photos: Labelled) -> None:
    photos.rename("garden", "places/garden")
    photos.label({2: (("garden", 0.9), ("places/garden", 0.8))})
    assert photos.found("tag:places/garden") == [1, 2]
    with photos.library.database.read() as connection:
        assert connection.execute(select(func.count()).where(label.c.asset_id == photos.asset_of(2))).scalar() == 1


def test_fifty_verdicts_calibrate_a_tag(library_folder: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    with library_in(library_folder) as library:
        rows = SemanticRows(library, tmp_path / "originals")
        rows.add_root()
        fits: dict[int, bool] = {}
        for number in range(60):
            share = random.uniform(0, 1)
            photo_id = rows.add_embedded_photo(f"{number}.jpg", unit(dog=share, beach=1 - share))
            fits[photo_id] = share > 0.7
            done = {"stage": "embed", "subject_kind": "asset", "variant_id": rows.space.variant_id}
            rows.add_task(rows.asset_of(photo_id), **done)
        terms, neutral = AXES["dog"][None], unit(dog=1, beach=1, cat=1)[None]

        def curve() -> tuple[float, int, bool]:
            with library.database.write() as connection:
                variant_id = queue.ensure_variant(connection, "tags", {})
                (found,), changed = calibrated(connection, variant_id, rows.space, ["dog"], terms, neutral)
                assert bool(calibrations.curves(connection, variant_id)) == (found.verdicts > 0)
                return found.slope, found.verdicts, changed

        add_tags(library, ["dog"], [photo for photo, one in fits.items() if one])
        assert curve() == (100.0, 0, False)
        reject_tag(library, "dog", [photo for photo, one in fits.items() if not one])
        slope, verdicts, changed = curve()
        assert (verdicts, changed) == (60, True)
        assert 0 < slope < 100
        assert curve() == (slope, 60, False)
        add_tags(library, ["puppy"], [])
        merge_tags(library, "dog", ["puppy"])
        with library.database.write() as connection:
            variant_id = queue.ensure_variant(connection, "tags", {})
            both = np.concatenate([terms, unit(beach=1)[None]])
            curves, _changed = calibrated(connection, variant_id, rows.space, ["dog", "puppy"], both, neutral)
        assert [one.verdicts for one in curves] == [60, 60], "terms that are one tag are equally calibrated"
