"""Finding the video of a motion photo, in generated files like those of phones and in real ones."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import pytest

from photoindex.media.content import read_content
from photoindex.media.identify.kind import sniff
from photoindex.media.metadata.description import describe
from photoindex.types import Described
from tests.metadata_blocks import box, described, jpeg, xmp_segment

VIDEO = box(b"ftyp", b"mp42\0\0\0\0isommp42") + box(b"moov", bytes(40)) + box(b"mdat", bytes(range(200)))
END = b"\xff\xd9"


def camera(attributes: str, items: str = "") -> bytes:
    """Return an XMP packet like those of Google's camera."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" '
        'xmlns:Container="http://ns.google.com/photos/1.0/container/" '
        f'xmlns:Item="http://ns.google.com/photos/1.0/container/item/" {attributes}>'
        f"<Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def item(semantic: str, mime: str, length: int, padding: int = 0) -> str:
    return (
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="{semantic}" Item:Mime="{mime}" '
        f'Item:Length="{length}" Item:Padding="{padding}"/></rdf:li>'
    )


def samsung_trailer(payload: bytes, before: bytes = b"") -> bytes:
    """Return a trailer of data blocks and their directory like those of Samsung phones."""
    other = struct.pack("<HHI", 0, 0x0A01, 14) + b"Image_UTC_Data" + b"1583000000000" + before
    motion = struct.pack("<HHI", 0, 0x0A30, 16) + b"MotionPhoto_Data" + payload
    entries = struct.pack("<HHII", 0, 0x0A01, len(other) + len(motion), len(other))
    entries += struct.pack("<HHII", 0, 0x0A30, len(motion), len(motion))
    directory = b"SEFH" + struct.pack("<II", 106, 2) + entries
    return other + motion + directory + struct.pack("<I", len(directory)) + b"SEFT"


def motion(result: Described) -> tuple[object, object, object] | None:
    facts = result.facts.get("container", {})
    if "motion_offset" not in facts:
        return None
    return facts["motion_offset"], facts["motion_bytes"], facts["motion_kind"]


def test_googles_directory_locates_the_video_after_the_picture() -> None:
    items = item("Primary", "image/jpeg", 0) + item("MotionPhoto", "video/mp4", len(VIDEO))
    picture = jpeg(xmp_segment(camera('GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1"', items))) + END
    assert motion(described(picture + VIDEO)) == (len(picture), len(VIDEO), "google")


def test_a_gain_map_before_and_padding_after_the_video_are_skipped() -> None:
    gain_map = b"\xff\xd8 a gain map \xff\xd9"
    items = item("Primary", "image/jpeg", 0, 5) + item("GainMap", "image/jpeg", len(gain_map))
    items += item("MotionPhoto", "video/mp4", len(VIDEO), 7) + item("Other", "x/y", 11)
    picture = jpeg(xmp_segment(camera('GCamera:MotionPhoto="1"', items))) + END + bytes(5) + gain_map
    assert motion(described(picture + VIDEO + bytes(7) + b"another one")) == (len(picture), len(VIDEO), "google")


def test_the_older_micro_video_counts_from_the_end() -> None:
    attributes = f'GCamera:MicroVideo="1" GCamera:MicroVideoVersion="1" GCamera:MicroVideoOffset="{len(VIDEO)}"'
    picture = jpeg(xmp_segment(camera(attributes))) + END
    assert motion(described(picture + VIDEO)) == (len(picture), len(VIDEO), "google")


def test_a_motion_flag_of_zero_means_no_motion_photo() -> None:
    items = item("MotionPhoto", "video/mp4", len(VIDEO))
    result = described(jpeg(xmp_segment(camera('GCamera:MotionPhoto="0"', items))) + END)
    assert motion(result) is None
    assert result.notes == ()


def test_a_missing_video_is_noted_and_no_motion_photo() -> None:
    items = item("Primary", "image/jpeg", 0) + item("MotionPhoto", "video/mp4", len(VIDEO))
    result = described(jpeg(xmp_segment(camera('GCamera:MotionPhoto="1"', items))) + END)
    assert motion(result) is None
    assert any("XMP announces a video" in note for note in result.notes)


def test_samsungs_trailer_in_a_jpeg_gives_the_video_without_the_trailer() -> None:
    picture = jpeg() + END
    data = picture + samsung_trailer(VIDEO)
    offset = data.index(VIDEO)
    assert motion(described(data)) == (offset, len(VIDEO), "samsung")


def test_samsungs_trailer_without_a_video_makes_no_motion_photo() -> None:
    assert motion(described(jpeg() + END + samsung_trailer(b"no video at all, only words"))) is None


def test_the_video_box_of_a_heic_is_found(tmp_path: Path) -> None:
    import pillow_heif
    from PIL import Image

    pillow_heif.from_pillow(Image.new("RGB", (64, 48), "teal")).save(tmp_path / "a.heic", quality=50)
    picture = (tmp_path / "a.heic").read_bytes()
    result = described(picture + box(b"mpvd", VIDEO), "heic")
    assert motion(result) == (len(picture) + 8, len(VIDEO), "google")
    trailer = samsung_trailer(b"mpv2 and where the box lies")
    assert motion(described(picture + box(b"mpvd", VIDEO, trailer), "heic")) == (
        len(picture) + 8, len(VIDEO) + len(trailer), "samsung",
    )  # fmt: skip
    assert motion(described(picture, "heic")) is None


@pytest.mark.parametrize("padding", [0, 3])
def test_a_video_without_metadata_is_found_directly_after_the_picture(padding: int) -> None:
    picture = jpeg() + END + bytes(padding)
    assert motion(described(picture + VIDEO)) == (len(picture), len(VIDEO), "appended")


def test_the_bytes_ftyp_inside_a_picture_make_no_motion_photo() -> None:
    assert motion(described(jpeg() + b"\0\0\0\x18ftypisom more pixels" + END)) is None
    assert motion(described(jpeg() + b"\0\0\0\x18ftypisom more pixels" + END + bytes(8))) is None
    assert motion(described(jpeg() + END + b"some other trailer \0\0\0\x18ftypisom")) is None


def test_a_content_that_is_not_held_in_memory_gives_its_video(tmp_path: Path) -> None:
    items = item("MotionPhoto", "video/mp4", len(VIDEO))
    picture = jpeg(xmp_segment(camera('GCamera:MotionPhoto="1"', items))) + END
    (tmp_path / "a.jpg").write_bytes(picture + VIDEO)
    content = read_content(bytes(tmp_path / "a.jpg"), hold_bytes=0)
    media = sniff(content.head, content.open)
    assert media is not None
    assert motion(describe(content, media)) == (len(picture), len(VIDEO), "google")


def test_damaged_trailers_and_directories_raise_nothing() -> None:
    generator = random.Random(20230308)
    items = item("Primary", "image/jpeg", 0) + item("MotionPhoto", "video/mp4", len(VIDEO))
    samples = (
        jpeg(xmp_segment(camera('GCamera:MotionPhoto="1"', items))) + END + VIDEO,
        jpeg() + END + samsung_trailer(VIDEO),
        jpeg() + END + VIDEO,
    )
    for sample in samples:
        for _ in range(150):
            damaged = bytearray(sample)
            for _ in range(generator.randint(1, 12)):
                damaged[-generator.randrange(1, min(200, len(damaged)))] = generator.randrange(256)
            result = described(bytes(damaged[: generator.randrange(len(damaged) // 2, len(damaged) + 1)]))
            place = motion(result)
            if place is not None:
                assert isinstance(place[0], int)
                assert sample[place[0] + 4 : place[0] + 8] in (b"ftyp", bytes(damaged[place[0] + 4 : place[0] + 8]))


def describe_file(path: Path) -> Described:
    content = read_content(bytes(path))
    media = sniff(content.head, content.open)
    assert media is not None
    return describe(content, media)


@pytest.mark.shared
def test_real_motion_photos_match_their_manifest(testdata: Path) -> None:
    manifest = json.loads((testdata / "expected/ente/motion-photos-manifest.json").read_text())
    checked = 0
    for entry in manifest["files"]:
        path = testdata / "formats/motion-photo" / Path(entry["path"]).name
        if not path.is_file():
            continue
        place = motion(describe_file(path))
        expected = entry["expected"]
        assert (place is not None) == expected["is_motion_photo"]
        if place is not None and "video_index_start" in expected:
            start, end = expected["video_index_start"], expected["video_index_end"]
            assert place == (start, end - start, "samsung")
        checked += 1
    assert checked >= 3


@pytest.mark.shared
def test_a_real_jpeg_with_a_video_after_it_is_a_motion_photo(testdata: Path) -> None:
    path = testdata / "formats/motion-photo/image-isom-avc1.jpg"
    place = motion(describe_file(path))
    assert place == (23209, path.stat().st_size - 23209, "appended")


@pytest.mark.shared
def test_no_other_real_photo_is_mistaken_for_a_motion_photo(testdata: Path) -> None:
    taken = [
        path
        for path in sorted((testdata / "photos").rglob("*"))
        if path.suffix.lower() in (".jpg", ".jpeg", ".heic") and motion(describe_file(path)) is not None
    ]
    assert taken == []
