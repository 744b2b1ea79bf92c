"""Google Takeout's rules for naming a photo's JSON: suffix, number and truncation."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from photoindex.domain.sidecars.names import SidecarName, as_text, fold, split_extension
from photoindex.text import composed

_SUFFIX = "supplemental-metadata"
CUT_CHARACTERS = 46
"""Length to which Takeout truncates a JSON's name, before the number and `.json`."""

LONG_STEM_CHARACTERS = 44
"""Minimum length of a photo's stem that may have been truncated (to 47 characters before its extension)."""

_INNER_DOT_LIMIT = 4
"""Maximum number of dots where a number is tried; limits the time for names full of dots."""

_NUMBERED = re.compile(r"(.+)\(([0-9]{1,9})\)", re.DOTALL)

EDITED_WORDS = (
    "edited", "bearbeitet", "bewerkt", "modifié", "modifie", "modificato", "editado", "editada", "editat", "editată",
    "edytowane", "redigeret", "redigert", "redigerad", "redigerat", "muokattu", "upraveno", "upravené", "szerkesztve",
    "szerkesztett", "düzenlendi", "изменено", "отредактировано", "відредаговано", "редактирано", "επεξεργασμένο",
    "編集済み", "已编辑", "已修改", "已編輯", "수정됨", "แก้ไขแล้ว", "diedit", "נערך", "ha editado",
)  # fmt: skip
"""What Google Photos adds to the name of an edited copy, by account language, in lower case."""
_EDIT_WORDS = (*EDITED_WORDS, "effects", "smile", "mix")


@dataclass(frozen=True, slots=True)
class TakeoutJson:
    """The JSON of one photo, with its parsed name.

    name: without `.json`. number: N of a final `(N)`, else "". targets: the name before that number, first unchanged, then
    without `.supplemental-metadata` or a truncated form of it.
    """

    id: int
    shown: str
    name: str
    number: str
    targets: tuple[str, ...]
    title: str | None

    @classmethod
    def of(cls, sidecar: SidecarName) -> TakeoutJson:
        """Parse the name of a JSON."""
        text = as_text(sidecar.name)
        name = split_extension(text)[0]
        numbered = _NUMBERED.fullmatch(name)
        target, number = (numbered[1], numbered[2]) if numbered else (name, "")
        title = composed(sidecar.title) if sidecar.title else None
        return cls(sidecar.id, text, name, number, (target, *_without_suffix(target)), title)

    def whole_names(self) -> Iterator[str]:
        """Yield photo names that appear in full in the JSON's name: `X.jpg`, without interpreting a number."""
        yield self.name
        if not self.number:
            yield from self.targets[1:]

    def numbered_names(self) -> Iterator[str]:
        """Yield photo names with this JSON's number, most likely first: `X(1).jpg` for `X.jpg(1).json`."""
        if not self.number:
            return
        for target in self.targets:
            yield insert_number(target, self.number)
        for target in self.targets:
            # img(18).jpg.supplemental-metadata(18).json: the number is present twice.
            if f"({self.number})." in target:
                yield target
        for target in self.targets:
            # Google sometimes treats everything after an inner dot as the extension: 21.12(1).11 - 1.jpg.
            yield from (f"{target[:at]}({self.number}){target[at:]}" for at in _dots(target))

    def stems(self) -> Iterator[str]:
        """Yield the stems of a photo whose title has no extension."""
        for target in self.targets:
            yield f"{target}({self.number})" if self.number else target
        if self.number:
            for target in self.targets:
                yield from (f"{target[:at]}({self.number}){target[at:]}" for at in _dots(target))

    def titled_names(self) -> Iterator[str]:
        """Yield the file names that a photo with this title and number may have."""
        for title in titles_of(self):
            name = insert_number(title, self.number) if self.number else title
            yield name
            yield _sanitised(name)

    def sanitised_names(self) -> Iterator[str]:
        """Yield photo names with characters that Takeout replaced in the photo's name but not in the JSON's."""
        for name in (*self.whole_names(), *self.numbered_names()):
            if (sanitised := _sanitised(name)) != name:
                yield sanitised

    def exact_titles(self) -> Iterator[str]:
        """Yield the title without the number, which may count JSON files with one truncated name instead of photos."""
        whole = {normalise_title(target) for target in self.targets}
        for title in titles_of(self) if self.number else ():
            if normalise_title(title) not in whole:
                yield title
                yield _sanitised(title)


def _without_suffix(target: str) -> tuple[str, ...]:
    base, dot, tail = target.rpartition(".")
    return (base,) if base and dot and _SUFFIX.startswith(tail.lower()) else ()


def _dots(target: str) -> list[int]:
    dots = [at for at, character in enumerate(target) if character == "." and at > 0]
    return dots[-_INNER_DOT_LIMIT:]


def insert_number(name: str, number: str) -> str:
    """Insert a number where Takeout puts it in a photo's name: `X(1).jpg`."""
    stem, extension = split_extension(name)
    return f"{stem}({number}){extension}"


def split_number(name: str) -> tuple[str, str]:
    """Return a photo's name without its number, and the number ("" if it has none)."""
    stem, extension = split_extension(name)
    numbered = _NUMBERED.fullmatch(stem)
    return (numbered[1] + extension, numbered[2]) if numbered else (name, "")


def titles_of(json_file: TakeoutJson) -> list[str]:
    """Return a JSON's title, and also with HTML entities decoded if that differs (older exports have them)."""
    return list(dict.fromkeys((json_file.title, html.unescape(json_file.title)))) if json_file.title else []


def normalise_title(text: str) -> str:
    """Normalise a name for comparison with a title: Takeout writes `_` for characters that file systems do not allow."""
    return "".join(character if character.isalnum() else "_" for character in fold(text))


def _sanitised(title: str) -> str:
    return re.sub(r"[\x00-\x1f\"#%&'*/:<=>?\\|~]", "_", title)


def truncations(name: str) -> set[str]:
    """Return the possible truncated forms of a JSON's name for the photo `name`, folded; none if it is short enough.

    Exports differ in counting code points, UTF-16 units or UTF-8 bytes, and in composed or decomposed accents.
    """
    if len(name.encode("utf-8", "surrogateescape")) <= CUT_CHARACTERS:
        return set()
    if name.isascii():
        return {fold(name[:CUT_CHARACTERS])}
    found = set()
    for form in (unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)):
        found.add(form[:CUT_CHARACTERS])
        found.add(form.encode("utf-16-le", "surrogatepass")[: 2 * CUT_CHARACTERS].decode("utf-16-le", "ignore"))
        found.add(form.encode("utf-8", "surrogateescape")[:CUT_CHARACTERS].decode("utf-8", "ignore"))
    return {fold(cut) for cut in found if cut and cut != name}


def original_names(name: str) -> list[str]:
    """Return the possible names of the original of an edited copy, [] if `name` is not that of an edited copy."""
    stem, extension = split_extension(name)
    numbered = _NUMBERED.fullmatch(stem)
    found = []
    for inner, number in ((numbered[1], numbered[2]), (stem, "")) if numbered else ((stem, ""),):
        original, hyphen, word = inner.rpartition("-")
        word = fold(word)
        cut = len(inner) >= LONG_STEM_CHARACTERS and any(known.startswith(word) for known in _EDIT_WORDS)
        if original and hyphen and (word in _EDIT_WORDS or cut):
            found.append(insert_number(original + extension, number) if number else original + extension)
    return found
