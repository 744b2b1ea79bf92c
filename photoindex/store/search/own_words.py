"""The words that people gave to photos, with the photos that have them, to measure search by."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, func, select

from photoindex.store.schema.tables import asset, asset_tag, individual, photo, tag
from photoindex.text import fold


def photos_by_words(connection: Connection) -> tuple[int, dict[str, set[int]]]:
    """Return how many photos there are, and for each keyword, tag and title the photos that have it.

    Of a keyword or tag with levels, such as `animals/dog`, the last level counts. Texts that differ only in case or accents
    are one. Names of people are left out.
    """
    found: dict[str, set[int]] = defaultdict(set)
    spellings: dict[str, str] = {}

    def add(text: str, photo_id: int) -> None:
        found[spellings.setdefault(fold(text), text)].add(photo_id)

    rows = connection.execute(select(photo.c.id, photo.c.keywords, photo.c.title).order_by(photo.c.id))
    for photo_id, keywords, title in rows:
        for keyword in keywords or ():
            add(_last_level(keyword), photo_id)
        if title:
            add(" ".join(title.split()), photo_id)
    given = (
        select(asset.c.photo_id, tag.c.name).join_from(asset_tag, tag).join(asset, asset.c.id == asset_tag.c.asset_id)
    )
    for photo_id, name in connection.execute(given.order_by(asset.c.photo_id, tag.c.id)):
        add(_last_level(name), photo_id)
    names = connection.execute(select(individual.c.name).where(individual.c.name.is_not(None))).scalars()
    people = {fold(name) for name in names}
    count = connection.execute(select(func.count()).select_from(photo)).scalar_one()
    return count, {text: photos for text, photos in found.items() if text and fold(text) not in people}


def _last_level(text: str) -> str:
    return " ".join(text.replace("|", "/").rstrip("/").rpartition("/")[2].split())
