"""Facts from IPTC-IIM records, found in APP13 of a JPEG and tag 33723 of a TIFF."""

from __future__ import annotations

from collections.abc import Iterator

from photoindex.media.metadata.blocks import Blocks
from photoindex.media.metadata.encodings import decoder_of
from photoindex.media.metadata.findings import Findings, clean_text

_MARKER = 0x1C
_DATASET_LIMIT = 10_000

# IPTC-IIM 4.2, record 2.
_TEXTS = (
    (5, "title"),
    (105, "title"),
    (120, "description"),
    (80, "artist"),
    (116, "copyright"),
    (90, "city"),
    (101, "country"),
)
_CODED_CHARACTER_SET = (1, 90)
# Escape sequences of ISO 2022 for upper halves other than that of Latin-1 (ISO-IR 101, 109, 110, 144, 127, 126, 138, 148).
_CHARACTER_SETS = {
    b"\x1b-" + final: f"iso8859_{part}"
    for final, part in zip((b"B", b"C", b"D", b"L", b"G", b"F", b"H", b"M"), range(2, 10), strict=True)
}
_KEYWORD, _DATE, _TIME, _DIGITAL_DATE, _DIGITAL_TIME, _ARTIST = 25, 55, 60, 62, 63, 80


def read_iptc(blocks: Blocks) -> Findings:
    """Return the facts of the first IPTC block."""
    found = Findings("iptc")
    if not blocks.iptc:
        return found
    datasets: dict[int, list[bytes]] = {}
    declared = ""
    for record, number, value in _datasets(blocks.iptc[0]):
        if record == 2:
            datasets.setdefault(number, []).append(value)
        elif (record, number) == _CODED_CHARACTER_SET:
            declared = _CHARACTER_SETS.get(value[:3], "")
    texts = (value for number in (*dict(_TEXTS), _KEYWORD) for value in datasets.get(number, ()))
    decode = decoder_of(texts, found.note, declared)
    for number, name in _TEXTS:
        values = [clean_text(decode(value)) for value in datasets.get(number, ())]
        found.add(name, ", ".join(filter(None, values if number == _ARTIST else values[:1])))
    found.add_keywords(clean_text(decode(value)) for value in datasets.get(_KEYWORD, ()))
    _add_time(found, "taken_at", datasets.get(_DATE), datasets.get(_TIME))
    _add_time(found, "digitized_at", datasets.get(_DIGITAL_DATE), datasets.get(_DIGITAL_TIME))
    return found


def _datasets(block: bytes) -> Iterator[tuple[int, int, bytes]]:
    position = 0
    for _ in range(_DATASET_LIMIT):
        if position + 5 > len(block) or block[position] != _MARKER:
            return
        record, number = block[position + 1], block[position + 2]
        length = int.from_bytes(block[position + 3 : position + 5], "big")
        position += 5
        if length & 0x8000:  # an extended dataset: this is the size of the length field
            size = length & 0x7FFF
            length = int.from_bytes(block[position : position + min(size, 8)], "big")
            position += size
        yield record, number, block[position : position + length]
        position += length


def _add_time(found: Findings, name: str, dates: list[bytes] | None, times: list[bytes] | None) -> None:
    if not dates:
        return
    # CCYYMMDD; unknown parts are zero. Programs that do not know the zone fill in +0000, so it is ignored.
    clock = clean_text(times[0]) if times else ""
    found.add_time(name, f"{clean_text(dates[0])} {clock.removesuffix('+0000').removesuffix('-0000')}".strip())
