"""Made-up files that the pairing rules join, or do not join, into one photo."""

from __future__ import annotations

from pathlib import Path

from tests.metadata_blocks import box, xmp_segment
from tests.originals import jpeg
from tests.unit.media.media_pictures import dng, scene

NOON = "2019:06:01 12:00:00"
CAMERA = "Photoindex Test Camera"


def write_still(path: Path, seed: int, *, taken: str | None = NOON) -> Path:
    """Write a JPEG from the same camera as `write_raw`'s."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(seed, taken=taken, camera=CAMERA))
    return path


def write_raw(path: Path, seed: int) -> Path:
    """Write a small DNG without a time; each seed gives different content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dng(scene(64, 40), preview=jpeg(seed)) + bytes([seed]))
    return path


def write_motion_photo(path: Path, seed: int) -> tuple[int, int]:
    """Write a JPEG followed by a short video, as Google's cameras do; return the video's offset and length."""
    video = box(b"ftyp", b"mp42\0\0\0\0isommp42") + box(b"moov", bytes(40)) + box(b"mdat", bytes(range(200)))
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MicroVideo="1" '
        f'GCamera:MicroVideoVersion="1" GCamera:MicroVideoOffset="{len(video)}"/></rdf:RDF></x:xmpmeta>'
    ).encode()
    still = jpeg(seed)
    picture = still[:2] + xmp_segment(packet) + still[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture + video)
    return len(picture), len(video)
