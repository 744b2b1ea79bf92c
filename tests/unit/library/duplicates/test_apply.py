"""A plan is applied: copies move into the trash with all that belongs to them, their words stay, and undo puts them back."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from photoindex.errors import LibraryLocked, UsageError
from photoindex.library.duplicates import file_operations
from photoindex.library.duplicates.apply import Applied, apply_plan
from photoindex.library.duplicates.trash import find_trash
from photoindex.library.lock import exclusive
from photoindex.library.maintenance.journal import undo
from photoindex.library.maintenance.prune import PruneRequest, prune
from photoindex.library.originals.roots import Roots
from photoindex.library.scan.refresh import refresh
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.words import albums as album_changes
from photoindex.library.words.facts import caption, rate, state
from photoindex.library.words.tags import add_tags
from photoindex.progress import ignore_events
from photoindex.store.journal.undo import CannotUndo
from photoindex.store.schema.tables import album, album_asset, asset_text, pair_link, volume
from photoindex.store.tasks import stale
from tests.harness import LibraryRunner
from tests.plan_house import MTIME_NS, PlanHouse
from tests.rows import library_in

KEEP, COPY = b"a good picture" * 1000, b"a small picture"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[PlanHouse]:
    with library_in(tmp_path / "library") as library:
        yield PlanHouse(library, tmp_path)


@pytest.fixture
def pair(house: PlanHouse) -> PlanHouse:
    """A photo and a smaller copy of it."""
    house.add("a.jpg", KEEP)
    house.add("dump/a.jpg", COPY)
    return house


def states(house: PlanHouse) -> dict[str, str]:
    rows = LibraryRunner(house.library.folder).rows("SELECT name, state FROM file ORDER BY id")
    return {os.fsdecode(name): state for name, state in rows}


def problems(done: Applied) -> str:
    return "\n".join(map(str, done.problems))


def found(house: PlanHouse, *query: str) -> set[int]:
    return set(matching_photo_ids(house.library, query))


PLAN = [("keep", "a.jpg"), ("remove", "dump/a.jpg")]


def test_a_copy_moves_into_the_trash_under_its_path_and_undo_puts_it_back(pair: PlanHouse) -> None:
    before = pair.files()
    done = pair.apply(PLAN)
    assert done.problems == ()
    assert sorted(pair.files()) == ["a.jpg"]
    assert pair.moved("dump/a.jpg").read_bytes() == COPY
    assert found(pair, "is:missing") == {pair.photo_of["dump/a.jpg"]}
    undone = undo(pair.library, done.entry_id)
    assert (undone.files, pair.files()) == (1, before)
    assert found(pair, "is:missing") == set()


def test_sidecars_go_along_unless_they_are_about_a_file_that_stays(house: PlanHouse) -> None:
    house.add("a.jpg", KEEP)
    for name in ("dump/b.jpg", "dump/stays.jpg"):
        house.add(name, name.encode())
    house.add_sidecar("dump/b.jpg.xmp", b"<x/>", "dump/b.jpg")
    house.add_sidecar("dump/both.xmp", b"<y/>", "dump/b.jpg", "dump/stays.jpg")
    before = house.files()
    done = house.apply([("keep", "a.jpg"), ("remove", "dump/b.jpg")])
    assert sorted(house.files()) == ["a.jpg", "dump/both.xmp", "dump/stays.jpg"]
    assert house.moved("dump/b.jpg.xmp").exists()
    assert states(house)["b.jpg.xmp"] == "missing"
    undo(house.library, done.entry_id)
    assert house.files() == before


def test_one_file_of_a_raw_and_jpeg_never_goes_alone(house: PlanHouse) -> None:
    house.add("a.jpg", KEEP)
    house.add("dump/b.jpg", COPY)
    house.add("dump/b.cr2", b"raw", of="dump/b.jpg", role="raw")
    before = house.files()
    unlisted = house.apply([("keep", "a.jpg"), ("remove", "dump/b.jpg")])
    assert problems(unlisted) == (
        "line 4: b.cr2 belongs to it and has no copy elsewhere; one file of a photo never goes alone"
    )
    lines = [("keep", "a.jpg"), ("remove", "dump/b.jpg"), ("review", "dump/b.cr2")]
    assert "b.cr2 (line 5, review) belongs to it" in problems(house.apply(lines))
    assert house.files() == before
    assert house.apply([*lines[:2], ("remove", "dump/b.cr2")]).problems == ()
    assert sorted(house.files()) == ["a.jpg"]


def test_a_copy_of_both_files_of_a_pair_may_lose_one_file_where_the_other_has_a_copy(house: PlanHouse) -> None:
    house.add("a/b.jpg", KEEP)
    house.add("a/b.cr2", b"raw", of="a/b.jpg", role="raw")
    house.add("dump/b.jpg", KEEP)
    house.add("dump/b.cr2", b"raw")
    done = house.apply([("keep", "a/b.jpg"), ("remove", "dump/b.jpg")])
    assert done.problems == ()
    assert sorted(house.files()) == ["a/b.cr2", "a/b.jpg"]


def test_a_cameras_thumbnail_goes_with_its_movie(house: PlanHouse) -> None:
    house.add("a.mp4", KEEP)
    house.add("dump/b.mp4", COPY)
    house.add("dump/b.thm", b"thumbnail", of="dump/b.mp4", role="companion")
    assert house.apply([("keep", "a.mp4"), ("remove", "dump/b.mp4")]).problems == ()
    assert sorted(house.files()) == ["a.mp4"]


def test_lines_to_review_are_never_applied(pair: PlanHouse) -> None:
    before = pair.files()
    done = pair.apply([("keep", "a.jpg"), ("review", "dump/a.jpg")])
    assert (done.entry_id, pair.files()) == (None, before)


def test_what_was_said_of_a_copy_is_said_of_the_kept_photo_until_undo(pair: PlanHouse) -> None:
    kept, copy = pair.photo_of["a.jpg"], pair.photo_of["dump/a.jpg"]
    state(pair.library, [copy], rate(4))
    state(pair.library, [copy], caption("At the lake"))
    state(pair.library, [kept], caption("By the lake"))
    add_tags(pair.library, ["animals/dog"], [copy])
    album_changes.create_album(pair.library, "Holidays", [copy])
    face = pair.rows.add_face(pair.rows.asset_of(copy), pair.rows.next_face("Anna"))
    anna = pair.rows.add_person("Anna", [face])
    done = pair.apply(PLAN)
    assert done.steps[0].carried == "rating 4, tag animals/dog, album Holidays, person Anna"
    assert found(pair, "rating:4") == found(pair, "tag:animals") == found(pair, "album:Holidays") == {kept}
    assert found(pair, "person:Anna", "By", "the", "lake") == {kept}
    undo(pair.library, done.entry_id)
    assert found(pair, "rating:4") == found(pair, "tag:animals") == found(pair, "person:Anna") == {copy}
    assert pair.rows.people()[anna] == 1


def test_a_person_is_said_to_be_on_the_face_that_the_kept_photo_has_in_the_same_place(pair: PlanHouse) -> None:
    kept, copy = pair.photo_of["a.jpg"], pair.photo_of["dump/a.jpg"]
    theirs = pair.rows.add_face(pair.rows.asset_of(copy), pair.rows.next_face("Anna"))
    same = pair.rows.add_face(pair.rows.asset_of(kept), pair.rows.next_face("Anna", cosine=0.99))
    pair.rows.add_person("Anna", [theirs])
    done = pair.apply(PLAN)
    assert pair.rows.how(same) == "confirmed"
    undo(pair.library, done.entry_id)
    assert pair.rows.how(same) is None


def test_what_a_sidecar_of_equal_bytes_says_stays_with_the_photo(house: PlanHouse) -> None:
    house.add("a.jpg", KEEP)
    house.add("takeout/a.jpg", KEEP)
    facts = {"description": "At the lake", "latitude": 47.5, "longitude": 11.25}
    house.add_sidecar("takeout/a.jpg.json", b"{}", "takeout/a.jpg", kind="takeout", **facts)
    with house.rows.writing() as connection:
        stale.resolve_later(connection, house.photo_of.values())
    with house.library.database.session() as session:
        refresh(house.library, session, Roots(house.library.database), ignore_events)
    done = house.apply([("keep", "a.jpg"), ("remove", "takeout/a.jpg")])
    assert done.steps[0].carried.startswith("caption At the lake, the position")
    assert found(house, "At", "the", "lake") == found(house, "has:gps") == {house.photo_of["a.jpg"]}


def test_equal_bytes_become_a_link_and_undo_makes_them_a_file_of_their_own(house: PlanHouse) -> None:
    house.add("a.jpg", KEEP)
    copy = house.add("dump/a.jpg", KEEP)
    os.utime(copy, ns=(MTIME_NS, MTIME_NS + 7_000_000_000))
    os.chmod(copy, 0o600)
    before = house.files()
    done = house.apply(PLAN, link=True)
    assert done.problems == ()
    assert copy.read_bytes() == KEEP
    shared = copy.samefile(house.originals / "a.jpg")
    assert shared or copy.stat().st_mtime_ns == before["dump/a.jpg"][2]  # a hard link, or a reflink
    assert house.moved("dump/a.jpg").stat().st_mtime_ns == before["dump/a.jpg"][2]
    assert set(states(house).values()) == {"present"}
    undo(house.library, done.entry_id)
    assert house.files() == before
    assert not copy.samefile(house.originals / "a.jpg")


def test_with_link_other_copies_move_as_usual(pair: PlanHouse) -> None:
    assert pair.apply(PLAN, link=True).problems == ()
    assert sorted(pair.files()) == ["a.jpg"]


def test_a_link_that_cannot_be_proved_puts_the_old_file_back(house: PlanHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    house.add("a.jpg", KEEP)
    house.add("dump/a.jpg", KEEP)
    before = house.files()

    def refuse(*_: object) -> None:
        raise OSError(errno.EMLINK, "Too many links")

    monkeypatch.setattr(file_operations, "link", refuse)
    done = house.apply(PLAN, link=True)
    assert problems(done) == "line 4: Too many links"
    assert (done.entry_id, house.files()) == (None, before)


def test_two_equal_paths_of_two_plans_do_not_collide_in_the_trash(pair: PlanHouse) -> None:
    pair.apply(PLAN)
    pair.add("dump/b.jpg", b"another")
    (pair.originals / "dump/b.jpg").rename(pair.originals / "dump/a.jpg")
    rows = LibraryRunner(pair.library.folder)
    first = rows.value("SELECT id FROM file WHERE name = 'a.jpg' AND state = 'missing'")
    with pair.rows.writing() as connection:
        connection.exec_driver_sql("DELETE FROM file WHERE id = ?", (first,))
        connection.exec_driver_sql("UPDATE file SET name = 'a.jpg' WHERE name = 'b.jpg'")
    assert pair.apply(PLAN).problems == ()
    assert pair.moved("dump/a.jpg").read_bytes() == COPY
    second = pair.trash / "2" / pair.moved("dump/a.jpg").relative_to(pair.trash)
    assert second.read_bytes() == b"another"


HEAD = "action\tgroup\tsize\tstate\tdigest\tphoto\treason\tpath"
DIGEST = "ab" * 32


def line(action: str = "keep", group: str = "1", digest: str = DIGEST, path: str = "/p/a.jpg") -> str:
    return f"{action}\t{group}\t1\tpresent\t{digest}\t1\twhy\t{path}"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([HEAD, line("delete")], "line 2: the action is 'delete', and must be keep, remove or review"),
        ([HEAD, "keep\t1\t/p/a.jpg"], "line 2: 3 columns instead of 8"),
        ([line()], "line 1: the names of the columns are missing: action, group"),
        ([HEAD, line(digest="abc")], "line 2: the digest is not 64 hexadecimal digits"),
        ([HEAD, line(group="one")], "line 2: the group is 'one', and must be a number"),
        ([HEAD, line(path="a.jpg")], "line 2: a.jpg is not an absolute path"),
        ([HEAD, line(path="/p/../q")], "line 2: /p/../q is not an absolute path"),
        ([HEAD, line(path="/p/\\q")], "line 2: invalid escape sequence"),
        ([HEAD, line("remove")], "line 2: group 1 keeps no file, so none of it can be removed"),
        ([HEAD, line(), line("remove")], "line 3: the file is already in line 2 (group 1, keep)"),
        (
            [HEAD, line(), line("remove", path="/p/b"), line("keep", "2", path="/p/b"), line("remove", "2", path="/p/c")],
            "line 4: the file is already in line 3 (group 1, remove)",
        ),
        (["# nothing"], "the plan is empty"),
    ],
)  # fmt: skip
def test_nonsense_in_a_plan_is_named_by_line_and_nothing_is_done(house: PlanHouse, lines: list[str], said: str) -> None:
    house.plan_file.write_text("\n".join(lines) + "\n")
    with pytest.raises(UsageError) as caught:
        house.check()
    assert said in str(caught.value)
    assert "nothing was changed" in str(caught.value)
    assert not house.trash.exists()


def edited(house: PlanHouse, before: str, after: str) -> str:
    """What is said of a plan with a text replaced."""
    house.plan(PLAN)
    written = house.plan_file.read_text()
    assert before in written
    house.plan_file.write_text(written.replace(before, after))
    checked = house.check()
    assert checked.units == ()
    return "\n".join(map(str, checked.problems))


def test_files_that_the_library_does_not_know_so_are_named_by_line(pair: PlanHouse) -> None:
    from blake3 import blake3

    copy, kept = blake3(COPY).hexdigest(), blake3(KEEP).hexdigest()
    assert "line 4: /etc/hosts is no photo of the library" in edited(
        pair, str(pair.originals / "dump/a.jpg"), "/etc/hosts"
    )
    assert "dump/a.jpg has another digest in the library" in edited(pair, copy, "cd" * 32)
    assert "line 4: the kept file (line 3) cannot be relied on" in edited(pair, kept, "cd" * 32)


def test_words_that_could_go_to_either_of_two_kept_photos_need_a_decision(pair: PlanHouse) -> None:
    pair.add("c.jpg", b"third")
    done = pair.apply([("keep", "a.jpg"), ("keep", "c.jpg"), ("remove", "dump/a.jpg")])
    assert "line 5: the group keeps several photos (lines 3 and 4)" in problems(done)
    assert pair.apply([*PLAN, ("keep", "c.jpg")]).problems != ()
    assert len(pair.files()) == 3


def test_a_kept_file_that_changed_or_is_gone_keeps_its_copies(pair: PlanHouse) -> None:
    pair.add("b.jpg", b"other")
    pair.add("dump/b.jpg", b"small other")
    plan = [PLAN, [("keep", "b.jpg"), ("remove", "dump/b.jpg")]]
    pair.plan(*plan)
    (pair.originals / "a.jpg").write_bytes(b"edited")
    checked = pair.check()
    assert [str(one) for one in checked.problems] == [
        f"line 4: the kept file (line 3) cannot be relied on: {pair.originals}/a.jpg has changed since the plan was made"
    ]
    assert [one.numbers for one in checked.units] == [(6,)]
    (pair.originals / "a.jpg").unlink()
    assert "a.jpg is gone" in str(pair.check().problems[0])


def test_what_changes_between_the_check_and_the_move_is_left_alone(pair: PlanHouse) -> None:
    pair.plan(PLAN)
    checked = pair.check()
    (pair.originals / "dump/a.jpg").write_bytes(b"a new one!!!!!!")
    before = pair.files()
    done = apply_plan(pair.library, checked, find_trash(pair.library, pair.trash), ignore_events)
    assert "has changed since it was checked" in problems(done)
    assert (done.entry_id, pair.files()) == (None, before)


def test_a_copy_that_another_program_has_open_for_writing_is_left_alone(pair: PlanHouse) -> None:
    with open(pair.originals / "dump/a.jpg", "ab"):
        assert "is open for writing in another program" in problems(pair.apply(PLAN))
    with open(pair.originals / "dump/a.jpg", "rb"):
        assert pair.apply(PLAN).problems == ()


def test_a_trash_on_another_disk_is_refused(pair: PlanHouse) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == pair.folder.stat().st_dev:
        pytest.skip("there is no second file system here")
    pair.plan(PLAN)
    checked = pair.check(trash=other / "photoindex-trash")
    assert "is on another disk than the trash folder" in str(checked.problems[0])
    assert not (other / "photoindex-trash").exists()


def test_a_trash_among_the_originals_must_hold_none(pair: PlanHouse) -> None:
    for folder, said in ((pair.originals, "holds originals"), (pair.library.folder / "t", "the library's own folder")):
        with pytest.raises(UsageError, match=said):
            find_trash(pair.library, folder)
    with pytest.raises(UsageError, match="there is no folder"):
        find_trash(pair.library, pair.folder / "no" / "such")


def test_a_hard_link_to_the_kept_file_is_named(house: PlanHouse) -> None:
    kept = house.add("a.jpg", KEEP)
    copy = house.add("dump/a.jpg", KEEP)
    copy.unlink()
    os.link(kept, copy)
    assert "line 4: it is the same file as the kept one" in problems(house.apply(PLAN))
    assert copy.exists()


def test_links_among_copies_free_their_bytes_once(pair: PlanHouse) -> None:
    pair.add("dump/c.jpg", COPY)
    (pair.originals / "dump/c.jpg").unlink()
    os.link(pair.originals / "dump/a.jpg", pair.originals / "dump/c.jpg")
    pair.plan(PLAN)
    assert pair.check().bytes == 0
    pair.plan([*PLAN, ("remove", "dump/c.jpg")])
    assert pair.check().bytes == len(COPY)
    assert pair.apply([*PLAN, ("remove", "dump/c.jpg")]).problems == ()
    assert sorted(pair.files()) == ["a.jpg"]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_folder_that_becomes_read_only_leaves_nothing_half_done(
    house: PlanHouse, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    house.add("a.jpg", KEEP)
    house.add("dump/b.jpg", COPY)
    house.add_sidecar("dump/b.xmp", b"<x/>", "dump/b.jpg")
    before, real, calls = house.files(), file_operations.move, [0]

    def move(path: bytes, to: bytes) -> None:
        calls[0] += 1
        if calls[0] == failing:
            raise OSError(errno.EROFS, "Read-only file system", path)
        real(path, to)

    monkeypatch.setattr(file_operations, "move", move)
    done = house.apply([("keep", "a.jpg"), ("remove", "dump/b.jpg")])
    assert "Read-only file system" in problems(done)
    assert (done.entry_id, house.files()) == (None, before)
    assert set(states(house).values()) == {"present"}
    assert LibraryRunner(house.library.folder).rows("SELECT * FROM file_move, journal") == []


def test_two_plans_are_not_applied_at_once(pair: PlanHouse) -> None:
    with exclusive(pair.library.folder, "duplicates apply"), pytest.raises(LibraryLocked):
        pair.apply(PLAN)
    assert len(pair.files()) == 2


def test_an_undo_that_would_overwrite_a_file_changes_nothing(pair: PlanHouse) -> None:
    pair.add("dump/b.jpg", b"another")
    done = pair.apply([*PLAN, ("remove", "dump/b.jpg")])
    (pair.originals / "dump/a.jpg").write_bytes(b"new here")
    before = pair.files()
    with pytest.raises(CannotUndo, match="another file is at"):
        undo(pair.library, done.entry_id)
    assert pair.files() == before
    (pair.originals / "dump/a.jpg").unlink()
    pair.moved("dump/a.jpg").unlink()
    with pytest.raises(CannotUndo, match="is gone, or has changed"):
        undo(pair.library, done.entry_id, dry_run=True)


def test_what_was_said_since_stays_when_files_come_back(pair: PlanHouse) -> None:
    kept, copy = pair.photo_of["a.jpg"], pair.photo_of["dump/a.jpg"]
    state(pair.library, [copy], rate(4))
    done = pair.apply(PLAN)
    state(pair.library, [kept], rate(2))
    undo(pair.library, done.entry_id)
    assert (found(pair, "rating:2"), found(pair, "rating:4")) == ({kept}, {copy})


def test_files_come_back_though_the_library_forgot_them(pair: PlanHouse) -> None:
    before = pair.files()
    done = pair.apply(PLAN)
    pruned = prune(pair.library, PruneRequest(), ignore_events)
    undone = undo(pair.library, done.entry_id)
    assert (undone.files, pair.files()) == (1, before)
    with pytest.raises(CannotUndo, match="to move them again, apply the plan again"):
        undo(pair.library, undone.undone_by)
    assert undo(pair.library, pruned.entry_id).rows > 0


def test_a_copy_whose_link_was_edited_is_not_overwritten_by_undo(house: PlanHouse) -> None:
    house.add("a.jpg", KEEP)
    copy = house.add("dump/a.jpg", KEEP)
    done = house.apply(PLAN, link=True)
    copy.unlink()
    copy.write_bytes(b"edited")
    with pytest.raises(CannotUndo, match="another file is at"):
        undo(house.library, done.entry_id)
    assert copy.read_bytes() == b"edited"


def test_a_live_photo_goes_together_though_its_movie_lies_elsewhere(house: PlanHouse) -> None:
    house.add("a.heic", KEEP)
    house.add("one/b.heic", COPY)
    house.add("two/b.mov", b"movie", of="one/b.heic", role="movie")
    rows = LibraryRunner(house.library.folder)
    folder_id = rows.value("SELECT folder_id FROM file WHERE name = 'b.mov'")
    picture, movie = (rows.value("SELECT asset_id FROM file WHERE name = ?", name) for name in ("b.heic", "b.mov"))
    with house.rows.writing() as connection:
        link = {"asset_id": movie, "other_asset_id": picture, "kind": "live_across", "why": "their identifier"}
        connection.execute(insert(pair_link).values(folder_id=folder_id, **link))
    lines = [("keep", "a.heic"), ("remove", "one/b.heic")]
    assert "b.mov belongs to it" in problems(house.apply(lines))
    assert house.apply([*lines, ("remove", "two/b.mov")]).problems == ()
    assert sorted(house.files()) == ["a.heic"]


def test_albums_of_an_export_and_captions_of_models_go_over_too(pair: PlanHouse) -> None:
    kept, copy = pair.photo_of["a.jpg"], pair.photo_of["dump/a.jpg"]
    with pair.rows.writing() as connection:
        row = {"kind": "takeout", "name": "Summer", "name_key": "summer", "origin": "1:/dump", "created_at": 0.0}
        album_id = connection.execute(insert(album).values(row)).inserted_primary_key[0]
        place = {"album_id": album_id, "asset_id": pair.rows.asset_of(copy), "position": 1.0, "at": 0.0}
        connection.execute(insert(album_asset).values(place))
        text = {"kind": "caption", "variant_id": pair.rows.variant_id, "text": "a wooden boat", "at": 0.0}
        connection.execute(insert(asset_text).values(asset_id=pair.rows.asset_of(copy), **text))
    done = pair.apply(PLAN)
    assert done.steps[0].carried == "album Summer, the caption of a model"
    assert found(pair, "album:Summer") == found(pair, "wooden") == {kept}
    undo(pair.library, done.entry_id)
    assert found(pair, "album:Summer") == {copy}
    assert [one.kind for one in album_changes.list_albums(pair.library)] == ["takeout"]


def test_a_file_system_that_shares_blocks_gets_a_clone_with_the_old_times_and_mode(
    house: PlanHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add("a.jpg", KEEP)
    copy = house.add("dump/a.jpg", KEEP)
    os.chmod(copy, 0o600)
    before = house.files()

    def clone(target: int, request: int, source: int) -> int:
        """What FICLONE does, with bytes of its own."""
        assert request == 0x40049409
        os.write(target, os.pread(source, len(KEEP), 0))
        return 0

    monkeypatch.setattr(fcntl, "ioctl", clone)
    done = house.apply(PLAN, link=True)
    assert house.files() == before
    assert not copy.samefile(house.originals / "a.jpg")
    assert house.moved("dump/a.jpg").exists()
    assert undo(house.library, done.entry_id).files == 1
    assert (house.files(), house.moved("dump/a.jpg").exists()) == (before, False)


def test_a_symbolic_link_and_a_volume_that_is_away_are_named(pair: PlanHouse) -> None:
    pair.plan(PLAN)
    copy = pair.originals / "dump/a.jpg"
    copy.rename(copy.with_name("real.jpg"))
    copy.symlink_to("real.jpg")
    assert "is a symbolic link" in str(pair.check().problems[0])
    with pair.rows.writing() as connection:
        connection.execute(update(volume).values(identity="nfs:server:/away"))
    assert "is not mounted" in str(pair.check().problems[0])


def test_a_trash_that_the_settings_let_scans_into_is_refused(pair: PlanHouse) -> None:
    pair.rows.add_root(pair.folder, excludes=["!*"])
    with pytest.raises(UsageError, match="scans would find the copies there again"):
        pair.apply(PLAN)
    assert len(pair.files()) == 2
