"""Facts from XMP packets and IPTC records."""

from __future__ import annotations

import pytest

from photoindex.types import FactValue
from tests.metadata_blocks import described, iptc_segment, jpeg, segment, xmp, xmp_segment


def xmp_facts(attributes: str = "", elements: str = "") -> dict[str, FactValue]:
    return dict(described(jpeg(xmp_segment(xmp(attributes, elements)))).facts.get("xmp", {}))


def bag(name: str, *items: str, kind: str = "Bag") -> str:
    return f"<{name}><rdf:{kind}>" + "".join(f"<rdf:li>{item}</rdf:li>" for item in items) + f"</rdf:{kind}></{name}>"


def test_properties_are_read_as_attributes_and_as_elements() -> None:
    assert xmp_facts('xmp:Rating="3" tiff:Make="Canon"', "<photoshop:City>Köln</photoshop:City>") == {
        "rating": 3,
        "camera_make": "Canon",
        "city": "Köln",
    }


def test_the_default_language_of_a_title_wins() -> None:
    title = (
        '<dc:title><rdf:Alt><rdf:li xml:lang="de">Strand</rdf:li>'
        '<rdf:li xml:lang="x-default">Beach</rdf:li></rdf:Alt></dc:title>'
    )
    assert xmp_facts(elements=title) == {"title": "Beach"}


def test_hierarchical_subjects_become_keyword_paths() -> None:
    elements = bag("dc:subject", "Paris", "Eiffel") + bag("lr:hierarchicalSubject", "Places|France|Paris", "Eiffel")
    elements += bag("digiKam:TagsList", "Places/France/Paris", "People/Anna", kind="Seq")
    assert xmp_facts(elements=elements) == {"keywords": ["Paris", "Eiffel", "Places/France/Paris", "People/Anna"]}


def test_keywords_with_levels_are_read_from_every_programs_property() -> None:
    properties = {
        ("lr:hierarchicalSubject", "http://ns.adobe.com/lightroom/1.0/"): "A|1",
        ("digiKam:TagsList", "http://www.digikam.org/ns/1.0/"): "B/1",
        ("MicrosoftPhoto:LastKeywordXMP", "http://ns.microsoft.com/photo/1.0/"): "C/1",
        ("MicrosoftPhoto:LastKeywordIPTC", "http://ns.microsoft.com/photo/1.0/"): "D/1",
        ("mediapro:CatalogSets", "http://ns.iview-multimedia.com/mediapro/1.0/"): "E|1",
        ("acdsee:keywords", "http://ns.acdsee.com/iptc/1.0/"): "F",
    }
    elements = ""
    for (name, namespace), value in properties.items():
        prefix = name.partition(":")[0]
        elements += bag(name, value).replace(f"<{name}>", f'<{name} xmlns:{prefix}="{namespace}">')
    keywords = xmp_facts(elements=elements)["keywords"]
    assert isinstance(keywords, list)
    assert set(keywords) == {"A/1", "B/1", "C/1", "D/1", "E/1", "F"}


def test_assigned_categories_of_acdsee_become_keyword_paths() -> None:
    tree = (
        '<Categories><Category Assigned="0">Places<Category Assigned="1">Italy<Category Assigned="0">Rome</Category>'
        '</Category></Category><Category Assigned="1">Family &amp;amp; Co</Category></Categories>'
    )
    written = tree.replace("<", "&lt;").replace(">", "&gt;")
    elements = f'<acdsee:categories xmlns:acdsee="http://ns.acdsee.com/iptc/1.0/">{written}</acdsee:categories>'
    keywords = xmp_facts(elements=elements)["keywords"]
    assert isinstance(keywords, list)
    assert set(keywords) == {"Places/Italy", "Family & Co"}
    damaged = elements.replace("/Categories", "/Cat")
    assert xmp_facts('xmp:Rating="3"', bag("dc:subject", "sea") + damaged) == {"rating": 3, "keywords": ["sea"]}


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        ("52,31.2N", "13,24.3E", (52.52, 13.405)),
        ("33,51,24S", "70,40,0W", (-33.8566667, -70.6666667)),
        ("-33.5", "70.25", (-33.5, 70.25)),
    ],
)
def test_positions_are_read_in_every_notation(latitude: str, longitude: str, expected: tuple[float, float]) -> None:
    facts = xmp_facts(f'exif:GPSLatitude="{latitude}" exif:GPSLongitude="{longitude}" exif:GPSAltitude="125/10"')
    assert (facts["latitude"], facts["longitude"]) == expected
    assert facts["altitude_m"] == 12.5


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2019-06-01T12:34:56.78+02:00", "2019-06-01T12:34:56.78+02:00"),
        ("2019-06-01T12:34Z", "2019-06-01T12:34+00:00"),
        ("2019-06-01", "2019-06-01"),
        ("2019-06", "2019-06"),
        ("2019", "2019"),
    ],
)
def test_a_date_keeps_the_precision_it_was_written_with(written: str, expected: str) -> None:
    assert xmp_facts(f'photoshop:DateCreated="{written}"') == {"taken_at": expected}


def test_a_rejected_photo_is_rated_minus_one_and_half_stars_are_rounded() -> None:
    assert xmp_facts('xmp:Rating="-1"') == {"rating": -1}
    assert xmp_facts('xmp:Rating="4.0"') == {"rating": 4}
    assert xmp_facts('MicrosoftPhoto:Rating="99"') == {"rating": 5}


def test_exposure_is_read_from_fractions_and_sequences() -> None:
    facts = xmp_facts('exif:ExposureTime="1/250" exif:FNumber="28/10"', bag("exif:ISOSpeedRatings", "400", kind="Seq"))
    assert facts == {"exposure_seconds": 0.004, "aperture": 2.8, "iso": 400}


def test_an_extended_packet_adds_to_the_first_one() -> None:
    second = xmp('photoshop:City="Rome"')
    guid = b"0123456789ABCDEF0123456789ABCDEF"

    def piece(offset: int, data: bytes) -> bytes:
        numbers = len(second).to_bytes(4, "big") + offset.to_bytes(4, "big")
        return segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + guid + numbers + data)

    data = jpeg(xmp_segment(xmp('xmp:Rating="2"')), piece(100, second[100:]), piece(0, second[:100]))
    assert described(data).facts["xmp"] == {"rating": 2, "city": "Rome"}


def test_latin1_inside_a_packet_does_not_lose_the_packet() -> None:
    packet = xmp('photoshop:City="Koeln" xmp:Rating="2"').replace(b"Koeln", b"K\xf6ln\x03")
    result = described(jpeg(xmp_segment(packet)))
    assert result.facts["xmp"]["rating"] == 2


def test_entities_and_document_types_are_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + xmp().replace(b"</rdf:RDF>", b"&b;</rdf:RDF>")
    result = described(jpeg(xmp_segment(bomb)))
    assert result.facts == {}
    assert any(note.startswith("xmp: damaged XMP (DTDForbidden") for note in result.notes)


def test_a_packet_nested_a_hundred_thousand_levels_deep_raises_nothing() -> None:
    depth = 100_000
    packet = xmp('xmp:Rating="2"', "<dc:title>" + "<rdf:li>" * depth + "</rdf:li>" * depth + "</dc:title>")
    data = b"II*\0" + (8).to_bytes(4, "little") + (1).to_bytes(2, "little")
    data += (
        (700).to_bytes(2, "little")
        + (1).to_bytes(2, "little")
        + len(packet).to_bytes(4, "little")
        + (26).to_bytes(4, "little")
    )
    result = described(data + b"\0\0\0\0" + packet, "tiff")
    assert result.facts["xmp"] == {"rating": 2}


def test_iptc_records_are_read_with_repeated_keywords_and_joined_times() -> None:
    result = described(
        jpeg(
            iptc_segment(
                (5, b"A title"),
                (25, b"one"),
                (25, "zwölf".encode()),
                (25, b"one"),
                (55, b"20190601"),
                (60, b"123456+0200"),
                (80, b"J. Doe"),
                (80, b"A. Smith"),
                (90, "Köln".encode("latin-1")),
                (101, b"Germany"),
                (120, b"A caption\0"),
            )
        )
    )
    assert result.facts == {
        "iptc": {
            "title": "A title",
            "keywords": ["one", "zwölf"],
            "taken_at": "2019-06-01T12:34:56+02:00",
            "artist": "J. Doe, A. Smith",
            "city": "Köln",
            "country": "Germany",
            "description": "A caption",
        }
    }


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        (b"20190601", b"123456+0000", "2019-06-01T12:34:56"),
        (b"20190601", b"", "2019-06-01"),
        (b"20190000", b"123456", "2019"),
    ],
)
def test_iptc_dates_keep_their_precision(date: bytes, time: bytes, expected: str) -> None:
    assert described(jpeg(iptc_segment((55, date), (60, time)))).facts == {"iptc": {"taken_at": expected}}


@pytest.mark.parametrize(
    ("date", "clock", "kept", "note"),
    [
        (b"20191399", b"", "2019", "taken_at '20191399': month 13 does not exist"),
        (b"19870600", b"", "1987-06", "taken_at '19870600': the day is zero, which means unknown"),
        (b"20150822", b"240819+0200", "2015-08-22T00:08:19+02:00", "hour 24 is taken as hour 0 of the same date"),
        (b"20150822", b"256060", "2015-08-22", "hour 25 does not exist"),
        (b"2015-08-22", b"10:08:19", "2015-08-22T10:08:19", None),
    ],
)
def test_an_odd_iptc_date_keeps_what_is_sound_with_a_note(
    date: bytes, clock: bytes, kept: str, note: str | None
) -> None:
    result = described(jpeg(iptc_segment((55, date), (60, clock))))
    assert result.facts == {"iptc": {"taken_at": kept}}
    assert [note in one for one in result.notes] == ([] if note is None else [True])


def test_an_iptc_date_of_zeros_is_refused_with_a_note() -> None:
    result = described(jpeg(iptc_segment((55, b"00000000"))))
    assert result.facts == {}
    assert result.notes == ("iptc: taken_at '00000000' refused: not a date",)


@pytest.mark.parametrize(
    ("original", "created", "kept"),
    [
        ("2019", "2019-06-01T10:11", "2019-06-01T10:11"),
        ("2019-06", "2019-06-01", "2019-06-01"),
        ("2019", "2018-06-01", "2018-06-01"),
        ("2019-06", "2018-06-01", "2019-06"),
        ("2019-06-01T10:11", "2019-06-01T10:11:12", "2019-06-01T10:11"),
    ],
)
def test_of_two_statements_of_one_packet_the_one_that_says_more_is_kept(original: str, created: str, kept: str) -> None:
    elements = (
        f"<exif:DateTimeOriginal>{original}</exif:DateTimeOriginal>"
        f"<photoshop:DateCreated>{created}</photoshop:DateCreated>"
    )
    assert xmp_facts(elements=elements) == {"taken_at": kept}


@pytest.mark.parametrize(("written", "expected"), [("Top-left", 1), ("Right-top", 6), ("left-bottom", 8), ("6", 6)])
def test_libexif_names_of_orientations_are_understood(written: str, expected: int) -> None:
    facts = xmp_facts(elements=f"<exif:Orientation>{written}</exif:Orientation>")
    assert facts == {"orientation": expected}


def test_human_readable_numbers_are_understood() -> None:
    elements = (
        "<exif:FNumber>f/5,6</exif:FNumber><exif:ExposureTime>1/500 sec.</exif:ExposureTime>"
        "<exif:FocalLength>105,0 mm</exif:FocalLength><exif:GPSAltitude>about 400</exif:GPSAltitude>"
    )
    assert xmp_facts(elements=elements) == {"aperture": 5.6, "exposure_seconds": 0.002, "focal_length_mm": 105.0}
    assert xmp_facts('exif:ExposureTime="1/0 sec." exif:FNumber="f/0"') == {}


def test_a_coordinate_may_have_its_hemisphere_in_another_property() -> None:
    elements = (
        "<exif:GPSLatitude>33, 51, 24</exif:GPSLatitude><exif:GPSLatitudeRef>S</exif:GPSLatitudeRef>"
        "<exif:GPSLongitude>25, 28, 42.46</exif:GPSLongitude><exif:GPSLongitudeRef>E</exif:GPSLongitudeRef>"
    )
    facts = xmp_facts(elements=elements)
    assert (facts["latitude"], facts["longitude"]) == (-33.8566667, 25.4784611)


def test_a_single_coordinate_is_kept_though_it_is_not_a_position() -> None:
    assert xmp_facts('exif:GPSLongitude="25,28.5E"') == {"longitude": 25.475}
    assert xmp_facts('exif:GPSLongitude="225,28.5E"') == {}


def test_googles_burst_id_is_read() -> None:
    assert xmp_facts('GCamera:BurstID="ab12-cd" GCamera:BurstPrimary="1"') == {"burst_identifier": "ab12-cd"}
