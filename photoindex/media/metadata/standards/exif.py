"""Facts from EXIF (CIPA DC-008 / EXIF 2.32) in any container, and from the tags of TIFF files."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from photoindex.domain.facts.lenses import range_of
from photoindex.domain.time.dates import iso_offset
from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES, Blocks, Directory, ExifBlock
from photoindex.media.metadata.encodings import Decoder, decode_wide, decoder_of
from photoindex.media.metadata.findings import Findings, clean_text, stars_of_percent
from photoindex.media.metadata.guard import guarded
from photoindex.media.metadata.standards.maker_directory import MakerNote
from photoindex.media.metadata.standards.maker_notes import add_maker_note

if TYPE_CHECKING:
    from photoindex.media.metadata.containers.tiff_directory import TagNames, TiffDirectories

IMAGE, EXIF, GPS, INTEROPERABILITY = (
    Directory.IMAGE.value,
    Directory.EXIF.value,
    Directory.GPS.value,
    "interoperability",
)

_SHARED: dict[int, str] = {
    0x0100: "ImageWidth",
    0x0101: "ImageLength",
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0112: "Orientation",
    0x0131: "Software",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x014A: "SubIFDs",
    0x02BC: "XMP",
    0x4746: "Rating",
    0x4749: "RatingPercent",
    0x8298: "Copyright",
    0x829A: "ExposureTime",
    0x829D: "FNumber",
    0x83BB: "IPTC",
    0x8649: "Photoshop",
    0x8769: "ExifIFD",
    0x8825: "GPSIFD",
    0x8827: "PhotographicSensitivity",
    0x8831: "StandardOutputSensitivity",
    0x8832: "RecommendedExposureIndex",
    0x8833: "ISOSpeed",
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x9010: "OffsetTime",
    0x9011: "OffsetTimeOriginal",
    0x9012: "OffsetTimeDigitized",
    0x9201: "ShutterSpeedValue",
    0x9202: "ApertureValue",
    0x9209: "Flash",
    0x920A: "FocalLength",
    0x927C: "MakerNote",
    0x9286: "UserComment",
    0x9290: "SubSecTime",
    0x9291: "SubSecTimeOriginal",
    0x9292: "SubSecTimeDigitized",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9D: "XPAuthor",
    0x9C9E: "XPKeywords",
    0x9C9F: "XPSubject",
    0xA001: "ColorSpace",
    0xA002: "PixelXDimension",
    0xA003: "PixelYDimension",
    0xA005: "InteroperabilityIFD",
    0xA405: "FocalLengthIn35mmFilm",
    0xA431: "BodySerialNumber",
    0xA432: "LensSpecification",
    0xA434: "LensModel",
    0xC62F: "CameraSerialNumber",
    0xC630: "DNGLensInfo",
    0xC634: "DNGPrivateData",
}
_GPS: dict[int, str] = {
    0x0001: "LatitudeRef",
    0x0002: "Latitude",
    0x0003: "LongitudeRef",
    0x0004: "Longitude",
    0x0005: "AltitudeRef",
    0x0006: "Altitude",
    0x0007: "TimeStamp",
    0x0009: "Status",
    0x001D: "DateStamp",
}
# Some writers put EXIF tags into the first directory or vice versa, so the same tags are read from both.
IMAGE_TAGS: TagNames = {number: (name, None) for number, name in _SHARED.items()}
GPS_TAGS: TagNames = {number: (name, None) for number, name in _GPS.items()}
INTEROPERABILITY_TAGS: TagNames = {0x0001: ("Index", None)}
SIZE_TAGS: TagNames = {0x0100: ("ImageWidth", None), 0x0101: ("ImageLength", None)}

_COLOUR_SPACES = {1: "sRGB", 2: "Adobe RGB", 0xFFFD: "Wide Gamut RGB", 0xFFFE: "ICC profile", 0xFFFF: "uncalibrated"}
_COMMENT_CODE_BYTES = 8
_MAKER_NOTE_BYTES = 64 << 10
_ISO_OVERFLOW = 65535
_EMBEDDED_JPEG_BYTES = 64 << 20


def read_exif(blocks: Blocks) -> Findings:
    """Return the facts of all EXIF blocks; XMP and IPTC blocks found in TIFF tags are added to `blocks`."""
    found = Findings("exif")
    if not blocks.exif:
        return found
    readings: list[TiffDirectories] = []
    for block in blocks.exif:
        with guarded(found.note, "damaged EXIF"):
            _read_directories(block, readings, found)
    for tags in readings:
        blocks.has_maker_note |= bool({f"{EXIF} MakerNote", f"{IMAGE} DNGPrivateData"} & tags.block_ranges.keys())
        for step in _STEPS:
            with guarded(found.note, "damaged EXIF"):
                step(tags, found)
        with guarded(found.note, "damaged TIFF"):
            _read_blocks(tags, blocks)
    return found


def largest_size(block: ExifBlock) -> tuple[int, int] | None:
    """Return the largest width and height in pixels given in the image directories of a TIFF structure."""
    from photoindex.media.metadata.containers.tiff_directory import TiffDirectories

    tags = TiffDirectories(block.stream, block.start)
    tags.read_directory(tags.first_directory(), IMAGE, IMAGE_TAGS)
    prefixes = [IMAGE]
    for index, offset in enumerate(tags.integers(f"{IMAGE} SubIFDs")[:16]):
        prefixes.append(f"sub{index}")
        tags.read_directory(offset, prefixes[-1], SIZE_TAGS)
    for offset in tags.integers(f"{IMAGE} ExifIFD")[:1]:
        tags.read_directory(offset, EXIF, IMAGE_TAGS)
    sizes = [(tags.integers(f"{prefix} ImageWidth"), tags.integers(f"{prefix} ImageLength")) for prefix in prefixes]
    sizes.append((tags.integers(f"{EXIF} PixelXDimension"), tags.integers(f"{EXIF} PixelYDimension")))
    pairs = [
        (widths[0], heights[0]) for widths, heights in sizes if widths and heights and widths[0] > 0 and heights[0] > 0
    ]
    return max(pairs, key=math.prod, default=None)


def size_in_exif(block: ExifBlock) -> tuple[int, int] | None:
    """Return the stored picture's width and height in pixels according to EXIF."""
    from photoindex.media.metadata.containers.tiff_directory import TiffDirectories

    tags = TiffDirectories(block.stream, block.start)
    tags.read_directory(tags.first_directory(), IMAGE, IMAGE_TAGS)
    for offset in tags.integers(f"{IMAGE} ExifIFD")[:1]:
        tags.read_directory(offset, EXIF, IMAGE_TAGS)
    widths, heights = tags.integers(f"{EXIF} PixelXDimension"), tags.integers(f"{EXIF} PixelYDimension")
    return (widths[0], heights[0]) if widths and heights else None


def jpeg_from_raw(block: ExifBlock) -> bytes:
    """Return the JPEG in tag 0x002E of Panasonic and Leica RAW files, b"" if there is none."""
    from photoindex.media.metadata.containers.tiff_directory import TiffDirectories

    tags = TiffDirectories(block.stream, block.start)
    tags.read_directory(tags.first_directory(), IMAGE, {0x002E: ("JpgFromRaw", None)})
    return tags.block(f"{IMAGE} JpgFromRaw", _EMBEDDED_JPEG_BYTES)


def _read_directories(block: ExifBlock, readings: list[TiffDirectories], found: Findings) -> None:
    from photoindex.media.metadata.containers.tiff_directory import TiffDirectories

    tags = TiffDirectories(block.stream, block.start)
    readings.append(tags)
    names = GPS_TAGS if block.first is Directory.GPS else IMAGE_TAGS
    tags.read_directory(tags.first_directory(), block.first.value, names)
    for prefix, pointer, names in ((EXIF, f"{IMAGE} ExifIFD", IMAGE_TAGS), (GPS, f"{IMAGE} GPSIFD", GPS_TAGS)):
        with guarded(found.note, f"damaged {prefix.upper()} directory"):
            for offset in tags.integers(pointer)[:1]:
                tags.read_directory(offset, prefix, names)
    # DCF 2.0 marks Adobe RGB as "uncalibrated" with an index in the interoperability directory.
    if tags.integers(f"{EXIF} ColorSpace")[:1] == [0xFFFF]:
        with guarded(found.note, "damaged interoperability directory"):
            for offset in tags.integers(f"{EXIF} InteroperabilityIFD")[:1]:
                tags.read_directory(offset, INTEROPERABILITY, INTEROPERABILITY_TAGS)


def _read_blocks(tags: TiffDirectories, blocks: Blocks) -> None:
    from photoindex.media.metadata.containers.photoshop import iptc_of_resources

    for key, target in ((f"{IMAGE} XMP", blocks.xmp), (f"{IMAGE} IPTC", blocks.iptc)):
        if not target and (block := tags.block(key, BLOCK_LIMIT_BYTES)):
            target.append(block)
    if not blocks.iptc and (resources := tags.block(f"{IMAGE} Photoshop", BLOCK_LIMIT_BYTES)):
        blocks.iptc.extend(iptc_of_resources(resources))


def _text(tags: TiffDirectories, name: str) -> str:
    return tags.text(f"{IMAGE} {name}") or tags.text(f"{EXIF} {name}")


def _number(tags: TiffDirectories, name: str) -> float | None:
    value = tags.number(f"{EXIF} {name}")
    return tags.number(f"{IMAGE} {name}") if value is None else value


def _integer(tags: TiffDirectories, name: str) -> int | None:
    value = _number(tags, name)
    return int(value) if value is not None and math.isfinite(value) else None


_TEXTS = (
    ("camera_make", "Make"),
    ("camera_model", "Model"),
    ("camera_serial", "BodySerialNumber"),
    ("camera_serial", "CameraSerialNumber"),
    ("software", "Software"),
    ("artist", "Artist"),
    ("copyright", "Copyright"),
    ("description", "ImageDescription"),
)


def _add_texts(tags: TiffDirectories, found: Findings) -> None:
    texts = {tag: _characters(tags, tag) for _, tag in _TEXTS}
    comment, is_wide = _comment(tags.block(f"{EXIF} UserComment", BLOCK_LIMIT_BYTES))
    decode = decoder_of([*texts.values(), b"" if is_wide else comment], found.note)
    for name, tag in _TEXTS:
        found.add(name, clean_text(decode(texts[tag])))
        if any(value > 255 for value in tags.integers(f"{IMAGE} {tag}")):
            found.refuse(name, tags.integers(f"{IMAGE} {tag}")[0], "a number instead of text")
    # Windows writes its own tags, in UTF-16, in addition to the standard ones.
    for name, tag in (
        ("title", "XPTitle"),
        ("title", "XPSubject"),
        ("artist", "XPAuthor"),
        ("description", "XPComment"),
    ):
        found.add(name, _windows_text(tags, tag, decode))
    order = "le" if tags.endian == "I" else "be"
    found.add("description", clean_text(decode_wide(comment, order, decode) if is_wide else decode(comment)))
    found.add_keywords(part.strip() for part in _windows_text(tags, "XPKeywords", decode).split(";"))


def _characters(tags: TiffDirectories, name: str) -> bytes:
    """Return the bytes of a text, of the copyright both parts: the photographer's, a NUL, the editor's (EXIF 2.32)."""
    for directory in (IMAGE, EXIF):
        parts = [part.strip() for part in tags.characters(f"{directory} {name}").split(b"\0")]
        if text := b"\n".join(filter(None, parts[: 2 if name == "Copyright" else 1])):
            return text
    return b""


def _windows_text(tags: TiffDirectories, name: str, decode: Decoder) -> str:
    return clean_text(decode_wide(tags.block(f"{IMAGE} {name}", BLOCK_LIMIT_BYTES), "le", decode))


def _comment(block: bytes) -> tuple[bytes, bool]:
    """Return the text of a UserComment, without the character code before it (EXIF 2.32, 4.6.5 E), and whether it is UTF-16."""
    if len(block) <= _COMMENT_CODE_BYTES:
        return b"", False
    code, text = block[:_COMMENT_CODE_BYTES], block[_COMMENT_CODE_BYTES:]
    name = code.rstrip(b"\0 ").upper()  # cameras write blanks for NULs
    if name == b"JIS":
        for codec in ("iso2022_jp", "cp932"):
            with suppress(UnicodeDecodeError):
                return text.rstrip(b"\0").decode(codec).encode(), False
    if name == b"UNICODE" or any(
        text[at:8:2].strip(b"\0") == b"" != text[1 - at : 8 : 2].strip(b"\0") for at in (0, 1)
    ):
        return text, True
    if name in (b"", b"ASCII", b"JIS") or code.startswith((b"\0", b"ASCII\0")):
        return text.partition(b"\0")[0], False
    return block.rstrip(b"\0 "), False  # without the character code that the standard requires


def _add_times(tags: TiffDirectories, found: Findings) -> None:
    for name, tag, suffix in (
        ("taken_at", "DateTimeOriginal", "Original"),
        ("digitized_at", "DateTimeDigitized", "Digitized"),
        ("modified_at", "DateTime", ""),
    ):
        text = _text(tags, tag)
        if not text:
            continue
        offset = _text(tags, f"OffsetTime{suffix}")
        if offset.strip(" :") and not iso_offset(offset):
            found.refuse(f"offset of {name}", offset, "not a time zone")
        found.add_time(name, text, fraction=_text(tags, f"SubSecTime{suffix}"), offset=offset)


def _add_exposure(tags: TiffDirectories, found: Findings) -> None:
    found.add("iso", _sensitivity(tags, found))
    exposure, aperture = _number(tags, "ExposureTime"), _number(tags, "FNumber")
    speed, opening = _number(tags, "ShutterSpeedValue"), _number(tags, "ApertureValue")
    # APEX values (EXIF 2.32, annex C) are the same, rounded; used only if the plain values are missing.
    if not exposure and speed is not None and abs(speed) <= 30:
        exposure = round(2.0**-speed, 6)
    if not aperture and opening is not None and 0 < opening <= 20:
        aperture = round(2.0 ** (opening / 2), 1)
    # Cameras write zero for unknown (an adapted lens, a scan).
    found.add_number("exposure_seconds", _rounded(exposure) or None, 1e-7, 1e6)
    found.add_number("aperture", _rounded(aperture) or None, 0.3, 1000)
    found.add_number("focal_length_mm", _rounded(_number(tags, "FocalLength")) or None, 0.1, 100_000)
    found.add_number("focal_length_35mm", _rounded(_number(tags, "FocalLengthIn35mmFilm")) or None, 1, 65534)
    flash = _integer(tags, "Flash")
    found.add_number("flash", flash, 0, 0xFFFF)


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.9g}")


def _sensitivity(tags: TiffDirectories, found: Findings) -> int | None:
    value = _integer(tags, "PhotographicSensitivity")
    if value is not None and 0 < value < _ISO_OVERFLOW:
        return value
    # The original tag has 16 bits; for larger values it is 65535 and one of the other tags holds the value.
    for other in ("RecommendedExposureIndex", "StandardOutputSensitivity", "ISOSpeed"):
        longer = _integer(tags, other)
        if longer is not None and 0 < longer < 100_000_000:
            return longer
    if value is not None and value != 0:
        found.refuse("iso", value, "the tag's overflow value, and no other tag has the real value")
    return None


def _add_picture(tags: TiffDirectories, found: Findings) -> None:
    orientation = tags.number(f"{IMAGE} Orientation")
    if orientation is not None and orientation != 0:
        found.add_number("orientation", int(orientation) if math.isfinite(orientation) else orientation, 1, 8)
    rating = _integer(tags, "Rating")
    if rating is not None:
        found.add_number("rating", rating, -1, 5)
    percent = _integer(tags, "RatingPercent")
    if percent is not None and 0 < percent <= 100:
        found.add("rating", stars_of_percent(percent))
    colour = _integer(tags, "ColorSpace")
    if colour == 0xFFFF and tags.text(f"{INTEROPERABILITY} Index") == "R03":
        found.add("colour_space", "Adobe RGB")
    elif colour is not None:
        found.add("colour_space", _COLOUR_SPACES.get(colour))


def _add_maker_note(tags: TiffDirectories, found: Findings) -> None:
    key = f"{EXIF} MakerNote"
    if key in tags.block_ranges:
        note = MakerNote(
            tags.block(key, _MAKER_NOTE_BYTES),
            offset=tags.block_ranges[key][0],
            order="<" if tags.endian == "I" else ">",
            make=str(found.facts.get("camera_make", "")),
        )
        add_maker_note(note, found)


def _add_lens(tags: TiffDirectories, found: Findings) -> None:
    found.add_lens(_text(tags, "LensModel"))
    for key in (f"{EXIF} LensSpecification", f"{IMAGE} LensSpecification", f"{IMAGE} DNGLensInfo"):
        numbers = tags.numbers(key)
        if len(numbers) == 4:
            found.add("lens_range", range_of(*numbers))


def _add_gps(tags: TiffDirectories, found: Findings) -> None:
    latitude = _degrees(tags, "Latitude", "NS", found)
    longitude = _degrees(tags, "Longitude", "EW", found)
    altitude = tags.number(f"{GPS} Altitude")
    _add_gps_time(tags, found)
    found.add_position(latitude, longitude)
    if altitude is not None and math.isfinite(altitude):
        # 1: below sea level; 3: below the reference ellipsoid (EXIF 3.0).
        below = tags.block(f"{GPS} AltitudeRef", 1) in (b"\1", b"\3")
        found.add_altitude(round(-altitude if below else altitude, 3))
    elif altitude is None:
        _refuse_over_zero(tags, "Altitude", "altitude_m", found)


def _refuse_over_zero(tags: TiffDirectories, name: str, fact: str, found: Findings) -> None:
    if shown := tags.over_zero(f"{GPS} {name}"):
        found.refuse(fact, shown, "division by zero")


def _degrees(tags: TiffDirectories, name: str, signs: str, found: Findings) -> float | None:
    parts = tags.numbers(f"{GPS} {name}")
    if not parts or parts[0] is None:
        _refuse_over_zero(tags, name, name.lower(), found)
        return None
    reference = tags.text(f"{GPS} {name}Ref")[:1].upper()
    if not reference or reference not in signs:
        found.refuse(name.lower(), parts[0], f"its hemisphere is missing ({signs[0]} or {signs[1]})")
        return None
    # Devices without minutes or seconds write them as 0/0.
    degrees = sum((part or 0.0) / scale for part, scale in zip(parts, (1, 60, 3600), strict=False))
    return -degrees if reference == signs[1] else degrees


def _add_gps_time(tags: TiffDirectories, found: Findings) -> None:
    day, clock = tags.text(f"{GPS} DateStamp")[:10], tags.numbers(f"{GPS} TimeStamp")
    if len(clock) != 3 or any(part is None or not 0 <= part < 100 for part in clock):
        _refuse_over_zero(tags, "TimeStamp", "gps_at", found)
    elif day:
        seconds = f"{clock[2]:06.3f}".removesuffix(".000")
        found.add_time("gps_at", f"{day} {clock[0]:02.0f}:{clock[1]:02.0f}:{seconds}", offset="Z")


_STEPS: tuple[Callable[[TiffDirectories, Findings], None], ...] = (
    _add_texts,
    _add_times,
    _add_exposure,
    _add_picture,
    _add_gps,
    _add_lens,
    _add_maker_note,
)
