"""Scan: finds new, changed, moved and missing originals, and records them in the library."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace

from sqlalchemy import Connection

from photoindex import file_access, paths
from photoindex.errors import UsageError, VolumeOffline
from photoindex.library import derived_folder
from photoindex.library.disk_errors import disk_errors
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.logs import both, log_events, open_log
from photoindex.library.originals.roots import Roots, Target
from photoindex.library.scan.path_list import PathListFilter
from photoindex.pipeline.ingest import derived_check, derived_files
from photoindex.pipeline.scan.changes import ChangeFinder, FolderLocation, WalkCounts
from photoindex.pipeline.scan.exclusion import ExclusionRules, rule_set, rules_at
from photoindex.pipeline.scan.walk import walk
from photoindex.progress import EventSink, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.stages.ingest import STAGE
from photoindex.store.engine.database import Session
from photoindex.store.files import volumes
from photoindex.store.photos import derived_flags
from photoindex.store.scan import staging
from photoindex.store.tasks import queue, stale

_NAMED_FILES = 100
"""Files that cannot be examined are named up to this many."""
GUARD_FRACTION = 0.20
GUARD_FILES = 100
"""If more than this share and this many of a volume's files are gone at once, the volume is probably not mounted."""


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What to scan and how.

    tops: absolute or relative paths; none means all known roots. listed: paths to scan one by one (`--paths-from`).
    retry_classes: error classes whose quarantined files are retried, because the user has set their limit. exclude:
    gitignore patterns, stored for the scanned roots; None keeps the stored ones. check_derived: look for derived files that
    are gone, even if that was done less than a day ago.
    """

    tops: Sequence[bytes] = ()
    listed: Iterable[bytes] | None = None
    exclude: tuple[str, ...] | None = None
    follow_symlinks: bool | None = None
    derive: bool = True
    dry_run: bool = False
    accept_missing: bool = False
    check_derived: bool = False
    retry_classes: tuple[str, ...] = ()


@dataclass(slots=True)
class ScanSummary:
    """The result of a scan: each candidate is counted in one of the first eight; `missing` are known files not found.

    stopped: the user ended the scan early; the remaining files are pending, and the next scan reads them.
    """

    new: int = 0
    changed: int = 0
    moved: int = 0
    duplicate: int = 0
    unchanged: int = 0
    quarantined: int = 0
    excluded: int = 0
    sidecars: int = 0
    missing: int = 0
    bytes: int = 0
    seconds: float = 0.0
    files_per_minute: float = 0.0
    newly_missing: int = 0
    roots_away: list[str] = field(default_factory=list)
    pending: int = 0
    excluded_folders: int = 0
    unreadable_folders: int = 0
    unreadable_files: int = 0
    lost_previews: int = 0
    dry_run: bool = False
    stopped: bool = False

    @property
    def candidates(self) -> int:
        """How many files and links were examined."""
        media = self.new + self.changed + self.moved + self.duplicate + self.unchanged + self.quarantined
        return media + self.excluded + self.sidecars + self.unreadable_files


def scan(
    library: Library, request: ScanRequest, emit: EventSink, stop: Callable[[], bool] = lambda: False
) -> ScanSummary:
    """Bring the library up to date with the originals.

    Raises UsageError (no such path, nothing to scan), VolumeOffline (nothing is marked as missing), LibraryLocked,
    StorageFull.
    """
    started = time.perf_counter()
    with exclusive(library.folder, "scan"), open_log(library.folder, library.config.log) as log:
        with library.database.session() as session:
            run = _Scan(library, session, request, both(emit, log_events(log, "scan")), stop)
            summary = run.run()
        summary.seconds = round(time.perf_counter() - started, 3)
        summary.files_per_minute = round(60 * summary.candidates / max(summary.seconds, 1e-3), 1)
        run.store_summary(summary)
        log.info("scanned", extra={"action": "scan", **asdict(summary)})
    return summary


@dataclass(slots=True)
class _Scan:
    library: Library
    session: Session
    request: ScanRequest
    emit: EventSink
    stop: Callable[[], bool]
    roots: Roots = field(init=False)
    targets: list[Target] = field(default_factory=list)
    _work_expected: bool = False
    _derived_checked_at: float = 0.0

    def __post_init__(self) -> None:
        self.roots = Roots(self.library.database)

    def run(self) -> ScanSummary:
        self._release_stale_leases()
        if self.request.listed is None:
            self.targets = self.roots.targets(
                self.request.tops,
                originals=self.library.config.originals_path,
                accept_missing=self.request.accept_missing,
            )
        self._check_request()
        with self.session.read() as connection:
            staging.make(connection)
        finder = ChangeFinder(self.session, self.roots.location_of)
        self._find_changes(finder)
        if self.stop():
            return ScanSummary(stopped=True)
        with self.session.read() as connection:
            gone = staging.gone_by_volume(connection)
        if not self.request.accept_missing:
            self._check_volumes_mounted(gone)
        seen = finder.counts
        summary = ScanSummary(
            excluded=seen.excluded,
            excluded_folders=seen.excluded_folders,
            unreadable_folders=len(seen.unreadable),
            unreadable_files=len(seen.unreadable_files),
            roots_away=[paths.to_text(path) for path in self.roots.away],
        )
        for folder, reason in seen.unreadable:
            self.emit(Notice(f"cannot read the folder {paths.display(folder)}: {reason}", "warning"))
        for path, reason in seen.unreadable_files[:_NAMED_FILES]:
            self.emit(Notice(f"cannot read {paths.display(path)}: {reason}", "warning"))
        for folder, line in seen.bad_patterns:
            self.emit(
                Notice(f"invalid gitignore pattern in {paths.display(folder)}/.photoindexignore: {line}", "warning")
            )
        if self.request.dry_run:
            self._dry_run_summary(seen, summary)
        else:
            self._apply_and_ingest(seen, summary)
        return summary

    def _check_derived(self) -> int:
        """Look for derived files that are gone, if it is time; mark their contents and return how many there are."""
        folder = self.library.derived_folder
        request = self.request
        if not request.derive or request.dry_run or not (request.check_derived or derived_check.is_due(folder)):
            return 0
        with self.session.read() as connection:
            if not derived_flags.has_derived(connection):
                self._derived_checked_at = time.time()
                return 0
        if not request.check_derived:
            derived_folder.check_not_away(self.library)
        phase = "checking previews"
        self.emit(PhaseStarted(phase, derived_check.FOLDERS, "folders"))
        started = time.perf_counter()

        def between(first: bytes, past_last: bytes | None) -> dict[bytes, int]:
            with self.session.read() as connection:
                return derived_flags.derived_between(connection, first, past_last)

        def advance(done: int) -> None:
            self.emit(PhaseAdvanced(phase, done))

        lost = 0
        with disk_errors(f"reading {paths.display(os.fsencode(folder))}"):
            for asset_ids in derived_check.lost_contents(folder, between, advance):
                with self.session.write() as connection:
                    derived_flags.mark_lost(connection, asset_ids)
                lost += len(asset_ids)
                if self.stop():
                    return lost
        self._derived_checked_at = time.time()
        self.emit(PhaseFinished(phase, derived_check.FOLDERS, time.perf_counter() - started))
        if lost:
            self.emit(Notice(f"previews of {lost:,} contents are gone; they are made again from the originals"))
        return lost

    def _note_derived(self) -> None:
        """Remember the subfolders of the derived folder, for the next scan."""
        folder = self.library.derived_folder
        marker = derived_check.read_marker(folder)
        checked_at = self._derived_checked_at or (0.0 if marker is None else marker.checked_at)
        with disk_errors(f"writing {paths.display(os.fsencode(folder))}"):
            derived_check.write_marker(folder, checked_at=checked_at)

    def _release_stale_leases(self) -> None:
        with self.session.write() as connection:
            # The library's lock is held, and ingest requires it, so the holders of these leases are dead.
            queue.release_stale_leases(connection, stage=STAGE.name)
        derived_files.remove_unfinished(self.library.derived_folder)

    def _check_request(self) -> None:
        patterns = (*self.library.config.scan.exclude, *(self.request.exclude or ()))
        bad = rule_set("--exclude", b"/", patterns).bad_lines
        if bad:
            raise UsageError(f"--exclude {bad[0]!r} is not a valid gitignore pattern")
        own = self._own_folders()
        for target in self.targets:
            if any(paths.is_within(target.path, folder) for folder in own):
                raise UsageError(f"{paths.display(target.path)} is the library's own folder; it contains no originals")

    def _find_changes(self, finder: ChangeFinder) -> None:
        self.emit(PhaseStarted("looking", None))
        started = time.perf_counter()
        single: list[int] = []
        if self.request.listed is not None:
            single = self._compare_listed(finder, self.request.listed)
        for target in self.targets:
            if self.stop():
                return
            if target.is_file:
                found = self._compare_file(finder, target.path, target.location)
                single.extend([found] if found is not None else [])
            else:
                self._walk(finder, target)
        finder.finish(single)
        self.emit(PhaseFinished("looking", finder.counts.candidates, time.perf_counter() - started))

    def _walk(self, finder: ChangeFinder, target: Target) -> None:
        finder.begin_top(target.path, target.location)
        if target.gone:
            return
        follow = target.follow_symlinks if self.request.follow_symlinks is None else self.request.follow_symlinks
        seen = finder.counts
        before = (seen.candidates, len(seen.unreadable))
        for listing in walk(
            target.path, self._rules(target), follow_symlinks=follow, threads=self.library.config.scan.walk_threads
        ):
            finder.add(listing)
            self._expect_work(finder)
            self.emit(PhaseAdvanced("looking", seen.candidates))
            if self.stop():
                return
        empty = (seen.candidates, len(seen.unreadable)) == before
        suspicious = empty and target.root_id is not None and target.path == target.root
        accepted = self.request.accept_missing
        if suspicious and not accepted and self.roots.is_emptied(target, alone=len(self.targets) == 1):
            finder.forget_top(target.path, target.location)

    def _rules(self, target: Target) -> ExclusionRules:
        """Return the rules at a target; given patterns replace a root's own, but add to them for a part of it."""
        config = self.library.config.scan
        given = self.request.exclude
        whole_root = target.path == target.root
        replaced = given is not None and whole_root
        of_root = target.excludes if not replaced or target.root_id is None else ()
        rules = rules_at(
            target.path, root=target.root, patterns=(*config.exclude, *of_root), own_folders=self._own_folders()
        )
        if given is not None:
            rules = replace(rules, user=(*rules.user, rule_set("--exclude", target.path, given)))
        return rules

    def _expect_work(self, finder: ChangeFinder) -> None:
        """Start the forkserver during the walk, as soon as a file has to be read."""
        if finder.found_work and not self._work_expected and not self.request.dry_run:
            from photoindex.library.scan.ingest import start_forkserver

            self._work_expected = True
            start_forkserver(derive=self.request.derive)

    def _compare_file(self, finder: ChangeFinder, path: bytes, location: FolderLocation) -> int | None:
        try:
            status = file_access.status(path)
        except FileNotFoundError:
            if file_access.exists(path):
                finder.add_excluded()  # a dangling link
                return None
            return finder.add_single(path, location, None)
        except OSError as error:
            finder.add_unreadable(path, location, error.strerror or str(error))
            return None
        if not stat.S_ISREG(status.st_mode):
            finder.add_excluded()
            return None
        return finder.add_single(path, location, (status.st_size, status.st_mtime_ns))

    def _compare_listed(self, finder: ChangeFinder, listed: Iterable[bytes]) -> list[int]:
        ids = []
        path_filter = PathListFilter(self.roots, self.library.config.scan.exclude, self.request, self._own_folders())
        for path in path_filter.distinct(listed):
            if self.stop():
                break
            if path_filter.excludes(path):
                finder.add_excluded()
                continue
            if not file_access.exists(path):
                self.emit(Notice(f"no such file: {paths.display(path)}", "warning"))
            found = self._compare_file(finder, path, self.roots.location_of(os.path.dirname(path), -1))
            ids.extend([found] if found is not None else [])
            self.emit(PhaseAdvanced("looking", finder.counts.candidates))
        return ids

    def _own_folders(self) -> frozenset[bytes]:
        own = (self.library.folder, self.library.derived_folder)
        return frozenset(os.path.realpath(os.fsencode(folder)) for folder in own)

    def _check_volumes_mounted(self, gone: dict[int, int]) -> None:
        """Raise VolumeOffline if so many files of a volume are gone that it is probably not mounted."""
        with self.session.read() as connection:
            for volume_id, count in gone.items():
                present = volumes.count_present_files(connection, volume_id)
                if count > GUARD_FILES and count > GUARD_FRACTION * present:
                    name = paths.display(self.roots.mount_point(volume_id))
                    raise VolumeOffline(
                        f"{count} of {present} files on the volume at {name} are gone at once, so none was marked as "
                        f"missing; if they were really removed, scan again with --accept-missing"
                    )

    def _dry_run_summary(self, seen: WalkCounts, summary: ScanSummary) -> None:
        with self.session.read() as connection:
            summary.bytes = staging.staged_bytes(connection)
            counts = staging.count_staged(connection)
            self._count_unchanged(connection, seen, summary)
        summary.dry_run = True
        summary.new = counts.get("new", 0)
        summary.changed = counts.get("changed", 0)
        summary.newly_missing = summary.missing = counts["gone"]

    def _count_unchanged(self, connection: Connection, seen: WalkCounts, summary: ScanSummary) -> None:
        settled = staging.count_settled(connection, same=seen.same, same_not_media=seen.same_not_media)
        summary.unchanged = settled.unchanged
        summary.quarantined = settled.quarantined
        summary.excluded += settled.not_media + settled.dismissed
        summary.sidecars = settled.sidecars

    def _apply_and_ingest(self, seen: WalkCounts, summary: ScanSummary) -> None:
        from photoindex.stages import ingest

        derive = self.request.derive
        summary.lost_previews = self._check_derived()
        params = self.library.config.derived.params
        with self.session.write() as connection:
            self.roots.keep(connection, self.targets, self.request.exclude, follow=self.request.follow_symlinks)
            variant_id = queue.ensure_variant(connection, STAGE.name, ingest.variant(params, derive=derive))
            staging.apply(connection, variant_id=variant_id, derive=derive, retry_classes=self.request.retry_classes)
            total = staging.count_work(connection)
            self._count_unchanged(connection, seen, summary)
        if total and not self.stop():
            self._ingest(summary, variant_id, total)
        else:
            summary.pending = total
        if derive:
            self._note_derived()
        self._refresh()
        summary.stopped = summary.pending > 0
        with self.session.read() as connection:
            summary.missing = staging.count_missing(connection)
            summary.newly_missing = staging.count_gone_and_missing(connection)

    def _refresh(self) -> None:
        """Refresh pairs, sidecars and facts if anything changed."""
        with self.session.read() as connection:
            if self.stop() or not stale.has_stale(connection):
                return
        from photoindex.library.scan.refresh import refresh

        self.roots.reload()
        refresh(self.library, self.session, self.roots, self.emit, self.stop)

    def _ingest(self, summary: ScanSummary, variant_id: int, total: int) -> None:
        from photoindex.library.scan.ingest import WorkList, ingest_files
        from photoindex.pipeline.ingest.commit import FileVerdict

        self.roots.reload()  # new roots determine which part of a path is searchable
        work = WorkList(variant_id, total, derive=self.request.derive)
        tally, done = ingest_files(self.library, self.session, self.roots, work, self.emit, self.stop)
        found = tally.files
        summary.new, summary.changed, summary.moved = (
            found[verdict] for verdict in (FileVerdict.NEW, FileVerdict.CHANGED, FileVerdict.MOVED)
        )
        summary.duplicate = found[FileVerdict.DUPLICATE]
        summary.unchanged += found[FileVerdict.UNCHANGED]
        summary.quarantined += found[FileVerdict.QUARANTINED]
        summary.excluded += found[FileVerdict.EXCLUDED]
        summary.sidecars += found[FileVerdict.SIDECAR]
        summary.bytes = tally.bytes
        summary.pending = total - done
        if found[FileVerdict.VANISHED]:
            self._check_still_there(found[FileVerdict.VANISHED])

    def _check_still_there(self, vanished: int) -> None:
        """Raise VolumeOffline if files vanished because a whole folder to scan did."""
        for target in self.targets:
            try:
                if target.gone or target.is_file or not file_access.is_empty(target.path):
                    continue
            except OSError:
                pass  # gone, or a stale handle
            raise VolumeOffline(
                f"{paths.display(target.path)} was unmounted or emptied while it was read, and {vanished:,} files are gone; "
                "what was read is kept. Mount it and scan again"
            )

    def store_summary(self, summary: ScanSummary) -> None:
        """Store the summary of a finished scan with its roots."""
        if summary.dry_run or summary.stopped:
            return
        with self.library.database.write() as connection:
            for target in self.targets:
                if target.root_id is not None and target.path == target.root:
                    volumes.finish_root(connection, target.root_id, asdict(summary))
