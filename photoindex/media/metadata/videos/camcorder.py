"""Recording dates of camcorders, which write them beside the pictures: DV packs, and in AVCHD's H.264 the same in MDPM."""

from __future__ import annotations

from typing import BinaryIO

from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.videos.header_time import WALL_TIME

_SEARCHED_BYTES = 2 << 20
_PACKET_BYTES, _SYNC = 188, 0x47
_STREAM_LIMIT = 32
# SEI "user data unregistered" (ITU-T H.264, D.1.7) with this id holds "Modified DV Pack Meta": a count, then packs of a number
# and four bytes (reverse-engineered; documented by ExifTool's H264 tags).
_MDPM = bytes.fromhex("17ee8c60f84d11d98cd60800200c9a66") + b"MDPM"
_MDPM_BYTES = 1 + 255 * 5
_YEAR_MONTH, _DAY_TIME, _MAKE = 0x18, 0x19, 0xE0
# Of latitude and longitude: the hemisphere, degrees (then minutes and seconds in the next packs), the southern or western one.
_POSITION = ((0xB1, 0xB2, b"S"), (0xB5, 0xB6, b"W"))
_GPS_STATUS, _VOID = 0xBE, b"V"
_MAKES = {0x0103: "Panasonic", 0x0108: "Sony", 0x1011: "Canon", 0x1104: "JVC"}
_SUMMER, _WEST, _HALF_HOUR, _UNSET = 0x40, 0x20, 0x01, 0xFF

# DV (IEC 61834-4): blocks of 80 bytes, those of section 2 (VAUX) hold 15 packs of five bytes.
_DV_FRAME_BYTES, _DV_BLOCK_BYTES, _DV_VAUX = 144_000, 80, 2
_DV_DATE, _DV_TIME = 0x62, 0x63


def read_avchd(stream: BinaryIO, blocks: Blocks) -> None:
    """Add time, zone and maker of an AVCHD recording from the first 2 MiB of its transport stream."""
    for payload in _payloads(stream.read(_SEARCHED_BYTES)):
        start = payload.find(_MDPM)
        if start >= 0:
            start += len(_MDPM)
            # H.264 forbids 00 00 0x in data and puts a 3 between.
            data = payload[start : start + 2 * _MDPM_BYTES].replace(b"\0\0\3", b"\0\0")
            _add_packs(_packs(bytes(data)), blocks)
            return


def read_dv(stream: BinaryIO, blocks: Blocks) -> None:
    """Add the recording time in the first frame of a DV file; it is the camera's wall clock."""
    frame = stream.read(_DV_FRAME_BYTES)
    packs: dict[int, bytes] = {}
    for start in range(0, len(frame), _DV_BLOCK_BYTES):
        if frame[start] >> 5 == _DV_VAUX:
            for pack in range(start + 3, min(start + 78, len(frame)), 5):
                if frame[pack] in (_DV_DATE, _DV_TIME):
                    packs.setdefault(frame[pack], frame[pack + 1 : pack + 5])
    date, time = packs.get(_DV_DATE, b""), packs.get(_DV_TIME, b"")
    if len(date) == len(time) == 4:
        short_year = _decimal(date[3])
        _add_time(
            blocks,
            (None if short_year is None else short_year + (1900 if short_year >= 75 else 2000)),
            _decimal(date[2] & 0x1F),
            _decimal(date[1] & 0x3F),
            [_decimal(time[3] & 0x3F), _decimal(time[2] & 0x7F), _decimal(time[1] & 0x7F)],
        )


def _payloads(data: bytes) -> list[bytearray]:
    """Return the payload of each stream in an MPEG transport stream (ISO 13818-1, 2.4.3)."""
    stride = (
        _PACKET_BYTES if data[:1] == data[_PACKET_BYTES : _PACKET_BYTES + 1] == b"\x47" else _PACKET_BYTES + 4
    )  # AVCHD puts a time stamp before each packet
    found: dict[int, bytearray] = {}
    for start in range(stride - _PACKET_BYTES, len(data) - _PACKET_BYTES + 1, stride):
        if data[start] != _SYNC:
            continue
        number = int.from_bytes(data[start + 1 : start + 3], "big") & 0x1FFF
        control = data[start + 3]
        body = start + 4 + (1 + data[start + 4] if control & 0x20 else 0)
        if control & 0x10 and body < start + _PACKET_BYTES and (number in found or len(found) < _STREAM_LIMIT):
            found.setdefault(number, bytearray()).extend(data[body : start + _PACKET_BYTES])
    return list(found.values())


def _packs(data: bytes) -> dict[int, bytes]:
    """Return number -> four bytes; the numbers ascend, what follows is not a pack."""
    found: dict[int, bytes] = {}
    last = -1
    for start in range(1, 1 + 5 * (data[0] if data else 0), 5):
        pack = data[start : start + 5]
        if len(pack) < 5 or pack[0] <= last:
            break
        last = pack[0]
        found[last] = pack[1:]
    return found


def _add_packs(packs: dict[int, bytes], blocks: Blocks) -> None:
    if _MAKE in packs and (make := _MAKES.get(int.from_bytes(packs[_MAKE][:2], "big"))):
        blocks.tags.setdefault("make", make)
    latitude, longitude = (_degrees(packs, *numbers) for numbers in _POSITION)
    if latitude is not None and longitude is not None and packs.get(_GPS_STATUS, b"")[:1] != _VOID:
        blocks.tags.setdefault("location", f"{latitude:+.7f}{longitude:+.7f}/")
    if _YEAR_MONTH not in packs or _DAY_TIME not in packs:
        return
    zone, century, year, month = packs[_YEAR_MONTH]
    day, *clock = packs[_DAY_TIME]
    centuries, years = _decimal(century), _decimal(year)
    full_year = None if centuries is None or years is None else centuries * 100 + years
    _add_time(blocks, full_year, _decimal(month), _decimal(day), [_decimal(part) for part in clock], _offset(zone))


def _degrees(packs: dict[int, bytes], hemisphere: int, first: int, negative: bytes) -> float | None:
    """Return a coordinate: three fractions of two 16-bit numbers each; None if a part is missing or over zero."""
    degrees = 0.0
    for index in range(3):
        part = packs.get(first + index, b"")
        below = int.from_bytes(part[2:], "big")
        if not below:
            return None
        degrees += int.from_bytes(part[:2], "big") / below / 60.0**index
    return -degrees if packs.get(hemisphere, b"")[:1] == negative else degrees


def _decimal(byte: int) -> int | None:
    """Return the value of two decimal digits in a byte, None for other bits."""
    high, low = byte >> 4, byte & 0xF
    return high * 10 + low if high < 10 and low < 10 else None


def _offset(zone: int) -> str:
    """Return the offset of a zone byte, "" if the camera's zone was never set (all bits, or zero without summer time)."""
    if zone in (0, _UNSET):
        return ""
    minutes = (zone >> 1 & 0xF) * 60 + (30 if zone & _HALF_HOUR else 0)
    minutes = (-minutes if zone & _WEST else minutes) + (60 if zone & _SUMMER else 0)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _add_time(
    blocks: Blocks, year: int | None, month: int | None, day: int | None, clock: list[int | None], offset: str = ""
) -> None:
    """Add a recording time unless a part is unknown, which the packs mark by set bits."""
    if year is None or month is None or day is None or None in clock:
        return
    time = ":".join(f"{part:02}" for part in clock)
    blocks.tags.setdefault(WALL_TIME, f"{year:04}-{month:02}-{day:02}T{time}{offset}")
