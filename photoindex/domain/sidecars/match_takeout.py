"""Matching the JSON files of Google Takeout to the photos and videos of a folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from photoindex.domain.sidecars.names import (
    NameIndex,
    ParsedMediaName,
    SidecarMatch,
    SidecarName,
    fold,
    shown,
    split_extension,
)
from photoindex.domain.sidecars.takeout_names import (
    TakeoutJson,
    normalise_title,
    original_names,
    split_number,
    titles_of,
    truncations,
)
from photoindex.types import Kind

_PICTURES = (".heic", ".heif", ".jpg", ".jpeg", ".png", ".webp", ".avif", ".dng", ".gif", ".tif", ".tiff")
"""Extensions of a Live Photo's picture, most likely first."""

_SHARED_LIMIT = 8
"""Maximum number of JSON files that a copy or movie shares with its original, which normally has one."""


def match_takeout(sidecars: Iterable[SidecarName], media: Sequence[ParsedMediaName]) -> list[SidecarMatch]:
    """Return the matches of one folder.

    The rules are applied from the most to the least reliable; photos and JSON files that are already matched are skipped.
    One JSON belongs to one photo and also to its edited copies and its Live Photo's movie.
    """
    json_files = sorted(
        (TakeoutJson.of(sidecar) for sidecar in sidecars), key=lambda json_file: (json_file.shown, json_file.id)
    )
    if not json_files:
        return []
    matching = _Matching(json_files, media)
    matching.by_name(TakeoutJson.whole_names, "the JSON has the file's full name", several=True)
    matching.by_name(TakeoutJson.numbered_names, "the JSON has the file's name and number", several=True)
    matching.by_truncated_name()
    matching.by_stem()
    for names_of in (TakeoutJson.titled_names, TakeoutJson.exact_titles):
        matching.by_name(names_of, "the title in the JSON is the file's name")
    matching.by_name(TakeoutJson.sanitised_names, "the JSON has the file's name, with characters that Takeout replaced")
    matching.edited_copies()
    matching.movies()
    return matching.matches


class _Matching:
    """State of matching one folder."""

    def __init__(self, json_files: list[TakeoutJson], media: Sequence[ParsedMediaName]):
        self.matches: list[SidecarMatch] = []
        self._json_files = json_files
        self._media = media
        self._json_files_of: dict[int, list[TakeoutJson]] = {}
        self._used: set[int] = set()

    def by_name(self, names_of: Callable[[TakeoutJson], Iterator[str]], why: str, *, several: bool = False) -> None:
        """Match each unmatched JSON to the single unmatched file with a name from `names_of`.

        Exact matches take precedence over matches that differ in case. Only with `several` may a file get more than one JSON.
        """
        index = self._index(lambda medium: medium.text)
        claims: list[tuple[bool, TakeoutJson, ParsedMediaName]] = []
        for json_file in self._free_json_files():
            name, found = next(((name, found) for name in names_of(json_file) if (found := index.find(name))), ("", []))
            if len(found) == 1:
                claims.append((found[0].text == name, json_file, found[0]))
        claims.sort(key=lambda claim: not claim[0])
        taken: set[int] = set()
        for exact, json_file, medium in claims:
            if (several and exact) or medium.id not in taken:
                taken.add(medium.id)
                self._claim(json_file, medium, why)

    def by_stem(self) -> None:
        """Match each unmatched JSON whose name has no extension, preferring a picture to a movie of the same name."""
        index = self._index(lambda medium: medium.stem)
        claims = []
        for json_file in self._free_json_files():
            found = next((found for stem in json_file.stems() if (found := index.find(stem))), [])
            extension = split_extension(json_file.title or "")[1].lower()
            titled = [medium for medium in found if medium.extension.lower() == extension]
            stills = [medium for medium in found if medium.kind is not Kind.VIDEO]
            for candidates in (titled, stills, found):
                if len(candidates) == 1:
                    claims.append((json_file, candidates[0]))
                    break
        for json_file, medium in claims:
            self._claim(json_file, medium, "the JSON has the file's name without its extension")

    def by_truncated_name(self) -> None:
        """Match JSON files with truncated names; titles distinguish photos with the same beginning."""
        groups: dict[str, dict[tuple[str, str], list[tuple[int, ParsedMediaName]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for medium in self._free_media():
            name, number = split_number(medium.text)
            stem, extension = split_extension(name)
            for truncated in truncations(name):
                groups[truncated][normalise_title(stem), extension.lower()].append((int(number or 0), medium))
        by_target: dict[str, list[TakeoutJson]] = defaultdict(list)
        for json_file in self._free_json_files():
            key = fold(json_file.targets[0])
            if key in groups:
                by_target[key].append(json_file)
        for key, json_files in by_target.items():
            chosen: dict[tuple[str, str], list[TakeoutJson]] = defaultdict(list)
            for json_file in json_files:
                group = _group_of(json_file, groups[key])
                if group is not None:
                    chosen[group].append(json_file)
            for group, its_json_files in chosen.items():
                alone = len(its_json_files) == len(json_files)
                for json_file, medium in _pairs(its_json_files, groups[key][group], alone=alone):
                    self._claim(json_file, medium, "the JSON's name is the file's, truncated by Takeout")

    def edited_copies(self) -> None:
        """Let edited copies share the JSON of their originals."""
        named = self._index(lambda medium: medium.text, free=False)
        stemmed = self._index(lambda medium: medium.stem, free=False)
        implied, implied_stems = self._implied(), self._implied_stems()
        for medium in self._free_media():
            for name in original_names(medium.text):
                stem = split_extension(name)[0]
                originals = named.find(name) or stemmed.find(stem)
                json_files = self._json_files_of_any(originals) or implied.get(fold(name), [])[:1]
                if not json_files and len(alone := implied_stems.get(fold(stem), [])) == 1:
                    json_files = alone
                if json_files:
                    self._share(
                        json_files, medium, f"the file is an edited copy of {shown(name)}, which this JSON belongs to"
                    )
                    break

    def movies(self) -> None:
        """Let the movie of a Live Photo or motion photo share the JSON of its picture."""
        stills = NameIndex()
        for still in self._media:
            if still.kind is not Kind.VIDEO and still.id in self._json_files_of:
                stills.add(still.stem, still)
        implied = self._implied()
        for medium in self._free_media():
            if medium.kind is not Kind.VIDEO:
                continue
            names = [medium.stem, medium.text, *(split_extension(name)[0] for name in original_names(medium.text))]
            for name in names:
                found = sorted(stills.find(name), key=_by_likelihood)
                wanted = (implied.get(fold(name) + extension, []) for extension in _PICTURES)
                json_files = (
                    self._json_files_of_any(found[:1])
                    or next((json_files for json_files in wanted if json_files), [])[:1]
                )
                if json_files:
                    self._share(json_files, medium, "the file is the movie of a picture that this JSON belongs to")
                    break

    def _implied(self) -> dict[str, list[TakeoutJson]]:
        """Return the unmatched JSON files by the photo name that each implies."""
        implied: dict[str, list[TakeoutJson]] = defaultdict(list)
        for json_file in self._free_json_files():
            for name in dict.fromkeys((*json_file.whole_names(), *json_file.numbered_names())):
                implied[fold(name)].append(json_file)
        return implied

    def _implied_stems(self) -> dict[str, list[TakeoutJson]]:
        """Return the unmatched JSON files by the stem of the picture that each implies, whose extension may be another."""
        implied: dict[str, list[TakeoutJson]] = defaultdict(list)
        for json_file in self._free_json_files():
            names = map(split_extension, (*json_file.whole_names(), *json_file.numbered_names()))
            stems = (*json_file.stems(), *(stem for stem, extension in names if extension.lower() in _PICTURES))
            for stem in dict.fromkeys(map(fold, stems)):
                implied[stem].append(json_file)
        return implied

    def _index(self, key: Callable[[ParsedMediaName], str], *, free: bool = True) -> NameIndex:
        index = NameIndex()
        for medium in self._free_media() if free else self._media:
            if free or medium.id in self._json_files_of:
                index.add(key(medium), medium)
        return index

    def _free_json_files(self) -> list[TakeoutJson]:
        return [json_file for json_file in self._json_files if json_file.id not in self._used]

    def _free_media(self) -> list[ParsedMediaName]:
        return [medium for medium in self._media if medium.id not in self._json_files_of]

    def _json_files_of_any(self, media: Sequence[ParsedMediaName]) -> list[TakeoutJson]:
        found = next((self._json_files_of[medium.id] for medium in media if medium.id in self._json_files_of), [])
        return found[:_SHARED_LIMIT]

    def _claim(self, json_file: TakeoutJson, medium: ParsedMediaName, why: str) -> None:
        self._used.add(json_file.id)
        self._share([json_file], medium, why)

    def _share(self, json_files: Iterable[TakeoutJson], medium: ParsedMediaName, why: str) -> None:
        for json_file in list(json_files):
            self._json_files_of.setdefault(medium.id, []).append(json_file)
            self.matches.append(SidecarMatch(json_file.id, medium.id, f"{why}: {shown(json_file.shown)}"))


def _by_likelihood(still: ParsedMediaName) -> int:
    extension = still.extension.lower()
    return _PICTURES.index(extension) if extension in _PICTURES else len(_PICTURES)


def _group_of(
    json_file: TakeoutJson, groups: dict[tuple[str, str], list[tuple[int, ParsedMediaName]]]
) -> tuple[str, str] | None:
    """Return the photos that a JSON's title means, of those with one truncated name; without a title there must be only one."""
    titles = titles_of(json_file)
    if not titles:
        return next(iter(groups)) if len(groups) == 1 else None
    for title in titles:
        stem, extension = split_extension(title)
        stem = normalise_title(stem)
        for length in range(len(stem), 0, -1):
            if (stem[:length], extension.lower()) in groups:
                return stem[:length], extension.lower()
    return None


def _pairs(
    json_files: list[TakeoutJson], media: list[tuple[int, ParsedMediaName]], *, alone: bool
) -> Iterator[tuple[TakeoutJson, ParsedMediaName]]:
    """Pair by number, or in the order of the numbers if other photos share the truncated name."""
    if not alone and len(json_files) == len(media):
        in_order = sorted(json_files, key=lambda json_file: int(json_file.number or 0))
        yield from zip(
            in_order, [medium for _, medium in sorted(media, key=lambda pair: (pair[0], pair[1].text))], strict=True
        )
        return
    by_number = dict(media)
    taken = set()
    for json_file in json_files:
        number = int(json_file.number or 0)
        if number in by_number and number not in taken:
            taken.add(number)
            yield json_file, by_number[number]
