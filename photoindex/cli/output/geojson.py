"""Prints photos as GeoJSON (RFC 7946): one FeatureCollection, a point for each photo with a position."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from photoindex.cli.output.render import Column, Output, Row, ascii_json

GeoJsonOption = Annotated[
    bool,
    typer.Option(
        "--geojson", help="Print GeoJSON: a point for each photo with a position, with what --json has of it."
    ),
]


def print_geojson(rows: Iterator[Row], columns: Sequence[Column], output: Output) -> tuple[int, int]:
    """Print the rows as they arrive; return how many were printed, and how many have no position and were left out."""
    printed = left_out = 0
    output.stream.write(b'{"type": "FeatureCollection", "features": [')
    for row in rows:
        position = _position(row)
        if position is None:
            left_out += 1
            continue
        properties = {one.name: row.get(one.name) for one in columns}
        point = {"type": "Point", "coordinates": position}
        feature = {"type": "Feature", "id": row.get("id"), "geometry": point, "properties": properties}
        output.stream.write((b",\n" if printed else b"\n") + ascii_json(feature).encode("ascii"))
        printed += 1
    output.stream.write(b"\n]}\n")
    output.stream.flush()
    return printed, left_out


def _position(row: Row) -> list[float] | None:
    """Return longitude, latitude and, where it is known, the altitude in metres; None without a possible position."""
    longitude, latitude, altitude = (row.get(name) for name in ("longitude", "latitude", "altitude_m"))
    if not isinstance(longitude, (int, float)) or not isinstance(latitude, (int, float)):
        return None
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):  # also false for NaN
        return None
    known = isinstance(altitude, (int, float)) and math.isfinite(altitude)
    return [longitude, latitude, *([altitude] if known else [])]  # type: ignore[list-item]
