"""XMP in every form in which programs leave it: with text around it, in other encodings, twice, in GIF."""

# ruff: noqa: RUF001  (the texts are in many scripts)
from __future__ import annotations

import io

import pytest
from PIL import Image

from photoindex.media.content import Content
from photoindex.media.sidecars.common import BrokenSidecar
from photoindex.media.sidecars.read import read_sidecar
from photoindex.media.sidecars.recognise import recognise_sidecar
from photoindex.types import FactValue, SidecarKind
from tests.metadata_blocks import content, described, jpeg, png, xmp, xmp_segment

PACKET = xmp('photoshop:City="Łódź"', "<dc:title><rdf:Alt><rdf:li>Straße – 写真</rdf:li></rdf:Alt></dc:title>")
FACTS = {"city": "Łódź", "title": "Straße – 写真"}
BARE = PACKET[PACKET.index(b"<x:xmpmeta") : PACKET.rindex(b"<?xpacket")]
TRAILER = bytes((1, *range(0xFF, -1, -1), 0))


def facts_of(packet: bytes) -> dict[str, FactValue]:
    result = described(jpeg(xmp_segment(packet)))
    assert result.notes == ()
    return dict(result.facts["xmp"])


def sidecar_facts(data: bytes) -> dict[str, FactValue]:
    assert recognise_sidecar(b"a.xmp", content(data)) is SidecarKind.XMP
    return dict(read_sidecar(SidecarKind.XMP, content(data)).facts)


SURROUNDED = {
    "text after its end": PACKET + b"\nsaved by some program <1.0> & more",
    "text after the root": BARE + b"junk & <",
    "NULs after its end": PACKET + bytes(2000),
    "blanks before it": b" \r\n\t" + PACKET,
    "a byte order mark": b"\xef\xbb\xbf" + PACKET,
    "NULs before it": bytes(5) + PACKET,
    "text before it": b"some <b> text " + PACKET,
    "a declaration": b'<?xml version="1.0" encoding="UTF-8"?>\n' + PACKET,
    "a declaration inside": PACKET.replace(b"<x:xmpmeta", b'\n<?xml version="1.0"?><x:xmpmeta', 1),
    "no wrapper": BARE,
    "no root but RDF": BARE.partition(b">")[2].rpartition(b"</x:")[0],
    "a second packet": PACKET + b"\n" + xmp('photoshop:City="Rome"'),
    "a second root": BARE + xmp('photoshop:City="Rome"'),
    "bare ampersands": PACKET.replace(b"</rdf:RDF>", b"<!-- a & b --> &  &amp; &nbsp; </rdf:RDF>"),
    "control characters": PACKET.replace(b"</rdf:RDF>", b"\x01\x1f&#1;&#x0B; </rdf:RDF>"),
}


@pytest.mark.parametrize("name", SURROUNDED)
def test_a_packet_is_found_with_anything_around_it(name: str) -> None:
    assert facts_of(SURROUNDED[name]) == FACTS
    assert sidecar_facts(SURROUNDED[name]) == FACTS


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="UTF-16"?>'])
def test_a_packet_is_read_in_every_form_of_unicode(codec: str, declaration: str) -> None:
    data = (declaration + PACKET.decode()).encode(codec)
    assert facts_of(data) == FACTS
    assert sidecar_facts(data) == FACTS


def test_a_second_packet_adds_what_the_first_lacks() -> None:
    assert facts_of(PACKET + xmp('photoshop:City="Rome" xmp:Rating="4"')) == {**FACTS, "rating": 4}


def test_regions_are_found_in_every_form_of_unicode() -> None:
    regions = (
        '<mwg-rs:Regions xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" rdf:parseType="Resource">'
        '<mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="Łucja" mwg-rs:Type="Face">'
        '<mwg-rs:Area xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" stArea:x="0.5" stArea:y="0.5" stArea:w="0.2" '
        'stArea:h="0.2" stArea:unit="normalized"/></rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>'
    )
    packet = xmp(elements=regions).decode().encode("utf-16-be")
    assert [region.name for region in described(jpeg(xmp_segment(packet))).regions] == ["Łucja"]
    assert [region.name for region in read_sidecar(SidecarKind.XMP, content(packet)).regions] == ["Łucja"]


def test_text_of_other_encodings_in_a_packet_is_read() -> None:
    western = PACKET.replace("Łódź".encode(), "35° – “Hütte” 5 €".encode("cp1252"))
    assert facts_of(western) == {**FACTS, "city": "35° – “Hütte” 5 €"}
    declared = '<?xml version="1.0" encoding="windows-1250"?>' + xmp('photoshop:City="Łódź"').decode().replace(
        "\ufeff", ""
    )
    assert sidecar_facts(declared.encode("cp1250")) == {"city": "Łódź"}
    russian = xmp('photoshop:City="PLACE"').replace(b"PLACE", "Нижний Новгород".encode("cp1251"))
    result = read_sidecar(SidecarKind.XMP, content(russian))
    assert result.facts == {"city": "Нижний Новгород"}
    assert result.notes == ("sidecar: text that is not UTF-8 was read as Windows-1251",)


def test_takeout_json_is_read_in_every_encoding() -> None:
    text = '{"title": "a.jpg", "description": "Hütte – 5 €", "photoTakenTime": {"timestamp": "1500000000"}}'
    for codec in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"):
        data = content(text.encode(codec))
        assert recognise_sidecar(b"a.jpg.json", data) is SidecarKind.TAKEOUT
        assert read_sidecar(SidecarKind.TAKEOUT, data).facts["description"] == "Hütte – 5 €"


def test_a_packet_over_4_mib_and_one_of_blanks_are_refused() -> None:
    result = described(png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET)), "png")
    assert result.facts["xmp"] == FACTS
    large = gif(PACKET + b" " * (5 << 20))
    assert described(large, "gif").notes == ("xmp: damaged XMP (ValueError: the packet is larger than 4 MiB)",)
    with pytest.raises(BrokenSidecar):
        read_sidecar(SidecarKind.XMP, Content(b"a.xmp", bytes(32), 9, 0, b"  \0\0\0    ", b"  \0\0\0    "))


def gif(packet: bytes, *, trailer: bytes = TRAILER, at_end: bool = False, name: bytes = b"XMP DataXMP") -> bytes:
    """Return a GIF of two frames with colour tables and a packet before or after them."""
    out = io.BytesIO()
    frames = [Image.new("P", (300, 200), index) for index in (0, 1)]
    for frame in frames:
        frame.putpalette([index % 256 for index in range(768)])
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], comment=b"a comment")
    data = out.getvalue()
    extension = b"\x21\xff\x0b" + name + packet + trailer
    position = len(data) - 1 if at_end else 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    return data[:position] + extension + data[position:]


@pytest.mark.parametrize("at_end", [False, True])
def test_xmp_in_a_gif_is_read(at_end: bool) -> None:
    result = described(gif(PACKET, at_end=at_end), "gif")
    assert (result.width, result.height, result.notes) == (300, 200, ())
    assert result.facts == {"xmp": FACTS, "container": {"description": "a comment"}}


def test_xmp_in_the_sub_blocks_of_a_gif_is_read() -> None:
    parts = [PACKET[start : start + 255] for start in range(0, len(PACKET), 255)]
    packet = b"".join(bytes([len(part)]) + part for part in parts)
    assert described(gif(packet, trailer=b"\0"), "gif").facts["xmp"] == FACTS


def test_another_application_in_a_gif_is_skipped() -> None:
    assert described(gif(b"\x03abc", trailer=b"\0", name=b"SOMETHING1.0"[:11]), "gif").facts == {
        "container": {"description": "a comment"}
    }


@pytest.mark.parametrize("end", [5, 12, 14, 30, 200, 900, -1])
def test_a_gif_cut_short_raises_nothing(end: int) -> None:
    assert described(gif(PACKET)[:end], "gif").facts.get("container", {}) in ({}, {"description": "a comment"})
