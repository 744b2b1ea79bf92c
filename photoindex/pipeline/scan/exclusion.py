"""Which files a scan excludes: built-in patterns (system and program folders), the user's patterns, `.photoindexignore`.

Patterns use gitignore syntax, matched by the pathspec library. The first match wins, in this order: `--exclude` and the
configured patterns, ignore files from the deepest folder upwards, the built-in list. So an ignore file with `!@eaDir/`
includes such folders again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from photoindex import file_access, paths
from photoindex.text import composed

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = b".photoindexignore"
_IGNORE_FILE_LIMIT = 1 << 20

BUILT_IN: tuple[str, ...] = (
    # NAS boxes: Synology, QNAP, snapshots, recycle bins
    "@eaDir/", "@tmp/", "@Recycle/", "@Recently-Snapshot/", "\\#recycle/", "\\#snapshot/", ".@__thumb/", ".@upload_cache/",
    ".snapshot/", ".snapshots/", ".zfs/", ".recycle/", ".recycler/", "lost+found/",
    # desktops and operating systems
    ".trash/", ".Trash/", ".Trash-*/", ".Trashes/", ".thumbnails/", ".Spotlight-V100/", ".fseventsd/", ".TemporaryItems/",
    ".DocumentRevisions-V100/", ".AppleDouble/", "__MACOSX/", "$RECYCLE.BIN/", "RECYCLER/", "System Volume Information/",
    ".cache/", "._*/",
    # photo programs: their previews, caches and bins, never originals
    ".dtrash/", ".photoprism/", ".immich/", ".picasa.tmp/", ".comments/", "*.lrdata/", "*.lrcat-data/",
    "**/*.photoslibrary/resources/", "**/*.photoslibrary/database/", "**/*.photoslibrary/private/",
    "**/*.photoslibrary/internal/", "**/*.photoslibrary/scopes/", "**/*.aplibrary/Previews/", "**/*.aplibrary/Thumbnails/",
    "**/CaptureOne/Cache/",
    # cameras: thumbnails and small copies of movies, in folders of their own (Sony, DJI)
    "**/M4ROOT/THMBNL/", "**/M4ROOT/SUB/", "**/MISC/THM/",
    # synchronisers and version control
    ".stversions/", ".stfolder/", ".sync/", ".dropbox.cache/", ".git/", ".svn/", ".hg/",
)  # fmt: skip
"""Gitignore patterns of the folders that every scan excludes; one with a slash inside needs `**/` to apply below the root."""

_DOWNLOAD, _TRASHED = "an unfinished download", "in the trash of an Android device"
BUILT_IN_FILES: dict[str, str] = {
    "._*": "what macOS keeps about another file", ".trashed-*": _TRASHED, ".pending-*": _DOWNLOAD, "*.part": _DOWNLOAD,
    "*.partial": _DOWNLOAD, "*.crdownload": _DOWNLOAD, "*.opdownload": _DOWNLOAD, "*.download": _DOWNLOAD,
    "*.filepart": _DOWNLOAD, "*.aria2": _DOWNLOAD, "*.!ut": _DOWNLOAD, "*.!qb": _DOWNLOAD, "*.tmp": "a temporary file",
}  # fmt: skip
"""Beginnings and ends of the names of files that every scan excludes, in lower case, with the reason."""
_BEGINNINGS = tuple(os.fsencode(pattern[:-1]) for pattern in BUILT_IN_FILES if pattern.endswith("*"))
_ENDS = tuple(os.fsencode(pattern[1:]) for pattern in BUILT_IN_FILES if pattern.startswith("*"))
_END_BYTES = max(map(len, _ENDS))


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Patterns from one source: the folder they apply to (absolute), and the name of the source in messages."""

    origin: str
    folder: bytes
    spec: GitIgnoreSpec
    lines: tuple[str, ...]
    bad_lines: tuple[str, ...] = ()

    def decide(self, path: bytes, *, is_folder: bool) -> tuple[bool, str] | None:
        """Return (excluded, pattern) for an absolute path, None if no pattern matches."""
        # Composed like the patterns: people type é as one character, and macOS stores it as two.
        text = os.fsdecode(paths.composed(paths.relative_to(path, self.folder))) + ("/" if is_folder else "")
        result = self.spec.check_file(text)
        if result.include is None or result.index is None:
            return None
        return bool(result.include), self.lines[result.index]


def rule_set(origin: str, folder: bytes, lines: Sequence[str]) -> RuleSet:
    """Compile patterns; invalid lines go to `bad_lines`."""
    from pathspec import GitIgnoreSpec

    kept = tuple(line for line in lines if line.strip() and not line.startswith("#"))
    bad = tuple(line for line in kept if not _is_pattern(line))
    good = tuple(line for line in kept if line not in bad)
    return RuleSet(
        origin=origin, folder=folder, spec=GitIgnoreSpec.from_lines(map(composed, good)), lines=good, bad_lines=bad
    )


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


@cache
def _built_in_spec() -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(BUILT_IN)


@dataclass(frozen=True, slots=True)
class ExclusionRules:
    """The rules that apply in one folder; `entering` returns those of a subfolder."""

    user: tuple[RuleSet, ...]
    ignore_files: tuple[RuleSet, ...]
    built_in: RuleSet
    own_folders: frozenset[bytes] = frozenset()
    """The library's own folders, absolute: a scan of a folder that contains them must not ingest previews."""

    @property
    def can_exclude_files(self) -> bool:
        """Whether file names have to be matched at all; see also `is_built_in_file`."""
        return bool(self.user or self.ignore_files)

    def excluded(self, path: bytes, *, is_folder: bool) -> str | None:
        """Return why the absolute `path` is excluded, None if it is not."""
        if is_folder and path in self.own_folders:
            return "the library's own folder"
        # Matching 100,000 file names with the built-in patterns for folders would cost seconds.
        for rules in (*self.user, *reversed(self.ignore_files), *((self.built_in,) if is_folder else ())):
            decision = rules.decide(path, is_folder=is_folder)
            if decision is not None:
                excluded, pattern = decision
                return f"{rules.origin}: {pattern}" if excluded else None
        name = path.rpartition(b"/")[2]
        return _why_built_in(name) if not is_folder and is_built_in_file(name) else None

    def entering(self, folder: bytes) -> ExclusionRules:
        """Return these rules plus the ignore file of `folder`, which must exist."""
        name = os.path.join(folder, IGNORE_FILE)
        with file_access.open_file(name) as stream:
            text = stream.read(_IGNORE_FILE_LIMIT).decode("utf-8", "replace")
        origin = f"ignore file {paths.display(name)}"
        return replace(self, ignore_files=(*self.ignore_files, rule_set(origin, folder, text.splitlines())))


def is_built_in_file(name: bytes) -> bool:
    """Tell whether every scan excludes files with this name, ignoring case, unless a user's pattern includes them."""
    return name.startswith(_BEGINNINGS) or name[-_END_BYTES:].lower().endswith(_ENDS)


def _why_built_in(name: bytes) -> str:
    text = os.fsdecode(name).lower()
    matching = (pattern for pattern in BUILT_IN_FILES if text.startswith(pattern[:-1]) or text.endswith(pattern[1:]))
    pattern = next(matching)
    return f"built in: {pattern} ({BUILT_IN_FILES[pattern]})"


def rules_for(root: bytes, patterns: Sequence[str], own_folders: frozenset[bytes] = frozenset()) -> ExclusionRules:
    """Return the rules at the top of `root` (absolute), with the user's patterns."""
    user = (rule_set("--exclude", root, patterns),) if patterns else ()
    built_in = RuleSet(origin="built in", folder=root, spec=_built_in_spec(), lines=BUILT_IN)
    return ExclusionRules(user=user, ignore_files=(), built_in=built_in, own_folders=own_folders)


def rules_at(top: bytes, *, root: bytes, patterns: Sequence[str], own_folders: frozenset[bytes]) -> ExclusionRules:
    """Return the rules for `top`, a folder at or below `root`, including the ignore files of the folders between."""
    rules = rules_for(root, patterns, own_folders)
    current = root
    for part in paths.relative_to(top, root).split(b"/") if top != root else []:
        if file_access.is_file(os.path.join(current, IGNORE_FILE)):
            rules = rules.entering(current)
        current = os.path.join(current, part)
    return rules


def reason_for(
    path: bytes,
    *,
    root: bytes,
    patterns: Sequence[str],
    follow_symlinks: bool,
    own_folders: frozenset[bytes] = frozenset(),
) -> str | None:
    """Return why a scan of `root` would exclude the absolute `path`, None if it would not.

    Checks every folder between the two for ignore files, symbolic links and exclusion.
    """
    rules = rules_for(root, patterns, own_folders)
    current = root
    parts = paths.relative_to(path, root).split(b"/") if path != root else []
    for index, part in enumerate(parts):
        if file_access.is_file(os.path.join(current, IGNORE_FILE)):
            rules = rules.entering(current)
        current = os.path.join(current, part)
        is_folder = index < len(parts) - 1 or file_access.is_folder(current)
        reason = rules.excluded(current, is_folder=is_folder)
        if reason is not None:
            return reason if current == path else f"{reason} (the folder {paths.display(current)})"
        if file_access.is_link(current) and not follow_symlinks:
            return f"a symbolic link that is not followed: {paths.display(current)} (see --follow-symlinks)"
    return None


def patterns_below(folder: bytes, patterns: Sequence[str]) -> list[str]:
    """Return patterns for the top folder that match what `patterns` match inside `folder` (relative to the top)."""
    prefix = re.sub(r"([\\*?\[\]!# ])", r"\\\1", os.fsdecode(folder))
    moved = []
    for pattern in patterns:
        sign, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
        anchored = "/" in body.rstrip("/")
        moved.append(f"{sign}/{prefix}/{body.lstrip('/')}" if anchored else f"{sign}/{prefix}/**/{body}")
    return moved
