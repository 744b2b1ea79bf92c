"""Filters a list of paths (`scan --paths-from`): removes duplicates, and applies the exclusion rules of each root."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from photoindex import file_access
from photoindex.library.originals.roots import Roots
from photoindex.pipeline.scan.exclusion import ExclusionRules, reason_for, rules_at


class _Options(Protocol):
    @property
    def exclude(self) -> Sequence[str] | None: ...
    @property
    def follow_symlinks(self) -> bool | None: ...


class PathListFilter:
    """Filters paths one by one; the rules of a folder are determined once for all its files."""

    def __init__(self, roots: Roots, patterns: Sequence[str], options: _Options, own_folders: frozenset[bytes]) -> None:
        self._roots = roots
        self._patterns = tuple(patterns)
        self._options = options
        self._own_folders = own_folders
        self._rules: dict[bytes, ExclusionRules | None] = {}

    def distinct(self, listed: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the absolute paths of a list without duplicates and folders."""
        seen: set[bytes] = set()
        for given in listed:
            path = self._roots.real_path(given)
            if path not in seen and (file_access.is_link(path) or not file_access.is_folder(path)):
                seen.add(path)
                yield path

    def excludes(self, path: bytes) -> bool:
        """Tell whether a rule excludes a file, or it is a link that is not followed."""
        folder = os.path.dirname(path)
        if folder not in self._rules:
            self._rules[folder] = self._rules_of(folder)
        rules = self._rules[folder]
        if rules is None or rules.excluded(path, is_folder=False) is not None:
            return True
        return file_access.is_link(path) and not self._options.follow_symlinks

    def _rules_of(self, folder: bytes) -> ExclusionRules | None:
        """Return the rules inside a folder, None if the folder itself is excluded."""
        root = self._roots.containing(folder)
        of_root = root.row.excludes if root is not None else ()
        patterns = (*self._patterns, *(of_root if self._options.exclude is None else self._options.exclude))
        top = root.path if root is not None else b"/"
        reason = reason_for(folder, root=top, patterns=patterns, follow_symlinks=True, own_folders=self._own_folders)
        if reason is not None:
            return None
        return rules_at(folder, root=top, patterns=patterns, own_folders=self._own_folders)
