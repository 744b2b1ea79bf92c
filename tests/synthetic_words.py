"""Words for a library of `tests.synthetic`: tags of models and of a person, captions, text in pictures, albums of folders."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from photoindex.app import open_library
from photoindex.config.schema import Config
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import insert_rows
from photoindex.store.schema.tables import asset_tag, asset_text, folder, label, photo
from photoindex.store.tasks import queue
from photoindex.store.words import documents, read_albums, tags

_BATCH = 5_000
_NO_BOX = (None,) * 4
_THINGS = ("dog", "cat", "boat", "castle", "bicycle", "bridge", "tree", "flower", "train", "horse")
_WHERE = ("on a beach", "in a street", "by a lake", "under a blue sky", "in the snow", "at sunset")
_SIGNS = ("BOARDING PASS Gate 12", "Rue de Rivoli", "Happy Birthday", "Exit 27", "Total 12.50 EUR")
_OWN = ("family/holidays", "print", "best of 2019")


def add_words(library_folder: Path, seed: int = 0) -> None:
    """Give every photo tags of a model, many a caption, some text in the picture and a person's tags, each folder an album."""
    chance = random.Random(seed)
    with open_library(Config(library=library_folder)) as library:
        with library.database.write() as connection:
            variants = {
                one: queue.ensure_variant(connection, one, {"model": "made-up"}) for one in ("tags", "caption", "ocr")
            }
            given = tags.ensure(connection, [f"animals/{one}" if one in _THINGS[:2] else one for one in _THINGS])
            given |= tags.ensure(connection, [f"scenes/scene {number}" for number in range(300)])
            own = tags.ensure(connection, _OWN)
            photos = connection.execute(select(photo.c.id, photo.c.primary_asset_id)).all()
            folders = connection.execute(select(folder.c.id)).scalars().all()
        for some in chunks([row.primary_asset_id for row in photos], _BATCH):
            with library.database.write() as connection:
                insert_rows(
                    connection,
                    label,
                    [row for one in some for row in _labels(one, variants["tags"], list(given.values()), chance)],
                )
                connection.execute(insert(asset_text), [row for one in some for row in _texts(one, variants, chance)])
                chosen = [one for one in some if chance.random() < 0.05]
                rows = [{"asset_id": one, "tag_id": chance.choice(list(own.values())), "at": 0.0} for one in chosen]
                connection.execute(
                    insert(asset_tag), rows or [{"asset_id": some[0], "tag_id": own[_OWN[0]], "at": 0.0}]
                )
                documents.refresh_assets(connection, some)
        for some in chunks(folders, _BATCH // 50):
            with library.database.write() as connection:
                for folder_id in some:
                    read_albums.refresh_folders(connection, [folder_id])


def _labels(asset_id: int, variant_id: int, tag_ids: list[int], chance: random.Random) -> list[tuple[Any, ...]]:
    chosen = sorted({*chance.sample(tag_ids[:12], 1), *chance.sample(tag_ids, 4)})
    confidences = [round(chance.uniform(0.5, 1.0), 3) for _ in chosen]
    return [
        (asset_id, variant_id, tag_id, 0, 0.3, sure, sure >= 0.7, False, *_NO_BOX)
        for tag_id, sure in zip(chosen, confidences, strict=True)
    ]


def _texts(asset_id: int, variants: dict[str, int], chance: random.Random) -> list[dict[str, Any]]:
    thing, other = chance.sample(_THINGS, 2)
    said = {"caption": f"a {thing} and {chance.randrange(2, 9)} {other}s {chance.choice(_WHERE)}"}
    if chance.random() < 0.1:
        said["ocr"] = chance.choice(_SIGNS)
    same = {"asset_id": asset_id, "language": "en", "raw": None, "parser": None, "lines": None, "at": 0.0}
    return [{**same, "kind": kind, "variant_id": variants[kind], "text": text} for kind, text in said.items()]
