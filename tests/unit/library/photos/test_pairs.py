"""Splitting and joining: what a person says of files stands above the rules, lasts, and can be taken back as a whole."""

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
from tests.harness import Keeper
from tests.originals import jpeg, write_photo
from tests.pairing_files import write_raw, write_still

Photos = set[frozenset[str]]


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    return tmp_path / "originals"


@pytest.fixture
def keeper(originals: Path, library_folder: Path) -> Keeper:
    """A RAW with its picture and an edit of it, a RAW with its picture, and two lone pictures of one name; scanned."""
    write_raw(originals / "IMG_1.dng", 1)
    write_still(originals / "IMG_1.jpg", 2)
    write_still(originals / "IMG_1-edited.jpg", 3)
    write_raw(originals / "IMG_2.dng", 4)
    write_still(originals / "IMG_2.jpg", 5)
    write_photo(originals / "c.jpg", 6, taken="2012:01:01 00:00:00")
    write_photo(originals / "C.jpeg", 7, taken="2015:01:01 00:00:00")
    kept = Keeper(library_folder)
    kept.scan(originals)
    assert photos(kept) == AS_SCANNED
    return kept


FIRST = frozenset({"IMG_1.dng", "IMG_1.jpg", "IMG_1-edited.jpg"})
SECOND = frozenset({"IMG_2.dng", "IMG_2.jpg"})
LONE = {frozenset({"c.jpg"}), frozenset({"C.jpeg"})}
AS_SCANNED = {FIRST, SECOND, *LONE}


def photos(keeper: Keeper) -> Photos:
    """Every photo as the names of its present files; every photo has one content that stands for it."""
    found: dict[int, set[str]] = {}
    rows = keeper.rows(
        "SELECT a.photo_id, f.name FROM file f JOIN asset a ON a.id = f.asset_id WHERE f.state = 'present'"
    )
    for photo_id, name in rows:
        found.setdefault(photo_id, set()).add(name)
    leading = keeper.rows("SELECT photo_id, count(*) FROM asset WHERE role = 'primary' GROUP BY photo_id")
    assert dict(leading) == {photo_id: 1 for (photo_id,) in keeper.rows("SELECT id FROM photo")}
    return {frozenset(names) for names in found.values()}


def taken_apart(keeper: Keeper, *words: str | Path, dry_run: bool = False) -> PairsChanged:
    with keeper.open() as library:
        return split(library, choose_targets(library, [os.fspath(word) for word in words]), dry_run=dry_run)


def joined(keeper: Keeper, *words: str | Path, dry_run: bool = False) -> PairsChanged:
    with keeper.open() as library:
        return join(library, choose_targets(library, [os.fspath(word) for word in words]), dry_run=dry_run)


def undo_entry(keeper: Keeper, entry: int | None = None) -> int:
    with keeper.open() as library:
        undone = undo(library, entry).undone_by
    assert undone is not None
    return undone


def explained(keeper: Keeper, *words: str | Path) -> list[ExplainedPhoto]:
    with keeper.open() as library:
        return list(explain_pairs(library, choose_targets(library, [os.fspath(word) for word in words]).photo_ids))


def alone(*names: str) -> Photos:
    return {frozenset({name}) for name in names}


def test_a_file_that_is_split_leaves_and_the_others_stay_together(keeper: Keeper, originals: Path) -> None:
    # The rules hold the RAW and the edit together through this picture alone.
    done = taken_apart(keeper, originals / "IMG_1.jpg")
    assert photos(keeper) == {frozenset({"IMG_1.dng", "IMG_1-edited.jpg"}), *alone("IMG_1.jpg"), SECOND, *LONE}
    assert (done.before, len(done.made)) == (1, 2)


def test_a_query_takes_all_its_photos_apart(keeper: Keeper) -> None:
    done = taken_apart(keeper, "name:IMG_*")
    assert photos(keeper) == {*alone(*FIRST, *SECOND), *LONE}
    assert (done.before, len(done.made)) == (2, 5)


def test_splitting_what_is_alone_says_so_and_changes_nothing(keeper: Keeper, originals: Path) -> None:
    done = taken_apart(keeper, originals / "c.jpg")
    assert (done.entry_id, [one.why for one in done.passed]) == (None, ["it is one content alone already"])
    assert keeper.value("SELECT count(*) FROM journal") == 0


def test_the_photos_of_all_named_files_become_one(keeper: Keeper, originals: Path) -> None:
    joined(keeper, originals / "IMG_1.dng", originals / "IMG_2.jpg", originals / "c.jpg")
    assert photos(keeper) == {FIRST | SECOND | {"c.jpg"}, *alone("C.jpeg")}


def test_a_query_joins_what_has_one_name_in_one_folder(keeper: Keeper, originals: Path) -> None:
    taken_apart(keeper, originals)
    write_photo(originals / "sub" / "IMG_1.jpeg", 9)
    keeper.scan()
    done = joined(keeper, "ext:jpg,jpeg,dng")
    together = {frozenset({"IMG_1.dng", "IMG_1.jpg"}), frozenset({"c.jpg", "C.jpeg"}), SECOND}
    assert photos(keeper) == {*together, *alone("IMG_1-edited.jpg", "IMG_1.jpeg")}
    assert {one.why for one in done.passed} == {"no other photo of these has its name"}


def test_joining_takes_two_files_of_two_photos(keeper: Keeper, originals: Path) -> None:
    with pytest.raises(UsageError, match="cannot be joined"):
        joined(keeper, originals / "c.jpg")
    done = joined(keeper, originals / "IMG_2.dng", originals / "IMG_2.jpg")
    assert (done.entry_id, [one.why for one in done.passed]) == (None, ["these files are one photo already"])


def test_what_was_split_can_be_joined_again_and_the_other_way_round(keeper: Keeper, originals: Path) -> None:
    pair = (originals / "IMG_2.dng", originals / "IMG_2.jpg")
    for _ in range(2):
        taken_apart(keeper, pair[0])
        assert SECOND not in photos(keeper)
        joined(keeper, *pair)
        assert photos(keeper) == AS_SCANNED
    lone = (originals / "c.jpg", originals / "C.jpeg")
    for _ in range(2):
        joined(keeper, *lone)
        assert frozenset({"c.jpg", "C.jpeg"}) in photos(keeper)
        taken_apart(keeper, lone[1])
        assert photos(keeper) == AS_SCANNED


def test_undo_restores_the_photos_and_redo_changes_them_again(keeper: Keeper, originals: Path) -> None:
    taken_apart(keeper, "name:IMG_*")
    split_up = photos(keeper)
    redo = undo_entry(keeper)
    assert photos(keeper) == AS_SCANNED
    undo_entry(keeper, redo)
    assert photos(keeper) == split_up
    joined(keeper, *(originals / name for name in ("IMG_1.dng", "IMG_2.dng", "c.jpg")))
    one = photos(keeper)
    redo = undo_entry(keeper)
    assert photos(keeper) == split_up
    undo_entry(keeper, redo)
    assert photos(keeper) == one


def test_what_is_foreseen_is_what_comes_and_nothing_is_changed(keeper: Keeper, originals: Path) -> None:
    for change, words in (
        (taken_apart, (originals / "IMG_1.jpg",)),
        (joined, (originals / "c.jpg", originals / "C.jpeg")),
    ):
        before = (photos(keeper), keeper.rows("SELECT * FROM pair_decision"), keeper.rows("SELECT * FROM asset"))
        foreseen = change(keeper, *words, dry_run=True)
        assert foreseen.entry_id is None
        assert before == (
            photos(keeper),
            keeper.rows("SELECT * FROM pair_decision"),
            keeper.rows("SELECT * FROM asset"),
        )
        done = change(keeper, *words)
        assert [made.contents for made in done.made] == [made.contents for made in foreseen.made]


@pytest.mark.parametrize("change", ["split", "join"])
def test_a_decision_lasts_through_rescan_rename_move_edit_and_restore(
    keeper: Keeper, originals: Path, tmp_path: Path, change: str
) -> None:
    """`one` and `two` are what the rules join and a person split, or the other way round."""
    names = ("IMG_2.dng", "IMG_2.jpg") if change == "split" else ("c.jpg", "C.jpeg")
    one, two = (originals / name for name in names)
    taken_apart(keeper, one) if change == "split" else joined(keeper, one, two)

    def holds(kept: Keeper, *paths: Path) -> bool:
        found = photos(kept)
        whole = frozenset(path.name for path in paths)
        return whole in found if change == "join" else alone(*whole) <= found

    keeper.scan()
    assert holds(keeper, one, two)
    one, two = (path.rename(path.with_stem("IMG_7")) for path in (one, two))
    keeper.scan()
    assert holds(keeper, one, two)
    other = tmp_path / "other root"
    other.mkdir()
    one, two = (path.rename(other / path.name) for path in (one, two))
    keeper.scan(originals, other)
    assert holds(keeper, one, two)
    # Whichever of the two stands for the photo.
    for seed, path in enumerate((two, one), 88):
        path.write_bytes(jpeg(seed, taken="2019:06:01 12:00:00", camera="Photoindex Test Camera"))
        keeper.scan()
        assert holds(keeper, one, two)
    with keeper.open() as library:
        made = backup(library, BackupRequest(tmp_path / "snapshots"))
    restore(Config(), RestoreRequest(made.snapshot.path, tmp_path / "again"))
    again = Keeper(tmp_path / "again")
    assert holds(again, one, two)
    again.scan()
    assert holds(again, one, two)


def test_a_decision_about_an_earlier_content_gives_way_to_a_new_one(keeper: Keeper, originals: Path) -> None:
    one, two = originals / "IMG_2.dng", originals / "IMG_2.jpg"
    first = two.read_bytes()
    taken_apart(keeper, one)
    write_still(two, 91)
    keeper.scan()
    assert SECOND not in photos(keeper)
    joined(keeper, one, two)
    assert SECOND in photos(keeper)
    two.write_bytes(first)
    keeper.scan()
    taken_apart(keeper, two)
    assert SECOND not in photos(keeper)
    joined(keeper, one, two)
    assert SECOND in photos(keeper)


def test_what_is_one_photo_is_explained_link_by_link(keeper: Keeper, originals: Path) -> None:
    (photo,) = explained(keeper, originals / "IMG_2.jpg")
    by_role = {content.role: content for content in photo.contents}
    assert by_role["primary"].paths == (os.fsencode(originals / "IMG_2.jpg"),)
    assert by_role["raw"].why is not None
    assert "have the same name" in by_role["raw"].why
    assert photo.candidates == ()


def test_what_is_not_one_photo_is_explained_too(keeper: Keeper, originals: Path) -> None:
    (photo,) = explained(keeper, originals / "c.jpg")
    (candidate,) = photo.candidates
    assert candidate.path == os.fsencode(originals / "C.jpeg")
    assert "no rule joins two files of the same kind" in candidate.why


def test_what_a_person_said_is_explained_with_its_date(keeper: Keeper, originals: Path) -> None:
    taken_apart(keeper, originals / "IMG_2.jpg")
    (photo,) = explained(keeper, originals / "IMG_2.jpg")
    (said,) = photo.decisions
    assert (said.together, {said.path, said.other_path}) == (
        False,
        {os.fsencode(originals / name) for name in SECOND},
    )
    assert [candidate.why for candidate in photo.candidates] == ["split by hand"]
    joined(keeper, originals / "c.jpg", originals / "C.jpeg")
    (photo,) = explained(keeper, originals / "c.jpg")
    assert [content.why for content in photo.contents] == [None, "joined by hand"]


def test_what_a_person_said_of_an_edited_file_is_explained_with_the_file_as_it_is(
    keeper: Keeper, originals: Path
) -> None:
    joined(keeper, originals / "c.jpg", originals / "C.jpeg")
    taken_apart(keeper, originals / "IMG_2.dng")
    for name, seed in (("c.jpg", 31), ("C.jpeg", 32), ("IMG_2.jpg", 33)):
        path = originals / name
        path.write_bytes(jpeg(seed, taken="2016:01:01 00:00:00"))
        keeper.scan()
    (one,) = explained(keeper, originals / "c.jpg")
    both = {os.fsencode(originals / "c.jpg"), os.fsencode(originals / "C.jpeg")}
    assert [({said.path, said.other_path}, said.together) for said in one.decisions] == [(both, True)]
    both = {os.fsencode(originals / "IMG_2.dng"), os.fsencode(originals / "IMG_2.jpg")}
    for name in ("IMG_2.dng", "IMG_2.jpg"):
        (one,) = explained(keeper, originals / name)
        assert [({said.path, said.other_path}, said.together) for said in one.decisions] == [(both, False)]


def test_a_decision_about_an_earlier_content_that_another_took_over_is_explained_once(
    keeper: Keeper, originals: Path
) -> None:
    lone = (originals / "c.jpg", originals / "C.jpeg")
    joined(keeper, *lone)
    lone[0].write_bytes(jpeg(31, taken="2016:01:01 00:00:00"))
    keeper.scan()
    taken_apart(keeper, lone[0])
    (one,) = explained(keeper, lone[0])
    assert [said.together for said in one.decisions] == [False]


def test_sidecars_and_bursts_are_explained(keeper: Keeper, originals: Path) -> None:
    (originals / "c.jpg.xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
    )
    for number in range(1, 4):
        write_photo(originals / f"0000{number}IMG_0000{number}_BURST20190601120000123.jpg", 20 + number)
    keeper.scan()
    (photo,) = explained(keeper, originals / "c.jpg")
    assert [(one.kind, one.path) for one in photo.sidecars] == [("xmp", os.fsencode(originals / "c.jpg.xmp"))]
    assert photo.sidecars[0].why
    photo, *others = explained(keeper, "name:*BURST*")
    assert photo.burst == tuple(other.photo_id for other in others)
    assert len(others) == 2


def test_a_shot_that_leaves_its_photo_is_in_its_burst_at_once(keeper: Keeper, originals: Path) -> None:
    shots = [originals / f"0000{number}IMG_0000{number}_BURST20190601120000123.jpg" for number in range(1, 4)]
    for number, shot in enumerate(shots, 21):
        write_photo(shot, number)
    keeper.scan()
    joined(keeper, *shots[:2])
    taken_apart(keeper, shots[1])
    bursts = dict(keeper.rows("SELECT id, burst FROM photo WHERE burst IS NOT NULL"))
    assert (len(bursts), len(set(bursts.values()))) == (3, 1)
    assert keeper.value("SELECT count(*) FROM folder WHERE unrelated") == 0
