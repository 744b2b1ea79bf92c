"""Matching the sidecars of a folder to its photos and videos."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from photoindex.domain.sidecars.match_takeout import match_takeout
from photoindex.domain.sidecars.names import (
    MediaName,
    NameIndex,
    ParsedMediaName,
    SidecarMatch,
    SidecarName,
    as_text,
    parse_media_names,
    shown,
    split_extension,
)
from photoindex.text import composed
from photoindex.types import Kind, SidecarKind

# darktable numbers the sidecars of additional versions of a photo: a_01.cr2.xmp belongs to a.cr2.
_VERSION = re.compile(r"(.+)_\d\d+(\.[^.]+)", re.DOTALL)
# IMG_O1234.AAE describes edits of the original IMG_1234, IMG_E1234.AAE those of its edited copy.
_APPLE = re.compile(r"(.*_)[OEoe](\d{3,})", re.DOTALL)


def match_sidecars(sidecars: Sequence[SidecarName], files: Sequence[MediaName]) -> list[SidecarMatch]:
    """Match sidecars to files of the same folder by their names and the titles in Takeout's JSON.

    The order of the arguments does not matter. A sidecar may belong to several files (an XMP to both files of a Live Photo),
    and a file may have several sidecars. Runs in linear time.
    """
    media = parse_media_names(files)
    folder = _Folder(media)
    matches: list[SidecarMatch] = []
    for sidecar in sorted(sidecars, key=lambda one: (one.name, one.id)):
        if sidecar.kind is SidecarKind.XMP:
            matches += folder.of_xmp(sidecar)
        elif sidecar.kind is SidecarKind.AAE:
            matches += folder.of_aae(sidecar)
        elif sidecar.kind is SidecarKind.PICASA:
            matches += folder.of_parts(sidecar)
    takeout = [sidecar for sidecar in sidecars if sidecar.kind is SidecarKind.TAKEOUT]
    return matches + match_takeout(takeout, media)


class _Folder:
    """The photos and videos of a folder, indexed by name and by stem."""

    def __init__(self, media: list[ParsedMediaName]):
        self._named = NameIndex()
        self._stemmed = NameIndex()
        for medium in media:
            self._named.add(medium.text, medium)
            self._stemmed.add(medium.stem, medium)

    def of_xmp(self, sidecar: SidecarName) -> Iterator[SidecarMatch]:
        target = _without_extension(sidecar)
        if named := self._named.find(target):
            yield from _links(sidecar, named, "the XMP has the file's full name")
            return
        stemmed = self._stemmed.find(target)
        raws = [medium for medium in stemmed if medium.kind is Kind.RAW]
        if raws:
            yield from _links(sidecar, raws, "the XMP has the name of this RAW file without its extension")
        elif stemmed:
            yield from _links(sidecar, stemmed, "the XMP has the file's name without its extension")
        elif version := _VERSION.fullmatch(target):
            named = self._named.find(version[1] + version[2])
            yield from _links(sidecar, named, "darktable's XMP for another version of the file")

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

    def of_parts(self, sidecar: SidecarName) -> Iterator[SidecarMatch]:
        found: dict[int, str] = {}
        for part in sorted(sidecar.parts):
            for medium in self._named.find(composed(part)):
                if medium.id not in found or medium.text == composed(part):
                    found[medium.id] = part
        why = f"{shown(as_text(sidecar.name))} describes the file by its name"
        for file_id, part in found.items():
            yield SidecarMatch(sidecar.id, file_id, why, part)


def _without_extension(sidecar: SidecarName) -> str:
    return split_extension(as_text(sidecar.name))[0]


def _links(sidecar: SidecarName, media: Sequence[ParsedMediaName], why: str) -> Iterator[SidecarMatch]:
    for medium in media:
        yield SidecarMatch(sidecar.id, medium.id, f"{why}: {shown(as_text(sidecar.name))}")
