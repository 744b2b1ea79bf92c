"""What commands that read and change the records promise: why, show, log, undo, saved, pair, time, prune, sql, search."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.promises.house import House, promises
from tests.command_line import run_on_terminal
from tests.conftest import REPOSITORY
from tests.fault import faulty
from tests.originals import jpeg, write_photo

PHOTOS = "SELECT count(*) FROM photo"


def terminal(*argv: str | os.PathLike[str], answer: bytes = b"") -> str:
    """Run a command on a terminal and return what it shows."""
    return run_on_terminal(*argv, answer=answer).out.decode().replace("\r\n", "\n")


WHY = "photoindex why {}"
SCAN_FILE = "photoindex scan {}"


@promises(
    "{} is not in the library; see: photoindex why {}",
    "{} is in the library, but it is not a photo; see: photoindex why {}",
    SCAN_FILE,
)
@pytest.mark.parametrize("name", ["it's new.jpg", "bytes \udcff.jpg", "new\nline.jpg"])
def test_why_tells_of_a_file_that_is_unknown_and_a_scan_takes_it(scanned: House, name: str) -> None:
    new = write_photo(scanned.photos / name, 8)
    for command in (["show", new], ["time", "set", "--yes", "--to", "2020", new]):
        said = scanned.run(*command, code=11)
        why = scanned.follow("{} is not in the library; see: photoindex why {}", said, code=11)
        assert "no scan has seen it yet" in why
    scanned.follow(SCAN_FILE, why)
    assert "it was ingested" in scanned.run("why", new)
    note = scanned.photos / "note.txt"
    note.write_text("not a photo")
    scanned.run("scan")
    said = scanned.run("time", "set", "--yes", "--to", "2020", note, code=11)
    pattern = "{} is in the library, but it is not a photo; see: photoindex why {}"
    assert "it is not a photo or video" in scanned.follow(pattern, said)


MISSING = "restore it and run: photoindex scan; or remove it from the library: photoindex prune {}"


@promises(MISSING)
def test_a_file_that_is_gone_is_restored_or_pruned(scanned: House) -> None:
    gone, kept = scanned.photos / "a 0.jpg", scanned.folder / "kept.jpg"
    gone.rename(kept)
    scanned.run("scan")
    scan, prune = scanned.commands(MISSING, scanned.run("why", gone))
    kept.rename(gone)
    scanned.run(*scan)
    assert "it was ingested" in scanned.run("why", gone)
    gone.unlink()
    scanned.run("scan")
    removed = scanned.run(*prune, "--yes")
    assert scanned.rows.value(PHOTOS) == 2
    assert "removed 1" in removed
    assert "no scan has ever seen it" in scanned.run("why", gone, code=11)


TASKS_DONE = "{} done; to list them: photoindex tasks --state done{}"


@promises(TASKS_DONE)
def test_tasks_that_are_done_are_counted_and_listed_when_asked_for(scanned: House) -> None:
    one = next(scanned.photos.glob("*.jpg"))
    every = scanned.follow(TASKS_DONE, scanned.run("tasks"))
    some = scanned.follow(TASKS_DONE, scanned.run("tasks", "--stage", "ingest", one))
    assert (every.count("\tdone\t"), some.count("\tdone\t")) == (3, 1)
    assert str(one) in some


QUARANTINED = (
    "it is retried when the file changes, or with: photoindex retry {}; to ignore it: photoindex retry --dismiss {}"
)
DISMISSED = "to retry: photoindex retry {}"


@promises(QUARANTINED, DISMISSED, "{} dismissed; undo with: photoindex undo")
def test_a_file_that_could_not_be_read_is_tried_again_or_ignored(
    scanned: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = scanned.photos / "it's broken.jpg"
    broken.write_bytes(jpeg(9)[:2000])
    scanned.run("scan", code=100)
    again, ignore = scanned.commands(QUARANTINED, scanned.run("why", broken))
    dismissed = scanned.run(*ignore)
    said = scanned.run("why", broken)
    scanned.follow("{} dismissed; undo with: photoindex undo", dismissed)
    assert "dismissed" not in scanned.run("why", broken)
    scanned.run(*ignore)
    assert scanned.commands(DISMISSED, said) == [again]
    stat = broken.stat()
    broken.write_bytes(jpeg(9)[: stat.st_size])
    os.utime(broken, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    scanned.follow(DISMISSED, said)
    assert "has not been" not in scanned.run("why", broken)
    assert scanned.rows.value("SELECT count(*) FROM task WHERE state = 'pending'") == 1
    scanned.run("scan", code=100)
    assert "it could not be ingested" in scanned.run("why", broken)


FAILED = "the next scan retries it: {}"


@promises(FAILED)
def test_a_file_that_failed_is_read_by_the_next_scan(scanned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = write_photo(scanned.photos / "slow disk.jpg", 8)
    with monkeypatch.context() as faults:
        faults.setattr("photoindex.library.scan.ingest.ingest_file", faulty.ingest_unreadable)
        scanned.run("scan", code=None)
    said = scanned.run("why", slow)
    scanned.excerpt(FAILED, said)
    scanned.run(*scanned.commands(SCAN_FILE, said)[0])
    assert "it was ingested" in scanned.run("why", slow)


LINK = "a symbolic link that is not followed: {} (see --follow-symlinks)"


@promises(LINK)
def test_a_link_is_followed_where_it_is_asked_for(scanned: House) -> None:
    outside = write_photo(scanned.folder / "outside" / "b.jpg", 8)
    link = scanned.photos / "link"
    link.symlink_to(outside.parent)
    scanned.run("scan")
    scanned.excerpt(LINK, scanned.run("why", link / "b.jpg", code=None))
    scanned.run("scan", scanned.photos, "--follow-symlinks")
    assert scanned.rows.value(PHOTOS) == 4


PRUNED = "removed {}; undo with: photoindex undo {}"
UNDONE = "entry {} undone: {} restored; redo with: photoindex undo {}"
NO_ENTRY = "the journal has no entry {}; see: photoindex log"
NOTHING = "there is nothing to undo; see: photoindex log"
REFUSED = "{} Standard input is not a terminal; confirm with --yes, or check first with {}"


@promises(
    PRUNED,
    UNDONE,
    NO_ENTRY,
    NOTHING,
    REFUSED,
    "entry id, as in `photoindex undo ID`",
    "photo id, as in `photoindex show ID`",
)
def test_what_was_pruned_comes_back_and_goes_again(scanned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned.follow(NOTHING, scanned.run("undo", code=None))
    (scanned.photos / "a 0.jpg").unlink()
    scanned.run("scan")
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        said = scanned.run("prune", code=2)
        assert scanned.excerpt(REFUSED, said).endswith("--dry-run")
        assert "a 0.jpg" in scanned.run("prune", "--dry-run")
    said = scanned.run("prune", "--yes")
    undone = scanned.follow(PRUNED, said)
    assert scanned.rows.value(PHOTOS) == 3
    assert scanned.rows.value("SELECT count(*) FROM v_journal") == 2
    scanned.follow(UNDONE, undone)
    assert scanned.rows.value(PHOTOS) == 2
    assert "1 " in scanned.follow(NO_ENTRY, scanned.run("undo", "99", code=None))
    columns = scanned.run("sql", "--views")
    scanned.follow("entry id, as in `photoindex undo ID`", columns, ID="3")
    assert scanned.rows.value(PHOTOS) == 3
    assert "photo 1" in scanned.follow("photo id, as in `photoindex show ID`", columns, ID="1")


TIME = "{} of {}; take it back with: photoindex undo {}"
PAIR = "made {} of {}; take it back with: photoindex undo {}"


@promises(TIME, PAIR)
def test_a_corrected_time_and_a_pair_are_taken_back(scanned: House) -> None:
    first, second = scanned.photos / "a 0.jpg", scanned.photos / "a 1.jpg"
    before = scanned.rows.value("SELECT taken_at FROM v_photo WHERE id = 1")
    scanned.follow(TIME, scanned.run("time", "set", "--to", "2019-06-01T12:00", "--yes", first))
    assert scanned.rows.value("SELECT taken_at FROM v_photo WHERE id = 1") == before
    said = scanned.run("pair", "join", "--yes", first, second)
    assert scanned.rows.value(PHOTOS) == 2
    scanned.follow(PAIR, said)
    assert scanned.rows.value(PHOTOS) == 3


SAVE_ONE = "save one with: photoindex search QUERY --saved NAME"
SEE_SAVED = "see: photoindex saved"
ALL_SAVED = "to see all: photoindex saved"
NOTHING_SAVED = "nothing is saved yet; see: photoindex search --help"
USE_SAVED = "--saved {} saves a query, and there is none; to use a saved one: photoindex search @{}"
BROKEN = "photoindex: {} no longer works without it; to undo this: photoindex undo"


@promises(SAVE_ONE, SEE_SAVED, ALL_SAVED, NOTHING_SAVED, USE_SAVED, BROKEN)
def test_saved_queries_are_saved_used_listed_and_brought_back(scanned: House) -> None:
    assert "--saved" in scanned.follow(NOTHING_SAVED, terminal("saved"))
    scanned.follow(SAVE_ONE, scanned.run("search", "@zero", code=2), QUERY="name:0", NAME="zero")
    assert "a 0.jpg" in scanned.run("search", "@zero")
    assert "a 0.jpg" in scanned.follow(USE_SAVED, scanned.run("search", "--saved", "zero", code=2))
    for pattern, command in ((SEE_SAVED, ["search", "@unknown"]), (ALL_SAVED, ["saved", "remove", "unknown"])):
        assert "@zero" in scanned.follow(pattern, scanned.run(*command, code=None))
    scanned.run("search", "name:1", "--saved", "one")
    scanned.run("search", "@zero", "OR", "@one", "--saved", "both")
    said = scanned.run("saved", "remove", "zero", "one")
    scanned.run("search", "@both", code=2)
    scanned.follow(BROKEN, said)
    assert "a 1.jpg" in scanned.run("search", "@both")


SAVED_EVENT = "saved {} as @{}; use it with: photoindex search @{}"
EVENTS = "list all with: photoindex events"
NO_EVENT = "no event has the key or words '{}'; photoindex events lists them"


@promises(SAVED_EVENT, EVENTS, NO_EVENT)
def test_an_event_is_listed_saved_and_found(house: House) -> None:
    write_photo(house.photos / "day.jpg", 1, taken="2019:06:01 12:00:00")
    house.run("scan", house.photos)
    listed = house.follow(EVENTS, house.run("events", "--save", "nothing", code=11))
    assert "2019-06-01" in listed
    assert house.follow(NO_EVENT, house.run("search", "event:nothing")) == listed
    said = house.run("events", "--save", "2019-06-01=my-day")
    assert "day.jpg" in house.follow(SAVED_EVENT, said)


STATEMENT = 'give a statement: photoindex sql "SELECT path FROM v_photo LIMIT 10"; or --views'
REDO = "only {} tasks can be chosen here, not {} ones; to repeat finished work: photoindex redo STAGE"
QUERY_HELP = "see: photoindex {} --help"
VALUE_HELP = "{} needs a value; see: photoindex {} --help"
CONFIG = "; `photoindex config show` lists all settings"
UNREAD = "a file could not be read completely; files with unreadable metadata are not photos, see: photoindex tasks --state quarantined"


@promises(STATEMENT, REDO, QUERY_HELP, VALUE_HELP, CONFIG)
def test_a_refused_command_names_one_that_is_taken(scanned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    said = scanned.run("sql", code=2)
    assert "a 0.jpg" in scanned.follow(STATEMENT, said)
    assert "v_photo" in scanned.run("sql", "--views")
    scanned.follow(REDO, scanned.run("retry", "--state", "done", code=2), STAGE="ingest")
    assert scanned.rows.value("SELECT count(*) FROM task WHERE state = 'pending'") == 3
    for pattern, word in ((QUERY_HELP, "--zzzzzzzz"), (VALUE_HELP, "--sort")):
        (command,) = scanned.commands(pattern, scanned.run("search", word, code=2))
        assert "--sort" in scanned.run(*command, "--help")
    settings = scanned.folder / "settings.toml"
    settings.write_text("zzzz = 1\n")
    monkeypatch.setenv("PHOTOINDEX_CONFIG", str(settings))
    said = scanned.run("status", code=3)
    settings.write_text("")
    assert "scan.jobs" in scanned.follow(CONFIG, said)


LIST_ALL = "not changed: {} more; --json lists them all"


@promises(LIST_ALL)
def test_all_photos_that_were_not_changed_are_listed_as_json(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photoindex.cli.commands.time._NAMED", 2)
    names = [f"{number}.jpg" for number in range(4)]
    house.write_photos(*names)
    house.run("scan", house.photos)
    set_again = ("time", "set", "--to", "1974", "--yes", house.photos)
    house.run(*set_again)
    house.excerpt(LIST_ALL, house.run(*set_again, code=None))
    assert house.run(*set_again, "--json", code=None).count(".jpg") == 4


GALLERY = "--preview shows photos on a terminal, and this is none; --gallery OUT.html writes a page"
STDOUT = "--gallery and --contact-sheet cannot both go to stdout; name a file for one of them"
SHEET = "stdout got the first page alone; --contact-sheet OUT.jpg writes them all"
NO_PICTURES = (
    "--preview: this terminal supports neither pictures nor colours (TERM, NO_COLOR); use --gallery OUT.html instead"
)


PRIVATE = "--private is for a page or a sheet; add --gallery OUT.html or --contact-sheet OUT.jpg"


@promises(PRIVATE)
def test_a_page_or_a_sheet_is_private(scanned: House) -> None:
    scanned.excerpt(PRIVATE, scanned.run("search", "--private", code=2))
    page, sheet = scanned.folder / "OUT.html", scanned.folder / "OUT.jpg"
    scanned.run("search", "--private", "--gallery", page, "--contact-sheet", sheet)
    assert sheet.exists()
    assert str(scanned.photos) not in page.read_text("utf-8")


@promises(GALLERY, STDOUT, SHEET, NO_PICTURES)
def test_pictures_are_written_to_a_file(scanned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from photoindex.library.export import contact_sheet

    page = scanned.folder / "OUT.html"
    scanned.excerpt(GALLERY, scanned.run("search", "--preview", code=2))
    scanned.run("search", "--gallery", page)
    assert page.exists()
    scanned.excerpt(STDOUT, scanned.run("search", "--gallery", "-", "--contact-sheet", "-", code=2))
    scanned.run("search", "--gallery", "-", "--contact-sheet", scanned.folder / "OUT.jpg")
    assert (scanned.folder / "OUT.jpg").exists()
    monkeypatch.setenv("NO_COLOR", "1")
    scanned.excerpt(NO_PICTURES, terminal("search", "--preview"))
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setattr(contact_sheet, "_HEIGHT_PX", 900)
    monkeypatch.setattr(contact_sheet, "_COLUMNS_MAX", 1)
    scanned.excerpt(SHEET, scanned.run("search", "--contact-sheet", "-"))
    scanned.run("search", "--contact-sheet", scanned.folder / "OUT.jpg")
    assert (scanned.folder / "OUT-2.jpg").exists()


@promises(UNREAD)
def test_files_that_could_not_be_read_are_listed(scanned: House) -> None:
    shutil.copy(scanned.photos / "a 0.jpg", scanned.photos / "copy.jpg")
    broken = scanned.photos / "cut short.jpg"
    broken.write_bytes(jpeg(9)[:2000])
    scanned.run("scan", code=100)
    reference = (REPOSITORY / "docs" / "query-language.md").read_text()
    assert "cut short.jpg" in scanned.follow(UNREAD, reference)


OF_FILE = "only the time of the file is known; --mtime includes it"


@promises(OF_FILE)
def test_photos_with_only_a_time_of_the_file_make_events_with_the_option(scanned: House) -> None:
    said = terminal("events")
    assert "no event was found" in said
    scanned.excerpt(OF_FILE, said)
    said = terminal("events", "--mtime")
    assert "no event was found" not in said
    assert OF_FILE not in said
