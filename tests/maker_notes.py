"""Maker notes of the makers that say what lens was on the camera, built byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from tests.metadata_blocks import (
    LONG,
    MAKE,
    MODEL,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Entry,
    blob,
    exif_segment,
    jpeg,
    text,
    tiff,
)

MAKER_NOTE = 0x927C


def directory(entries: Sequence[Entry], start: int, base: int = 0, order: str = "<") -> bytes:
    """Return a TIFF directory for byte `start` of a note; offsets count from byte `base` of it."""
    table, values = b"", b""
    for tag, kind, count, data in sorted(entries):
        table += struct.pack(order + "HHI", tag, kind, count)
        if len(data) > 4:
            table += struct.pack(order + "I", start + 6 + 12 * len(entries) + len(values) - base)
            values += data + b"\0" * (len(data) % 2)
        else:
            table += data.ljust(4, b"\0")
    return struct.pack(order + "H", len(entries)) + table + bytes(4) + values


def picture(
    make: str, note: Callable[[int], bytes], *, order: str = "<", model: str = "Made up", moved: int = 0
) -> bytes:
    """Return a JPEG with a maker note.

    note: makes it from its offset in the EXIF block. moved: how many bytes a program has moved it without correcting it.
    """
    size = len(note(0))

    def block(data: bytes) -> bytes:
        return tiff([text(MAKE, make), text(MODEL, model)], [blob(MAKER_NOTE, data)], order=order)

    mark = bytes(range(1, 17)) * (size // 16 + 1)
    return jpeg(exif_segment(block(note(block(mark[:size]).index(mark[:size]) + moved))))


def rationals(tag: int, *numbers: float, order: str = "<") -> Entry:
    pairs = b"".join(struct.pack(order + "II", round(number * 10), 10 if number else 0) for number in numbers)
    return tag, RATIONAL, len(numbers), pairs


def shorts(tag: int, *numbers: int, order: str = "<") -> Entry:
    return tag, SHORT, len(numbers), struct.pack(f"{order}{len(numbers)}H", *numbers)


def canon(name: str = "", shortest: int = 0, longest: int = 0, units: int = 1) -> Callable[[int], bytes]:
    settings = [0] * 46
    settings[23:26] = longest, shortest, units
    entries = [shorts(1, *settings)] + ([text(0x95, name)] if name else [])
    return lambda offset: directory(entries, 0, -offset)


def nikon(*numbers: float) -> Callable[[int], bytes]:
    return lambda _: (
        b"Nikon\0\2\x10\0\0" + b"MM\0*\0\0\0\x08" + directory([rationals(0x84, *numbers, order=">")], 8, order=">")
    )


def first_nikon(*numbers: float) -> Callable[[int], bytes]:
    return lambda offset: directory([rationals(0x84, *numbers)], 0, -offset)


def olympus(
    name: str, shortest: int = 0, longest: int = 0, *, header: bytes = b"OLYMPUS\0II\3\0", inside: bool = False
) -> Callable[[int], bytes]:
    """inside: the directory of the lens is the value of its entry, as older cameras write it."""
    numbers = [shorts(0x207, shortest), shorts(0x208, longest), shorts(0x205, 760), shorts(0x206, 1273)]
    entries = [text(0x203, name), *(numbers if shortest else ())]

    def build(offset: int) -> bytes:
        base = -offset if header.startswith(b"OLYMP\0") else 0
        place = len(header) + 18
        equipment = directory(entries, place, base)
        if inside:
            return header + directory([(0x2010, UNDEFINED, len(equipment), equipment)], len(header), base)
        return header + directory([(0x2010, LONG, 1, struct.pack("<I", place - base))], len(header), base) + equipment

    return build


def panasonic(name: str, header: bytes = b"Panasonic\0\0\0") -> Callable[[int], bytes]:
    return lambda offset: header + directory([text(0x51, name)], len(header), -offset)


def leica(name: str) -> Callable[[int], bytes]:
    return lambda _: b"LEICA\0\1\0" + directory([text(0x303, name)], 8)


def fujifilm(*numbers: float) -> Callable[[int], bytes]:
    entries = [rationals(tag, number) for tag, number in zip(range(0x1404, 0x1408), numbers, strict=True)]
    return lambda _: b"FUJIFILM\x0c\0\0\0" + directory(entries, 12)


def sony(digits: str, header: bytes = b"SONY DSC \0\0\0") -> Callable[[int], bytes]:
    return lambda offset: header + directory([blob(0xB02A, bytes.fromhex(digits))], len(header), -offset)


def sigma(focal_lengths: Sequence[float], apertures: Sequence[float]) -> Callable[[int], bytes]:
    entries = [rationals(0x2A, *focal_lengths), rationals(0x2B, *apertures)]
    return lambda offset: b"SIGMA\0\0\0\1\0" + directory(entries, 10, -offset)


def pentax(*lens: int) -> Callable[[int], bytes]:
    """A Pentax body says which lens it was with two numbers only."""
    return lambda offset: b"AOC\0II" + directory([(0x3F, 1, len(lens), bytes(lens))], 6, -offset)
