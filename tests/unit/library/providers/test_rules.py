"""Which photos no service may see: the stages behind a rule, and what each content of a photo shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from photoindex.config.schema import Config
from photoindex.library.handle import Library
from photoindex.library.providers import rules
from photoindex.library.providers.rules import STAGES_OF_CHOICES, STAGES_OF_FIELDS, rules_of
from photoindex.store.night.withheld import withheld
from photoindex.store.schema.tables import asset, label, region, tag, task
from photoindex.store.search.fields import FIELDS, LIKE
from photoindex.store.tasks import queue
from tests.rows import VolumeRows, library_in

LOOKED_AT = ("faces", "sensitive")


@pytest.fixture
def photos(tmp_path: Path) -> Iterator[VolumeRows]:
    with library_in(tmp_path / "library") as library:
        yield VolumeRows(library, tmp_path)


def with_rule(library: Library, never_send: str | None) -> Library:
    from dataclasses import replace

    config = Config.model_validate({"library": library.folder, "providers": {"never_send": never_send}})
    return replace(library, config=config)


def done(photos: VolumeRows, asset_id: int, *stages: str, by: dict[str, object] | None = None) -> None:
    with photos.writing() as connection:
        for stage in stages:
            variant_id = queue.ensure_variant(connection, stage, by or {"model": "tests"})
            row = {"subject_kind": "asset", "subject_id": asset_id, "stage": stage, "variant_id": variant_id}
            row |= {"state": "done", "attempts": 1, "priority": 0, "updated_at": time.time()}
            connection.execute(insert(task).values(row))


def kept(photos: VolumeRows, *photo_ids: int, never_send: str | None = None) -> list[str | None]:
    """Why each of some photos is kept back, None for one that may be sent."""
    library = with_rule(photos.library, never_send)
    ids = [photos.asset_of(one) for one in photo_ids]
    with library.database.read() as connection:
        found = withheld(connection, ids, rules_of(library))
    return [found.get(one) for one in ids]


def add_face(photos: VolumeRows, asset_id: int) -> None:
    with photos.writing() as connection:
        connection.execute(
            insert(region).values(
                asset_id=asset_id, kind="face", x=0.1, y=0.1, width=0.2, height=0.2, score=0.9,
                variant_id=queue.ensure_variant(connection, "faces", {"model": "tests"}),
            )
        )  # fmt: skip


def test_every_field_and_choice_says_which_stages_it_depends_on() -> None:
    from photoindex.store.search.choices import HAS, IS

    assert {field.name for field in FIELDS} - {LIKE, "has", "is", "source"} == set(STAGES_OF_FIELDS)
    of_pictures = {"has:tag", "has:faces", "is:alone", "is:unnamed", "is:unreviewed", "is:sensitive"}
    assert set(STAGES_OF_CHOICES) == of_pictures
    of_files = {
        *(
            "gps",
            "place",
            "date",
            "camera",
            "lens",
            "title",
            "description",
            "keywords",
            "rating",
            "sidecar",
            "raw",
            "live",
            "edit",
        ),
        *("missing", "duplicate", "paired", "quarantined", "edited", "burst", "favourite", "rejected", "motion"),
    }
    known = {f"has:{name}" for name in HAS} | {f"is:{name}" for name in IS}
    assert {one for one in known if one.partition(":")[2] not in of_files} == of_pictures, (
        "a new choice needs its stages"
    )


@pytest.mark.parametrize(
    ("query", "stages"),
    [
        (None, ("faces", "sensitive")),
        ("", ("faces", "sensitive")),
        ("path:private", ("faces", "sensitive")),
        ("tag:private", ("faces", "tags", "sensitive")),
        ("person:*", ("faces", "sensitive", "cluster")),
        ("person:* or tag:private", ("faces", "tags", "sensitive", "cluster")),
        ("-has:faces OR is:unnamed", ("faces", "sensitive", "cluster")),
        ("ocr:secret OR caption:letter", ("faces", "sensitive", "ocr", "caption")),
        ("passport", ("faces", "tags", "sensitive", "ocr", "caption", "cluster")),
        ("source:objects OR source:tag=labels", ("faces", "objects", "labels", "sensitive")),
        ("source:taken_at=mtime", ("faces", "sensitive")),
    ],
)
def test_a_rule_names_the_stages_that_it_depends_on(
    photos: VolumeRows, query: str | None, stages: tuple[str, ...]
) -> None:
    assert rules_of(with_rule(photos.library, query)).stages == stages


def test_a_rule_on_tags_waits_for_the_users_own_models_where_there_are_any(photos: VolumeRows) -> None:
    done(photos, photos.asset_of(photos.add_photo()), "labels")
    assert rules_of(with_rule(photos.library, "tag:private")).stages == ("faces", "tags", "labels", "sensitive")


def test_or_in_quotes_is_a_word_and_outside_of_them_the_operator() -> None:
    assert rules._with_operators('person:"tom or ben" or tag:a') == 'person:"tom or ben" OR tag:a'


def test_a_photo_is_kept_back_until_every_stage_is_done_for_all_its_contents(photos: VolumeRows) -> None:
    photo_id = photos.add_photo()
    raw = photos.add_asset(photo_id, role="raw")
    jpeg = photos.asset_of(photo_id)
    assert kept(photos, photo_id) == ["not done yet: faces"]
    done(photos, jpeg, *LOOKED_AT)
    assert kept(photos, photo_id) == ["not done yet: faces"]
    done(photos, raw, "faces")
    assert kept(photos, photo_id) == ["not done yet: sensitive"]
    done(photos, raw, "sensitive")
    assert kept(photos, photo_id) == [None]
    with photos.writing() as connection:
        connection.execute(update(task).where(task.c.subject_id == raw).values(state="failed"))
    assert kept(photos, photo_id) == ["not done yet: faces"]


def test_what_a_service_has_done_does_not_count(photos: VolumeRows) -> None:
    photo_id = photos.add_photo()
    done(photos, photos.asset_of(photo_id), "faces")
    done(photos, photos.asset_of(photo_id), "sensitive", by={"provider": "google_vision", "model": "google_vision"})
    assert kept(photos, photo_id) == ["not done yet: sensitive"]


def test_a_face_in_any_content_or_in_its_metadata_keeps_a_photo_back(photos: VolumeRows) -> None:
    none, found, in_raw, marked = (photos.add_photo() for _ in range(4))
    raw = photos.add_asset(in_raw, role="raw")
    for one in (none, found, in_raw, marked):
        done(photos, photos.asset_of(one), *LOOKED_AT)
    done(photos, raw, *LOOKED_AT)
    add_face(photos, photos.asset_of(found))
    add_face(photos, raw)
    with photos.writing() as connection:
        face = {"kind": "face", "name": None, "x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2, "schema": "mwg"}
        connection.execute(update(asset).where(asset.c.id == photos.asset_of(marked)).values(regions=[face]))
    assert kept(photos, none, found, in_raw, marked) == [None, "shows faces", "shows faces", "shows faces"]


def test_a_sensitive_content_keeps_its_photo_back_and_one_below_the_threshold_does_not(photos: VolumeRows) -> None:
    shown, hidden, in_raw = (photos.add_photo() for _ in range(3))
    raw = photos.add_asset(in_raw, role="raw")
    for one in (shown, hidden, in_raw):
        done(photos, photos.asset_of(one), *LOOKED_AT)
    done(photos, raw, *LOOKED_AT)
    with photos.writing() as connection:
        connection.execute(insert(tag).values(id=1, name="sensitive", name_key="sensitive", created_at=0.0))
        variant_id = queue.ensure_variant(connection, "sensitive", {"model": "tests"})
        for asset_id, sure in ((photos.asset_of(shown), 0.9), (photos.asset_of(hidden), 0.3), (raw, 0.9)):
            connection.execute(
                insert(label).values(
                    asset_id=asset_id,
                    variant_id=variant_id,
                    tag_id=1,
                    part=0,
                    raw=sure,
                    confidence=sure,
                    shown=sure > 0.7,
                )
            )
    assert kept(photos, shown, hidden, in_raw) == ["is sensitive", None, "is sensitive"]


def test_without_grouped_faces_no_rule_about_people_sends_anything(photos: VolumeRows) -> None:
    photo_id = photos.add_photo()
    assert kept(photos, photo_id, never_send="person:*") == ["not done yet: faces"]
    done(photos, photos.asset_of(photo_id), *LOOKED_AT)
    assert kept(photos, photo_id) == [None]
    assert kept(photos, photo_id, never_send="person:*") == ["not done yet: cluster"]


def test_a_rule_also_holds_for_photos_whose_files_are_missing(photos: VolumeRows) -> None:
    photo_id = photos.add_whole_photo("2019/a.jpg", state="missing", rating=5)
    done(photos, photos.asset_of(photo_id), *LOOKED_AT)
    assert kept(photos, photo_id, never_send="rating:5") == ["found by never_send"]
