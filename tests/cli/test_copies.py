"""`photoindex search --copy-to` and `--link-to`: what is made, what is never overwritten, and what goes on after an end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from sqlalchemy import insert

from photoindex.library.export import copy_target
from photoindex.store.schema.tables import (
    album,
    album_asset,
    asset_tag,
    assignment,
    individual,
    place,
    region,
    sidecar,
    sidecar_link,
    tag,
)
from tests.command_line import CommandResult, run
from tests.rows import VolumeRows, library_in

MTIME_NS = 1_560_000_000_123_456_789
SECOND = {"taken_at_precision": "second"}


@dataclass
class Album:
    """A library of photos with known bytes, and a folder to copy into."""

    rows: VolumeRows
    photos: Path
    target: Path
    capture: pytest.CaptureFixture[bytes]

    def write(self, name: str | bytes, data: bytes) -> Path:
        path = self.photos / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
        return path

    def add(self, name: str | bytes, data: bytes, **facts: Any) -> int:
        """Add a photo of one file."""
        photo_id = self.rows.add_photo(asset_digest=blake3(data).digest(), **facts)
        self.add_file(name, data, self.rows.asset_of(photo_id))
        return photo_id

    def add_file(self, name: str | bytes, data: bytes, asset_id: int | None) -> int:
        self.write(name, data)
        return self.rows.add_file(name, create=False, asset_id=asset_id, size_bytes=len(data), mtime_ns=MTIME_NS)

    def add_companion(self, photo_id: int, name: str, data: bytes, role: str) -> int:
        asset_id = self.rows.add_asset(photo_id, digest=blake3(data).digest(), role=role)
        return self.add_file(name, data, asset_id)

    def add_sidecar(self, name: str, data: bytes, *about: int) -> None:
        file_id = self.add_file(name, data, None)
        with self.rows.writing() as connection:
            values = {"kind": "xmp", "facts": {}, "regions": [], "notes": [], "read_at": 0.0}
            connection.execute(insert(sidecar).values(file_id=file_id, **values))
            for number in about:
                connection.execute(insert(sidecar_link).values(sidecar_id=file_id, file_id=number, why="name"))

    def copy(self, *words: str, code: int = 0) -> CommandResult:
        ran = run(self.capture, "search", "--copy-to", self.target, *words)
        assert ran.code == code, ran
        return ran

    def copied(self) -> dict[str, bytes]:
        """Return what is in the target: path -> bytes."""
        return {
            str(path.relative_to(self.target)): path.read_bytes() for path in self.target.rglob("*") if path.is_file()
        }


@pytest.fixture
def made(
    library_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> Iterator[Album]:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    with library_in(library_folder) as library:
        photos = tmp_path / "originals"
        photos.mkdir()
        rows = VolumeRows(library, photos)
        rows.add_root()
        yield Album(rows, photos, tmp_path / "copies", capsysbinary)


def snapshot(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return everything about the originals that a program could have changed."""
    return {
        str(path): (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_mode, status.st_nlink)
        for path in folder.rglob("*")
        for status in [path.lstat()]
    }


def test_photos_are_copied_with_their_times_and_originals_stay_as_they_are(made: Album) -> None:
    made.add("2019/a.jpg", b"first", taken_at="2019-06-01T12:00:00", **SECOND)
    made.add("2020/b.jpg", b"second", taken_at="2020-06-01T12:00:00", **SECOND)
    before = snapshot(made.photos)
    old = os.umask(0o022)
    ran = made.copy("--layout", "{year}/{month}/{name}")
    os.umask(old)
    assert made.copied() == {"2019/06/a.jpg": b"first", "2020/06/b.jpg": b"second"}
    status = (made.target / "2019" / "06" / "a.jpg").stat()
    assert (status.st_mtime_ns, status.st_mode & 0o777) == (MTIME_NS, 0o644)
    assert (made.target / "2019").stat().st_mode & 0o777 == 0o755
    assert snapshot(made.photos) == before
    assert ran.err.decode().endswith(f"2 files of 2 photos copied to {made.target}, 11 B\n")
    assert {line.decode() for line in ran.out.splitlines()} == {
        str(made.target / name) for name in ("2019/06/a.jpg", "2020/06/b.jpg")
    }


def test_a_second_run_copies_nothing(made: Album) -> None:
    made.add("a.jpg", b"first")
    made.copy()
    before = snapshot(made.target)
    ran = made.copy("--json")
    assert snapshot(made.target) == before
    assert [line["action"] for line in ran.json] == ["there"]
    assert b"0 files of 0 photos copied" in ran.err
    assert b"; 1 were there already\n" in ran.err


def test_what_is_in_the_way_is_never_overwritten(made: Album) -> None:
    made.add("2019/a.jpg", b"first")
    made.add("2020/a.jpg", b"second")
    made.target.mkdir()
    (made.target / "a.jpg").write_bytes(b"mine!")
    ran = made.copy("--sort", "id")
    assert made.copied() == {"a.jpg": b"mine!", "a-2.jpg": b"first", "a-3.jpg": b"second"}
    assert b"2 got a number" in ran.err
    assert [line["action"] for line in made.copy("--json").json] == ["there", "there"]
    assert len(made.copied()) == 3


def test_companions_and_sidecars_go_along_under_the_same_name_and_number(made: Album) -> None:
    photo = made.add("a/IMG_1.jpg", b"picture")
    raw = made.add_companion(photo, "a/IMG_1.CR2", b"raw", "raw")
    made.add_companion(photo, "a/IMG_E1.jpg", b"edit", "edit")
    made.add_sidecar("a/IMG_1.CR2.xmp", b"<x/>", raw)
    made.add_sidecar("a/IMG_1.xmp", b"<y/>", raw)
    made.add_file("elsewhere/copy.jpg", b"picture", made.rows.asset_of(photo))
    made.add("b/IMG_1.jpg", b"other")
    ran = made.copy("--sort", "-id")
    assert made.copied() == {
        "IMG_1.jpg": b"other",
        "IMG_1-2.jpg": b"picture",
        "IMG_1-2.CR2": b"raw",
        "IMG_E1-2.jpg": b"edit",
        "IMG_1-2.CR2.xmp": b"<x/>",
        "IMG_1-2.xmp": b"<y/>",
    }
    assert b"6 files of 2 photos" in ran.err
    made.copy("id:1", "--layout", "all/{id}")
    names = {name for name in made.copied() if name.startswith("all/")}
    assert names == {"all/1.jpg", "all/1.CR2", "all/1.CR2.xmp", "all/1.xmp", "all/IMG_E1.jpg"}


def test_a_photo_does_not_get_the_sidecar_of_another(made: Album) -> None:
    first = made.add("a/IMG_1.jpg", b"first")
    second = made.add("b/IMG_1.png", b"second")
    made.add_sidecar("a/IMG_1.xmp", b"<a/>", first)
    made.add_sidecar("b/IMG_1.xmp", b"<b/>", second)
    made.copy("--sort", "id")
    assert made.copied() == {
        "IMG_1.jpg": b"first",
        "IMG_1.xmp": b"<a/>",
        "IMG_1-2.png": b"second",
        "IMG_1-2.xmp": b"<b/>",
    }


def test_a_sidecar_that_was_edited_since_goes_beside_the_earlier_one(made: Album) -> None:
    photo = made.add("IMG_1.jpg", b"first")
    made.add_sidecar("IMG_1.xmp", b"<old/>", photo)
    made.copy()
    made.write("IMG_1.xmp", b"<new/>")
    made.copy()
    assert made.copied() == {"IMG_1.jpg": b"first", "IMG_1.xmp": b"<old/>", "IMG_1-2.xmp": b"<new/>"}


def test_an_original_that_changed_is_not_copied_and_the_others_are(made: Album) -> None:
    made.add("a.jpg", b"first")
    made.add("b.jpg", b"second")
    made.write("a.jpg", b"FIRST")
    ran = made.copy(code=12)
    assert made.copied() == {"b.jpg": b"second"}
    assert f"not copied: {made.photos}/a.jpg: it has changed since it was scanned".encode() in ran.err
    assert b"1 file could not be copied; the others were" in ran.err


def test_originals_that_are_gone_are_named(made: Album) -> None:
    made.add("a.jpg", b"first")
    made.rows.add_whole_photo("gone.jpg", state="missing")
    (made.photos / "a.jpg").unlink()
    ran = made.copy("id:1,2", "--json", code=12)
    assert [(line["action"], line["photo"]) for line in ran.json] == [("failed", 2), ("failed", 1)]
    assert b"photo 2: none of its files is present" in ran.err
    assert b"a.jpg: it is not there now" in ran.err
    assert made.copied() == {}


KILLED = """
import os, signal, sys
from photoindex.cli.main import main
from photoindex.library.export import new_files
rename, calls = new_files.rename_new, []
def dying(one, other):
    calls.append(one)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(one, other)
new_files.rename_new = dying
main(sys.argv[1:])
"""


def test_a_killed_run_goes_on_and_leaves_nothing_unfinished(made: Album) -> None:
    expected = {}
    for number in range(6):
        made.add(f"p{number}.jpg", b"%d" % number * 1000)
        expected[f"p{number}.jpg"] = b"%d" % number * 1000
    words = [sys.executable, "-c", KILLED, "search", "--copy-to", str(made.target)]
    assert subprocess.run(words, capture_output=True, check=False).returncode == -9
    assert sum(name in expected for name in made.copied()) == 2
    assert any(name.endswith(".photoindex.part") for name in made.copied())
    ran = made.copy()
    assert made.copied() == expected
    assert b"4 files of 4 photos copied" in ran.err


def test_an_interrupt_ends_after_a_photo_and_the_same_command_goes_on(made: Album) -> None:
    for number in range(4):
        made.add(f"p{number}.jpg", b"%d" % number)
    script = KILLED.replace("len(calls) == 3", "len(calls) == 2").replace("SIGKILL", "SIGINT")
    words = [sys.executable, "-c", script.replace("main(sys", "code = main(sys") + "sys.exit(code)"]
    ran = subprocess.run([*words, "search", "--copy-to", str(made.target)], capture_output=True, check=False)
    assert ran.returncode == 130, ran.stderr
    assert b"2 files of 2 photos copied" in ran.stderr
    assert b"stopped; the same command goes on" in ran.stderr
    made.copy()
    assert len(made.copied()) == 4


def test_a_dry_run_makes_nothing_and_says_what_the_run_makes(made: Album) -> None:
    made.add("2019/a.jpg", b"first")
    made.add("2020/a.jpg", b"second")
    planned = made.copy("--dry-run", "--json", "--layout", "x/{name}")
    assert not made.target.exists()
    assert b"2 files of 2 photos would be copied" in planned.err
    assert made.copy("--json", "--layout", "x/{name}").json == planned.json


def test_folders_of_originals_and_the_library_are_refused(made: Album, tmp_path: Path) -> None:
    made.add("a.jpg", b"first")
    before = snapshot(made.photos)
    link = tmp_path / "link"
    link.symlink_to(made.photos)
    for place_, why in (
        (made.photos / "new", b"is in the scanned folder"),
        (made.photos, b"is in the scanned folder"),
        (link / "below", b"is in the scanned folder"),
        (Path(os.environ["PHOTOINDEX_LIBRARY"]) / "copies", b"is in the library's own folder"),
        (made.photos / "a.jpg", b"is not a folder"),
    ):
        ran = run(made.capture, "search", "--copy-to", place_)
        assert ran.code == 2, place_
        assert why in ran.err
    assert snapshot(made.photos) == before


def test_a_folder_of_the_layout_that_leads_to_originals_is_refused(made: Album) -> None:
    made.add("a.jpg", b"first", taken_at="2019-06-01T12:00:00", **SECOND)
    made.target.mkdir()
    (made.target / "2019").symlink_to(made.photos)
    before = snapshot(made.photos)
    ran = made.copy("--layout", "{year}/new/{name}", code=2)
    assert b"is in the scanned folder" in ran.err
    assert snapshot(made.photos) == before


def test_a_scanned_folder_takes_copies_where_it_is_excluded(made: Album) -> None:
    made.add("a.jpg", b"first")
    (made.photos / ".photoindexignore").write_text("export/\n")
    assert run(made.capture, "search", "--copy-to", made.photos / "export").code == 0
    assert (made.photos / "export" / "a.jpg").read_bytes() == b"first"


def test_a_file_where_a_folder_is_needed_is_left_alone(made: Album) -> None:
    made.add("a.jpg", b"first", taken_at="2019-06-01T12:00:00", **SECOND)
    made.target.mkdir()
    (made.target / "2019").write_text("notes")
    assert b"is not a folder, and the layout needs one there" in made.copy("--layout", "{year}/{name}", code=2).err
    assert (made.target / "2019").read_text() == "notes"


def test_a_disk_without_room_is_found_out_before_anything_is_copied(
    made: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.add("a.jpg", b"first")
    made.add("b.jpg", b"x" * 2_000_000)
    monkeypatch.setattr(copy_target, "_SPARE_BYTES", 1 << 60)
    ran = made.copy(code=9)
    assert b"the photos need 2 MB, and the disk of" in ran.err
    assert not made.target.exists()


def test_a_disk_that_is_full_in_the_end_keeps_what_was_copied(
    made: Album, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        made.add(f"p{number}.jpg", bytes([number]) * 1_400_000)
    made.target = small_disk / "copies"
    monkeypatch.setattr(copy_target.CopyTarget, "check_space", lambda self, needed_bytes: None)
    assert b"the disk is full" in made.copy(code=9).err
    assert len(made.copied()) == 2
    assert {len(data) for data in made.copied().values()} == {1_400_000}


def test_symbolic_links_lead_to_the_originals(made: Album) -> None:
    made.add("a.jpg", b"first")
    made.add("b/a.jpg", b"second")
    before = snapshot(made.photos)
    for _ in range(2):
        ran = run(made.capture, "search", "--sort", "id", "--link-to", made.target, "--layout", "links/{name}")
        assert ran.code == 0
    assert [os.readlink(made.target / "links" / name) for name in ("a.jpg", "a-2.jpg")] == [
        str(made.photos / "a.jpg"),
        str(made.photos / "b" / "a.jpg"),
    ]
    assert b"2 were there already" in ran.err
    assert len(os.listdir(made.target / "links")) == 2
    assert snapshot(made.photos) == before


def test_copies_do_not_take_links_for_copies(made: Album) -> None:
    made.add("a.jpg", b"first")
    run(made.capture, "search", "--link-to", made.target)
    made.copy()
    assert (made.target / "a-2.jpg").read_bytes() == b"first"
    assert not (made.target / "a-2.jpg").is_symlink()


def test_hard_links_are_made_where_the_disk_is_the_same(made: Album) -> None:
    made.add("a.jpg", b"first")
    for _ in range(2):
        ran = run(made.capture, "search", "--link-to", made.target, "--hard")
    assert (ran.code, os.listdir(made.target)) == (0, ["a.jpg"])
    assert (made.target / "a.jpg").samefile(made.photos / "a.jpg")
    assert not (made.target / "a.jpg").is_symlink()


def test_hard_links_to_another_disk_name_the_remedy(made: Album, small_disk: Path) -> None:
    made.add("a.jpg", b"first")
    ran = run(made.capture, "search", "--link-to", small_disk / "links", "--hard")
    assert ran.code == 2
    assert b"leave out --hard for symbolic links" in ran.err


def test_sensitive_photos_are_left_out_unless_asked_for(made: Album) -> None:
    photo = made.add("a.jpg", b"first")
    made.add("b.jpg", b"second")
    with made.rows.writing() as connection:
        connection.execute(insert(tag).values(id=1, name="sensitive", name_key="sensitive", created_at=0.0))
        connection.execute(insert(asset_tag).values(asset_id=made.rows.asset_of(photo), tag_id=1, at=0.0))
    assert b"1 sensitive photo left out; --sensitive copies them" in made.copy().err
    assert set(made.copied()) == {"b.jpg"}
    made.copy("--sensitive")
    assert set(made.copied()) == {"a.jpg", "b.jpg"}


def test_the_layout_takes_what_is_known_and_unknown_stays_unknown(made: Album) -> None:
    facts = {
        "camera_make": "Canon",
        "camera_model": "EOS/R5: x",
        "rating": 4,
        "place": "Lisbon, Portugal",
        "place_id": 1,
    }
    with made.rows.writing() as connection:
        values = {"region": None, "latitude": 38.7, "longitude": -9.1, "population": 1, "words": "", "alternates": ""}
        connection.execute(insert(place).values(id=1, city="Lisbon", country="Portugal", country_code="PT", **values))
    photo = made.add("IMG_1.JPG", b"first", taken_at="2019-06-01T12:00:00", **facts, **SECOND)
    made.add("IMG_2.jpg", b"second", taken_at="2019-01-01T00:00:00", taken_at_precision="year")
    asset_id = made.rows.asset_of(photo)
    with made.rows.writing() as connection:
        for number, (name, hidden) in enumerate((("Ben", False), ("Anna", False), ("Zoe", True)), 1):
            connection.execute(
                insert(individual).values(
                    id=number,
                    kind="person",
                    name=name,
                    name_key=name.lower(),
                    hidden=hidden,
                    ignored=False,
                    created_at=0.0,
                )
            )
            box = {"kind": "face", "x": 0.1 * number, "y": 0.1, "width": 0.1, "height": 0.1}
            connection.execute(insert(region).values(id=number, asset_id=asset_id, **box))
            connection.execute(insert(assignment).values(region_id=number, individual_id=number, how="person", at=0.0))
        for number, (kind, name) in enumerate((("folder", "Aaa"), ("own", "Best")), 1):
            connection.execute(
                insert(album).values(id=number, kind=kind, name=name, name_key=name.lower(), created_at=0.0)
            )
            connection.execute(insert(album_asset).values(album_id=number, asset_id=asset_id, position=1.0, at=0.0))
    layout = "{year}/{month}/{day}/{date}/{event}/{place}/{city}/{country}/{camera}/{person}/{album}/{rating}/{id}_{stem}.{ext}"
    assert b"1 photo of hidden persons left out; --hidden copies them" in made.copy("--layout", layout).err
    made.copy("--layout", layout, "--hidden")
    assert set(made.copied()) == {
        "2019/06/01/2019-06-01/2019-06-01-lisbon/Lisbon, Portugal/Lisbon/Portugal/Canon EOS_R5_ x/Anna & Ben/Best/4/1_IMG_1.jpg",
        f"2019/{'unknown/' * 11}2_IMG_2.jpg",
    }


HOSTILE = b"caf\xe9 \x1b[31m ..jpg"


def test_hostile_names_and_values_stay_below_the_target(made: Album) -> None:
    made.add(HOSTILE, b"first", camera_model="../../../etc")
    made.add("b.jpg", b"second", camera_model="..")
    made.add("c.jpg", b"third", camera_model="-rf\n")
    made.add("d.jpg", b"fourth", camera_model="con")
    made.add("e.jpg", b"fifth", camera_model="x" * 3000 + "ü" * 300)
    made.copy("--layout", "{camera}/{name}")
    names = sorted(os.fsencode(name) for name in made.copied())
    assert names == sorted(
        [b"_._.._.._etc/caf\xe9 _[31m ..jpg", b"unknown/b.jpg", b"_rf/c.jpg",
         b"_con/d.jpg", b"x" * 200 + b"/e.jpg"]
    )  # fmt: skip
    assert set(made.target.parent.iterdir()) >= {made.target, made.photos}


def test_names_too_long_are_shortened_and_keep_their_extension(made: Album) -> None:
    made.add("ü" * 124 + ".jpeg", b"first")
    made.add("a/" + "ü" * 124 + ".jpeg", b"second")
    made.copy("--layout", "{year}-{name}")
    names = sorted(made.copied())
    assert len(names) == 2
    assert all(name.endswith(".jpeg") and len(name.encode()) <= 210 and name.startswith("unknown-ü") for name in names)


@pytest.mark.parametrize(
    ("layout", "why"),
    [
        ("{yaer}/{name}", "there is no field {yaer}; did you mean {year}?"),
        ("{zzz}/{name}", "there is no field {zzz}; fields: year, month"),
        ("/abs/{name}", "a path of names and fields"),
        ("../{name}", "a path of names and fields"),
        ("{year}/", "a path of names and fields"),
        ("{year}/{event}", "needs {name}, {stem} or {id}"),
        ("{name:>9}", "a field is {name} and nothing more"),
        ("{name!r}", "a field is {name} and nothing more"),
        ("{year/{name}", "write {{ or }} for a brace"),
        ("{}/{name}", "there is no field {}"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(made: Album, layout: str, why: str) -> None:
    assert why in made.copy("--layout", layout, code=2).err.decode()
    assert not made.target.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--copy-to", "x", "--link-to", "y"), ("--copy-to", "x", "--hard"), ("--layout", "{name}"), ("--dry-run",),
        ("--copy-to", "x", "--count"), ("--copy-to", "x", "--geojson"), ("--copy-to", "x", "--gallery", "g.html"),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together_are_refused(
    made: Album, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(made.capture, "search", *words).code == 2
    assert not (tmp_path / "x").exists()


def test_outcomes_are_json_lines(made: Album) -> None:
    made.add(b"caf\xe9.jpg", b"first")
    (line,) = made.copy("--json").out.splitlines()
    assert json.loads(line) == {
        "schema": 1, "action": "made", "to": os.fsdecode(os.fsencode(made.target) + b"/caf\xe9.jpg"),
        "path": os.fsdecode(os.fsencode(made.photos) + b"/caf\xe9.jpg"), "photo": 1, "size": 5, "numbered": False, "problem": None,
    }  # fmt: skip
