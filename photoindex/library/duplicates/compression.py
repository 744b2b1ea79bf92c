"""Compares how much copies with the same pixels lost when they were compressed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from photoindex.domain.pairing.names import parse_name
from photoindex.store.photos.duplicates import CopyContent, CopyPhoto

_LOSSY = frozenset({"jpeg", "heic", "heif", "avif", "webp", "jxl"})
_SAME_QUALITY = 2
"""JPEG qualities this close are equal: the estimate rounds."""
_SAME_SIZE = 1.05
"""Files of one format whose sizes have at most this ratio are equally compressed: their metadata differs."""
_GOOD_QUALITY = 80
"""From this quality on, losses of a JPEG are hardly seen; cameras write no worse ones."""
_GOOD_BITS = 1.0
"""The same as bits a pixel, for formats without an estimate."""

Quality = Callable[[CopyContent], int | None]
"""Returns the quality of a JPEG, 1 to 100, None if it is unknown."""


def compression_ranks(
    photos: Sequence[CopyPhoto], contents: Mapping[int, CopyContent], quality: Quality
) -> dict[int, int]:
    """Return photo id -> rank, 0 for those that lost least among those with their format and pixels, else less than 0.

    contents: the content of each photo that is compared. A file without the camera's data is no better than one with it,
    which it was made from, unless that one is poor: saving again at a higher quality brings nothing back.
    """
    alike: dict[tuple[str, int, int], list[CopyPhoto]] = {}
    for photo in photos:
        content = contents[photo.photo_id]
        if content.kind == "video" or content.format in _LOSSY:
            alike.setdefault((content.format, content.width, content.height), []).append(photo)
    found = dict.fromkeys((photo.photo_id for photo in photos), 0)
    for group in alike.values():
        if len(group) > 1:
            found |= _ranks({photo.photo_id: contents[photo.photo_id] for photo in group}, quality)
    return found


def _ranks(contents: Mapping[int, CopyContent], quality: Quality) -> dict[int, int]:
    sizes = {number: float(one.size_bytes) for number, one in contents.items()}
    if max(sizes.values()) <= min(sizes.values()) * _SAME_SIZE:
        return dict.fromkeys(contents, 0)
    values, good = sizes, _pixels(contents) * _GOOD_BITS / 8
    same: Callable[[float, float], bool] = _is_size
    qualities = {number: quality(one) for number, one in contents.items() if one.format == "jpeg"}
    known = {number: float(value) for number, value in qualities.items() if value is not None}
    if len(known) == len(contents):
        values, same, good = known, _is_quality, float(_GOOD_QUALITY)
    cameras = [values[number] for number, one in contents.items() if _is_original(one)]
    if cameras:
        best = max(good, *cameras)
        values = {
            number: value if _is_original(contents[number]) else min(value, best) for number, value in values.items()
        }
    ranks: dict[int, int] = {}
    rank, first = 0, max(values.values())
    for number in sorted(values, key=lambda one: -values[one]):
        if not same(first, values[number]):
            rank, first = rank - 1, values[number]
        ranks[number] = rank
    return ranks


def _is_size(larger: float, smaller: float) -> bool:
    return larger <= smaller * _SAME_SIZE


def _is_quality(better: float, worse: float) -> bool:
    return better - worse <= _SAME_QUALITY


def _pixels(contents: Mapping[int, CopyContent]) -> int:
    return max(one.width * one.height for one in contents.values())


def _is_original(content: CopyContent) -> bool:
    """Tell whether a content has the camera's data, and no file of it is named like an edit."""
    names = (parse_name(file.path.rpartition(b"/")[2]) for file in content.files)
    return content.camera_time and all(name.original is None for name in names)
