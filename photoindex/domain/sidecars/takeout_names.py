"""How Google Takeout names a photo's JSON: what it adds, numbers and cuts."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from photoindex.domain.sidecars.names import SidecarName, as_text, fold, split_extension

_SUFFIX = "supplemental-metadata"
CUT_CHARACTERS = 46
"""Takeout keeps this much of the name that it gives a JSON, before the number and `.json`."""

LONG_STEM_CHARACTERS = 44
"""From here on the name of a photo may have been cut (to 47 characters before its extension)."""

_MOST_INNER_DOTS = 4
"""Places that a number is looked for; names made of dots would cost time."""

_NUMBERED = re.compile(r"(.+)\(([0-9]{1,9})\)", re.DOTALL)

_EDIT_WORDS = (
    "edited",
    "effects",
    "smile",
    "mix",
    "bearbeitet",
    "bewerkt",
    "modifié",
    "modificato",
    "editado",
    "editada",
    "editat",
    "editată",
    "edytowane",
    "redigeret",
    "redigert",
    "redigerad",
    "redigerat",
    "muokattu",
    "upraveno",
    "upravené",
    "szerkesztve",
    "szerkesztett",
    "düzenlendi",
    "изменено",
    "отредактировано",
    "відредаговано",
    "редактирано",
    "επεξεργασμένο",
    "編集済み",
    "已编辑",
    "已修改",
    "已編輯",
    "수정됨",
    "แก้ไขแล้ว",
    "diedit",
    "נערך",
    "ha editado",
)
"""What Google Photos puts behind a hyphen in the name of an edited copy, in the language of the account."""


@dataclass(frozen=True, slots=True)
class Note:
    """The JSON of one photo.

    name: without `.json`. number: N of a closing `(N)`, else "". targets: what the name says before that number, first as
    it is, then without `.supplemental-metadata` or its start.
    """

    id: int
    shown: str
    name: str
    number: str
    targets: tuple[str, ...]
    title: str | None

    @classmethod
    def of(cls, sidecar: SidecarName) -> Note:
        """Return the parts of a JSON's name."""
        text = as_text(sidecar.name)
        name = split_extension(text)[0]
        numbered = _NUMBERED.fullmatch(name)
        target, number = (numbered[1], numbered[2]) if numbered else (name, "")
        title = unicodedata.normalize("NFC", sidecar.title) if sidecar.title else None
        return cls(sidecar.id, text, name, number, (target, *_without_suffix(target)), title)

    def whole_names(self) -> Iterator[str]:
        """Yield the names of a photo that this JSON has whole: `X.jpg`, but not what a number stands for."""
        yield self.name
        if not self.number:
            yield from self.targets[1:]

    def numbered_names(self) -> Iterator[str]:
        """Yield the names of a photo of this number: `X(1).jpg` for `X.jpg(1).json`, the likeliest first."""
        if not self.number:
            return
        for target in self.targets:
            yield put_number(target, self.number)
        for target in self.targets:
            # img(18).jpg.supplemental-metadata(18).json: the number is in both places.
            if f"({self.number})." in target:
                yield target
        for target in self.targets:
            # Google takes all behind an inner dot for the extension at times: 21.12(1).11 - 1.jpg.
            yield from (f"{target[:at]}({self.number}){target[at:]}" for at in _dots(target))

    def stems(self) -> Iterator[str]:
        """Yield the names, without extension, of a photo whose title has none."""
        for target in self.targets:
            yield f"{target}({self.number})" if self.number else target
        if self.number:
            for target in self.targets:
                yield from (f"{target[:at]}({self.number}){target[at:]}" for at in _dots(target))

    def titled_names(self) -> Iterator[str]:
        """Yield the names that a photo of this title and number has on disk."""
        for title in titles_of(self):
            name = put_number(title, self.number) if self.number else title
            yield name
            yield _sanitised(name)

    def sanitised_names(self) -> Iterator[str]:
        """Yield the names of a photo where Takeout replaced signs in that name but not in the name of the JSON."""
        for name in (*self.whole_names(), *self.numbered_names()):
            if (sanitised := _sanitised(name)) != name:
                yield sanitised

    def exact_titles(self) -> Iterator[str]:
        """Yield the title in spite of the number, which counts JSON files of one cut name and not photos of one title."""
        whole = {loose(target) for target in self.targets}
        for title in titles_of(self) if self.number else ():
            if loose(title) not in whole:
                yield title
                yield _sanitised(title)


def _without_suffix(target: str) -> tuple[str, ...]:
    base, dot, tail = target.rpartition(".")
    return (base,) if base and dot and _SUFFIX.startswith(tail.lower()) else ()


def _dots(target: str) -> list[int]:
    dots = [at for at, character in enumerate(target) if character == "." and at > 0]
    return dots[-_MOST_INNER_DOTS:]


def put_number(name: str, number: str) -> str:
    """Return `name` with its number where Takeout has it in the name of a photo: `X(1).jpg`."""
    stem, extension = split_extension(name)
    return f"{stem}({number}){extension}"


def take_number(name: str) -> tuple[str, str]:
    """Return a photo's name without its number, and the number ("" where it has none)."""
    stem, extension = split_extension(name)
    numbered = _NUMBERED.fullmatch(stem)
    return (numbered[1] + extension, numbered[2]) if numbered else (name, "")


def titles_of(note: Note) -> list[str]:
    """Return the title of a JSON as it stands and, where that differs, without the HTML entities of older exports."""
    return list(dict.fromkeys((note.title, html.unescape(note.title)))) if note.title else []


def loose(text: str) -> str:
    """Return a name as it is compared with a title: Takeout writes `_` for what file systems do not allow."""
    return "".join(character if character.isalnum() else "_" for character in fold(text))


def _sanitised(title: str) -> str:
    return re.sub(r"[\x00-\x1f\"#%&'*/:<=>?\\|~]", "_", title)


def cuts(name: str) -> set[str]:
    """Return the forms to which a JSON's name for the photo `name` may be cut, folded; none where it fits.

    Characters are counted as Python, UTF-16 or UTF-8 does and accents as one or two: exports differ.
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
    """Return the names that the original of an edited copy can have, [] where `name` is none of an edited copy."""
    stem, extension = split_extension(name)
    numbered = _NUMBERED.fullmatch(stem)
    found = []
    for inner, number in ((numbered[1], numbered[2]), (stem, "")) if numbered else ((stem, ""),):
        original, hyphen, word = inner.rpartition("-")
        word = fold(word)
        cut = len(inner) >= LONG_STEM_CHARACTERS and any(known.startswith(word) for known in _EDIT_WORDS)
        if original and hyphen and (word in _EDIT_WORDS or cut):
            found.append(put_number(original + extension, number) if number else original + extension)
    return found
