"""Commands that are named by `bursts`, `bursts review` and `bursts apply`."""

from __future__ import annotations

import json

import pytest

from photoindex.pipeline.ingest.derived_files import preview_path
from tests.burst_pictures import BLURRED, SHARP, write_burst
from tests.cli.promises.house import House, promises
from tests.rows import library_in

APPLY = "its answers are applied with: photoindex bursts apply ANSWERS.jsonl"
OTHERS = "to see what you did not choose: photoindex search tag:burst/other"
REVIEW = "to choose among the frames in a browser: photoindex bursts review"
NONE = "no burst was found; photoindex search is:burst lists the photos that are in one"
NOTHING = "there is no burst to choose from; see: photoindex bursts"
DECIDED = "there is no burst to choose from, other than those that you decided; --all shows them, too"
KEPT_OUT = "every burst has a hidden person or a sensitive photo; --hidden and --sensitive show them"
LEFT_OUT = "with a hidden person or a sensitive photo left out; --hidden and --sensitive show them"
LOST = "frames have no readable preview and were not compared; run photoindex scan to make their previews again"


@pytest.fixture
def shot(house: House) -> House:
    """A library of two bursts of three frames."""
    for minute in (1, 2):
        write_burst(house.photos, [BLURRED, SHARP, SHARP], seed=minute, minute=minute, size=(320, 240))
    house.run("scan", house.photos)
    return house


@promises(REVIEW, APPLY, OTHERS, DECIDED)
def test_frames_are_chosen_on_a_page(shot: House) -> None:
    listed = [json.loads(line) for line in shot.run("bursts", "--json").splitlines() if line.startswith("{")]
    answers = shot.folder / "answers.jsonl"
    answers.write_text(
        "\n".join(
            json.dumps(
                {
                    "schema": 1,
                    "best": one["best"],
                    "other": [frame["photo"] for frame in one["frames"] if frame["choice"] == "other"],
                }
            )
            for one in listed
        )
    )
    applied = shot.follow(APPLY, shot.follow(REVIEW, shot.run("bursts")), **{"ANSWERS.jsonl": answers})
    assert shot.follow(OTHERS, applied).count("IMG_") == 4
    shot.excerpt(DECIDED, shot.run("bursts", "review", code=11))
    assert "a page of 2 bursts" in shot.run("bursts", "review", "--all")


@promises(NONE, NOTHING)
def test_a_library_without_a_burst_says_so(scanned: House) -> None:
    printed = scanned.run("bursts")
    assert "a 0.jpg" not in scanned.run(*scanned.commands(NONE, printed)[0])
    scanned.follow(NOTHING, scanned.run("bursts", "review", "--all", code=11))


@promises(KEPT_OUT, LEFT_OUT)
def test_sensitive_bursts_are_shown_with_an_option(shot: House) -> None:
    shot.run("tag", "add", "sensitive", "name:IMG_0100")
    shot.excerpt(LEFT_OUT, shot.run("bursts", "review"))
    assert "a page of 2 bursts" in shot.run("bursts", "review", "--sensitive", "--hidden")
    shot.excerpt(KEPT_OUT, shot.run("bursts", "review", "name:IMG_0101", code=11))


@promises(LOST)
def test_a_scan_makes_the_previews_that_frames_lack(shot: House) -> None:
    digest = shot.rows.value("SELECT digest FROM asset ORDER BY id LIMIT 1")
    with library_in(shot.library) as library:
        preview_path(library.derived_folder, digest).unlink()
    shot.follow(LOST, shot.run("bursts", "--progress", "plain"))
    assert "no readable preview" not in shot.run("bursts")
