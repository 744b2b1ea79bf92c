"""Which model `embed` uses, and the commands that lead to vectors; of models only the lock file is read."""

from __future__ import annotations

from collections.abc import Sequence

from photoindex.errors import ModelUnavailable
from photoindex.library.handle import Library
from photoindex.store.vectors import spaces


def model_to_embed(library: Library) -> str:
    """Return the model that `embed` uses.

    That is the one that was set, else that of the space in use, else the default where it is installed, else the one that is
    installed where there is just one, else the default.
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
    """Tell whether a person named a model: on the command line, in the environment or in a file of settings."""
    return "model" in library.config.embed.model_fields_set


def installed_ids(library: Library) -> list[str]:
    """Return the installed models; none where their lock file is damaged."""
    from photoindex.models.lock import read_lock

    try:
        return sorted(read_lock(library.models_folder).models)
    except ModelUnavailable:
        return []


def way_to_vectors(library: Library) -> str:
    """Return the commands that embed, as the end of a sentence, with what is installed taken first."""
    installed, model = installed_ids(library), model_to_embed(library)
    if model in installed:
        return "run: photoindex embed"
    if installed and not is_set(library):
        return f"run: photoindex embed --model {installed[0]} (installed: {', '.join(installed)})"
    return f"run: {way_to_install(library, model)}, then: photoindex embed"


def way_to_install(library: Library, model_id: str) -> str:
    """Return the command that installs a model: a pull where the catalogue has it, else from the user's own files."""
    from photoindex.models.weights import way_to_install as of_folder

    return of_folder(library.models_folder, model_id)


def command_to_use(names: Sequence[str]) -> str:
    """Return the command that takes one of some spaces into use."""
    return f"photoindex spaces use {names[0]}" + (f" (or: {', '.join(names[1:])})" if names[1:] else "")


def command_to_embed(library: Library, model_id: str) -> str:
    """Return the command that embeds with an installed model."""
    return "photoindex embed" if model_to_embed(library) == model_id else f"photoindex embed --model {model_id}"
