"""Pictures with faces marked in their metadata, as programs write them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tests.metadata_blocks import xmp_segment

_NAMESPACES = {
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
}
SIZE = (600, 400)
"""Width and height in pixels of the pictures, as stored."""
RED = (220, 30, 30)


@dataclass(frozen=True)
class Marked:
    """A marked face; x, y (upper left corner), width, height: fractions of the picture it was drawn in."""

    name: str | None
    x: float
    y: float
    width: float = 0.2
    height: float = 0.3
    kind: str = "Face"


def xmp_packet(elements: str) -> bytes:
    """Return an XMP packet with regions."""
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def mwg(faces: Sequence[Marked], drawn: tuple[int, int] | None = SIZE) -> str:
    """Return regions of the Metadata Working Group. drawn: the size of the picture they were drawn in."""
    items = "".join(
        f'<rdf:li><rdf:Description mwg-rs:Type="{face.kind}"{_attribute("mwg-rs:Name", face.name)}>'
        f'<mwg-rs:Area stArea:x="{face.x + face.width / 2}" stArea:y="{face.y + face.height / 2}" '
        f'stArea:w="{face.width}" stArea:h="{face.height}" stArea:unit="normalized"/></rdf:Description></rdf:li>'
        for face in faces
    )
    size = "" if drawn is None else f'stDim:w="{drawn[0]}" stDim:h="{drawn[1]}" stDim:unit="pixel"'
    return (
        f'<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:AppliedToDimensions {size}/>'
        f"<mwg-rs:RegionList><rdf:Bag>{items}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


def microsoft(faces: Sequence[Marked]) -> str:
    """Return regions of Microsoft's schema."""
    items = "".join(
        f"<rdf:li{_attribute(' MPReg:PersonDisplayName', face.name)} "
        f'MPReg:Rectangle="{face.x}, {face.y}, {face.width}, {face.height}"/>'
        for face in faces
    )
    return (
        f"<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag>{items}</rdf:Bag></MPRI:Regions>"
        "</rdf:Description></MP:RegionInfo>"
    )


def _attribute(name: str, value: str | None) -> str:
    return "" if value is None else f' {name}="{value}"'


def picture(
    elements: str = "",
    *,
    square: Marked | None = None,
    orientation: int = 1,
    size: tuple[int, int] = SIZE,
    seed: int = 0,
) -> bytes:
    """Return a JPEG with these XMP elements, grey but for a red square where `square` is in the stored picture."""
    image = Image.new("RGB", size, (128, 128, 100 + 20 * seed))
    if square is not None:
        left, top = square.x * size[0], square.y * size[1]
        corner = (left + square.width * size[0], top + square.height * size[1])
        ImageDraw.Draw(image).rectangle(((left, top), corner), fill=RED)
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92, exif=exif)
    data = out.getvalue()
    return data[:2] + xmp_segment(xmp_packet(elements)) + data[2:] if elements else data


def write(path: Path, data: bytes | str) -> Path:
    """Write a file, replacing an earlier one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def sidecar(path: Path, elements: str) -> Path:
    """Write an XMP sidecar."""
    return write(path, xmp_packet(elements))


def red_box(image: Image.Image) -> tuple[float, float, float, float]:
    """Return where a picture is red: left, top, right, bottom as fractions."""
    red, green, blue = (np.asarray(band, int) for band in image.convert("RGB").split())
    mask = Image.fromarray(((red > 150) & (green < 90) & (blue < 90)).astype(np.uint8) * 255)
    found = mask.getbbox()
    assert found is not None, "nothing is red"
    left, top, right, bottom = found
    return left / image.width, top / image.height, right / image.width, bottom / image.height
