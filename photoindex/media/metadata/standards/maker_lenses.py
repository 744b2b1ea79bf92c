"""The lens in a maker note, where the maker says it in words or in focal lengths and apertures.

Numbers that stand for a lens (LensType, LensID) need a table, and this program has none; `lens_library` asks one that is
installed. Layouts and tag numbers are documented by ExifTool (Image::ExifTool::MakerNotes and the makers' modules).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from photoindex.domain.facts.lenses import range_of
from photoindex.media.metadata.findings import Findings
from photoindex.media.metadata.standards.maker_directory import MakerDirectory, MakerNote

_ORDERS = {b"II": "<", b"MM": ">"}
_CANON_SETTINGS, _CANON_LENS = 0x0001, 0x0095
_CANON_LONGEST, _CANON_SHORTEST, _CANON_UNITS = 23, 24, 25
_CANON_UNKNOWN = 0xFFFF
_NIKON_LENS = 0x0084
_OLYMPUS_EQUIPMENT, _OLYMPUS_LENS = 0x2010, 0x0203
_OLYMPUS_FOCAL_LENGTHS, _OLYMPUS_APERTURES = (0x0207, 0x0208), (0x0205, 0x0206)
_PANASONIC_LENS = 0x0051
_LEICA_LENS = 0x0303
_FUJIFILM_NUMBERS = (0x1404, 0x1405, 0x1406, 0x1407)
_SONY_LENS = 0xB02A
_SIGMA_FOCAL_LENGTHS, _SIGMA_APERTURES = 0x002A, 0x002B
_LARGEST_OPEN_APERTURE = 16.0


def add_maker_lens(note: MakerNote, found: Findings) -> None:
    """Add the lens of a maker note as `lens` or `lens_range`; the maker is recognised by the first bytes, else the make."""
    if note.data.startswith(b"Nikon\0\2"):
        _add_nikon(_embedded(note, 10), found)
        return
    if note.data.startswith(b"FUJIFILM"):
        # Always little-endian, with the directory's offset in the header.
        start = int.from_bytes(note.data[8:12], "little")
        _add_fujifilm(MakerDirectory(note.data, start, "<", 0), found)
        return
    for mark, place, counts_from_note, add in _LAYOUTS:
        if note.data.startswith(mark):
            order = next((_ORDERS[at] for at in (note.data[8:10], note.data[12:14]) if at in _ORDERS), note.order)
            if counts_from_note:
                add(MakerDirectory(note.data, place, order, 0), found)
            else:
                add(MakerDirectory(note.data, place, note.order, -note.offset), found)
            return
    for make, add in _WITHOUT_HEADER.items():
        if note.make.lower().startswith(make):
            add(MakerDirectory(note.data, 0, note.order, -note.offset), found)


def canon_range(settings: Sequence[float | None]) -> str | None:
    """Return the focal lengths in Canon's CameraSettings, 16-bit numbers that CIFF files have too."""
    if len(settings) <= _CANON_UNITS:
        return None
    longest, shortest, units = (settings[index] for index in (_CANON_LONGEST, _CANON_SHORTEST, _CANON_UNITS))
    if not longest or not shortest or _CANON_UNKNOWN in (longest, shortest):
        return None
    return range_of(*(round(length / (units or 1), 1) for length in (shortest, longest)))


def _embedded(note: MakerNote, start: int) -> MakerDirectory:
    """Return the first directory of a whole TIFF structure inside the note."""
    order = _ORDERS.get(note.data[start : start + 2], note.order)
    first = int.from_bytes(note.data[start + 4 : start + 8], "little" if order == "<" else "big")
    return MakerDirectory(note.data, start + first, order, start)


def _add_canon(tags: MakerDirectory, found: Findings) -> None:
    found.add_lens(tags.text(_CANON_LENS))
    found.add("lens_range", canon_range(tags.numbers(_CANON_SETTINGS)))


def _add_nikon(tags: MakerDirectory, found: Findings) -> None:
    numbers = tags.numbers(_NIKON_LENS)
    if len(numbers) == 4:
        found.add("lens_range", range_of(*numbers))


def _add_olympus(tags: MakerDirectory, found: Findings) -> None:
    equipment = tags.below(_OLYMPUS_EQUIPMENT)
    found.add_lens(equipment.text(_OLYMPUS_LENS))
    focal_lengths = [equipment.number(tag) for tag in _OLYMPUS_FOCAL_LENGTHS]
    # An aperture is stored as 256 times its APEX value.
    stored = [equipment.number(tag) for tag in _OLYMPUS_APERTURES]
    apertures = [round(2 ** (value / 512), 1) if value and value < 4096 else None for value in stored]
    found.add("lens_range", range_of(*focal_lengths, *apertures))


def _add_panasonic(tags: MakerDirectory, found: Findings) -> None:
    found.add_lens(tags.text(_PANASONIC_LENS))


def _add_leica(tags: MakerDirectory, found: Findings) -> None:
    found.add_lens(tags.text(_LEICA_LENS))


def _add_fujifilm(tags: MakerDirectory, found: Findings) -> None:
    found.add("lens_range", range_of(*(tags.number(tag) for tag in _FUJIFILM_NUMBERS)))


def _add_sony(tags: MakerDirectory, found: Findings) -> None:
    """LensSpec: flags, shortest and longest focal length, their apertures, flags; four bits a decimal digit."""
    digits = tags.block(_SONY_LENS).hex()
    if len(digits) == 16 and digits[2:14].isdecimal():
        apertures = int(digits[10:12]) / 10, int(digits[12:14]) / 10
        found.add("lens_range", range_of(int(digits[2:6]), int(digits[6:10]), *apertures))


def _add_sigma(tags: MakerDirectory, found: Findings) -> None:
    focal_lengths, apertures = tags.numbers(_SIGMA_FOCAL_LENGTHS), tags.numbers(_SIGMA_APERTURES)
    if len(focal_lengths) == 2:
        # Some models write the smallest aperture where others write the largest one at the longest focal length.
        are_open = len(apertures) == 2 and all(value and value < _LARGEST_OPEN_APERTURE for value in apertures)
        found.add("lens_range", range_of(*focal_lengths, *(apertures if are_open else ())))


_LAYOUTS: tuple[tuple[bytes, int, bool, Callable[[MakerDirectory, Findings], None]], ...] = (
    (b"OLYMPUS\0", 12, True, _add_olympus),
    (b"OM SYSTEM\0", 16, True, _add_olympus),
    (b"OLYMP\0", 8, False, _add_olympus),
    (b"Panasonic\0", 12, False, _add_panasonic),
    (b"LEICA\0\0\0", 8, False, _add_panasonic),
    (b"LEICA CAMERA AG\0", 18, False, _add_panasonic),
    (b"LEICA\0", 8, True, _add_leica),
    (b"SONY", 12, False, _add_sony),
    (b"SIGMA\0", 10, False, _add_sigma),
    (b"FOVEON\0", 10, False, _add_sigma),
)
"""First bytes, place of the directory, whether offsets count from the note (else from the structure around it), reader."""

_WITHOUT_HEADER = {"canon": _add_canon, "nikon": _add_nikon, "sony": _add_sony}
