"""Installs models: from the hub, from a local folder or file, from an archive."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

from photoindex.errors import ModelUnavailable, UsageError
from photoindex.file_access import from_root
from photoindex.library.backup.byte_progress import ByteProgress
from photoindex.library.disk_errors import disk_errors
from photoindex.library.handle import Library
from photoindex.library.models.installed import changing_models
from photoindex.models.captions.own_code import require_consent
from photoindex.models.catalog import CatalogEntry, load_catalog
from photoindex.models.lock import Lock, LockedModel, read_lock, write_lock
from photoindex.models.names import MODEL_ID_PATTERN
from photoindex.models.offline import offline, online
from photoindex.models.open_clip_loader import CONFIG_NAME
from photoindex.models.sources import local
from photoindex.models.sources.bundle import extract, is_bundle, opened_bundle
from photoindex.models.sources.install import (
    ModelOrigin,
    describe_faces,
    draft,
    export_towers,
    is_ready,
    put_in_place,
    require_exporter,
    staging,
    try_out,
)
from photoindex.models.sources.licence import LicenceTerms, accept, now
from photoindex.models.sources.local import LocalModel
from photoindex.models.sources.pull import (
    CODE_SUFFIXES,
    PullPlan,
    fetch_all,
    has_own_licence,
    own_licence,
    partial_folder,
    plan_pull,
)
from photoindex.models.sources.zip_pack import ZIP_SUFFIX, model_in_zip
from photoindex.models.weights import InstalledModel
from photoindex.paths import display
from photoindex.progress import EventSink, Notice, PhaseFinished, PhaseStarted, ignore_events


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Which model to download.

    update: replace the installed commit by the hub's current one. trust_remote_code: download the model's own code too.
    accept_licence: the user accepts a licence that restricts use.
    """

    model_id: str
    update: bool = False
    trust_remote_code: bool = False
    accept_licence: bool = False


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """What to install: a folder in open_clip's layout, or with one ONNX file of both towers, a face pack (folder or ZIP), a checkpoint, or an archive of `bundle`.

    model_id: its name; an archive has its own. architecture: one of open_clip's, or config: a file like
    `open_clip_config.json`; one of them is required for a checkpoint file. The rest as in PullRequest.
    """

    path: Path
    model_id: str | None = None
    architecture: str | None = None
    config: Path | None = None
    trust_remote_code: bool = False
    accept_licence: bool = False


@dataclass(frozen=True, slots=True)
class InstallResult:
    """The installed model. changed: whether anything was installed. replaced: whether it replaced a model with this id."""

    installed: InstalledModel
    changed: bool
    replaced: bool = False


def pull(library: Library, request: PullRequest, events: EventSink = ignore_events) -> InstallResult:
    """Download a model of the catalogue and install it; the only operation that downloads anything.

    An installed model stays at its commit: only missing or damaged files are downloaded again. Files are checked against
    the hub's checksums, and an interrupted download is resumed. Raises ModelUnavailable, FetchFailed, LicenceNotAccepted,
    StorageFull, LibraryLocked, ConfigError.
    """
    entry = _entry(library, request.model_id)
    if entry.served_as is not None:
        raise ModelUnavailable(
            f"the model '{entry.id}' is run by a server, such as Ollama: let it load {entry.served_as}, then run: photoindex "
            f"caption --endpoint URL --model {entry.served_as}; from your own files: photoindex models install PATH --id "
            f"{entry.id}"
        )
    with changing_models(library, f"models pull {entry.id}") as folder:
        lock = read_lock(folder)
        terms = LicenceTerms(entry.id, entry.licence, entry.terms, entry.restricted)
        # The model's own licence can be shown only after it was downloaded.
        later = has_own_licence(entry) and not terms.is_accepted(lock.licences.get(entry.id))
        if not later:
            lock, accepted_at = _accepted(folder, lock, terms, accepted=request.accept_licence)
        before = lock.models.get(entry.id)
        trust = request.trust_remote_code or (before is not None and before.trust_remote_code)
        untouched = before is not None and not request.update and not later
        if before is not None and untouched and _is_done(folder, entry.id, before, events, trust=trust):
            return InstallResult(InstalledModel(entry.id, folder / entry.id, before), changed=False)
        pinned = {} if before is None or request.update else _commits(before)
        with online():
            plan = plan_pull(entry, pinned, trust_remote_code=trust)
            if before is not None and request.update and _is_newest(folder, before, plan, events):
                return InstallResult(InstalledModel(entry.id, folder / entry.id, before), changed=False)
            if plan.needs_export:
                require_exporter(whole=plan.is_whole)
            partial = partial_folder(folder, entry.id)
            if later:
                terms = replace(terms, text=own_licence(plan, partial))
                lock, accepted_at = _accepted(folder, lock, terms, accepted=request.accept_licence)
            with ByteProgress(events, "fetching", plan.size_bytes or None) as progress:
                fetch_all(plan, partial, folder / entry.id, progress.advance)
        describe_faces(partial, entry.face_pack)
        origin = replace(
            ModelOrigin.of_entry(entry, plan.repositories[0].id),
            revision=plan.revision,
            also=tuple((one.id, one.commit) for one in plan.repositories[1:]),
            licence_accepted_at=accepted_at,
            trust_remote_code=trust,
        )
        run_code = library.config.caption.trust_remote_code
        return _finish_install(folder, partial, lock, origin, events, run_code=run_code)


def _entry(library: Library, model_id: str) -> CatalogEntry:
    entry = load_catalog(library.models_folder).get(model_id)
    if entry is None:
        raise ModelUnavailable(
            f"the catalogue has no model '{model_id}'; see: photoindex models list, or install one from this computer: "
            f"photoindex models install PATH --id NAME"
        )
    return entry


def _accepted(folder: Path, lock: Lock, terms: LicenceTerms, *, accepted: bool) -> tuple[Lock, str | None]:
    after, accepted_at = accept(lock, terms, accepted=accepted)
    if after is not lock:
        write_lock(folder, after)
    return after, accepted_at


def _commits(before: LockedModel) -> dict[str, str]:
    """Return the commits of an installed model, by repository."""
    return before.also | ({} if before.revision is None else {before.source: before.revision})


def _is_done(folder: Path, model_id: str, before: LockedModel, events: EventSink, *, trust: bool) -> bool:
    """Tell whether a model is installed from the hub, intact, with its code if trusted: the hub need not be asked."""
    return (
        before.revision is not None
        and before.trust_remote_code == trust
        and _is_sound(folder, model_id, before, events)
    )


def _is_newest(folder: Path, before: LockedModel, plan: PullPlan, events: EventSink) -> bool:
    """Tell whether all files of the plan are installed and intact."""
    commits = {one.id: one.commit for one in plan.repositories}
    if _commits(before) != commits or not set(plan.wanted) <= set(before.files):
        return False
    return _is_sound(folder, plan.entry.id, before, events)


def _is_sound(folder: Path, model_id: str, before: LockedModel, events: EventSink) -> bool:
    installed = InstalledModel(model_id, folder / model_id, before)
    with ByteProgress(events, "hashing", installed.size_bytes) as progress:
        done = 0
        for name, one in installed.files.items():
            problem = installed.problem(name)
            if problem is not None:
                events(
                    Notice(
                        f"{name} {problem} since it was installed; downloading or exporting it again", level="warning"
                    )
                )
                return False
            done += one.size_bytes
            progress.advance(done)
    return True


def _finish_install(
    folder: Path, gathered: Path, lock: Lock, origin: ModelOrigin, events: EventSink, *, run_code: bool
) -> InstallResult:
    """Export the gathered files if necessary, hash and test them, and move them to the models folder."""
    if not is_ready(gathered):
        started = time.monotonic()
        events(PhaseStarted("exporting", 1, unit="models"))
        offline()
        export_towers(gathered)
        events(PhaseFinished("exporting", 1, time.monotonic() - started))
    size_bytes = sum(path.stat().st_size for path in gathered.rglob("*") if path.is_file())
    with ByteProgress(events, "hashing", size_bytes) as progress:
        locked = draft(gathered, origin, now(), progress.advance)
    try_out(gathered, origin.model_id, locked, run_code=run_code)
    replaced = origin.model_id in lock.models
    return InstallResult(put_in_place(folder, gathered, lock, origin.model_id, locked), changed=True, replaced=replaced)


def install(library: Library, request: InstallRequest, events: EventSink = ignore_events) -> InstallResult:
    """Install a model from this computer; its files are copied, never linked.

    Raises UsageError for a wrong path, ModelUnavailable if the files are not a usable model or the libraries to export it
    are not installed, LicenceNotAccepted, StorageFull, LibraryLocked.
    """
    path = from_root(request.path)
    with disk_errors(f"installing {_shown(path)}"):
        if path.is_dir():
            return _install_local(library, request, path, local.model_of(local.files_of(path)), events)
        if not path.is_file():
            raise UsageError(f"{_shown(path)} does not exist, or is neither a file nor a folder")
        if is_bundle(path):
            return _install_bundle(library, request, path, events)
        if path.suffix == ZIP_SUFFIX:
            return _install_local(library, request, path, model_in_zip(path), events)
    return _install_checkpoint(library, request, path, events)


def _install_checkpoint(library: Library, request: InstallRequest, path: Path, events: EventSink) -> InstallResult:
    with disk_errors(f"installing {_shown(path)}"):
        local.check_weights(path, _shown(path))
    if (request.config is None) == (request.architecture is None):
        raise UsageError(
            f"{_shown(path)} contains only weights; describe them with --architecture NAME (one of open_clip's) or --config "
            f"FILE ({CONFIG_NAME})"
        )
    require_exporter()
    files = {local.weights_name(path): path}
    if request.config is not None:
        files[CONFIG_NAME] = from_root(request.config)
        return _install_local(library, request, path, local.model_of(files), events)
    config = local.config_of_architecture(request.architecture or "")
    return _install_local(library, request, path, local.model_of(files, json.dumps(config, indent=2)), events)


def _install_local(
    library: Library, request: InstallRequest, path: Path, model: LocalModel, events: EventSink
) -> InstallResult:
    model_id = _checked_id(request.model_id or "", path)
    entry = load_catalog(library.models_folder).get(model_id)
    origin = ModelOrigin.of_entry(entry, str(path)) if entry is not None else _unknown_origin(model_id, path)
    if model.needs_export:
        require_exporter(whole=model.is_whole)
    run_code = library.config.caption.trust_remote_code
    require_consent(model_id, model.code, allowed=run_code)
    with changing_models(library, f"models install {model_id}") as folder:
        terms = LicenceTerms(model_id, origin.licence, origin.terms, origin.restricted, model.licence)
        lock, accepted_at = _accepted(folder, read_lock(folder), terms, accepted=request.accept_licence)
        with staging(folder) as gathered:
            with ByteProgress(events, "copying", model.total_bytes) as progress:
                model.copy_to(gathered, progress.advance)
            try:
                describe_faces(gathered, None if entry is None else entry.face_pack)
                origin = replace(origin, licence_accepted_at=accepted_at)
                return _finish_install(folder, gathered, lock, origin, events, run_code=run_code)
            except ModelUnavailable as error:
                # The copies are gone when somebody reads this.
                named = path.parent if path.is_file() and path.suffix.lower() != ZIP_SUFFIX else path
                raise ModelUnavailable(str(error).replace(str(gathered), _shown(named))) from error


def _checked_id(model_id: str, path: Path) -> str:
    if not model_id:
        raise UsageError(
            f"name the model in {_shown(path)} with --id NAME (from the catalogue, or a name of your choice)"
        )
    if not re.fullmatch(MODEL_ID_PATTERN, model_id):
        raise UsageError(f"'{model_id}' is not a valid model id; use up to 64 lower-case letters, digits, '-' and '_'")
    return model_id


def _unknown_origin(model_id: str, path: Path) -> ModelOrigin:
    return ModelOrigin(
        model_id=model_id,
        title=model_id,
        task="image-text",
        source=_shown(path),
        licence="unknown",
        terms="As agreed with the provider of the model.",
    )


def _install_bundle(library: Library, request: InstallRequest, path: Path, events: EventSink) -> InstallResult:
    with opened_bundle(path) as (manifest, archive), changing_models(library, "models install") as folder:
        model_id, locked = manifest.id, manifest.model
        if request.model_id not in (None, model_id):
            raise UsageError(f"{_shown(path)} contains the model '{model_id}'; omit --id")
        code = [name for name in locked.files if name.endswith(CODE_SUFFIXES)]
        if code and not locked.trust_remote_code:
            raise UsageError(
                f"{_shown(path)} contains code, {code[0]}, that its manifest does not declare; not installed"
            )
        if code and not request.trust_remote_code:
            raise UsageError(
                f"{_shown(path)} contains the model's own code, {code[0]}; read it, then use --trust-remote-code"
            )
        terms = LicenceTerms(model_id, locked.licence, locked.terms, locked.restricted)
        lock, accepted_at = _accepted(folder, read_lock(folder), terms, accepted=request.accept_licence)
        with staging(folder) as gathered:
            total = sum(one.size_bytes for one in locked.files.values())
            with ByteProgress(events, "unpacking", total) as progress:
                extract(path, manifest, archive, gathered, progress.advance)
            # The manifest's word for the user's consent is not the user's: a later `models pull` would fetch code.
            trust = locked.trust_remote_code and request.trust_remote_code
            own = {"installed_at": now(), "licence_accepted_at": accepted_at, "trust_remote_code": trust}
            fresh = locked.model_copy(update=own)
            try_out(gathered, model_id, fresh, run_code=library.config.caption.trust_remote_code)
            replaced = model_id in lock.models
            return InstallResult(put_in_place(folder, gathered, lock, model_id, fresh), changed=True, replaced=replaced)


def _shown(path: Path) -> str:
    return display(os.fsencode(path))
