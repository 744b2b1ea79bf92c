"""Chooses which of several copies of a photo to keep, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from photoindex.domain.pairing.names import parse_name
from photoindex.domain.words.carried import Words
from photoindex.library.duplicates.compression import Quality, compression_ranks
from photoindex.library.duplicates.files import AWAY, GONE, PRESENT
from photoindex.paths import display, is_within
from photoindex.store.photos.duplicates import CopyContent, CopyFile, CopyPhoto

_MEGA = 1e6
_UNCHANGED = "it is unchanged since its scan"


@dataclass(frozen=True, slots=True)
class RankingRules:
    """The user's preferences and the facts for ranking.

    prefer: absolute folders or files to keep copies in, most preferred first. avoid: those whose copies are removed first.
    states: by file id, see `files.FileStatus`. framed: photos that differ from a copy by a border around them.
    further_pictures: describes what a content shows besides the compared picture, None if nothing. quality: of a JPEG.
    words: what is known of photos besides their pictures, by photo id; never decides, see `verdicts`. compression: how
    photos are ranked by it, see `compression_ranks`; set by `rank`.
    """

    prefer: tuple[bytes, ...] = ()
    avoid: tuple[bytes, ...] = ()
    states: Mapping[int, str] = field(default_factory=dict)
    framed: Collection[int] = ()
    further_pictures: Callable[[CopyContent], str | None] = lambda _: None
    quality: Quality = lambda _: None
    words: Mapping[int, Words] = field(default_factory=dict)
    compression: Mapping[int, int] = field(default_factory=dict)

    def state(self, file: CopyFile) -> str:
        """Return the current state of a file."""
        return self.states.get(file.id, GONE)

    def is_present(self, file: CopyFile) -> bool:
        """Tell whether a file exists unchanged since its scan."""
        return self.state(file) == PRESENT

    def preference(self, path: bytes) -> int:
        """Return the preference for a path: higher is better, 0 without a rule."""
        wanted = [len(self.prefer) - rank for rank, folder in enumerate(self.prefer) if is_within(path, folder)]
        if wanted:
            return max(wanted)
        return -1 if any(is_within(path, folder) for folder in self.avoid) else 0


@dataclass(frozen=True, slots=True)
class Criterion:
    """One ranking criterion. value: larger is better. words: why the better one is kept, given the better and the other."""

    value: Callable[[CopyPhoto, RankingRules], float]
    words: Callable[[CopyPhoto, CopyPhoto, RankingRules], str]


def main_content(photo: CopyPhoto) -> CopyContent:
    """Return the primary content of a photo."""
    return next((one for one in photo.contents if one.asset_id == photo.primary_asset_id), photo.contents[0])


def pixels(photo: CopyPhoto) -> int:
    """Return the pixel count of a photo's largest picture (or of a video)."""
    return max(one.width * one.height for one in photo.contents if photo.kind == "video" or one.kind != "video")


def _is_raw(photo: CopyPhoto) -> bool:
    return any(one.kind == "raw" and one.files for one in photo.contents)


def _is_plain(photo: CopyPhoto) -> bool:
    """Tell whether some file name does not suggest an edit or a copy."""
    return any(is_plain_name(file) for one in photo.contents for file in one.files)


def is_plain_name(file: CopyFile) -> bool:
    """Tell whether a file's name does not suggest an edit, a copy or a companion."""
    name = parse_name(file.path.rpartition(b"/")[2])
    return name.original is None and name.shot == name.stem and name.companion is None


def _preference(photo: CopyPhoto, rules: RankingRules) -> float:
    return max((rules.preference(file.path) for one in photo.contents for file in one.files), default=-2)


def _bytes(photo: CopyPhoto) -> int:
    return main_content(photo).size_bytes


def _is_present(photo: CopyPhoto, rules: RankingRules) -> bool:
    return any(rules.is_present(file) for one in photo.contents for file in one.files)


def _presence_words(_: CopyPhoto, other: CopyPhoto, rules: RankingRules) -> str:
    states = {rules.state(file) for one in other.contents for file in one.files}
    return "its volume is mounted" if AWAY in states else _UNCHANGED


def _first_seen(photo: CopyPhoto) -> float:
    return min((file.first_seen_at for one in photo.contents for file in one.files), default=float("inf"))


def _megapixels(number: int) -> str:
    return f"{number / _MEGA:.1f} MP" if number >= _MEGA / 10 else f"{number:,} pixels"


def _preference_words(best: CopyPhoto, other: CopyPhoto, rules: RankingRules) -> str:
    if _preference(other, rules) < 0 <= _preference(best, rules):
        return "the others are in an --avoid folder"
    return "it is in a --prefer folder"


def _compression_words(best: CopyPhoto, other: CopyPhoto, rules: RankingRules) -> str:
    mine, others = rules.quality(main_content(best)), rules.quality(main_content(other))
    if mine is not None and others is not None:
        return f"it is less compressed (JPEG quality about {mine} against {others})"
    return f"it is less compressed ({_bytes(best):,} against {_bytes(other):,} bytes)"


def _with_compression(photos: Sequence[CopyPhoto], rules: RankingRules) -> RankingRules:
    shown = {photo.photo_id: main_content(photo) for photo in photos}
    return replace(rules, compression=compression_ranks(photos, shown, rules.quality))


CRITERIA: tuple[Criterion, ...] = (
    Criterion(_is_present, _presence_words),
    Criterion(lambda photo, _: _is_raw(photo), lambda *_: "it has the RAW"),
    Criterion(lambda photo, rules: photo.photo_id not in rules.framed, lambda *_: "it has no added border"),
    Criterion(
        lambda photo, _: pixels(photo),
        lambda best, other, _: f"it has more pixels ({_megapixels(pixels(best))} against {_megapixels(pixels(other))})",
    ),
    Criterion(lambda photo, rules: rules.compression.get(photo.photo_id, 0), _compression_words),
    Criterion(_preference, _preference_words),
    Criterion(lambda photo, _: _is_plain(photo), lambda *_: "its name is not that of an edit or copy"),
    Criterion(
        lambda photo, _: any(one.camera_time for one in photo.contents),
        lambda *_: "it has the camera's time",
    ),
    Criterion(lambda photo, _: photo.has_position, lambda *_: "it has a position"),
    Criterion(lambda photo, _: photo.written, lambda *_: "it has more annotations (rating, title, keywords, sidecars)"),
    Criterion(lambda photo, _: main_content(photo).facts, lambda *_: "it has more metadata"),
    Criterion(lambda photo, _: _bytes(photo), lambda *_: "it is the larger file, less compressed"),
    Criterion(lambda photo, _: -_first_seen(photo), lambda *_: "it was added to the library first"),
    Criterion(lambda photo, _: -photo.photo_id, lambda *_: "it was added to the library first"),
)
"""The criteria, most important first."""


def rank(photos: Sequence[CopyPhoto], rules: RankingRules) -> list[CopyPhoto]:
    """Sort photos, the one to keep first."""
    rules = _with_compression(photos, rules)
    return sorted(photos, key=lambda photo: tuple(one.value(photo, rules) for one in CRITERIA), reverse=True)


def reason_to_keep(best: CopyPhoto, next_best: CopyPhoto, rules: RankingRules) -> str:
    """Explain why one photo is kept and not the other."""
    rules = _with_compression([best, next_best], rules)
    for criterion in CRITERIA:
        if criterion.value(best, rules) > criterion.value(next_best, rules):
            return criterion.words(best, next_best, rules)
    return "they are equal"


def rank_files(files: Sequence[CopyFile], rules: RankingRules) -> list[CopyFile]:
    """Sort the files of one content, the one to keep first."""
    return sorted(files, key=lambda file: _file_key(file, rules))


def _file_key(file: CopyFile, rules: RankingRules) -> tuple[object, ...]:
    return (
        not rules.is_present(file),
        -rules.preference(file.path),
        not is_plain_name(file),
        file.first_seen_at,
        len(file.path),
        file.path,
    )


def reason_for_file(best: CopyFile, next_best: CopyFile, rules: RankingRules) -> str:
    """Explain why one of two files with the same bytes is kept."""
    mine, other = _file_key(best, rules), _file_key(next_best, rules)
    if mine[0] != other[0]:
        return "its volume is mounted" if rules.state(next_best) == AWAY else _UNCHANGED
    if mine[1] != other[1]:
        preferred = rules.preference(best.path) > 0
        return "it is in a --prefer folder" if preferred else "the others are in an --avoid folder"
    if mine[2] != other[2]:
        return f"{display(next_best.path.rpartition(b'/')[2])} is named like a copy"
    if mine[3] != other[3]:
        return "it was added to the library first"
    return "its path is the shortest" if mine[4] != other[4] else "its path sorts first"
