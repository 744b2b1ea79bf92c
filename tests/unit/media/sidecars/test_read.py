"""Reading sidecars, and refusing damaged and hostile ones with a reason."""

from __future__ import annotations

import json
import pickle
import plistlib
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from photoindex.media.content import Content, read_content
from photoindex.media.problems import MediaProblem
from photoindex.media.sidecars.read import read_sidecar
from photoindex.media.sidecars.recognise import recognise_sidecar
from photoindex.pipeline.ingest.worker import FileJob, ingest_file
from photoindex.types import DerivedParams, Limits, SidecarKind, SidecarRead
from tests.conftest import REPOSITORY

PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:fstop="http://www.fstopapp.com/xmp/" {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>"""
TAKEN = {"timestamp": "1449418710", "formatted": "Dec 6, 2015, 4:18:30 PM UTC"}
NOWHERE = {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0, "latitudeSpan": 0.0, "longitudeSpan": 0.0}
BERLIN = {"latitude": 52.5085222, "longitude": 13.4432056, "altitude": 40.99780701754386}
ALBUM = {"title": "Lisbon", "description": "", "access": "protected", "date": TAKEN, "location": "", "geoData": NOWHERE}


def packet(attributes: str = "", elements: str = "") -> bytes:
    return PACKET.format(attributes=attributes, elements=elements).encode()


def takeout(**members: Any) -> bytes:
    return json.dumps({"title": "a.jpg", "photoTakenTime": TAKEN, **members}).encode()


def aae(**members: Any) -> bytes:
    return plistlib.dumps({"adjustmentFormatIdentifier": "com.apple.photo", "adjustmentBaseVersion": 0, **members})


def content(data: bytes) -> Content:
    return Content(b"/nowhere", bytes(32), len(data), 0, data[: 64 << 10], data)


def read(name: str, data: bytes) -> SidecarRead:
    kind = recognise_sidecar(name.encode(), content(data))
    assert kind is not None, "not recognised"
    return read_sidecar(kind, content(data))


def recognised(name: str, data: bytes) -> SidecarKind | None:
    return recognise_sidecar(name.encode(), content(data))


def refusal(name: str, data: bytes) -> str:
    """Return why a recognised sidecar is refused."""
    with pytest.raises(MediaProblem) as caught:
        read(name, data)
    assert caught.value.error_class == "sidecar"
    return str(caught.value)


def test_a_sidecar_is_recognised_by_extension_and_content() -> None:
    assert recognised("a.jpg.xmp", packet()) is SidecarKind.XMP
    assert recognised("A.XMP", packet()) is SidecarKind.XMP
    assert recognised("IMG_1.AAE", aae()) is SidecarKind.AAE
    assert recognised("a.jpg.JSON", takeout()) is SidecarKind.TAKEOUT


@pytest.mark.parametrize("name", ["a.txt", "xmp", "json", "a.jpg", ""])
def test_a_file_with_another_extension_is_never_a_sidecar(name: str) -> None:
    assert [recognised(name, data) for data in (packet(), aae(), takeout())] == [None, None, None]


@pytest.mark.parametrize("name", ["a.xmp", "a.aae", "a.json"])
@pytest.mark.parametrize(
    "data", [b"\1" * 100, b"{}", b"[1]", b"<svg/>", b'{"title": 5, "photoTakenTime": {}}', b"\xff\xfe"]
)
def test_other_content_with_a_sidecar_extension_is_not_a_sidecar(name: str, data: bytes) -> None:
    assert recognised(name, data) is None


@pytest.mark.parametrize("name", ["a.xmp", "a.jpg.XMP", "a.aae"])
@pytest.mark.parametrize("data", [b"", b"\0" * 100, b" \n"])
def test_a_blank_xmp_or_aae_is_a_damaged_sidecar(name: str, data: bytes) -> None:
    assert refusal(name, data)


@pytest.mark.parametrize(
    "name",
    [
        "IMG_0009.jpg.json", "IMG_0009.JPG(1).json", "IMG_0009(1).heic.json", "a.mp4.supplemental-metadata.json",
        "a.jpg.supplemental-metadata(2).json", "a.jpg.suppl.json", "a.jpg..json",
    ],
)  # fmt: skip
@pytest.mark.parametrize("data", [b"", b"\0" * 100, b'{"title": "IMG', b"<html>", b'{"title": "a"}}'])
def test_json_that_cannot_be_parsed_under_takeouts_names_is_a_damaged_sidecar(name: str, data: bytes) -> None:
    assert refusal(name, data)


@pytest.mark.parametrize("name", ["package.json", "metadata.json", "a.txt.json", "jpg.json", "a.jpg.other.json"])
def test_other_damaged_json_is_not_a_sidecar(name: str) -> None:
    assert [recognised(name, data) for data in (b"", b"{", b"<html>")] == [None, None, None]


@pytest.mark.parametrize("data", [b"{}", b"[1]", b"5", b'"title"'])
def test_valid_json_of_another_program_is_not_a_sidecar_even_with_a_takeout_name(data: bytes) -> None:
    assert recognised("a.jpg.json", data) is None


@pytest.mark.parametrize("data", [packet(), aae(), takeout()])
def test_a_sidecar_with_the_extension_of_another_kind_is_not_recognised(data: bytes) -> None:
    assert sum(recognised(name, data) is not None for name in ("a.xmp", "a.aae", "a.json")) == 1


def test_the_json_of_an_album_is_a_sidecar_of_its_own_kind() -> None:
    for name, album in (("metadata.json", ALBUM), ("métadonnées.json", {"albumData": ALBUM})):
        data = json.dumps(album).encode()
        assert recognised(name, data) is SidecarKind.TAKEOUT_ALBUM
        assert read(name, data).title == "Lisbon"
    unnamed = json.dumps(ALBUM | {"title": ""}).encode()
    assert recognised("metadata.json", unnamed) is SidecarKind.TAKEOUT_ALBUM
    assert read("metadata.json", unnamed).title is None
    for other in ({"title": "Lisbon"}, {"title": "Lisbon", "access": 5}, {"title": 5, "access": "protected"}):
        assert recognised("metadata.json", json.dumps(other).encode()) is None


def test_apples_list_of_an_album_names_files_in_its_order() -> None:
    data = b'\xef\xbb\xbfImages\r\nIMG_2.HEIC\r\n"a, b.jpg"\r\nIMG_2.HEIC\r\n../x.jpg\r\n\r\n'
    assert recognised("Holiday.csv", data) is SidecarKind.APPLE_ALBUM
    assert {name: part.facts for name, part in read("Holiday.csv", data).parts.items()} == {
        "IMG_2.HEIC": {"place": 1}, "a, b.jpg": {"place": 2},
    }  # fmt: skip
    for other in (b"", b"imgName,fileChecksum\n", b"Images,x\n", b"name\nImages\n"):
        assert recognised("Photo Details.csv", other) is None
    assert "damaged" in refusal("Holiday.csv", b"Images\n" + b"x" * 1_025)
    assert recognised("a.jpg.json", json.dumps({"title": "a.jpg", "geoData": BERLIN}).encode()) is SidecarKind.TAKEOUT


def test_an_oversized_json_is_ignored_and_an_oversized_xmp_is_refused() -> None:
    padding = " " * (4 << 20)
    assert recognised("a.json", takeout() + padding.encode()) is None
    assert refusal("a.xmp", packet() + padding.encode()) == "the sidecar is larger than 4 MiB"
    assert refusal("a.aae", aae() + padding.encode()) == "the sidecar is larger than 4 MiB"


def test_an_xmp_sidecar_gives_the_same_facts_as_an_embedded_packet() -> None:
    attributes = 'xmp:Rating="4" exif:DateTimeOriginal="2018-08-11T17:38:25Z" exif:GPSLatitude="48,24.5N" exif:GPSLongitude="3,5.4W"'
    sidecar = read("a.xmp", packet(attributes))
    assert sidecar.kind is SidecarKind.XMP
    assert sidecar.title is None
    assert sidecar.facts == {
        "rating": 4,
        "taken_at": "2018-08-11T17:38:25+00:00",
        "latitude": 48.4083333,
        "longitude": -3.09,
    }


def test_the_favourite_flag_of_an_xmp_is_read() -> None:
    assert read("a.xmp", packet('fstop:favorite="1"')).facts == {"favourite": 1}
    assert read("a.xmp", packet('fstop:favorite="0"')).facts == {}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declared", [False, True])
def test_an_xmp_may_be_in_any_unicode_encoding(encoding: str, declared: bool) -> None:
    text = packet('xmp:CreatorTool="Müller"').decode()
    if declared:
        text = f'<?xml version="1.0" encoding="{encoding[:6].rstrip("-")}"?>\n{text}'
    mark = "\ufeff" if encoding.endswith("e") else ""
    assert read("a.xmp", (mark + text).encode(encoding)).facts == {"software": "Müller"}


def test_an_impossible_value_becomes_a_note() -> None:
    sidecar = read("a.xmp", packet('exif:DateTimeOriginal="2057-01-01T00:00:00" xmp:Rating="9"'))
    assert sidecar.facts == {}
    assert [note.split(" refused")[0] for note in sidecar.notes] == [
        "sidecar: taken_at '2057-01-01T00:00:00'",
        "sidecar: rating '9'",
    ]


def test_faces_of_an_xmp_are_kept() -> None:
    regions = """<mwg-rs:Regions xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
     xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag><rdf:li>
     <rdf:Description mwg-rs:Name="Ada" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:w="0.2" stArea:h="0.4"
     stArea:unit="normalized"/></rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"""
    (region,) = read("a.xmp", packet(elements=regions)).regions
    assert (region.name, region.kind) == ("Ada", "face")
    assert (region.x, region.y, region.width, region.height) == pytest.approx((0.4, 0.3, 0.2, 0.4))


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + step, b"&%c;" % (97 + step) * 10) for step in range(9))
    + b"]>"
)


@pytest.mark.parametrize(
    "data",
    [
        packet()[:-30],
        BOMB + packet(elements="<xmp:Label>&j;</xmp:Label>"),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + packet(),
        packet().replace(b"rdf:Description", b"rdf:Other", 1),
    ],
    ids=["truncated", "entities", "external", "unbalanced"],
)
def test_a_damaged_or_hostile_xmp_is_refused_by_name(data: bytes) -> None:
    assert refusal("a.xmp", data).startswith("the XMP is damaged (")


def test_an_xmp_of_too_many_tags_is_refused_before_it_is_parsed() -> None:
    assert refusal("a.xmp", packet(elements="<a/>" * 600_000)) == "the XMP has more than 500000 tags"


def test_a_deeply_nested_xmp_is_read_or_refused_without_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.xmp"
    path.write_bytes(packet(elements="<a>" * 200_000 + "</a>" * 200_000))
    script = (
        "import sys; from photoindex.media.content import read_content; from photoindex.types import SidecarKind\n"
        "from photoindex.media.problems import MediaProblem; from photoindex.media.sidecars.read import read_sidecar\n"
        "try:\n    print(dict(read_sidecar(SidecarKind.XMP, read_content(sys.argv[1].encode())).facts))\n"
        "except MediaProblem as problem:\n    print(problem.error_class)"
    )
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() in ("{}", "sidecar")


def test_an_aae_gives_the_time_and_format_of_an_edit() -> None:
    sidecar = read("a.aae", aae(adjustmentTimestamp=datetime(2021, 5, 6, 7, 8, 9)))  # noqa: DTZ001 - as property lists have it
    assert sidecar.facts == {
        "edited": 1,
        "edited_at": "2021-05-06T07:08:09+00:00",
        "adjustment_format": "com.apple.photo",
    }
    assert sidecar.kind is SidecarKind.AAE


def test_a_binary_aae_is_read_like_one_of_xml() -> None:
    members = {"adjustmentFormatIdentifier": "com.apple.video.slomo", "adjustmentData": b"\0" * 99}
    sidecar = read("a.aae", plistlib.dumps(members, fmt=plistlib.FMT_BINARY))
    assert sidecar.facts == {"edited": 1, "adjustment_format": "com.apple.video.slomo"}


@pytest.mark.parametrize("stamp", [datetime(1, 1, 1), datetime(9999, 1, 1), "soon", 5])  # noqa: DTZ001
def test_an_impossible_date_of_an_edit_becomes_a_note(stamp: object) -> None:
    sidecar = read("a.aae", aae(adjustmentTimestamp=stamp))
    assert "edited_at" not in sidecar.facts
    assert len(sidecar.notes) == 1
    assert sidecar.notes[0].startswith("sidecar: edited_at ")


def binary_list(objects: list[bytes], *, count: int | None = None, top: int = 0) -> bytes:
    """Return a binary property list of raw objects, with `count` in its trailer."""
    body, offsets = b"bplist00", b""
    for raw in objects:
        offsets += len(body).to_bytes(2, "big")
        body += raw
    numbers = (len(objects) if count is None else count, top, len(body))
    return body + offsets + b"\0" * 6 + b"\x02\x01" + b"".join(number.to_bytes(8, "big") for number in numbers)


KEY = b"\x5f\x10\x0eadjustmentData"


@pytest.mark.parametrize(
    "data",
    [
        aae()[:-20],
        aae().replace(b"<dict>", b"<array>").replace(b"</dict>", b"</array>"),
        aae()
        .replace(b"<plist", b'<!DOCTYPE plist [<!ENTITY a "b">]><plist', 1)
        .replace(b"<!DOCTYPE plist PUBLIC", b"<!-- ", 1),
        aae().replace(b"<integer>0<", b"<integer>" + b"9" * 10_000 + b"<"),
        aae().replace(b"<integer>0<", b"<date>yesterday<").replace(b"</integer>", b"</date>"),
        binary_list([b"\xd1\x01\x02", KEY, b"\xa1\x02"], count=2**62),
        binary_list([b"\xd1\x01\x02", KEY], top=77),
        binary_list([b"\xd1\x01\x02", KEY, b"\xaf\x13" + b"\xff" * 8]),
        binary_list([KEY]),
        b"bplist00" + KEY,
    ],
    ids=[
        "truncated",
        "list",
        "entity",
        "huge number",
        "no date",
        "count",
        "top",
        "size",
        "no dictionary",
        "no trailer",
    ],
)
def test_a_damaged_or_hostile_aae_is_refused_by_name(data: bytes) -> None:
    assert "the property list" in refusal("a.aae", data)


def test_a_binary_aae_that_contains_itself_is_read_once() -> None:
    sidecar = read("a.aae", binary_list([b"\xd1\x01\x02", KEY, b"\xa2\x02\x00"]))
    assert sidecar.facts == {"edited": 1}


def test_a_binary_aae_of_endless_depth_is_refused() -> None:
    chain = [b"\xd1\x01\x02", KEY, *(b"\xa1" + bytes([step]) for step in range(3, 250)), b"\x08"]
    assert read("a.aae", binary_list(chain)).facts == {"edited": 1}
    deep = b"<array>" * 40_000 + b"</array>" * 40_000
    sidecar = read("a.aae", aae().replace(b"<integer>0</integer>", deep))
    assert sidecar.facts == {"edited": 1, "adjustment_format": "com.apple.photo"}
    assert "more than 100000 tags" in refusal("a.aae", aae().replace(b"<integer>0</integer>", deep * 2))


def test_a_property_list_without_top_level_adjustments_is_refused() -> None:
    assert refusal("a.aae", plistlib.dumps({"a": {"adjustmentData": b""}})) == "the property list has no adjustments"


def test_takeouts_json_gives_time_position_text_people_and_favourite() -> None:
    sidecar = read(
        "a.jpg.json",
        takeout(
            description=" Am Fluß ",
            geoData=BERLIN,
            geoDataExif=NOWHERE,
            favorited=True,
            people=[{"name": "Ada"}, {"name": "Дочь"}, {"name": "Ada"}, {"name": 5}, "x", {}],
            url="https://photos.example/1",
            imageViews="3",
        ),
    )
    assert sidecar.kind is SidecarKind.TAKEOUT
    assert sidecar.title == "a.jpg"
    assert sidecar.notes == ()
    assert sidecar.facts == {
        "taken_at": "2015-12-06T16:18:30+00:00",
        "latitude": 52.5085222,
        "longitude": 13.4432056,
        "altitude_m": 40.998,
        "description": "Am Fluß",
        "people": ["Ada", "Дочь"],
        "favourite": 1,
    }


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("-1", "1969-12-31T23:59:59+00:00"),
        ("-2208988800", "1900-01-01T00:00:00+00:00"),
        (1449418710, "2015-12-06T16:18:30+00:00"),
        ("1449418710.75", "2015-12-06T16:18:30+00:00"),
    ],
)
def test_times_before_1970_and_plain_numbers_are_read(stamp: object, expected: str) -> None:
    assert read("a.json", takeout(photoTakenTime={"timestamp": stamp})).facts == {"taken_at": expected}


@pytest.mark.parametrize(
    "stamp",
    ["0", "-62135596800", "99999999999", "1449418710000", "1e400", "9" * 5000, "soon", 2**70, [1], True, {"a": 1}],
)
def test_impossible_times_become_a_note(stamp: object) -> None:
    sidecar = read("a.json", takeout(photoTakenTime={"timestamp": stamp}))
    assert "taken_at" not in sidecar.facts
    assert len(sidecar.notes) == 1
    assert sidecar.notes[0].startswith("takeout: taken_at ")


def test_the_cameras_position_is_used_if_google_has_none() -> None:
    facts = read("a.json", takeout(geoData=NOWHERE, geoDataExif=BERLIN)).facts
    assert (facts["latitude"], facts["longitude"]) == (52.5085222, 13.4432056)


def test_zero_positions_and_zero_altitudes_are_ignored() -> None:
    sidecar = read("a.json", takeout(geoData=NOWHERE, geoDataExif=NOWHERE))
    assert set(sidecar.facts) == {"taken_at"}
    assert sidecar.notes == ()
    assert "altitude_m" not in read("a.json", takeout(geoData={**BERLIN, "altitude": -0.0})).facts


@pytest.mark.parametrize("latitude", [91, 1e300, float("nan"), float("inf"), 10**60])
def test_a_position_out_of_range_becomes_a_note(latitude: float) -> None:
    sidecar = read("a.json", takeout(geoData={"latitude": latitude, "longitude": 5.0, "altitude": 3.0}))
    assert set(sidecar.facts) == {"taken_at"}
    assert ["position" in note for note in sidecar.notes] == [True]


@pytest.mark.parametrize(
    "members",
    [
        {"geoData": []},
        {"geoData": {"latitude": "5", "longitude": 5}},
        {"people": {}},
        {"description": 7},
        {"photoTakenTime": 7},
    ],
)
def test_members_of_an_unexpected_type_are_left_out(members: dict[str, Any]) -> None:
    assert set(read("a.json", takeout(**members)).facts) <= {"taken_at"}


def test_half_a_surrogate_pair_and_nul_never_reach_the_facts() -> None:
    sidecar = read("a.json", takeout(description="a\ud83d\0b", people=[{"name": "\udc00"}], title="\ud83d.jpg"))
    assert json.dumps([sidecar.facts, sidecar.title], ensure_ascii=False).encode()
    assert "\0" not in str(sidecar.facts["description"])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (takeout()[:-5], "the JSON is damaged: "),
        (takeout().replace(b'"a.jpg"', b"[" * 20_000), "the JSON is nested too deeply"),
        (takeout().replace(b'"a.jpg"', b"[" + b"{}," * 60_000 + b"1]"), "the JSON has more than 50000 parts"),
        (takeout().replace(b'"a.jpg"', b'"a.jpg'), "the JSON is damaged: "),
    ],
    ids=["truncated", "deep", "many", "quote"],
)
def test_a_damaged_or_hostile_json_is_refused_by_name(data: bytes, why: str) -> None:
    assert refusal("a.jpg.json", data).startswith(why)


def test_huge_numbers_in_unused_members_do_no_harm() -> None:
    data = takeout(x=1).replace(b'"x": 1', b'"x": ' + b"9" * 100_000 + b', "y": NaN, "z": -Infinity')
    assert set(read("a.jpg.json", data).facts) == {"taken_at"}


def test_a_json_with_a_byte_order_mark_is_read() -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert read("a.json", takeout(description="ä").decode().encode(encoding)).facts["description"] == "ä"


def job(path: Path, folder: Path) -> FileJob:
    name = path.name.encode()
    return FileJob(1, bytes(path), name, folder, DerivedParams(), Limits(), derive=True)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.jpg.xmp", packet('xmp:Rating="3"'), "an XMP sidecar"),
        ("IMG_1.AAE", aae(), "an AAE sidecar of Apple's Photos"),
        ("a.jpg.json", takeout(), "a JSON sidecar of Google Takeout"),
    ],
)
def test_a_worker_returns_the_facts_of_a_sidecar(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    outcome = pickle.loads(pickle.dumps(ingest_file(job(path, tmp_path / "derived"))))
    assert outcome.sidecar == read(name, data)
    assert outcome.not_media == reason
    assert outcome.failure is None
    assert outcome.digest == read_content(bytes(path)).digest


@pytest.mark.parametrize(
    ("name", "data"), [("a.xmp", packet()[:-9]), ("a.aae", aae()[:-9]), ("a.jpg.json", takeout()[:-1]), ("f.xmp", b"")]
)
def test_a_worker_reports_a_broken_sidecar_as_a_failure_of_its_own_class(
    tmp_path: Path, name: str, data: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    outcome = ingest_file(job(path, tmp_path / "derived"))
    assert outcome.failure is not None
    assert (outcome.failure.error_class, outcome.failure.retry) == ("sidecar", False)
    assert outcome.sidecar is None
    assert outcome.not_media is None


def test_a_worker_without_sidecars_imports_no_sidecar_reader(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"hello")
    script = (
        "import sys; from pathlib import Path; from photoindex.pipeline.ingest.worker import FileJob, ingest_file\n"
        "from photoindex.types import DerivedParams, Limits\n"
        "ingest_file(FileJob(1, sys.argv[1].encode(), b'a.txt', Path('x'), DerivedParams(), Limits(), derive=True))\n"
        "print([name for name in sys.modules if name in ('plistlib', 'defusedxml', 'photoindex.media.sidecars.read')])"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.txt")]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n"
