"""Chooses the face pack for `faces`; reads only the lock file of the models."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from photoindex.errors import ModelUnavailable
from photoindex.library.embed.model_choice import command_to_embed
from photoindex.library.handle import Library
from photoindex.library.words.model_choice import command_to_caption, installed_captioners
from photoindex.stages.faces import STAGE
from photoindex.store.people import spaces
from photoindex.store.tasks import admin, asset_tasks


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
    from photoindex.models.lock import FACES, read_lock

    try:
        models = read_lock(library.models_folder).models
    except ModelUnavailable:
        return []
    return sorted(model_id for model_id, locked in models.items() if locked.task == FACES)


def command_to_run(library: Library, model_id: str) -> str:
    """Return the command that works with an installed model: it embeds, looks for faces, or describes photos."""
    if model_id in installed_packs(library):
        return command_for_faces(library, model_id)
    if model_id in installed_captioners(library):
        return command_to_caption(library, model_id)
    return command_to_embed(library, model_id)


def command_for_variant(library: Library, key: str) -> str:
    """Return the command that does the tasks of a variant of the faces stage. key: of the variant."""
    variant = json.loads(key)
    from_originals = variant.get("picture", {}).get("of") == "original"
    return command_for_faces(library, variant.get("model", ""), from_originals=from_originals)


def waiting_by_command(library: Library, connection: Connection) -> dict[str, int]:
    """Return how many pictures each command would look through; without a face pack, only what was begun."""
    found: dict[str, int] = {}
    for key, number in admin.count_waiting_by_variant(connection, STAGE.name).items():
        command = command_for_variant(library, key)
        found[command] = found.get(command, 0) + number
    model = model_for_faces(library)
    if model in installed_packs(library):
        command = command_for_faces(library, model)
        found[command] = found.get(command, 0) + asset_tasks.count_never_planned(connection, STAGE.name)
    return {command: number for command, number in found.items() if number}


def command_for_faces(library: Library, model_id: str, *, from_originals: bool = False) -> str:
    """Return the command that looks for faces with an installed pack."""
    command = "photoindex faces --from originals" if from_originals else "photoindex faces"
    return command if model_for_faces(library) == model_id else f"{command} --model {model_id}"
