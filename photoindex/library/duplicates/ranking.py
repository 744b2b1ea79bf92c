"""Which of several copies of a photo is the one to keep, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from photoindex.domain.pairing.names import parse_name
from photoindex.library.duplicates.files import AWAY, GONE, PRESENT
from photoindex.paths import display, is_within
from photoindex.store.photos.duplicates import CopyContent, CopyFile, CopyPhoto

_MEGA = 1e6
_UNCHANGED = "it is as it was scanned"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the user says of places, and what is known of the files.

    prefer: absolute folders or files whose copies are kept, the first the most. avoid: those whose copies go first. states:
    by file number, see `duplicate_files.Look`. framed: photos that differ from a copy by a border that was put around them.
    further_pictures: what a content shows besides the picture that was compared, in words, None where nothing.
    """

    prefer: tuple[bytes, ...] = ()
    avoid: tuple[bytes, ...] = ()
    states: Mapping[int, str] = field(default_factory=dict)
    framed: Collection[int] = ()
    further_pictures: Callable[[CopyContent], str | None] = lambda _: None

    def state(self, file: CopyFile) -> str:
        """Return whether a file is there as it was scanned."""
        return self.states.get(file.id, GONE)

    def is_there(self, file: CopyFile) -> bool:
        """Tell whether a file is there as it was scanned."""
        return self.state(file) == PRESENT

    def place(self, path: bytes) -> int:
        """Return how much a place is wanted: more is better, 0 is a place without a rule."""
        wanted = [len(self.prefer) - rank for rank, folder in enumerate(self.prefer) if is_within(path, folder)]
        if wanted:
            return max(wanted)
        return -1 if any(is_within(path, folder) for folder in self.avoid) else 0


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing in which copies differ. value: larger is better. words: why the better one is kept, given it and the other."""

    value: Callable[[CopyPhoto, Rules], float]
    words: Callable[[CopyPhoto, CopyPhoto, Rules], str]


def main_content(photo: CopyPhoto) -> CopyContent:
    """Return the content that stands for a photo."""
    return next((one for one in photo.contents if one.asset_id == photo.primary_asset_id), photo.contents[0])


def pixels(photo: CopyPhoto) -> int:
    """Return the pixels of the largest content of a photo that is a picture (a video's for a video)."""
    return max(one.width * one.height for one in photo.contents if photo.kind == "video" or one.kind != "video")


def _is_raw(photo: CopyPhoto) -> bool:
    return any(one.kind == "raw" and one.files for one in photo.contents)


def _is_plain(photo: CopyPhoto) -> bool:
    """Tell whether a name says nothing of an edit or a copy."""
    return any(is_plain_name(file) for one in photo.contents for file in one.files)


def is_plain_name(file: CopyFile) -> bool:
    """Tell whether a file's name says nothing of an edit or a copy."""
    name = parse_name(file.path.rpartition(b"/")[2])
    return name.original is None and name.shot == name.stem


def _place(photo: CopyPhoto, rules: Rules) -> float:
    return max((rules.place(file.path) for one in photo.contents for file in one.files), default=-2)


def _bytes(photo: CopyPhoto) -> float:
    return main_content(photo).size_bytes


def _is_there(photo: CopyPhoto, rules: Rules) -> bool:
    return any(rules.is_there(file) for one in photo.contents for file in one.files)


def _there_words(_: CopyPhoto, other: CopyPhoto, rules: Rules) -> str:
    states = {rules.state(file) for one in other.contents for file in one.files}
    return "its volume is here" if AWAY in states else _UNCHANGED


def _first_seen(photo: CopyPhoto) -> float:
    return min((file.first_seen_at for one in photo.contents for file in one.files), default=float("inf"))


def _megapixels(number: int) -> str:
    return f"{number / _MEGA:.1f} MP" if number >= _MEGA / 10 else f"{number:,} pixels"


def _place_words(best: CopyPhoto, other: CopyPhoto, rules: Rules) -> str:
    if _place(other, rules) < 0 <= _place(best, rules):
        return "the others lie in a folder of --avoid"
    return "it lies in a folder of --prefer"


CRITERIA: tuple[Criterion, ...] = (
    Criterion(_is_there, _there_words),
    Criterion(lambda photo, _: _is_raw(photo), lambda *_: "it has the RAW"),
    Criterion(lambda photo, rules: photo.photo_id not in rules.framed, lambda *_: "no border was put around it"),
    Criterion(
        lambda photo, _: pixels(photo),
        lambda best, other, _: f"it has more pixels ({_megapixels(pixels(best))} against {_megapixels(pixels(other))})",
    ),
    Criterion(lambda photo, _: _is_plain(photo), lambda *_: "its name says that it is no edit or copy"),
    Criterion(
        lambda photo, _: any(one.camera_time for one in photo.contents),
        lambda *_: "it says itself when and by which camera it was taken",
    ),
    Criterion(_place, _place_words),
    Criterion(lambda photo, _: photo.has_position, lambda *_: "it says where it was taken"),
    Criterion(lambda photo, _: photo.written, lambda *_: "more was written of it (stars, title, keywords, sidecars)"),
    Criterion(lambda photo, _: main_content(photo).facts, lambda *_: "it has more metadata"),
    Criterion(lambda photo, _: _bytes(photo), lambda *_: "it is the larger file, less compressed"),
    Criterion(lambda photo, _: -_first_seen(photo), lambda *_: "it came into the library first"),
    Criterion(lambda photo, _: -photo.photo_id, lambda *_: "it came into the library first"),
)
"""What decides, in this order."""


def rank(photos: Sequence[CopyPhoto], rules: Rules) -> list[CopyPhoto]:
    """Return the photos, the one to keep first."""
    return sorted(photos, key=lambda photo: tuple(one.value(photo, rules) for one in CRITERIA), reverse=True)


def reason_to_keep(best: CopyPhoto, next_best: CopyPhoto, rules: Rules) -> str:
    """Return in words why one photo is kept and not the other."""
    for criterion in CRITERIA:
        if criterion.value(best, rules) > criterion.value(next_best, rules):
            return criterion.words(best, next_best, rules)
    return "they are equal"


def rank_files(files: Sequence[CopyFile], rules: Rules) -> list[CopyFile]:
    """Return the files of one content, the one to keep first."""
    return sorted(files, key=lambda file: _file_key(file, rules))


def _file_key(file: CopyFile, rules: Rules) -> tuple[object, ...]:
    return (
        not rules.is_there(file),
        -rules.place(file.path),
        not is_plain_name(file),
        file.first_seen_at,
        len(file.path),
        file.path,
    )


def reason_for_file(best: CopyFile, next_best: CopyFile, rules: Rules) -> str:
    """Return in words why one of two files with the same bytes is kept."""
    mine, other = _file_key(best, rules), _file_key(next_best, rules)
    if mine[0] != other[0]:
        return "its volume is here" if rules.state(next_best) == AWAY else _UNCHANGED
    if mine[1] != other[1]:
        wanted = rules.place(best.path) > 0
        return "it lies in a folder of --prefer" if wanted else "the others lie in a folder of --avoid"
    if mine[2] != other[2]:
        return f"its name is no copy's, as {display(next_best.path.rpartition(b'/')[2])} is"
    if mine[3] != other[3]:
        return "it came into the library first"
    return "its path is the shortest" if mine[4] != other[4] else "its path comes first"
