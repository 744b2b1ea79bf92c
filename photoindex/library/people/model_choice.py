"""Chooses the face pack for `faces`; reads only the lock file of the models."""

from __future__ import annotations

from photoindex.errors import ModelUnavailable
from photoindex.library.handle import Library
from photoindex.store.people import spaces


def model_for_faces(library: Library) -> str:
    """Return the face pack that `faces` uses.

    The first of: the pack that is set, the pack of the active space, the only installed pack, the default.
    """
    settings = library.config.faces
    if "model" in settings.model_fields_set:
        return settings.model
    with library.database.read() as connection:
        active = spaces.active(connection)
    if active is not None:
        return active.model
    installed = installed_packs(library)
    return installed[0] if len(installed) == 1 else settings.model


def installed_packs(library: Library) -> list[str]:
    """Return the installed face packs; none if their lock file is damaged."""
    from photoindex.models.lock import FACES
    from photoindex.models.weights import ModelStore

    try:
        installed = ModelStore(library.models_folder).installed()
    except ModelUnavailable:
        return []
    return [one.id for one in installed if one.description.task == FACES]


def command_for_faces(library: Library, model_id: str) -> str:
    """Return the command that looks for faces with an installed pack."""
    alone = model_for_faces(library) == model_id
    return "photoindex faces" if alone else f"photoindex faces --model {model_id}"
