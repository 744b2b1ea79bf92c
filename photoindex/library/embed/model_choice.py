"""Chooses the model for `embed`, and suggests the next command; reads only the lock file of the models."""

from __future__ import annotations

from collections.abc import Sequence

from photoindex.errors import ModelUnavailable
from photoindex.library.handle import Library
from photoindex.store.vectors import spaces


def model_to_embed(library: Library) -> str:
    """Return the model that `embed` uses.

    The first of: the model that is set, the model of the active space, the only installed model, the default.
    """
    default = library.config.embed.model
    if is_set(library):
        return default
    with library.database.read() as connection:
        active = spaces.active_space(connection)
    if active is not None:
        return active.model
    installed = installed_ids(library)
    return installed[0] if len(installed) == 1 else default


def is_set(library: Library) -> bool:
    """Tell whether the user set a model: on the command line, in the environment or in a settings file."""
    return "model" in library.config.embed.model_fields_set


def installed_ids(library: Library) -> list[str]:
    """Return the installed models that embed photos; none if their lock file is damaged."""
    from photoindex.models.lock import FoundEncoders, read_lock

    try:
        models = read_lock(library.models_folder).models
        return sorted(model_id for model_id, locked in models.items() if isinstance(locked.found, FoundEncoders))
    except ModelUnavailable:
        return []


def embed_hint(library: Library) -> str:
    """Return the commands to embed photos, as the end of a message; prefers installed models."""
    installed, model = installed_ids(library), model_to_embed(library)
    if model in installed:
        return "run: photoindex embed"
    if installed and not is_set(library):
        return f"run: photoindex embed --model {installed[0]} (installed: {', '.join(installed)})"
    return f"run: {install_command(library, model)}, then: photoindex embed"


def no_space(library: Library) -> str:
    """Return the sentence that there is no space, with the commands that make one."""
    return f"there is no space yet; {embed_hint(library)}"


def install_command(library: Library, model_id: str) -> str:
    """Return the command to install a model: from the catalogue if it is there, else from the user's own files."""
    from photoindex.models.weights import install_command as of_folder

    return of_folder(library.models_folder, model_id)


def command_to_use(names: Sequence[str]) -> str:
    """Return the command to activate one of these spaces."""
    return f"photoindex spaces use {names[0]}" + (f" (or: {', '.join(names[1:])})" if names[1:] else "")


def command_to_embed(library: Library, model_id: str) -> str:
    """Return the command to embed with an installed model."""
    return "photoindex embed" if model_to_embed(library) == model_id else f"photoindex embed --model {model_id}"
