"""Faces: looks through all pictures that a model has not looked through yet."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from photoindex.durations import seconds_since_boot
from photoindex.library.handle import Library
from photoindex.library.logs import both, log_events
from photoindex.library.originals.larger import LargerOriginals
from photoindex.library.people import small_faces
from photoindex.library.people.model_choice import command_for_faces, model_for_faces
from photoindex.library.stage_counting import CountingWriter
from photoindex.library.stage_figures import StageFigures, figures, outcome, per_second, threads_or_all
from photoindex.library.stage_run import (
    NEVER_PLANNED,
    StageRequest,
    StageRun,
    StageSetup,
    count_to_do,
    stage_lock,
)
from photoindex.paths import to_text
from photoindex.pipeline.run.runner import RunTally
from photoindex.progress import EventSink, Notice
from photoindex.stages import faces as stage
from photoindex.stages.base import Needs
from photoindex.stages.faces import STAGE, Opening
from photoindex.store.people import spaces
from photoindex.store.people.regions import RegionWriter
from photoindex.store.search.targets import path_of_content
from photoindex.store.tasks import queue
from photoindex.types import DetectedRegion, MoreThere, Result

if TYPE_CHECKING:
    from photoindex.models.weights import InstalledModel

PHASE = "looking for faces"
PREVIEW: Mapping[str, object] = {"of": "preview"}
"""The picture that is looked through, for the variant's key."""


@dataclass(frozen=True, slots=True)
class FacesRequest:
    """What to look through; pack, device and batch size are settings (`faces.*`).

    limit: maximum number of pictures. window_seconds: no batch starts later than this after the start. open: as in
    `Stage`, for a runtime other than the installed pack's. from_originals: only photos whose preview shows small faces, in
    a larger picture of their original.
    """

    limit: int | None = None
    window_seconds: float | None = None
    dry_run: bool = False
    open: str = STAGE.open
    from_originals: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FacesSummary(StageFigures):
    """What a run did.

    looked_through: number of pictures. faces: those found in them. without_face: pictures that show none. in_use: grouping
    uses this pack's faces. other_faces: faces in the library that another pack found. limited: pictures that may show more
    faces than are kept of one; limited_path: of one of them, with bytes that are not UTF-8 as surrogates. With originals, offline: label of a
    volume that is not mounted -> photos left out; without_file: photos left out because their files are missing;
    previews_left: previews that were not looked through yet.
    """

    looked_through: int
    faces: int
    without_face: int
    faces_per_second: float
    in_use: bool
    other_faces: int
    limited: int = 0
    limited_path: str | None = None
    from_originals: bool = False
    offline: Mapping[str, int] = field(default_factory=dict)
    without_file: int = 0
    previews_left: int = 0


def faces(
    library: Library, request: FacesRequest, emit: EventSink, stop: Callable[[], bool] = lambda: False
) -> FacesSummary:
    """Find the faces in all contents with a preview that the face pack has not looked through yet.

    Raises ModelUnavailable, DeviceFailed, LibraryLocked, StorageFull; finished work is kept.
    """
    from photoindex.models.weights import ModelStore

    started = seconds_since_boot()
    installed = ModelStore(library.models_folder).get(model_for_faces(library))
    if request.dry_run:
        return _dry_run(library, request, installed)
    with stage_lock(library, STAGE) as log:
        run = _Run(library, request, installed, both(emit, log_events(log, STAGE.name)), log)
        summary = run.run(stop, started)
        log.info("looked for faces", extra={"action": STAGE.name, **asdict(summary)})
    return summary


def variant_of(installed: InstalledModel, picture: Mapping[str, object] = PREVIEW) -> dict[str, object]:
    """Return the variant of the faces stage for an installed pack. Raises ModelUnavailable for another model."""
    return stage.variant(model=installed.id, digest=installed.digest, dim=installed.face_pack.dim, picture=picture)


def comparable(installed: InstalledModel) -> dict[str, object]:
    """Return everything that makes the vectors of a pack comparable: how it finds faces does not matter."""
    pack = installed.face_pack
    return {
        "model": installed.id,
        "embedder": installed.files[pack.embedder].sha256,
        "dim": pack.dim,
        "input_px": pack.input_px,
    }


def _dry_run(library: Library, request: FacesRequest, installed: InstalledModel) -> FacesSummary:
    summary = replace(_summary(library, installed, RunTally(), _Counted()), dry_run=True)
    if not request.from_originals:
        return replace(summary, pending=count_to_do(library, STAGE, variant_of(installed)))
    with library.database.read() as connection:
        originals = small_faces.with_small_faces(library, _previews(connection, installed))
        variant_id = queue.find_variant(connection, STAGE.name, variant_of(installed, small_faces.PICTURE))
        pending = len(originals.chosen(connection, NEVER_PLANNED if variant_id is None else variant_id))
    return replace(summary, pending=pending, **_left_out(library, installed, originals))


def _previews(connection: Connection, installed: InstalledModel) -> int:
    """Return the variant that looks through previews."""
    previews = queue.find_variant(connection, STAGE.name, variant_of(installed))
    return NEVER_PLANNED if previews is None else previews


def _left_out(library: Library, installed: InstalledModel, originals: LargerOriginals) -> dict[str, Any]:
    """Return the fields of the summary that only a run with originals has."""
    return {
        "from_originals": True,
        "offline": dict(originals.offline),
        "without_file": originals.without_file,
        "previews_left": count_to_do(library, STAGE, variant_of(installed)),
    }


@dataclass(slots=True)
class _Counted:
    """What a run has stored: pictures, faces in them, and pictures without a face.

    limited: pictures that may show more faces. limited_asset: the content of one of them.
    """

    pictures: int = 0
    faces: int = 0
    without: int = 0
    limited: int = 0
    limited_asset: int | None = None

    def add(self, asset_id: int, results: Sequence[Result]) -> None:
        """Count the faces of one content."""
        self.pictures += 1
        found = sum(isinstance(one, DetectedRegion) for one in results)
        self.faces += found
        self.without += not found
        if any(isinstance(one, MoreThere) for one in results):
            self.limited += 1
            self.limited_asset = asset_id


@dataclass(slots=True)
class _Run:
    library: Library
    request: FacesRequest
    installed: InstalledModel
    emit: EventSink
    log: logging.Logger
    counted: _Counted = field(default_factory=_Counted)
    originals: LargerOriginals | None = None
    previews: int = NEVER_PLANNED

    def run(self, stop: Callable[[], bool], started: float) -> FacesSummary:
        request = StageRequest(self.request.limit, self.request.window_seconds)
        if self.request.from_originals:
            with self.library.database.read() as connection:
                self.previews = _previews(connection, self.installed)
            self.originals = small_faces.with_small_faces(self.library, self.previews)
        run = StageRun(self.library, self._setup(), request, self.emit, self.log, started)
        if run.plan():
            self._tell_of_other_faces()
            run.run_tasks(stop)
        self._use_if_complete()
        summary = run.summary(stop)
        return replace(
            _summary(self.library, self.installed, run.tally, self.counted),
            **outcome(summary, started),
            **({} if self.originals is None else _left_out(self.library, self.installed, self.originals)),
        )

    def _setup(self) -> StageSetup:
        config = self.library.config.faces
        command = command_for_faces(self.library, self.installed.id, from_originals=self.request.from_originals)
        setup = StageSetup(
            stage=replace(STAGE, open=self.request.open, command=command.removeprefix("photoindex ")),
            variant=variant_of(self.installed),
            opening=self._opening,
            writer=self._writer,
            phase=PHASE,
            batch_size=config.batch_size,
            threads=threads_or_all(config.decode_threads),
        )
        if self.originals is None:
            return setup
        return replace(
            setup,
            stage=replace(setup.stage, needs=Needs.ORIGINAL),
            variant=variant_of(self.installed, small_faces.PICTURE),
            batch_size=min(config.batch_size, small_faces.BATCH_MAX),
            inputs=self.originals.inputs,
            chosen=self.originals.chosen,
            around=self.originals.around,
        )

    def _opening(self) -> Opening:
        return Opening(
            models_folder=self.library.models_folder,
            model=self.installed.id,
            digest=self.installed.digest,
            device=self.library.config.faces.device,
            dim=self.installed.face_pack.dim,
            detail_px=None if self.originals is None else small_faces.LONGEST_PX,
        )

    def _writer(self, connection: Connection, variant_id: int) -> CountingWriter:
        dim = self.installed.face_pack.dim
        space = spaces.ensure(connection, model=self.installed.id, comparable=comparable(self.installed), dim=dim)
        if self.originals is None:
            return CountingWriter(RegionWriter(space, variant_id), self.counted)
        return CountingWriter(RegionWriter(space, variant_id, adds_to=self.previews), self.counted)

    def _tell_of_other_faces(self) -> None:
        others = _other_faces(self.library, self.installed)
        if others:
            self.emit(
                Notice(
                    f"{others:,} faces were found by another model; they keep their people, and are replaced photo by photo"
                )
            )

    def _use_if_complete(self) -> None:
        """Make grouping use the pack's faces once it has looked through everything."""
        if count_to_do(self.library, STAGE, variant_of(self.installed)):
            return
        with self.library.database.write() as connection:
            space = spaces.find(connection, comparable(self.installed))
            if space is not None and not space.active:
                spaces.use(connection, space.id)


def _other_faces(library: Library, installed: InstalledModel) -> int:
    """Return how many faces another pack found."""
    with library.database.read() as connection:
        space = spaces.find(connection, comparable(installed))
        return spaces.count_others(connection, None if space is None else space.id)


def _summary(library: Library, installed: InstalledModel, tally: RunTally, counted: _Counted) -> FacesSummary:
    with library.database.read() as connection:
        space = spaces.find(connection, comparable(installed))
        limited = None if counted.limited_asset is None else path_of_content(connection, counted.limited_asset)
    return FacesSummary(
        **figures(installed.id, tally, threads_or_all(library.config.faces.decode_threads)),
        looked_through=counted.pictures,
        faces=counted.faces,
        without_face=counted.without,
        faces_per_second=per_second(counted.faces, tally),
        in_use=space is not None and space.active,
        other_faces=_other_faces(library, installed),
        limited=counted.limited,
        limited_path=None if limited is None else to_text(limited),
    )
