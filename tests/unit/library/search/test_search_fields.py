"""What each field and word finds in a real database."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from photoindex.errors import NothingFound, UsageError
from photoindex.library.handle import Library
from photoindex.library.search.find import SearchRequest, count_photos, find, matching_photo_ids
from photoindex.library.search.parse import parse
from photoindex.query.parser import MAX_DEPTH, MAX_TERMS
from photoindex.query.syntax import EVERYTHING, And, Not, Or
from photoindex.store.schema.tables import photo_text
from photoindex.store.search import text_index
from photoindex.store.search.choices import FORMATS
from photoindex.store.search.fields import FIELDS, Field, help_of
from photoindex.types import Resolved
from tests.rows import VolumeRows, library_in

PHOTOS: dict[str, tuple[bytes, dict[str, object]]] = {
    "beach": (
        b"2019/Beach Trip/IMG_0001.JPG",
        {
            "taken_at": "2019-06-15T10:30:00+02:00", "camera_make": "Canon", "camera_model": "Canon EOS 5D Mark IV",
            "lens": "EF24-70mm f/2.8L II USM", "iso": 400, "aperture": 2.8, "focal_length_mm": 50.0, "rating": 5,
            "title": "Sunset at Z\u00fcrich [1]", "keywords": ["beach", "Places|Italy"], "size_bytes": 20_000_000,
            "width": 6000, "height": 4000,
        },
    ),
    "raw": (
        b"2019/IMG_0002.CR3",
        {
            "taken_at": "2019-12-31T23:59:59.5", "kind": "raw", "format": "cr3", "camera_make": "Canon",
            "camera_model": "EOS R5", "iso": 100, "aperture": 1.2, "size_bytes": 45_300_000, "rating": 3,
        },
    ),
    "heic": (
        b"2020/IMG_0003.heic",
        {
            "taken_at": "2020-01-01T00:00:00", "format": "heic", "camera_make": "Apple", "camera_model": "iPhone 12 Pro",
            "size_bytes": 2_500_000, "keywords": ["Beach ball"], "description": "a dog on the beach",
        },
    ),
    "video": (b"2020/clip.mp4", {"kind": "video", "format": "mp4", "size_bytes": 999}),
    "latin": (b"2021/caf\xe9/caf\xe9 1.jpg", {"taken_at": "2021-05-05", "title": "50% [off] a_b?"}),
    "missing": (b"2021/gone.jpg", {"taken_at": "2019-06-01T08:00:00", "rating": 5}),
    "excluded": (b"2021/hidden.jpg", {"taken_at": "2019-06-02T08:00:00"}),
}  # fmt: skip
NAMES = (*PHOTOS, "copied")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library with the photos above; `copied` has a missing and a present file."""
    folder = tmp_path_factory.mktemp("fields")
    with library_in(folder / "library") as library:
        volume_rows = VolumeRows(library, folder / "originals")
        for name, (path, values) in PHOTOS.items():
            state = name if name in ("missing", "excluded") else "present"
            photo_id = volume_rows.add_photo(**values)
            volume_rows.add_file(path, asset_id=volume_rows.asset_of(photo_id), state=state, create=False)
            index(library, photo_id, path, values)
        photo_id = volume_rows.add_photo(taken_at="2022-02-02T02:02:02")
        volume_rows.add_file("old/a.jpg", asset_id=volume_rows.asset_of(photo_id), state="missing", create=False)
        volume_rows.add_file("new/b.jpg", asset_id=volume_rows.asset_of(photo_id), create=False)
        yield library


def index(library: Library, photo_id: int, path: bytes, values: dict[str, object]) -> None:
    known = {name: values[name] for name in values if name in Resolved.__slots__}
    folder, _, name = path.rpartition(b"/")
    document = text_index.document([name], [folder], Resolved(**known))  # type: ignore[arg-type]
    with library.database.write() as connection:
        connection.execute(photo_text.update().where(photo_text.c.photo_id == photo_id).values(**document))


def found(library: Library, query: str) -> set[str]:
    return {NAMES[photo_id - 1] for photo_id in matching_photo_ids(library, parse(library, query))}


PRESENT = {"beach", "raw", "heic", "video", "latin", "copied"}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", PRESENT),
        # a date covers its whole period
        ("date:2019", {"beach", "raw"}),
        ("date:2019-06", {"beach"}),
        ("date:2019-06-15", {"beach"}),
        ("date:2019-06-15T10", {"beach"}),
        ("date:2019-06-15T10:31", set()),
        ("date:2019-12-31T23:59:59", {"raw"}),
        ("date:2019..2020", {"beach", "raw", "heic"}),
        ("date:2019-07..", {"raw", "heic", "latin", "copied"}),
        ("date:..2019-11", {"beach"}),
        ("date:>2019", {"heic", "latin", "copied"}),
        ("date:>=2019-12-31", {"raw", "heic", "latin", "copied"}),
        ("date:<2019-12-31", {"beach"}),
        ("date:<=2019-12-31", {"beach", "raw"}),
        ("date:2021-05-05", {"latin"}),
        ("date:9999", set()),
        ("-date:2019", {"heic", "video", "latin", "copied"}),
        ("-date:0001..9999", {"video"}),
        # kinds and formats
        ("type:raw", {"raw"}),
        ("type:raw,heic", {"raw", "heic"}),
        ("type:image", {"beach", "heic", "latin", "copied"}),
        ("type:photo", {"beach", "raw", "heic", "latin", "copied"}),
        ("type:video", {"video"}),
        ("type:JPG", {"beach", "latin", "copied"}),
        ("-type:photo", {"video"}),
        # text, ignoring case and accents
        ("camera:canon", {"beach", "raw"}),
        ('camera:"canon eos"', {"beach", "raw"}),
        ('camera:"eos 5d"', {"beach"}),
        ("camera:5d,iphone", {"beach", "heic"}),
        ("-camera:canon", {"heic", "video", "latin", "copied"}),
        ("lens:24*70", {"beach"}),
        ("title:zurich", {"beach"}),
        ("title:ZÜRICH", {"beach"}),
        ("title:[1]", {"beach"}),
        ('title:"50% [off] A_B?"', {"latin"}),
        ("title:b?c", set()),
        ("title:s*at*zu", {"beach"}),
        ("keyword:beach", {"beach"}),
        ("keyword:Beach*", {"beach", "heic"}),
        ("keyword:italy", {"beach"}),
        ("keyword:places", {"beach"}),
        ("keyword:place", set()),
        ("keyword:places/italy", {"beach"}),
        ("keyword:places|italy", {"beach"}),
        ("-keyword:beach", PRESENT - {"beach"}),
        # numbers
        ("iso:400", {"beach"}),
        ("iso:100..400", {"beach", "raw"}),
        ("iso:>100", {"beach"}),
        ("iso:<400", {"raw"}),
        ("aperture:2.8", {"beach"}),
        ("aperture:2.80", {"beach"}),
        ("aperture:1.2..2.8", {"beach", "raw"}),
        ("aperture:>2.8", set()),
        ("focal:50", {"beach"}),
        ("focal:50mm", {"beach"}),
        ("focal:35mm..60mm", {"beach"}),
        ("iso:400.0", {"beach"}),
        ("aperture:f/2.8", {"beach"}),
        ("aperture:F1.4..f/3", {"beach"}),
        ("rating:>=4", {"beach"}),
        ("rating:3..5", {"beach", "raw"}),
        ("width:>=6000 height:4000", {"beach"}),
        ("size:>20MB", {"raw"}),
        ("size:>=20MB", {"beach", "raw"}),
        ("size:20MB", {"beach"}),
        ("size:45MB", {"raw"}),
        ("size:45.0MB", set()),
        ("size:20000000", {"beach"}),
        ("size:2..3MB", {"video", "heic", "beach", "latin", "copied"} - {"beach"}),
        ("size:2.4MiB", {"heic"}),
        ("size:<1kB", {"video", "latin", "copied"}),
        ("size:999b", {"video"}),
        ("id:1", {"beach"}),
        ("id:1,2", {"beach", "raw"}),
        ("id:2..3", {"raw", "heic"}),
        ("id:77", set()),
        # paths
        ("path:2019", {"beach", "raw"}),
        ("path:2019/", {"beach", "raw"}),
        ('path:"2019/Beach Trip"', {"beach"}),
        ('path:"Beach Trip"', {"beach"}),
        ("path:Beach", set()),
        ("path:0001.JPG", set()),
        ("path:IMG_0002.CR3", {"raw"}),
        ("path:2019/IMG_0002.CR3", {"raw"}),
        ("path:19/IMG_0002.CR3", set()),
        ("path:2020/IMG_0002.CR3", set()),
        ("path:2019/*.CR3", {"raw"}),
        ("path:2019/*", {"beach", "raw"}),
        ("path:*.heic", {"heic"}),
        ("path:20*/IMG_*", {"beach", "raw", "heic"}),
        ("path:*[0-9]*", set()),
        ("path:20?0/*", set()),
        ("path:Beach*", {"beach"}),
        ("path:caf\udce9", {"latin"}),
        ("path:caf\udce9/*", {"latin"}),
        ('path:"caf\udce9/caf\udce9 1.jpg"', {"latin"}),
        ("path:caf\u00e9", set()),
        ("path:old", {"copied"}),
        ("path:new", {"copied"}),
        ("path:/", PRESENT),
        ("path:/2019", set()),
        ("name:img_000", {"beach", "raw", "heic"}),
        ("name:IMG*.heic", {"heic"}),
        ("name:2.cr", {"raw"}),
        ("name:caf", {"latin"}),
        ("name:caf\udce9", {"latin"}),
        ("name:2019", set()),
        ("ext:jpg", {"beach", "latin", "copied"}),
        ("ext:.JPG,cr3", {"beach", "raw", "latin", "copied"}),
        ("ext:pg", set()),
        # missing photos are requested
        ("is:missing", {"missing", "excluded"}),
        ("is:missing rating:5", {"missing"}),
        ("rating:5", {"beach"}),
        ("-is:missing", PRESENT),
        ("is:missing OR rating:5", {"beach", "missing", "excluded"}),
        ("id:6", {"missing"}),
        ("-id:1", set(NAMES) - {"beach"}),
        # words
        ("beach", {"beach", "heic"}),
        ("BEACH zurich", {"beach"}),
        ("beach zürich", {"beach"}),
        ("bea*", {"beach", "heic"}),
        ("bea", set()),
        ('"dog on the"', {"heic"}),
        ('"on dog"', set()),
        ('"beach tr"*', {"beach"}),
        ("img_0001", {"beach"}),
        ("IMG_0001.JPG", {"beach"}),
        ("0001", {"beach"}),
        ("IMG_0001.CR3", set()),
        ("canon eos", {"beach", "raw"}),
        ("beach -canon", {"heic"}),
        ("beach OR canon", {"beach", "raw", "heic"}),
        ("(beach OR clip) -(canon OR dog)", {"video"}),
        ("beach type:heic", {"heic"}),
        ("caf\udce9", {"latin"}),
        ("title:sunset -beach", set()),
        ('"AND"', set()),
        ("or", set()),
        ('"beach AND trip"', set()),
        ('dog "NOT"', set()),
        ("beach\0trip", {"beach"}),
        ('"a""b"', {"latin"}),
        ('"a \\" b"', {"latin"}),
        ("name:x\0y", set()),
    ],
)
def test_a_query_finds_the_expected_photos(library: Library, query: str, names: set[str]) -> None:
    assert found(library, query) == names
    assert count_photos(library, parse(library, query)) == len(names)


def test_an_absolute_path_finds_exactly_a_folder_or_a_file(library: Library) -> None:
    hit = next(find(library, SearchRequest(parse(library, "path:2019/IMG_0002.CR3"))).hits())
    originals = hit.path.decode().removesuffix("/2019/IMG_0002.CR3")
    for path in (originals, f"{originals}/", f"{originals}//2019/../2019", f"{originals}/20*"):
        assert "raw" in found(library, f'path:"{path}"')
    assert found(library, f'path:"{originals}/2019"') == {"beach", "raw"}
    assert found(library, f'path:"{originals}/2019/IMG_0002.CR3"') == {"raw"}
    assert found(library, f'path:"{originals}/201"') == set()
    assert found(library, f'path:"{originals}/2019/IMG_0002"') == set()
    assert found(library, f'path:"{originals}/caf\udce9"') == set()
    assert found(library, f'path:"{originals}/2021/caf\udce9"') == {"latin"}


def test_a_tilde_is_the_home_folder(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    hit = next(find(library, SearchRequest(parse(library, "path:2019/IMG_0002.CR3"))).hits())
    monkeypatch.setenv("HOME", hit.path.decode().removesuffix("/2019/IMG_0002.CR3"))
    assert found(library, "path:~/2019") == {"beach", "raw"}


def test_a_hit_has_the_known_facts(library: Library) -> None:
    (hit,) = find(library, SearchRequest(parse(library, "id:1"))).hits()
    assert hit.path.endswith(b"/originals/2019/Beach Trip/IMG_0001.JPG")
    assert (hit.kind, hit.format, hit.state, hit.files) == ("image", "jpeg", "present", 1)
    assert (hit.camera, hit.rating, hit.iso, hit.width) == ("Canon EOS 5D Mark IV", 5, 400, 6000)
    assert (hit.taken_at, hit.size_bytes) == ("2019-06-15T10:30:00+02:00", 20_000_000)
    assert hit.keywords == ("beach", "Places|Italy")
    assert hit.digest == (1).to_bytes(32, "big").hex()


def test_the_path_of_a_hit_is_that_of_a_present_file(library: Library) -> None:
    (hit,) = find(library, SearchRequest(parse(library, "path:old/a.jpg"))).hits()
    assert hit.path.endswith(b"/new/b.jpg")
    assert (hit.state, hit.files) == ("present", 2)
    (gone,) = find(library, SearchRequest(parse(library, "is:missing path:gone.jpg"))).hits()
    assert gone.path.endswith(b"/2021/gone.jpg")
    assert gone.state == "missing"


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (None, ["copied", "latin", "heic", "raw", "beach", "video"]),
        ("-date", ["copied", "latin", "heic", "raw", "beach", "video"]),
        ("date", ["beach", "raw", "heic", "latin", "copied", "video"]),
        ("name", ["copied", "latin", "video", "beach", "raw", "heic"]),
        ("path", ["beach", "raw", "heic", "video", "latin", "copied"]),
        ("-path", ["copied", "latin", "video", "heic", "raw", "beach"]),
        ("-size", ["raw", "beach", "heic", "video", "copied", "latin"]),
        ("-rating", ["beach", "raw", "copied", "latin", "video", "heic"]),
        ("rating", ["raw", "beach", "heic", "video", "latin", "copied"]),
        ("-width", ["beach", "copied", "latin", "video", "heic", "raw"]),
        ("id", ["beach", "raw", "heic", "video", "latin", "copied"]),
        ("-added", ["copied", "latin", "video", "heic", "raw", "beach"]),
    ],
)
def test_hits_are_sorted_with_unknown_values_last(library: Library, sort: str | None, names: list[str]) -> None:
    hits = [NAMES[hit.id - 1] for hit in find(library, SearchRequest(EVERYTHING, sort=sort)).hits()]
    assert hits == names


def test_limit_and_offset_cut_the_sorted_hits(library: Library) -> None:
    assert [hit.id for hit in find(library, SearchRequest(EVERYTHING, sort="id", limit=2, offset=1)).hits()] == [2, 3]
    assert list(find(library, SearchRequest(EVERYTHING, limit=0)).hits()) == []
    assert [hit.id for hit in find(library, SearchRequest(EVERYTHING, sort="id", offset=4)).hits()] == [5, 8]


def test_an_unknown_sort_key_names_a_near_one(library: Library) -> None:
    with pytest.raises(UsageError, match="did you mean date"):
        list(find(library, SearchRequest(EVERYTHING, sort="-dat")).hits())
    with pytest.raises(UsageError, match="keys: relevance, date, name, path, size, width, rating, added, id"):
        list(find(library, SearchRequest(EVERYTHING, sort="qq")).hits())


def test_the_deepest_and_longest_queries_that_parse_can_also_run(library: Library) -> None:
    inner = "path:2019/*.jpg OR is:missing -camera:x"
    deep = "".join(f"-(x{level} OR date:2019 " for level in range(MAX_DEPTH)) + inner + ")" * MAX_DEPTH
    for query in (deep, " ".join(["beach"] * MAX_TERMS), " OR ".join(["-camera:x"] * MAX_TERMS)):
        count_photos(library, parse(library, query))
    everything = found(library, "path:/ OR is:missing")
    assert found(library, " ".join(["-id:77"] * MAX_TERMS)) == everything
    assert found(library, "title:" + "\ufdfa" * 500) == set()


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
@pytest.mark.parametrize("form", ["{}:\udc80", "{}:a\udc80*", "{}::\udc80", "{}:>\udc80"])
def test_bytes_that_are_not_utf_8_are_answered_or_refused_in_every_field(
    library: Library, field: Field, form: str
) -> None:
    with suppress(UsageError, NothingFound):
        assert found(library, form.format(field.name)) <= set(NAMES)


def test_a_regular_expression_finds_paths_despite_names_that_are_not_utf_8(library: Library) -> None:
    assert found(library, "path::beach") == {"beach"}
    assert found(library, "path::\\ufffd") == {"latin"}


def test_empty_alternatives_match_nothing(library: Library) -> None:
    assert count_photos(library, Or(())) == 0
    assert count_photos(library, Not(EVERYTHING)) == 0
    assert count_photos(library, And((EVERYTHING, Or((EVERYTHING,))))) == len(PRESENT)


def test_many_hits_are_in_order_across_chunks(tmp_path: Path) -> None:
    from tests.synthetic import make_library

    with library_in(make_library(tmp_path / "many", photos=1203)) as many:
        hits = [hit.id for hit in find(many, SearchRequest(parse(many, "path:*"), sort="-id")).hits()]
        present = matching_photo_ids(many, EVERYTHING)
        assert hits == present[::-1]
        assert len(present) + count_photos(many, parse(many, "is:missing")) == 1203


def test_every_field_has_help_and_a_unique_name() -> None:
    names = [name for field in FIELDS for name in (field.name, *field.aliases)]
    assert len(set(names)) == len(names)
    assert all(help_of(field) for field in FIELDS)
    assert all(name == name.lower() for name in names)


def test_every_recognised_format_can_be_queried() -> None:
    from photoindex.media.identify.kind import MEDIA_EXTENSIONS

    folder = Path(__file__).resolve().parents[4] / "photoindex" / "media" / "identify"
    written = {
        node.value
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    formats = written & {extension.decode() for extension in MEDIA_EXTENSIONS}
    assert {"heic", "cr3", "mov", "png"} <= formats
    assert formats <= set(FORMATS)
