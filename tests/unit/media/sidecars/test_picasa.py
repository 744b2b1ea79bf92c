"""Reading `.picasa.ini`: faces, names, stars, captions and keywords of a folder's photos."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photoindex.media.content import Content
from photoindex.media.problems import MediaProblem
from photoindex.media.sidecars.read import read_sidecar
from photoindex.media.sidecars.recognise import recognise_sidecar
from photoindex.types import Region, SidecarKind, SidecarRead
from tests.property.test_encodings import repeatable

PICASA = """[Picasa]
name=Summer
[.album:1b2c]
name=faces=rect64(1),2
[Contacts2]
8e62398ebda8c1a5=Anna Schmidt;;
d10a8325c557b085=Zo\N{LATIN SMALL LETTER E WITH DIAERESIS} &amp; Ben;zoe@example.org;
[Contacts]
cb989580bc43a91=joedoe_lh,4bd750800fb6a6b8
[IMG_1.jpg]
star=yes
caption=At the sea
keywords=sea,beach,sea
faces=rect64(3f845bcb59418507),8e62398ebda8c1a5;rect64(10002000300040),ffffffffffffffff
backuphash=1234
[IMG 2 [final].jpg]
faces=rect64(80008000ffffffff),d10a8325c557b085;
[IMG_3.CR2]
rotate=rotate(1)
"""


def content(data: bytes) -> Content:
    return Content(b"/nowhere", bytes(32), len(data), 0, data[: 64 << 10], data)


def read(text: str | bytes) -> SidecarRead:
    data = text.encode() if isinstance(text, str) else text
    return read_sidecar(SidecarKind.PICASA, content(data))


def faces(text: str) -> list[tuple[str | None, float, float, float, float]]:
    [part] = read(text).parts.values()
    return [(face.name, face.x, face.y, face.width, face.height) for face in part.regions]


def test_each_photo_has_its_own_faces_with_the_names_of_the_contacts() -> None:
    parts = read(PICASA).parts
    assert list(parts) == ["IMG_1.jpg", "IMG 2 [final].jpg"]
    first, second = parts["IMG_1.jpg"].regions
    assert first == Region("face", "Anna Schmidt", 0.248112, 0.358572, 0.100542, 0.161074, "picasa")
    assert (second.name, second.x) == (None, 0.000244)
    [other] = parts["IMG 2 [final].jpg"].regions
    assert (other.name, other.x, other.width) == ("Zo\N{LATIN SMALL LETTER E WITH DIAERESIS} & Ben", 0.500008, 0.499992)


def test_star_caption_and_keywords_are_facts_of_their_photo() -> None:
    parts = read(PICASA).parts
    assert parts["IMG_1.jpg"].facts == {"favourite": 1, "description": "At the sea", "keywords": ["sea", "beach"]}
    assert parts["IMG 2 [final].jpg"].facts == {}


def test_a_short_rectangle_lacks_zeros_at_the_beginning() -> None:
    [(_, x, y, width, height)] = faces("[a.jpg]\nfaces=rect64(1000200030004000),1\n")
    assert faces("[a.jpg]\nfaces=rect64(200030004000),1\n")[0][1:3] == (0.0, pytest.approx(0x2000 / 65535, abs=1e-6))
    assert (x, y) == pytest.approx((0x1000 / 65535, 0x2000 / 65535), abs=1e-6)
    assert (width, height) == pytest.approx((0x2000 / 65535, 0x2000 / 65535), abs=1e-6)


def test_an_id_of_a_contact_may_lack_its_zeros_too() -> None:
    text = "[Contacts2]\n0cb989580bc43a91=Anna;;\n[a.jpg]\nfaces=rect64(1000200030004000),cb989580bc43a91"
    assert faces(text)[0][0] == "Anna"


def test_a_contact_that_the_file_does_not_name_is_a_face_without_a_name_and_noted() -> None:
    found = read("[Contacts]\naa=joedoe_lh,bb\n[a.jpg]\nfaces=rect64(1000200030004000),aa\n")
    assert [face.name for face in found.parts["a.jpg"].regions] == [None]
    assert found.notes == ("sidecar: a.jpg: a face has a name that only Picasa's contacts.xml knows",)


@pytest.mark.parametrize("rectangle", ["", "xyz", "-1", "12345678901234567", "3000200010004000", "0"])
def test_an_impossible_rectangle_is_noted_and_the_other_faces_are_kept(rectangle: str) -> None:
    found = read(f"[a.jpg]\nfaces=rect64({rectangle}),1;rect64(1000200030004000),ffffffffffffffff;nonsense\n")
    assert len(found.parts["a.jpg"].regions) == 1
    assert found.notes == ("sidecar: a.jpg: a face has no sensible rectangle",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_names_are_read_in_utf_8_and_in_the_local_code_page(encoding: str) -> None:
    text = "[Contacts2]\r\naa=J\N{LATIN SMALL LETTER U WITH DIAERESIS}rgen;;\r\n[a.jpg]\r\nfaces=rect64(1000200030004000),aa\r\n"
    [part] = read(text.encode(encoding)).parts.values()
    assert [face.name for face in part.regions] == ["J\N{LATIN SMALL LETTER U WITH DIAERESIS}rgen"]


def test_more_faces_than_any_photo_has_are_cut_with_a_note() -> None:
    found = read("[a.jpg]\nfaces=" + "rect64(1000200030004000),ffffffffffffffff;" * 600)
    assert len(found.parts["a.jpg"].regions) == 500
    assert any("more than 500 faces" in note for note in found.notes)


def test_it_is_recognised_by_its_name_and_a_section() -> None:
    for name in (b".picasa.ini", b"Picasa.ini", b"picasa.ini"):
        assert recognise_sidecar(name, content(PICASA.encode())) is SidecarKind.PICASA
    assert recognise_sidecar(b"desktop.ini", content(PICASA.encode())) is None
    for other in (b"", b"\0" * 100, b"some words"):
        assert recognise_sidecar(b".picasa.ini", content(other)) is None


def test_one_that_is_too_large_is_refused() -> None:
    huge = Content(b"/nowhere", bytes(32), 5 << 20, 0, PICASA.encode(), None)
    assert recognise_sidecar(b".picasa.ini", huge) is SidecarKind.PICASA
    with pytest.raises(MediaProblem, match="larger than 4 MiB"):
        read_sidecar(SidecarKind.PICASA, huge)


LINES = st.sampled_from([
    "[a.jpg]", "[Contacts2]", "[", "[]", "[[]]", "=", "faces=", "faces=rect64(", "star=yes", "star", "\0", "aa=\0;;",
    "faces=rect64(1000200030004000),aa;;;rect64(),", "caption=\\n&#0;&#x110000;", "keywords=,,\ud83d,",
])  # fmt: skip


@repeatable
@given(st.one_of(st.binary(max_size=400), st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=30)))
def test_any_content_gives_sound_regions_or_none(written: bytes | list[str]) -> None:
    data = written if isinstance(written, bytes) else "\n".join(written).encode("utf-8", "surrogatepass")
    if not data:
        return
    for name, part in read(data).parts.items():
        assert name == name.encode("utf-8", "strict").decode()
        for face in part.regions:
            assert 0 <= face.x < face.x + face.width <= 1.000001
            assert 0 <= face.y < face.y + face.height <= 1.000001
            assert face.name is None or (0 < len(face.name) <= 500 and "\0" not in face.name)
