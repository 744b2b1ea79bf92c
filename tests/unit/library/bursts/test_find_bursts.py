"""Bursts of scanned files: what is one, and what is proposed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import insert, select

from photoindex.domain.bursts.values import Choice, Series
from photoindex.domain.people.values import FACE
from photoindex.errors import NothingFound
from photoindex.library.answer_lines import AnswersRefused
from photoindex.library.bursts.answers import apply_answers
from photoindex.library.bursts.find import Burst, Bursts, BurstsRequest, find_bursts
from photoindex.library.bursts.page import PageRequest, bursts_page
from photoindex.library.maintenance.journal import undo
from photoindex.library.words import facts
from photoindex.library.words.tags import add_tags
from photoindex.pipeline.ingest.derived_files import preview_path
from photoindex.progress import Notice
from photoindex.store.people.hidden import Also
from photoindex.store.schema.tables import asset, assignment, individual, region
from tests.burst_pictures import BLURRED, BRIGHT, SHAKEN, SHARP, exif, frame, write_burst
from tests.drawn_eyes import face, head
from tests.edits import jpeg, scaled
from tests.harness import LibraryRunner


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    return tmp_path / "originals"


@pytest.fixture
def runner(library_folder: Path) -> LibraryRunner:
    return LibraryRunner(library_folder)


def found(runner: LibraryRunner, **request: object) -> Bursts:
    with runner.open() as library:
        return find_bursts(library, BurstsRequest(**request), runner.events.append)  # type: ignore[arg-type]


def names(runner: LibraryRunner) -> dict[int, str]:
    rows = runner.rows("SELECT asset.photo_id, file.name FROM file JOIN asset ON asset.id = file.asset_id")
    return {photo_id: name if isinstance(name, str) else name.decode() for photo_id, name in rows}


def numbers(runner: LibraryRunner, *wanted: str) -> list[int]:
    by_name = {name: photo_id for photo_id, name in names(runner).items()}
    return [by_name[f"IMG_{one}.jpg"] for one in wanted]


def best(runner: LibraryRunner, burst: Burst) -> list[str]:
    known = names(runner)
    return [known[one.photo_id].removesuffix(".jpg")[4:] for one in burst.judged if one.choice is Choice.BEST]


def test_the_sharp_well_exposed_frame_of_each_burst_is_proposed_the_newest_burst_first(
    runner: LibraryRunner, originals: Path
) -> None:
    write_burst(originals, [BLURRED, SHARP, SHAKEN], seed=1, minute=1)
    write_burst(originals, [BRIGHT, BRIGHT, SHARP], seed=2, minute=2)
    write_burst(originals, [SHARP], seed=3, minute=3)
    runner.scan(originals)
    result = found(runner)
    assert [best(runner, one) for one in result.bursts] == [["0202"], ["0101"]]
    assert (result.measured, result.left, result.copies) == (6, 0, 0)
    assert [one.series for one in result.bursts] == [Series.BURST, Series.BURST]
    assert result.bursts[0].seconds == pytest.approx(0.4)
    assert [best(runner, one) for one in found(runner, limit=1).bursts] == [["0202"]]
    assert found(runner, limit=1).left == 1
    assert [best(runner, one) for one in found(runner, query=["name:IMG_0100"]).bursts] == [["0101"]]
    assert found(runner, frames=4).left == 1
    assert len(found(runner, frames=1).bursts) == 1


def test_brackets_and_time_lapses_are_named_and_not_measured(runner: LibraryRunner, originals: Path) -> None:
    write_burst(originals, [SHARP] * 3, seed=1, minute=1, exposures=[0.01, 0.04, 0.0025])
    write_burst(originals, [SHARP] * 10, seed=2, minute=2, gap_seconds=1.0)
    runner.scan(originals)
    result = found(runner)
    assert [one.series for one in result.bursts] == [Series.TIME_LAPSE, Series.BRACKET]
    assert [len(one.judged) for one in result.bursts] == [0, 0]
    assert result.measured == 0
    assert found(runner, series=Series.BURST).bursts == ()


def test_a_smaller_copy_of_a_frame_is_no_frame(runner: LibraryRunner, originals: Path) -> None:
    paths = write_burst(originals, [SHARP, BLURRED, SHARP], minute=1)
    for number, path in enumerate(paths):
        picture = scaled(Image.open(path).convert("RGB"), 0.5)
        copy = originals / f"small {path.name}"
        copy.write_bytes(jpeg(picture, 90, exif(0.2 * number, minute=1)))
    runner.scan(originals)
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql("UPDATE photo SET burst = 'id:one'")
    result = found(runner)
    assert len(result.bursts[0].photos) == 3
    assert result.copies == 3
    assert {one.width for one in result.bursts[0].photos} == {1000}


def test_frames_of_a_camera_that_always_writes_the_same_fraction_stay_frames(
    runner: LibraryRunner, originals: Path
) -> None:
    write_burst(originals, [SHARP, BLURRED, SHAKEN], minute=1, gap_seconds=0.0)
    runner.scan(originals)
    (burst,) = found(runner).bursts
    assert best(runner, burst) == ["0100"]
    assert len(burst.photos) == 3


def test_what_the_user_said_before_is_the_proposal(runner: LibraryRunner, originals: Path) -> None:
    write_burst(originals, [SHARP, BLURRED, SHAKEN], minute=1)
    runner.scan(originals)
    first, second, third = numbers(runner, "0100", "0101", "0102")
    assert not found(runner).bursts[0].decided
    with runner.open() as library:
        facts.state(library, [second], facts.rate(2))
        assert best(runner, found(runner).bursts[0]) == ["0101"]
        assert found(runner).bursts[0].decided
        assert found(runner, undecided=True).bursts == ()
        facts.state(library, [third], facts.favourite())
        assert best(runner, found(runner).bursts[0]) == ["0102"]
        facts.state(library, [first], facts.rate(facts.REJECTED))
    assert {one.photo_id: one.choice for one in found(runner).bursts[0].judged} == {
        first: Choice.REJECTED, second: Choice.OTHER, third: Choice.BEST,
    }  # fmt: skip


def test_choices_are_tags_that_the_journal_takes_back(runner: LibraryRunner, originals: Path) -> None:
    write_burst(originals, [SHARP, BLURRED, SHAKEN], minute=1)
    before = {path: path.read_bytes() for path in originals.iterdir()}
    runner.scan(originals)
    first, second, third = numbers(runner, "0100", "0101", "0102")
    answer = {"schema": 1, "best": [third], "other": [first, second]}
    with runner.open() as library:
        trial = apply_answers(library, json.dumps(answer).encode(), "answers", dry_run=True)
        assert (trial.entry_id, trial.summary) == (None, "1 photo chosen as best of their bursts, 2 not")
        assert not found(runner).bursts[0].decided
        done = apply_answers(library, json.dumps(answer).encode(), "answers")
        assert done.photos == 3
        assert best(runner, found(runner).bursts[0]) == ["0102"]
        assert found(runner, query=["tag:burst/other"]).bursts[0].decided
        assert apply_answers(library, json.dumps(answer).encode(), "answers").entry_id is None
        turned = {"schema": 1, "best": [first], "other": [second, third]}
        apply_answers(library, json.dumps(turned).encode(), "answers")
        assert best(runner, found(runner).bursts[0]) == ["0100"]
        undo(library, None)
        undo(library, None)
    assert not found(runner).bursts[0].decided
    assert before == {path: path.read_bytes() for path in originals.iterdir()}


def test_a_burst_of_which_nothing_is_worth_keeping_is_decided_too(runner: LibraryRunner, originals: Path) -> None:
    write_burst(originals, [BLURRED] * 3, minute=1)
    runner.scan(originals)
    answer = json.dumps({"schema": 1, "best": [], "other": numbers(runner, "0100", "0101", "0102")})
    with runner.open() as library:
        apply_answers(library, answer.encode(), "answers")
    assert found(runner, undecided=True).bursts == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "it is no JSON"),
        ('{"schema": 2, "best": [1]}', "it is no answer, such as"),
        ('{"schema": 1, "best": [1], "tag": "x"}', '"tag" is no part of an answer'),
        ('{"schema": 1, "best": "1"}', '"best" must be a list of numbers of photos'),
        ('{"schema": 1, "best": [true]}', '"best" must be a list of numbers of photos'),
        ('{"schema": 1}', "it names no photo"),
        ('{"schema": 1, "best": [1], "other": [1]}', "photo 1 is both best and other"),
        ('{"schema": 1, "best": [999]}', "there is no photo 999"),
        ('{"schema": 1, "best": [SINGLE]}', "photo SINGLE is in no burst now"),
        ('{"schema": 1, "best": [SECOND], "other": [OTHER]}', "photos SECOND and OTHER are in different bursts"),
        ('{"schema": 1, "best": [FIRST]}', "line 1 is about photo FIRST, too"),
    ],
)
def test_a_line_that_does_not_apply_is_named_and_nothing_is_changed(
    runner: LibraryRunner, originals: Path, line: str, reason: str
) -> None:
    write_burst(originals, [SHARP, BLURRED, SHARP], seed=1, minute=1)
    write_burst(originals, [SHARP, BLURRED, SHARP], seed=2, minute=2)
    write_burst(originals, [SHARP], seed=3, minute=3)
    runner.scan(originals)
    first, second, other, single = numbers(runner, "0100", "0101", "0200", "0300")
    for name, number in (("FIRST", first), ("SECOND", second), ("OTHER", other), ("SINGLE", single)):
        line, reason = line.replace(name, str(number)), reason.replace(name, str(number))
    good = json.dumps({"schema": 1, "best": [first]})
    with runner.open() as library, pytest.raises(AnswersRefused) as refused:
        apply_answers(library, f"{good}\n{line}".encode(), "answers.jsonl")
    (problem,) = refused.value.problems
    assert problem.line == 2
    assert reason in problem.reason
    assert runner.value("SELECT count(*) FROM asset_tag") == 0


def write_heads(folder: Path, *, closed: Sequence[int], frames: int = 4) -> None:
    folder.mkdir(parents=True)
    for number in range(frames):
        picture = Image.fromarray(head(open_eyes=number not in closed, seed=number)[..., ::-1])
        (folder / f"IMG_01{number:02}.jpg").write_bytes(jpeg(picture, 92, exif(0.2 * number, minute=1)))


def add_faces(runner: LibraryRunner, *, person: int | None = None) -> None:
    """Add the head of `drawn_eyes` to all photos, as the model of faces would."""
    known = face()
    assert known.eyes is not None
    points = np.array([*known.eyes[0], *known.eyes[1], 0.5, 0.5, 0.45, 0.6, 0.55, 0.6], "<f4").tobytes()
    box = {"x": known.x, "y": known.y, "width": known.width, "height": known.height, "landmarks": points}
    with runner.open() as library, library.database.write() as connection:
        for asset_id in connection.execute(select(asset.c.id)).scalars().all():
            row = insert(region).values(asset_id=asset_id, kind=FACE, yaw=2.0, **box)
            (region_id,) = connection.execute(row).inserted_primary_key or (0,)
            if person is not None:
                given = {"region_id": region_id, "individual_id": person, "how": "confirmed", "at": 0.0}
                connection.execute(insert(assignment).values(**given))


def test_frames_with_closed_eyes_are_not_proposed(runner: LibraryRunner, originals: Path) -> None:
    write_heads(originals, closed=[0, 2])
    runner.scan(originals)
    add_faces(runner)
    (burst,) = found(runner).bursts
    reasons = {one.photo_id: one.reason for one in burst.judged}
    assert [reasons[one] for one in numbers(runner, "0100", "0102")] == ["eyes look closed"] * 2
    assert set(best(runner, burst)) < {"0101", "0103"}
    assert "eyes open, where they look closed in 2" in reasons[numbers(runner, best(runner, burst)[0])[0]]


def test_a_page_leaves_out_bursts_of_hidden_persons_and_sensitive_ones(runner: LibraryRunner, originals: Path) -> None:
    write_heads(originals, closed=[])
    runner.scan(originals)
    with runner.open() as library, library.database.write() as connection:
        row = insert(individual).values(kind="person", name="Anna", name_key="anna", hidden=True, created_at=0.0)
        (person,) = connection.execute(row).inserted_primary_key or (0,)
    add_faces(runner, person=person)
    with runner.open() as library:
        with pytest.raises(NothingFound, match="hidden person"):
            bursts_page(library, PageRequest())
        assert bursts_page(library, PageRequest(hidden=True)).frames == 4
        add_tags(library, ["sensitive"], numbers(runner, "0101"))
        with pytest.raises(NothingFound):
            bursts_page(library, PageRequest(hidden=True))
        assert bursts_page(library, PageRequest(hidden=True, sensitive=True)).frames == 4
    assert found(runner, also=Also(hidden=True)).left_out == 1


def test_a_frame_whose_preview_is_lost_is_unknown_and_the_next_scan_makes_it(
    runner: LibraryRunner, originals: Path
) -> None:
    write_burst(originals, [SHARP, SHARP, BLURRED], minute=1)
    runner.scan(originals)
    first, second, _ = numbers(runner, "0100", "0101", "0102")
    digest = runner.value("SELECT digest FROM asset WHERE photo_id = ?", first)
    other = runner.value("SELECT digest FROM asset WHERE photo_id = ?", second)
    with runner.open() as library:
        preview_path(library.derived_folder, digest).unlink()
        preview_path(library.derived_folder, other).write_bytes(b"no picture")
    (burst,) = found(runner).bursts
    assert [one.choice for one in burst.judged] == [Choice.UNKNOWN, Choice.UNKNOWN, Choice.BEST]
    assert any(isinstance(one, Notice) and one.message.startswith("2 frames") for one in runner.events)
    runner.scan(originals)
    assert Choice.UNKNOWN not in [one.choice for one in found(runner).bursts[0].judged]


def test_stars_in_many_bursts_teach_what_counts(runner: LibraryRunner, originals: Path) -> None:
    """The user prefers a blurred frame to one without detail in its lights, which the fixed weights rank the other way."""
    for minute in range(17):
        write_burst(originals, [SHARP, BLURRED, BRIGHT], seed=100 + minute, minute=minute, size=(480, 360))
    write_burst(originals, [BRIGHT, BLURRED, BRIGHT], seed=200, minute=30, size=(480, 360))
    runner.scan(originals)
    assert best(runner, found(runner).bursts[0]) != ["3001"]
    with runner.open() as library:
        for place, stars in enumerate((5, 3, 1)):
            rated = numbers(runner, *(f"{minute:02}{place:02}" for minute in range(17)))
            facts.state(library, rated, facts.rate(stars))
    result = found(runner, limit=1)
    assert (result.weights.learned, result.weights.frames) == (True, 51)
    assert result.weights.right == pytest.approx(1.0)
    assert best(runner, result.bursts[0]) == ["3001"]
    assert result.measured == 54


def test_no_burst_gives_an_empty_result(runner: LibraryRunner, originals: Path) -> None:
    originals.mkdir()
    (originals / "a.jpg").write_bytes(jpeg(frame(1)))
    runner.scan(originals)
    assert found(runner).bursts == ()
    with runner.open() as library, pytest.raises(NothingFound):
        bursts_page(library, PageRequest())
