"""`photoindex models`: list, download, install, verify, remove and bundle models."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.value_completion import complete_model, complete_model_to_pull
from photoindex.cli.output.details import Section, print_details, print_json, size_text
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.render import Column, Row, choose_output, data_stream, encoded, render, visible
from photoindex.errors import LicenceNotAccepted, ModelUnavailable

if TYPE_CHECKING:
    from photoindex.library.models.install import InstallResult
    from photoindex.library.models.installed import FileCheck, Model

T = TypeVar("T")

_MODELS = (
    Column("id", "model", plain=True),
    Column("state", "state"),
    Column("used", "used", show=lambda value: "*" if value else ""),
    Column("dim", "dim", justify="right"),
    Column("input_px", "px", justify="right", spare=3),
    Column("languages", "languages", spare=4),
    Column("recommended", "for you", spare=6, show=lambda value: "*" if value else ""),
    Column("licence", "licence", spare=1),
    Column("size_bytes", "size", justify="right", show=lambda value: size_text(int(str(value)))),
    Column("approximate_mb", "download", justify="right", spare=2, show=lambda value: f"~{value} MB"),
    Column("title", "title", wide=True, spare=5),
    Column("task"),
    Column("approximate_memory_mb"),
    Column("revision"),
    Column("restricted"),
)
_FILES = (
    Column("model", "model", plain=True),
    Column("file", "file", plain=True, wide=True),
    Column("ok", plain=False),
    Column("size_bytes", "size", justify="right", show=lambda value: size_text(int(str(value)))),
    Column("state", "state", plain=True),
    Column("sha256"),
)

ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", autocompletion=complete_model(), help="The model's id; see: photoindex models list."
    ),
]
AcceptOption = Annotated[
    bool, typer.Option("--accept-licence", help="Accept a licence that restricts use of the model.")
]
TrustOption = Annotated[
    bool,
    typer.Option("--trust-remote-code", help="Also download the model's own code, which may be executed."),
]


def register(app: typer.Typer) -> None:
    """Add the group `models`."""
    group = typer.Typer(
        name="models",
        help="Models for semantic search and faces: list, pull, install, verify, remove, bundle.",
        no_args_is_help=True,
    )
    group.command("list")(list_)
    group.command("show")(show)
    group.command("pull")(pull)
    group.command("install")(install)
    group.command("verify")(verify)
    group.command("remove")(remove)
    group.command("bundle")(bundle)
    app.add_typer(group)


def list_(json: JsonOption = False, library: LibraryOption = None) -> None:
    """List available and installed models; * marks those that `embed` and `faces` use.

    Another * marks the one recommended for the language of your locale (LC_ALL, LC_MESSAGES or LANG). "untested" is a
    model that runs Python code of its own, or whose published files were never tried with photoindex.
    """
    from photoindex.library.models.installed import list_models
    from photoindex.library.models.languages import recommended_to_user

    output = choose_output(json=json)
    with opened(library, on_trial=True, reading=True) as found:
        best = recommended_to_user(found, os.environ)
        rows = [_row(one) | {"recommended": one.id == best.model_id} for one in list_models(found)]
    render(rows, _MODELS, output)
    if not best.is_english and any(row["recommended"] and row["state"] == "available" for row in rows):
        print(f"for texts in {best.language}: photoindex models pull {best.model_id}", file=sys.stderr)
    damaged = [str(row["id"]) for row in rows if row["state"] == "damaged"]
    if damaged:
        print(
            f"photoindex: damaged: {', '.join(damaged)}; see: photoindex models verify",
            file=sys.stderr,
        )


def show(model: ModelArgument, json: JsonOption = False, library: LibraryOption = None) -> None:
    """Show a model's source, licence, and installed files with their SHA-256."""
    from photoindex.library.models.installed import model_named

    with opened(library, on_trial=True, reading=True) as found:
        one = model_named(found, model)
    if json:
        print_json({"schema": 1, **_row(one), **_details(one)})
        return
    files = [] if one.installed is None else one.installed.files.items()
    details = {name: value for name, value in {**_row(one), **_details(one)}.items() if name != "files"}
    rows = [(name.replace("_", " "), value) for name, value in details.items() if value not in (None, "", [])]
    listed = [(name, size_text(lock.size_bytes), lock.sha256) for name, lock in files]
    print_details(model, [Section("model", rows), Section("files", listed)])


def pull(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", autocompletion=complete_model_to_pull, help="The model's id; see: photoindex models list."
        ),
    ],
    update: Annotated[
        bool, typer.Option("--update", help="Download the hub's current version instead of the installed commit.")
    ] = False,
    trust_remote_code: TrustOption = False,
    accept_licence: AcceptOption = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Download a model and install it; no other command downloads anything.

    It is downloaded from huggingface.co, or from HF_ENDPOINT, and checked against the checksums published there. Its commit
    and the SHA-256 of each file are pinned and checked whenever it is used. Run it again to resume.
    """
    from photoindex.library.models import install as models
    from photoindex.library.people.model_choice import command_to_run

    def once(accepted: bool) -> tuple[InstallResult, str]:
        request = models.PullRequest(model, update, trust_remote_code, accepted)
        with opened(library, create=True) as found, progress_sink(progress) as emit:
            result = models.pull(found, request, emit)
            return result, command_to_run(found, result.installed.id)

    _report(*_with_licence(once, accept_licence), json=json)


def install(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="An open_clip folder, a checkpoint, a face pack (folder or ZIP), or an archive of `models bundle`.",
        ),
    ],
    id_: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="NAME", help="Its id: from the list, or a name of your choice.", show_default=False
        ),
    ] = None,
    architecture: Annotated[
        str | None,
        typer.Option(
            "--architecture",
            metavar="NAME",
            help="Architecture of a checkpoint: one of open_clip's names.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Configuration of a checkpoint: its open_clip_config.json.",
            show_default=False,
        ),
    ] = None,
    trust_remote_code: TrustOption = False,
    accept_licence: AcceptOption = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    r"""Install a model from this computer, without the network; its files are copied.

    Both towers are exported to ONNX and tested, which needs `pip install 'photoindex[ml]'`; an archive, a folder that has
    them in onnx/, or a face pack needs nothing else.
    """
    from photoindex.library.models import install as models
    from photoindex.library.people.model_choice import command_to_run

    def once(accepted: bool) -> tuple[InstallResult, str]:
        request = models.InstallRequest(path, id_, architecture, config, trust_remote_code, accepted)
        with opened(library, create=True) as found, progress_sink(progress) as emit:
            result = models.install(found, request, emit)
            return result, command_to_run(found, result.installed.id)

    _report(*_with_licence(once, accept_licence), json=json)


def verify(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            autocompletion=complete_model(),
            help="The model's id; default: all installed models.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Hash the files of installed models and compare them; exit 7 if one has changed."""
    from photoindex.library.embed.model_choice import install_command
    from photoindex.library.models.installed import verify_models

    output = choose_output(json=json)
    with opened(library) as found, progress_sink(progress) as emit:
        checks = verify_models(found, model, emit)
        changed = sorted({one.model_id for one in checks if one.problem is not None})
        ways = [install_command(found, one) for one in changed]
    render((_file_row(one) for one in checks), _FILES, output)
    if changed:
        count = sum(one.problem is not None for one in checks)
        raise ModelUnavailable(
            f"{count} of {len(checks)} files have changed, of: {', '.join(changed)}; reinstall with: {', '.join(ways)}"
        )
    print(f"{len(checks)} files are intact" if checks else "no model is installed", file=sys.stderr)


def remove(model: ModelArgument, json: JsonOption = False, library: LibraryOption = None) -> None:
    """Remove an installed model; its spaces and their vectors are kept."""
    from photoindex.library.models.installed import remove as remove_

    with opened(library) as found:
        gone = remove_(found, model)
    if json:
        spaces = [{"name": name, "vectors": vectors} for name, vectors in gone.spaces]
        print_json({"schema": 1, "id": gone.model_id, "size_bytes": gone.size_bytes, "spaces_kept": spaces})
    print(f"removed {gone.model_id}, {size_text(gone.size_bytes)}", file=sys.stderr)
    for name, vectors in gone.spaces:
        print(
            f"kept the space '{visible(name)}' with {vectors:,} vectors; remove it with: photoindex spaces drop {visible(name)}",
            file=sys.stderr,
        )


def bundle(
    model: ModelArgument,
    output: Annotated[Path, typer.Argument(metavar="FILE", help="The archive: a .tar, or a .tar.zst for zstd.")],
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Write an installed model to an archive, to install it offline with `models install ARCHIVE`."""
    from photoindex.library.models.installed import bundle as bundle_

    with opened(library) as found, progress_sink(progress) as emit:
        made = bundle_(found, model, output, emit)
    if json:
        print_json({"schema": 1, "id": made.model_id, "path": str(made.path), "size_bytes": made.size_bytes})
    else:
        data_stream().write(encoded(str(made.path)) + b"\n")
    print(f"bundled {made.model_id}, {size_text(made.size_bytes)}", file=sys.stderr)


def _with_licence(once: Callable[[bool], T], accepted: bool) -> T:
    """Run `once`; if a licence has to be accepted, show it, ask on the terminal and run `once` again."""
    try:
        return once(accepted)
    except LicenceNotAccepted as error:
        if not sys.stdin.isatty():
            raise
        print(f"{visible(error.model_id)}: {visible(error.licence)}\n{visible(error.terms)}", file=sys.stderr)
        if not typer.confirm("Accept this licence?", err=True):
            print("nothing was changed", file=sys.stderr)
            raise typer.Exit(error.exit_code) from None
    return once(True)


def _report(result: InstallResult, next_command: str, *, json: bool) -> None:
    one = result.installed
    if json:
        row = {
            "id": one.id,
            "changed": result.changed,
            "revision": one.revision,
            "source": one.description.source,
            "digest": one.digest,
            "dim": one.description.dim,
            "size_bytes": one.size_bytes,
            "licence": one.description.licence,
        }
        print_json({"schema": 1, **row})
    at = "" if one.revision is None else f" at commit {visible(one.revision[:12])}"
    if not result.changed:
        newer = "" if one.revision is None else f"; for a newer version: photoindex models pull {one.id} --update"
        print(f"{one.id} is already installed{at} and intact{newer}", file=sys.stderr)
        return
    dimension = "" if one.description.dim is None else f"dimension {one.description.dim}, "
    print(
        f"installed {one.id}{at}: {dimension}{size_text(one.size_bytes)}, licence "
        f"{visible(one.description.licence)}; next: {next_command}",
        file=sys.stderr,
    )


def _row(one: Model) -> dict[str, object]:
    entry, installed = one.entry, one.installed
    described = entry if installed is None else installed.description
    return {
        "id": one.id,
        "state": _state(one),
        "used": one.used,
        "title": "" if described is None else described.title,
        "task": "" if described is None else described.task,
        "dim": one.dim,
        "input_px": (
            installed.description.input_px if installed is not None else None if entry is None else entry.input_px
        ),
        "languages": None if entry is None else entry.languages_text,
        "licence": "" if described is None else described.licence,
        "restricted": described is not None and described.restricted,
        "size_bytes": None if installed is None else installed.size_bytes,
        "approximate_mb": None if entry is None or installed is not None else entry.approximate_mb,
        "approximate_memory_mb": None if entry is None else entry.approximate_memory_mb,
        "revision": None if installed is None else installed.revision,
    }


def _state(one: Model) -> str:
    if one.installed is not None:
        intact = "untested" if one.untested else "installed"
        return intact if one.installed.has_all_sizes() else "damaged"
    if one.entry is not None and one.entry.served_as is not None:
        return "by a server"
    return "available, untested" if one.untested else "available"


def _details(one: Model) -> dict[str, object]:
    entry, installed = one.entry, one.installed
    details: dict[str, object] = {}
    if entry is not None:
        details |= {"terms": entry.terms, "repositories": [source.repository for source in entry.sources]}
        details |= {"language_codes": list(entry.languages), "served_as": entry.served_as}
    if installed is not None:
        locked = installed.locked
        details |= {
            "terms": locked.terms,
            "source": locked.source,
            "installed_at": locked.installed_at,
            "licence_accepted_at": locked.licence_accepted_at,
            "trust_remote_code": locked.trust_remote_code,
            "runs_own_code": one.runs_own_code,
            "context_length": getattr(locked.found, "context_length", None),
            "detector_layout": getattr(locked.found, "layout", None),
            "folder": str(installed.folder),
            "digest": installed.digest,
            "files": [{"name": name, **lock.model_dump()} for name, lock in installed.files.items()],
        }
    return details


def _file_row(one: FileCheck) -> Row:
    return {
        "model": one.model_id,
        "file": one.name,
        "ok": one.problem is None,
        "size_bytes": one.size_bytes,
        "state": "ok" if one.problem is None else one.problem,
        "sha256": one.sha256,
    }
