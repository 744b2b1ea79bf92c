"""Which photos and videos of a folder the JSON files of Google Takeout speak of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from photoindex.domain.sidecars.names import Medium, NameIndex, SidecarMatch, SidecarName, fold, shown, split_extension
from photoindex.domain.sidecars.takeout_names import Note, cuts, loose, original_names, take_number, titles_of
from photoindex.types import Kind

_PICTURES = (".heic", ".heif", ".jpg", ".jpeg", ".png", ".webp", ".avif", ".dng", ".gif", ".tif", ".tiff")
"""Extensions of a Live Photo's picture, the likeliest first."""

_MOST_SHARED = 8
"""JSON files that a copy or movie shares with its original, which has one in truth."""


def match_takeout(sidecars: Iterable[SidecarName], media: Sequence[Medium]) -> list[SidecarMatch]:
    """Return the matches of one folder.

    The rules go from the surest to the weakest, and a photo or a JSON that one of them has matched is left alone by the
    next. One JSON speaks of one photo, and with it of its edited copies and its Live Photo's movie.
    """
    notes = sorted((Note.of(sidecar) for sidecar in sidecars), key=lambda note: (note.shown, note.id))
    if not notes:
        return []
    matching = _Matching(notes, media)
    matching.by_name(Note.whole_names, "the JSON has the file's whole name", several=True)
    matching.by_name(Note.numbered_names, "the JSON has the file's name and number", several=True)
    matching.by_cut_name()
    matching.by_stem()
    for names_of in (Note.titled_names, Note.exact_titles):
        matching.by_name(names_of, "the JSON states the file's name as its title")
    matching.by_name(Note.sanitised_names, "the JSON has the file's name, with signs that Takeout replaced in it")
    matching.edited_copies()
    matching.movies()
    return matching.matches


class _Matching:
    """One folder while its rules run."""

    def __init__(self, notes: list[Note], media: Sequence[Medium]):
        self.matches: list[SidecarMatch] = []
        self._notes = notes
        self._media = media
        self._notes_of: dict[int, list[Note]] = {}
        self._used: set[int] = set()

    def by_name(self, names_of: Callable[[Note], Iterator[str]], why: str, *, several: bool = False) -> None:
        """Match each free JSON to the one free file that has a name which `names_of` gives.

        An exact name leaves nothing to JSON that differs in case. Only with `several` may a file have more than one.
        """
        index = self._index(lambda medium: medium.text)
        claims: list[tuple[bool, Note, Medium]] = []
        for note in self._free_notes():
            name, found = next(((name, found) for name in names_of(note) if (found := index.find(name))), ("", []))
            if len(found) == 1:
                claims.append((found[0].text == name, note, found[0]))
        claims.sort(key=lambda claim: not claim[0])
        taken: set[int] = set()
        for exact, note, medium in claims:
            if (several and exact) or medium.id not in taken:
                taken.add(medium.id)
                self._claim(note, medium, why)

    def by_stem(self) -> None:
        """Match each free JSON whose name has no extension; a picture goes before the movie of the same name."""
        index = self._index(lambda medium: medium.stem)
        claims = []
        for note in self._free_notes():
            found = next((found for stem in note.stems() if (found := index.find(stem))), [])
            extension = split_extension(note.title or "")[1].lower()
            titled = [medium for medium in found if medium.extension.lower() == extension]
            stills = [medium for medium in found if medium.kind is not Kind.VIDEO]
            for candidates in (titled, stills, found):
                if len(candidates) == 1:
                    claims.append((note, candidates[0]))
                    break
        for note, medium in claims:
            self._claim(note, medium, "the JSON has the file's name without its extension")

    def by_cut_name(self) -> None:
        """Match JSON whose name Takeout cut; where several photos begin alike, their titles tell them apart."""
        groups: dict[str, dict[tuple[str, str], list[tuple[int, Medium]]]] = defaultdict(lambda: defaultdict(list))
        for medium in self._free_media():
            name, number = take_number(medium.text)
            stem, extension = split_extension(name)
            for cut in cuts(name):
                groups[cut][loose(stem), extension.lower()].append((int(number or 0), medium))
        wanting: dict[str, list[Note]] = defaultdict(list)
        for note in self._free_notes():
            key = fold(note.targets[0])
            if key in groups:
                wanting[key].append(note)
        for key, notes in wanting.items():
            chosen: dict[tuple[str, str], list[Note]] = defaultdict(list)
            for note in notes:
                group = _group_of(note, groups[key])
                if group is not None:
                    chosen[group].append(note)
            for group, its_notes in chosen.items():
                alone = len(its_notes) == len(notes)
                for note, medium in _pairs(its_notes, groups[key][group], alone=alone):
                    self._claim(note, medium, "the JSON's name is the file's, cut short by Takeout")

    def edited_copies(self) -> None:
        """Let edited copies share the JSON of their originals."""
        named = self._index(lambda medium: medium.text, free=False)
        stemmed = self._index(lambda medium: medium.stem, free=False)
        implied = self._implied()
        for medium in self._free_media():
            for name in original_names(medium.text):
                originals = named.find(name) or stemmed.find(split_extension(name)[0])
                notes = self._notes_of_any(originals) or implied.get(fold(name), [])[:1]
                if notes:
                    self._share(notes, medium, f"the file is an edited copy of {shown(name)}, of which the JSON speaks")
                    break

    def movies(self) -> None:
        """Let the movie of a Live Photo or motion photo share the JSON of its picture."""
        stills = NameIndex()
        for still in self._media:
            if still.kind is not Kind.VIDEO and still.id in self._notes_of:
                stills.add(still.stem, still)
        implied = self._implied()
        for medium in self._free_media():
            if medium.kind is not Kind.VIDEO:
                continue
            names = [medium.stem, medium.text, *(split_extension(name)[0] for name in original_names(medium.text))]
            for name in names:
                found = sorted(stills.find(name), key=_by_likelihood)
                wanted = (implied.get(fold(name) + extension, []) for extension in _PICTURES)
                notes = self._notes_of_any(found[:1]) or next((notes for notes in wanted if notes), [])[:1]
                if notes:
                    self._share(notes, medium, "the file is the movie of a picture, of which the JSON speaks")
                    break

    def _implied(self) -> dict[str, list[Note]]:
        """Return the free JSON files by the name of the photo that each should have beside it."""
        implied: dict[str, list[Note]] = defaultdict(list)
        for note in self._free_notes():
            for name in dict.fromkeys((*note.whole_names(), *note.numbered_names())):
                implied[fold(name)].append(note)
        return implied

    def _index(self, key: Callable[[Medium], str], *, free: bool = True) -> NameIndex:
        index = NameIndex()
        for medium in self._free_media() if free else self._media:
            if free or medium.id in self._notes_of:
                index.add(key(medium), medium)
        return index

    def _free_notes(self) -> list[Note]:
        return [note for note in self._notes if note.id not in self._used]

    def _free_media(self) -> list[Medium]:
        return [medium for medium in self._media if medium.id not in self._notes_of]

    def _notes_of_any(self, media: Sequence[Medium]) -> list[Note]:
        found = next((self._notes_of[medium.id] for medium in media if medium.id in self._notes_of), [])
        return found[:_MOST_SHARED]

    def _claim(self, note: Note, medium: Medium, why: str) -> None:
        self._used.add(note.id)
        self._share([note], medium, why)

    def _share(self, notes: Iterable[Note], medium: Medium, why: str) -> None:
        for note in list(notes):
            self._notes_of.setdefault(medium.id, []).append(note)
            self.matches.append(SidecarMatch(note.id, medium.id, f"{why}: {shown(note.shown)}"))


def _by_likelihood(still: Medium) -> int:
    extension = still.extension.lower()
    return _PICTURES.index(extension) if extension in _PICTURES else len(_PICTURES)


def _group_of(note: Note, groups: dict[tuple[str, str], list[tuple[int, Medium]]]) -> tuple[str, str] | None:
    """Return which of the photos with one beginning the JSON's title means; without a title there must be only one."""
    titles = titles_of(note)
    if not titles:
        return next(iter(groups)) if len(groups) == 1 else None
    for title in titles:
        stem, extension = split_extension(title)
        stem = loose(stem)
        for length in range(len(stem), 0, -1):
            if (stem[:length], extension.lower()) in groups:
                return stem[:length], extension.lower()
    return None


def _pairs(notes: list[Note], media: list[tuple[int, Medium]], *, alone: bool) -> Iterator[tuple[Note, Medium]]:
    """Pair by number; where other photos took numbers of the same cut name, in the order of the numbers."""
    if not alone and len(notes) == len(media):
        in_order = sorted(notes, key=lambda note: int(note.number or 0))
        yield from zip(
            in_order, [medium for _, medium in sorted(media, key=lambda pair: (pair[0], pair[1].text))], strict=True
        )
        return
    by_number = dict(media)
    taken = set()
    for note in notes:
        number = int(note.number or 0)
        if number in by_number and number not in taken:
            taken.add(number)
            yield note, by_number[number]
