"""Face and other regions, as programs write them into XMP."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from photoindex.domain.people.marks import Picture, RegionSource, marks_of
from photoindex.media.content import read_content
from photoindex.media.identify.kind import sniff
from photoindex.media.metadata.description import describe
from photoindex.media.metadata.standards.regions import regions_of
from photoindex.types import Kind, MediaType, Region
from tests.metadata_blocks import described, jpeg, xmp_segment

NAMESPACES = {
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "acdsee-rs": "http://ns.acdsee.com/regions/",
    "acdsee-stArea": "http://ns.acdsee.com/sType/Area#",
}


def packet(inside: str) -> bytes:
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def mwg(*items: str, dimensions: str = 'stDim:w="4000" stDim:h="3000" stDim:unit="pixel"') -> bytes:
    """Return a packet like Lightroom's: structures as Description elements, fields as attributes."""
    listed = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return packet(
        f'<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:AppliedToDimensions {dimensions}/>'
        f"<mwg-rs:RegionList><rdf:Bag>{listed}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


def marked(area: str, name: str = "Anna", kind: str = "Face") -> str:
    return f'<rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="{kind}"><mwg-rs:Area {area}/></rdf:Description>'


def microsoft(*fields: str) -> bytes:
    listed = "".join(f"<rdf:li {field}/>" for field in fields)
    return packet(
        "<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag>"
        f"{listed}</rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo>"
    )


def place(region: Region) -> tuple[float, float, float, float]:
    return region.x, region.y, region.width, region.height


def test_x_and_y_of_an_mwg_area_are_its_centre() -> None:
    area = 'stArea:x="0.5" stArea:y="0.4" stArea:w="0.2" stArea:h="0.3" stArea:unit="normalized"'
    assert regions_of(mwg(marked(area))) == (Region("face", "Anna", 0.4, 0.25, 0.2, 0.3, "mwg", 4000, 3000),)


def test_fields_may_be_elements_of_resources() -> None:
    item = (
        '<mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.5</stArea:x><stArea:y>0.4</stArea:y><stArea:w>0.2</stArea:w>'
        "<stArea:h>0.3</stArea:h><stArea:unit>normalized</stArea:unit></mwg-rs:Area>"
        "<mwg-rs:Name>Anna</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type>"
    )
    data = mwg("PLACE").replace(b"<rdf:li>PLACE", f'<rdf:li rdf:parseType="Resource">{item}'.encode())
    assert regions_of(data) == (Region("face", "Anna", 0.4, 0.25, 0.2, 0.3, "mwg", 4000, 3000),)


def test_pixel_coordinates_are_divided_by_the_applied_dimensions() -> None:
    area = 'stArea:x="2000" stArea:y="1500" stArea:w="400" stArea:h="300" stArea:unit="pixel"'
    assert [place(one) for one in regions_of(mwg(marked(area)))] == [(0.45, 0.45, 0.1, 0.1)]
    assert regions_of(mwg(marked(area), dimensions="")) == ()


def test_a_circle_is_as_wide_as_it_is_high_in_pixels() -> None:
    area = 'stArea:x="0.5" stArea:y="0.5" stArea:d="0.4" stArea:unit="normalized"'
    [region] = regions_of(mwg(marked(area)))
    assert place(region) == (0.35, 0.3, 0.3, 0.4)
    assert region.width * 4000 == pytest.approx(region.height * 3000)


@pytest.mark.parametrize(
    ("kind", "expected"), [("Pet", "pet"), ("Focus", "focus"), ("BarCode", "barcode"), ("", "other"), ("Car", "other")]
)
def test_other_kinds_of_regions_are_recognised(kind: str, expected: str) -> None:
    area = 'stArea:x="0.5" stArea:y="0.5" stArea:w="0" stArea:h="0" stArea:unit="normalized"'
    [region] = regions_of(mwg(marked(area, kind=kind, name="")))
    assert (region.kind, region.name, place(region)) == (expected, None, (0.5, 0.5, 0.0, 0.0))


def test_x_and_y_of_a_microsoft_rectangle_are_its_corner() -> None:
    data = microsoft(
        'MPReg:PersonDisplayName="Anna" MPReg:Rectangle="0.1, 0.2, 0.3, 0.4"',
        'MPReg:Rectangle="0.5,0.5,0.25,0.25"',
        'MPReg:PersonDisplayName="somewhere in the picture"',
    )
    assert regions_of(data) == (
        Region("face", "Anna", 0.1, 0.2, 0.3, 0.4, "mp"),
        Region("face", None, 0.5, 0.5, 0.25, 0.25, "mp"),
    )


def test_acdsees_drawn_area_wins_over_the_detected_one_and_a_denied_name_is_dropped() -> None:
    areas = "".join(
        f'<acdsee-rs:{name} acdsee-stArea:x="{x}" acdsee-stArea:y="0.4" acdsee-stArea:w="0.2" acdsee-stArea:h="0.3"/>'
        for name, x in (("ALGArea", 0.8), ("DLYArea", 0.3))
    )
    items = "".join(
        f'<rdf:li><rdf:Description acdsee-rs:Type="Face" acdsee-rs:Name="Anna" acdsee-rs:NameAssignType="{assigned}">'
        f"{areas}</rdf:Description></rdf:li>"
        for assigned in ("manual", "denied")
    )
    data = packet(
        '<acdsee-rs:Regions rdf:parseType="Resource"><acdsee-rs:RegionList><rdf:Bag>'
        f"{items}</rdf:Bag></acdsee-rs:RegionList></acdsee-rs:Regions>"
    )
    first, second = regions_of(data)
    assert first == Region("face", "Anna", 0.2, 0.25, 0.2, 0.3, "acdsee")
    assert second.name is None


@pytest.mark.parametrize(
    "area",
    [
        'stArea:x="nan" stArea:y="0.4" stArea:w="0.2" stArea:h="0.3"',
        'stArea:x="1e300" stArea:y="0.4" stArea:w="0.2" stArea:h="0.3"',
        'stArea:x="0.5" stArea:y="0.4" stArea:w="-0.2" stArea:h="0.3"',
        'stArea:x="5" stArea:y="5" stArea:w="0.2" stArea:h="0.3"',
        'stArea:x="half" stArea:y="0.4" stArea:w="0.2" stArea:h="0.3"',
        'stArea:y="0.4" stArea:w="0.2" stArea:h="0.3"',
        "",
    ],
)
def test_an_impossible_area_is_left_out_and_the_others_are_kept(area: str) -> None:
    good = 'stArea:x="0.5" stArea:y="0.4" stArea:w="0.2" stArea:h="0.3"'
    assert [one.name for one in regions_of(mwg(marked(area, "Eve"), marked(good)))] == ["Anna"]


def test_a_face_at_the_edge_is_clipped_to_the_picture() -> None:
    area = 'stArea:x="0.95" stArea:y="0.05" stArea:w="0.2" stArea:h="0.2"'
    assert [place(one) for one in regions_of(mwg(marked(area)))] == [(0.85, 0.0, 0.15, 0.15)]


def test_the_number_of_regions_is_limited() -> None:
    area = 'stArea:x="0.5" stArea:y="0.4" stArea:w="0.2" stArea:h="0.3"'
    assert len(regions_of(mwg(*[marked(area, f"person {number}") for number in range(2000)]))) == 500


def test_a_packet_without_regions_gives_none() -> None:
    assert regions_of(packet("")) == ()
    assert regions_of(mwg()) == ()
    assert regions_of(microsoft()) == ()


def test_a_description_contains_the_regions_of_all_its_packets_once() -> None:
    area = 'stArea:x="0.5" stArea:y="0.4" stArea:w="0.2" stArea:h="0.3"'
    first, second = xmp_segment(mwg(marked(area))), xmp_segment(mwg(marked(area), marked(area, "Bob")))
    result = described(jpeg(first, second))
    assert [one.name for one in result.regions] == ["Anna", "Bob"]
    assert result.notes == ()


def test_damaged_regions_are_noted() -> None:
    area = 'stArea:x="0.5" stArea:y="0.4" stArea:w="0.2" stArea:h="0.3"'
    result = described(jpeg(xmp_segment(mwg(marked(area)).replace(b"</mwg-rs:Regions>", b""))))
    assert result.regions == ()
    assert any(note.startswith("xmp: damaged regions") for note in result.notes)


@pytest.mark.shared
def test_real_faces_are_found_in_both_schemas(testdata: Path) -> None:
    content = read_content(bytes(testdata / "faces/_orientation/portrait.jpg"))
    media = sniff(content.head, content.open)
    assert media is not None
    regions = describe(content, media).regions
    assert [(one.name, one.schema) for one in regions] == [
        ("Marie Curie", "mwg"),
        ("Pierre Curie", "mwg"),
        ("Marie Curie", "mp"),
        ("Pierre Curie", "mp"),
    ]
    assert [place(one) for one in regions[:2]] == [place(one) for one in regions[2:]]


def iptc(*items: str) -> bytes:
    listed = "".join(f'<rdf:li rdf:parseType="Resource">{item}</rdf:li>' for item in items)
    return packet(
        '<Iptc4xmpExt:ImageRegion xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"<rdf:Bag>{listed}</rdf:Bag></Iptc4xmpExt:ImageRegion>"
    )


def boundary(shape: str, inside: str, unit: str = "relative") -> str:
    return (
        f'<Iptc4xmpExt:RegionBoundary rdf:parseType="Resource"><Iptc4xmpExt:rbShape>{shape}</Iptc4xmpExt:rbShape>'
        f"<Iptc4xmpExt:rbUnit>{unit}</Iptc4xmpExt:rbUnit>{inside}</Iptc4xmpExt:RegionBoundary>"
    )


def sides(**values: float) -> str:
    return "".join(f"<Iptc4xmpExt:rb{name}>{value}</Iptc4xmpExt:rb{name}>" for name, value in values.items())


ANNA = "<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Anna</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>"
NAMED = '<Iptc4xmpExt:Name><rdf:Alt><rdf:li xml:lang="x-default">Ben</rdf:li></rdf:Alt></Iptc4xmpExt:Name>'
HUMAN = (
    '<Iptc4xmpExt:rCtype><rdf:Bag><rdf:li rdf:parseType="Resource"><xmp:Identifier xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
    "<rdf:Bag><rdf:li>http://cv.iptc.org/newscodes/imageregiontype/human</rdf:li></rdf:Bag></xmp:Identifier></rdf:li>"
    "</rdf:Bag></Iptc4xmpExt:rCtype>"
)


def test_iptc_regions_of_people_are_faces_with_the_name_of_the_person_or_the_region() -> None:
    rectangle = boundary("rectangle", sides(X=0.1, Y=0.2, W=0.3, H=0.4))
    corners = "".join(
        f'<rdf:li rdf:parseType="Resource">{sides(X=x, Y=y)}</rdf:li>' for x, y in ((0.1, 0.2), (0.4, 0.2), (0.4, 0.6))
    )
    polygon = boundary("polygon", f"<Iptc4xmpExt:rbVertices><rdf:Seq>{corners}</rdf:Seq></Iptc4xmpExt:rbVertices>")
    circle = boundary("circle", sides(X=0.5, Y=0.5, Rx=0.1))
    found = regions_of(iptc(rectangle + ANNA, polygon + NAMED + HUMAN, circle + NAMED))
    assert found == (
        Region("face", "Anna", 0.1, 0.2, 0.3, 0.4, "iptc"),
        Region("face", "Ben", 0.1, 0.2, 0.3, 0.4, "iptc"),
        Region("other", "Ben", 0.4, 0.4, 0.2, 0.2, "iptc"),
    )


def test_iptc_regions_in_pixels_are_left_out_because_they_do_not_say_of_which_picture() -> None:
    assert regions_of(iptc(boundary("rectangle", sides(X=10, Y=20, W=30, H=40), "pixel") + ANNA)) == ()


def test_a_face_that_picasa_was_told_to_ignore_has_no_name() -> None:
    [face] = regions_of(microsoft('MPReg:PersonDisplayName="ffffffffffffffff" MPReg:Rectangle="0.1, 0.2, 0.3, 0.4"'))
    assert face.name is None


@pytest.mark.parametrize("size", ['stDim:w="0" stDim:h="3000"', 'stDim:w="nan" stDim:h="inf"', 'stDim:w="4000"'])
def test_a_size_that_makes_no_sense_is_unknown(size: str) -> None:
    area = 'stArea:x="0.5" stArea:y="0.4" stArea:w="0.2" stArea:h="0.3" stArea:unit="normalized"'
    [region] = regions_of(mwg(marked(area), dimensions=size))
    assert (region.drawn_width, region.drawn_height) == (None, None)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_regions_that_exiftool_wrote_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(width=400, height=300))
    area, box = "Area={X=0.5,Y=0.4,W=0.2,H=0.3,Unit=normalized}", "rbUnit=relative,rbShape=rectangle"
    arguments = [
        f"-RegionInfo={{AppliedToDimensions={{W=400,H=300,Unit=pixel}},RegionList=[{{{area},Name=Anna,Type=Face}}]}}",
        "-RegionInfoMP={Regions=[{PersonDisplayName=Ben,Rectangle=0.1|,0.2|,0.3|,0.4}]}",
        f"-ImageRegion=[{{RegionBoundary={{{box},rbX=0.5,rbY=0.6,rbW=0.1,rbH=0.2}},Name=Cem,RCtype=[{{Name=Human}}]}}]",
    ]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *arguments, path], check=True, capture_output=True)
    found = describe(read_content(os.fsencode(path)), MediaType(Kind.IMAGE, "jpeg")).regions
    assert found == (
        Region("face", "Anna", 0.4, 0.25, 0.2, 0.3, "mwg", 400, 300),
        Region("face", "Ben", 0.1, 0.2, 0.3, 0.4, "mp"),
        Region("face", "Cem", 0.5, 0.6, 0.1, 0.2, "iptc"),
    )


@pytest.mark.shared
def test_a_real_turned_photo_has_its_faces_where_its_upright_copy_has_them(testdata: Path) -> None:
    boxes = []
    for name in ("portrait.jpg", "portrait-orientation-6.jpg"):
        path = os.fsencode(testdata / "faces" / "_orientation" / name)
        found = describe(read_content(path), MediaType(Kind.IMAGE, "jpeg"))
        shown = Picture(found.width, found.height, found.orientation, "image")
        marks = marks_of([RegionSource(name, shown, [asdict(region) for region in found.regions])], shown)
        boxes.append({face.name: (face.box.x, face.box.y) for face in marks.faces})
    assert set(boxes[0]) == {"Marie Curie", "Pierre Curie"}
    for name, place in boxes[0].items():
        assert boxes[1][name] == pytest.approx(place, abs=0.01)
