"""Which photos and videos of a folder its sidecars speak of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from photoindex.domain.sidecars.match_takeout import match_takeout
from photoindex.domain.sidecars.names import (
    MediaName,
    Medium,
    NameIndex,
    SidecarMatch,
    SidecarName,
    as_text,
    media_of,
    shown,
    split_extension,
)
from photoindex.types import Kind, SidecarKind

# darktable numbers the sidecars of further versions of a photo: a_01.cr2.xmp speaks of a.cr2.
_VERSION = re.compile(r"(.+)_\d\d+(\.[^.]+)", re.DOTALL)
# IMG_O1234.AAE holds what was done to the original IMG_1234, IMG_E1234.AAE what was done to its edited copy.
_APPLE = re.compile(r"(.*_)[OEoe](\d{3,})", re.DOTALL)


def match_sidecars(sidecars: Sequence[SidecarName], files: Sequence[MediaName]) -> list[SidecarMatch]:
    """Return which sidecar speaks of which files of the same folder, by their names and the titles in Takeout's JSON.

    Pure; the order of the arguments does not matter. A sidecar may speak of several files (an XMP of both halves of a Live
    Photo), a file may have several. Work grows with the number of names, not with its square.
    """
    media = media_of(files)
    folder = _Folder(media)
    matches: list[SidecarMatch] = []
    for sidecar in sorted(sidecars, key=lambda one: (one.name, one.id)):
        if sidecar.kind is SidecarKind.XMP:
            matches += folder.of_xmp(sidecar)
        elif sidecar.kind is SidecarKind.AAE:
            matches += folder.of_aae(sidecar)
    takeout = [sidecar for sidecar in sidecars if sidecar.kind is SidecarKind.TAKEOUT]
    return matches + match_takeout(takeout, media)


class _Folder:
    """The photos and videos of a folder by name and by stem."""

    def __init__(self, media: list[Medium]):
        self._named = NameIndex()
        self._stemmed = NameIndex()
        for medium in media:
            self._named.add(medium.text, medium)
            self._stemmed.add(medium.stem, medium)

    def of_xmp(self, sidecar: SidecarName) -> Iterator[SidecarMatch]:
        target = _without_extension(sidecar)
        if named := self._named.find(target):
            yield from _links(sidecar, named, "the XMP has the file's whole name")
            return
        stemmed = self._stemmed.find(target)
        raws = [medium for medium in stemmed if medium.kind is Kind.RAW]
        if raws:
            yield from _links(sidecar, raws, "the XMP has the name of this RAW file without its extension")
        elif stemmed:
            yield from _links(sidecar, stemmed, "the XMP has the file's name without its extension")
        elif version := _VERSION.fullmatch(target):
            named = self._named.find(version[1] + version[2])
            yield from _links(sidecar, named, "darktable keeps a further version of the file in this XMP")

    def of_aae(self, sidecar: SidecarName) -> Iterator[SidecarMatch]:
        target = _without_extension(sidecar)
        why = "the AAE has the file's name"
        stemmed = self._stemmed.find(target)
        apple = _APPLE.fullmatch(target)
        if not stemmed and apple:
            stemmed = self._stemmed.find(apple[1] + apple[2])
            why = "the AAE has the file's name with Apple's letter for an original or an edit"
        stills = [medium for medium in stemmed if medium.kind is not Kind.VIDEO]
        yield from _links(sidecar, stills or stemmed, why)


def _without_extension(sidecar: SidecarName) -> str:
    return split_extension(as_text(sidecar.name))[0]


def _links(sidecar: SidecarName, media: Sequence[Medium], why: str) -> Iterator[SidecarMatch]:
    for medium in media:
        yield SidecarMatch(sidecar.id, medium.id, f"{why}: {shown(as_text(sidecar.name))}")
