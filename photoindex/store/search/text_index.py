"""Words in the texts of photos: the condition that finds them, and the texts that are indexed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select

from photoindex.paths import to_text
from photoindex.query.values import is_indexed
from photoindex.store.engine import text_search
from photoindex.text import without_stray_bytes
from photoindex.types import Resolved


def matching(text: str, *, prefix: bool) -> ColumnElement[bool]:
    """Return a condition on `photo.id`: one of its texts holds the words of `text` one after the other.

    With `prefix` the last word may go on. Case and accents do not matter.
    """
    from photoindex.store.schema.tables import photo

    found = text_search.matches(text_search.phrase(text, prefix=prefix))
    return photo.c.id.in_(select(text_search.photo_id).where(found))


def holding(value: str) -> ColumnElement[bool]:
    """Return the condition of `text:value`: as `matching`, with `*` at the end for a word that may go on."""
    return matching(value.removesuffix("*"), prefix=value.endswith("*"))


def refuse_unsearchable(value: str) -> None:
    """Raise ValueError for a value that holds nothing to search for, or a `*` elsewhere than at its end."""
    if "*" in value[:-1]:
        raise ValueError("'*' stands only at the end; name:IMG_*7 and path:2019/*.jpg take it anywhere")
    if not any(map(is_indexed, value)):
        raise ValueError("there is no letter or digit here to search for; marks alone are not indexed")


def document(names: Sequence[bytes], folders: Sequence[bytes], resolved: Resolved) -> dict[str, str]:
    """Return a photo's row of `photo_text`, without its `photo_id`.

    names: of all files of the photo. folders: where they lie below their roots. Bytes that are not UTF-8 become U+FFFD.
    """
    camera = " ".join(part for part in (resolved.camera_make, resolved.camera_model) if part)
    texts = {
        "name": "\n".join(map(to_text, dict.fromkeys(names))),
        "folder": "\n".join(to_text(folder).replace("/", " ") for folder in dict.fromkeys(folders)),
        "camera": camera,
        "keywords": "\n".join(resolved.keywords),
        "title": resolved.title or "",
        "description": resolved.description or "",
        "place": resolved.place or "",
    }
    return {name: without_stray_bytes(text) for name, text in texts.items()}
