"""Splitting and joining: the user's decisions override the rules, persist, and can be undone as a whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from photoindex.config.schema import Config
from photoindex.errors import UsageError
from photoindex.library.backup.backup import BackupRequest, backup
from photoindex.library.backup.restore import RestoreRequest, restore
from photoindex.library.maintenance.journal import undo
from photoindex.library.photos.pair_explanation import ExplainedPhoto, explain_pairs
from photoindex.library.photos.pairs import PairsChanged, join, split
from photoindex.library.search.targets import choose_targets
from tests.harness import LibraryRunner
from tests.originals import jpeg, write_photo
from tests.pairing_files import write_raw, write_still

Photos = set[frozenset[str]]


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    return tmp_path / "originals"


@pytest.fixture
def runner(originals: Path, library_folder: Path) -> LibraryRunner:
    """A RAW with its picture and an edit, a RAW with its picture, and two unpaired pictures of one name; scanned."""
    write_raw(originals / "IMG_1.dng", 1)
    write_still(originals / "IMG_1.jpg", 2)
    write_still(originals / "IMG_1-edited.jpg", 3)
    write_raw(originals / "IMG_2.dng", 4)
    write_still(originals / "IMG_2.jpg", 5)
    write_photo(originals / "c.jpg", 6, taken="2012:01:01 00:00:00")
    write_photo(originals / "C.jpeg", 7, taken="2015:01:01 00:00:00")
    kept = LibraryRunner(library_folder)
    kept.scan(originals)
    assert photos(kept) == AS_SCANNED
    return kept


FIRST = frozenset({"IMG_1.dng", "IMG_1.jpg", "IMG_1-edited.jpg"})
SECOND = frozenset({"IMG_2.dng", "IMG_2.jpg"})
LONE = {frozenset({"c.jpg"}), frozenset({"C.jpeg"})}
AS_SCANNED = {FIRST, SECOND, *LONE}


def photos(runner: LibraryRunner) -> Photos:
    """Every photo as the names of its present files; every photo has one primary content."""
    found: dict[int, set[str]] = {}
    rows = runner.rows(
        "SELECT a.photo_id, f.name FROM file f JOIN asset a ON a.id = f.asset_id WHERE f.state = 'present'"
    )
    for photo_id, name in rows:
        found.setdefault(photo_id, set()).add(name)
    leading = runner.rows("SELECT photo_id, count(*) FROM asset WHERE role = 'primary' GROUP BY photo_id")
    assert dict(leading) == {photo_id: 1 for (photo_id,) in runner.rows("SELECT id FROM photo")}
    return {frozenset(names) for names in found.values()}


def split_photos(runner: LibraryRunner, *words: str | Path, dry_run: bool = False) -> PairsChanged:
    with runner.open() as library:
        return split(library, choose_targets(library, [os.fspath(word) for word in words]), dry_run=dry_run)


def join_photos(runner: LibraryRunner, *words: str | Path, dry_run: bool = False) -> PairsChanged:
    with runner.open() as library:
        return join(library, choose_targets(library, [os.fspath(word) for word in words]), dry_run=dry_run)


def undo_entry(runner: LibraryRunner, entry: int | None = None) -> int:
    with runner.open() as library:
        undone = undo(library, entry).undone_by
    assert undone is not None
    return undone


def explained(runner: LibraryRunner, *words: str | Path) -> list[ExplainedPhoto]:
    with runner.open() as library:
        return list(explain_pairs(library, choose_targets(library, [os.fspath(word) for word in words]).photo_ids))


def alone(*names: str) -> Photos:
    return {frozenset({name}) for name in names}


def test_a_split_file_leaves_its_photo_and_the_others_stay_together(runner: LibraryRunner, originals: Path) -> None:
    # The rules link the RAW and the edit only via this picture.
    done = split_photos(runner, originals / "IMG_1.jpg")
    assert photos(runner) == {frozenset({"IMG_1.dng", "IMG_1-edited.jpg"}), *alone("IMG_1.jpg"), SECOND, *LONE}
    assert (done.before, len(done.photos)) == (1, 2)


def test_a_query_splits_all_its_photos(runner: LibraryRunner) -> None:
    done = split_photos(runner, "name:IMG_*")
    assert photos(runner) == {*alone(*FIRST, *SECOND), *LONE}
    assert (done.before, len(done.photos)) == (2, 5)


def test_splitting_a_photo_with_one_content_says_so_and_changes_nothing(runner: LibraryRunner, originals: Path) -> None:
    done = split_photos(runner, originals / "c.jpg")
    assert (done.entry_id, [one.why for one in done.skipped]) == (None, ["it has only one content"])
    assert runner.value("SELECT count(*) FROM journal") == 0


def test_the_photos_of_all_named_files_become_one(runner: LibraryRunner, originals: Path) -> None:
    join_photos(runner, originals / "IMG_1.dng", originals / "IMG_2.jpg", originals / "c.jpg")
    assert photos(runner) == {FIRST | SECOND | {"c.jpg"}, *alone("C.jpeg")}


def test_a_query_joins_photos_with_the_same_stem_in_the_same_folder(runner: LibraryRunner, originals: Path) -> None:
    split_photos(runner, originals)
    write_photo(originals / "sub" / "IMG_1.jpeg", 9)
    runner.scan()
    done = join_photos(runner, "ext:jpg,jpeg,dng")
    together = {frozenset({"IMG_1.dng", "IMG_1.jpg"}), frozenset({"c.jpg", "C.jpeg"}), SECOND}
    assert photos(runner) == {*together, *alone("IMG_1-edited.jpg", "IMG_1.jpeg")}
    assert {one.why for one in done.skipped} == {"none of the other photos has its name"}


def test_joining_needs_two_files_of_two_photos(runner: LibraryRunner, originals: Path) -> None:
    with pytest.raises(UsageError, match="not enough to join"):
        join_photos(runner, originals / "c.jpg")
    done = join_photos(runner, originals / "IMG_2.dng", originals / "IMG_2.jpg")
    assert (done.entry_id, [one.why for one in done.skipped]) == (None, ["these files are already one photo"])


def test_split_photos_can_be_joined_again_and_vice_versa(runner: LibraryRunner, originals: Path) -> None:
    pair = (originals / "IMG_2.dng", originals / "IMG_2.jpg")
    for _ in range(2):
        split_photos(runner, pair[0])
        assert SECOND not in photos(runner)
        join_photos(runner, *pair)
        assert photos(runner) == AS_SCANNED
    lone = (originals / "c.jpg", originals / "C.jpeg")
    for _ in range(2):
        join_photos(runner, *lone)
        assert frozenset({"c.jpg", "C.jpeg"}) in photos(runner)
        split_photos(runner, lone[1])
        assert photos(runner) == AS_SCANNED


def test_undo_restores_the_photos_and_redo_changes_them_again(runner: LibraryRunner, originals: Path) -> None:
    split_photos(runner, "name:IMG_*")
    split_up = photos(runner)
    redo = undo_entry(runner)
    assert photos(runner) == AS_SCANNED
    undo_entry(runner, redo)
    assert photos(runner) == split_up
    join_photos(runner, *(originals / name for name in ("IMG_1.dng", "IMG_2.dng", "c.jpg")))
    one = photos(runner)
    redo = undo_entry(runner)
    assert photos(runner) == split_up
    undo_entry(runner, redo)
    assert photos(runner) == one


def test_a_dry_run_predicts_the_result_and_changes_nothing(runner: LibraryRunner, originals: Path) -> None:
    for change, words in (
        (split_photos, (originals / "IMG_1.jpg",)),
        (join_photos, (originals / "c.jpg", originals / "C.jpeg")),
    ):
        before = (photos(runner), runner.rows("SELECT * FROM pair_decision"), runner.rows("SELECT * FROM asset"))
        foreseen = change(runner, *words, dry_run=True)
        assert foreseen.entry_id is None
        assert before == (
            photos(runner),
            runner.rows("SELECT * FROM pair_decision"),
            runner.rows("SELECT * FROM asset"),
        )
        done = change(runner, *words)
        assert [made.contents for made in done.photos] == [made.contents for made in foreseen.photos]


@pytest.mark.parametrize("change", ["split", "join"])
def test_a_decision_survives_rescan_rename_move_edit_and_restore(
    runner: LibraryRunner, originals: Path, tmp_path: Path, change: str
) -> None:
    """`one` and `two` are paired by the rules and split by the user, or vice versa."""
    names = ("IMG_2.dng", "IMG_2.jpg") if change == "split" else ("c.jpg", "C.jpeg")
    one, two = (originals / name for name in names)
    split_photos(runner, one) if change == "split" else join_photos(runner, one, two)

    def holds(kept: LibraryRunner, *paths: Path) -> bool:
        found = photos(kept)
        whole = frozenset(path.name for path in paths)
        return whole in found if change == "join" else alone(*whole) <= found

    runner.scan()
    assert holds(runner, one, two)
    one, two = (path.rename(path.with_stem("IMG_7")) for path in (one, two))
    runner.scan()
    assert holds(runner, one, two)
    other = tmp_path / "other root"
    other.mkdir()
    one, two = (path.rename(other / path.name) for path in (one, two))
    runner.scan(originals, other)
    assert holds(runner, one, two)
    # Either of the two may be the primary content.
    for seed, path in enumerate((two, one), 88):
        path.write_bytes(jpeg(seed, taken="2019:06:01 12:00:00", camera="Photoindex Test Camera"))
        runner.scan()
        assert holds(runner, one, two)
    with runner.open() as library:
        made = backup(library, BackupRequest(tmp_path / "snapshots", initialise=True))
    restore(Config(), RestoreRequest(made.snapshot.path, tmp_path / "again"))
    again = LibraryRunner(tmp_path / "again")
    assert holds(again, one, two)
    again.scan()
    assert holds(again, one, two)


def test_a_decision_on_an_earlier_content_is_overridden_by_a_new_one(runner: LibraryRunner, originals: Path) -> None:
    one, two = originals / "IMG_2.dng", originals / "IMG_2.jpg"
    first = two.read_bytes()
    split_photos(runner, one)
    write_still(two, 91)
    runner.scan()
    assert SECOND not in photos(runner)
    join_photos(runner, one, two)
    assert SECOND in photos(runner)
    two.write_bytes(first)
    runner.scan()
    split_photos(runner, two)
    assert SECOND not in photos(runner)
    join_photos(runner, one, two)
    assert SECOND in photos(runner)


def test_why_files_are_one_photo_is_explained_link_by_link(runner: LibraryRunner, originals: Path) -> None:
    (photo,) = explained(runner, originals / "IMG_2.jpg")
    by_role = {content.role: content for content in photo.contents}
    assert by_role["primary"].paths == (os.fsencode(originals / "IMG_2.jpg"),)
    assert by_role["raw"].why is not None
    assert "have the same name" in by_role["raw"].why
    assert photo.candidates == ()


def test_why_files_are_not_one_photo_is_explained_too(runner: LibraryRunner, originals: Path) -> None:
    (photo,) = explained(runner, originals / "c.jpg")
    (candidate,) = photo.candidates
    assert candidate.path == os.fsencode(originals / "C.jpeg")
    assert "no rule joins two files of the same kind" in candidate.why


def test_a_users_decision_is_explained_with_its_date(runner: LibraryRunner, originals: Path) -> None:
    split_photos(runner, originals / "IMG_2.jpg")
    (photo,) = explained(runner, originals / "IMG_2.jpg")
    (printed,) = photo.decisions
    assert (printed.together, {printed.path, printed.other_path}) == (
        False,
        {os.fsencode(originals / name) for name in SECOND},
    )
    assert [candidate.why for candidate in photo.candidates] == ["split by hand"]
    join_photos(runner, originals / "c.jpg", originals / "C.jpeg")
    (photo,) = explained(runner, originals / "c.jpg")
    assert [content.why for content in photo.contents] == [None, "joined by hand"]


def test_a_decision_on_an_edited_file_is_explained_with_the_current_file(
    runner: LibraryRunner, originals: Path
) -> None:
    join_photos(runner, originals / "c.jpg", originals / "C.jpeg")
    split_photos(runner, originals / "IMG_2.dng")
    for name, seed in (("c.jpg", 31), ("C.jpeg", 32), ("IMG_2.jpg", 33)):
        path = originals / name
        path.write_bytes(jpeg(seed, taken="2016:01:01 00:00:00"))
        runner.scan()
    (one,) = explained(runner, originals / "c.jpg")
    both = {os.fsencode(originals / "c.jpg"), os.fsencode(originals / "C.jpeg")}
    assert [({printed.path, printed.other_path}, printed.together) for printed in one.decisions] == [(both, True)]
    both = {os.fsencode(originals / "IMG_2.dng"), os.fsencode(originals / "IMG_2.jpg")}
    for name in ("IMG_2.dng", "IMG_2.jpg"):
        (one,) = explained(runner, originals / name)
        assert [({printed.path, printed.other_path}, printed.together) for printed in one.decisions] == [(both, False)]


def test_a_decision_on_a_replaced_content_is_explained_once(runner: LibraryRunner, originals: Path) -> None:
    lone = (originals / "c.jpg", originals / "C.jpeg")
    join_photos(runner, *lone)
    lone[0].write_bytes(jpeg(31, taken="2016:01:01 00:00:00"))
    runner.scan()
    split_photos(runner, lone[0])
    (one,) = explained(runner, lone[0])
    assert [printed.together for printed in one.decisions] == [False]


def test_sidecars_and_bursts_are_explained(runner: LibraryRunner, originals: Path) -> None:
    (originals / "c.jpg.xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
    )
    for number in range(1, 4):
        write_photo(originals / f"0000{number}IMG_0000{number}_BURST20190601120000123.jpg", 20 + number)
    runner.scan()
    (photo,) = explained(runner, originals / "c.jpg")
    assert [(one.kind, one.path) for one in photo.sidecars] == [("xmp", os.fsencode(originals / "c.jpg.xmp"))]
    assert photo.sidecars[0].why
    photo, *others = explained(runner, "name:*BURST*")
    assert photo.burst == tuple(other.photo_id for other in others)
    assert len(others) == 2


def test_a_shot_that_leaves_its_photo_is_in_its_burst_at_once(runner: LibraryRunner, originals: Path) -> None:
    shots = [originals / f"0000{number}IMG_0000{number}_BURST20190601120000123.jpg" for number in range(1, 4)]
    for number, shot in enumerate(shots, 21):
        write_photo(shot, number)
    runner.scan()
    join_photos(runner, *shots[:2])
    split_photos(runner, shots[1])
    bursts = dict(runner.rows("SELECT id, burst FROM photo WHERE burst IS NOT NULL"))
    assert (len(bursts), len(set(bursts.values()))) == (3, 1)
    assert runner.value("SELECT count(*) FROM folder WHERE unrelated") == 0
