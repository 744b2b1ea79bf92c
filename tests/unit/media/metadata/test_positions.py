"""Positions that are none: 0/0, fractions over zero and degrees out of range, in every reader."""

from __future__ import annotations

import json

import pytest

from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.containers.container_tags import read_container_tags
from photoindex.media.sidecars.takeout import read_takeout
from photoindex.media.sidecars.xmp import read_xmp_sidecar
from photoindex.types import FactValue
from tests.metadata_blocks import described, exif_segment, jpeg, position, rational, text, tiff, xmp, xmp_segment

BERLIN = (52.5, 13.25)
NOWHERE = (0.0, 0.0)


def of_exif(latitude: float, longitude: float) -> dict[str, FactValue]:
    """Return the facts of a JPEG with this position, a GPS time and an altitude."""
    degrees = [[(round(abs(value) * 1000), 1000)] for value in (latitude, longitude)]
    gps = [
        *position(degrees[0], "N", degrees[1], "E"),
        rational(6, (34, 1)),
        text(0x1D, "2024:05:01"),
        rational(7, (10, 1), (0, 1), (0, 1)),
    ]
    return dict(described(jpeg(exif_segment(tiff(gps=gps)))).facts["exif"])


def packet(latitude: float, longitude: float) -> bytes:
    return xmp(
        f'exif:GPSLatitude="{latitude}" exif:GPSLongitude="{longitude}" exif:GPSAltitude="34/1" '
        'exif:GPSTimeStamp="2024-05-01T10:00:00Z"'
    )


def of_xmp(latitude: float, longitude: float) -> dict[str, FactValue]:
    return dict(described(jpeg(xmp_segment(packet(latitude, longitude)))).facts["xmp"])


def of_sidecar(latitude: float, longitude: float) -> dict[str, FactValue]:
    return dict(read_xmp_sidecar(packet(latitude, longitude)).facts)


def of_container(latitude: float, longitude: float) -> dict[str, FactValue]:
    place = f"{latitude:+08.4f}{longitude:+09.4f}+034.000/"
    return dict(read_container_tags(Blocks(tags={"location": place, "title": "Beach"})).facts)


def of_takeout(latitude: float, longitude: float) -> dict[str, FactValue]:
    place = {"latitude": latitude, "longitude": longitude, "altitude": 34.0}
    return dict(read_takeout(json.dumps({"title": "a.jpg", "geoData": place, "geoDataExif": place}).encode()).facts)


READERS = pytest.mark.parametrize("facts_of", [of_exif, of_xmp, of_sidecar, of_container, of_takeout])


@READERS
def test_every_reader_reads_a_position(facts_of) -> None:  # type: ignore[no-untyped-def]
    facts = facts_of(*BERLIN)
    assert (facts["latitude"], facts["longitude"], facts["altitude_m"]) == (*BERLIN, 34.0)


@READERS
@pytest.mark.parametrize("place", [NOWHERE, (0.0, 181.0), (91.0, 13.0)])
def test_zero_zero_is_no_position_whatever_stands_beside_it(facts_of, place: tuple[float, float]) -> None:  # type: ignore[no-untyped-def]
    facts = facts_of(*place)
    assert "latitude" not in facts
    assert "longitude" not in facts


@READERS
@pytest.mark.parametrize("place", [(0.0, 13.25), (52.5, 0.0)])
def test_one_zero_is_a_position_on_the_equator_or_the_prime_meridian(facts_of, place: tuple[float, float]) -> None:  # type: ignore[no-untyped-def]
    facts = facts_of(*place)
    assert (facts["latitude"], facts["longitude"]) == place


def test_an_altitude_of_zero_without_a_position_is_no_altitude() -> None:
    gps = [*position([(0, 1)], "N", [(0, 1)], "E"), rational(6, (0, 1))]
    assert "exif" not in described(jpeg(exif_segment(tiff(gps=gps)))).facts
    assert read_xmp_sidecar(xmp('exif:GPSAltitude="0/1"')).facts == {}


@pytest.mark.parametrize(
    "written",
    ["+51.4169-000.0806/", "+5125.014-00004.836/", "+512500.84-0000450.16/", "+51.4169-000.0806+10CRSWGS_84/"],
)
def test_all_forms_of_iso_6709_are_read(written: str) -> None:
    facts = read_container_tags(Blocks(tags={"location": written})).facts
    assert (facts["latitude"], facts["longitude"]) == (
        pytest.approx(51.4169, abs=1e-4),
        pytest.approx(-0.0806, abs=1e-4),
    )


@pytest.mark.parametrize("written", ["0/0,0/0N", "0/0", "nan", "-"])
def test_a_coordinate_over_zero_in_a_sidecar_is_none(written: str) -> None:
    sidecar = read_xmp_sidecar(xmp(f'exif:GPSLatitude="{written}" exif:GPSLongitude="13,24.5E"'))
    assert "latitude" not in sidecar.facts
