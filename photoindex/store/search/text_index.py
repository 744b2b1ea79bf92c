"""Full-text search: the condition that matches words, and the texts that are indexed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select

from photoindex.paths import to_text
from photoindex.query.values import is_indexed
from photoindex.store.engine import text_search
from photoindex.text import fold
from photoindex.types import Resolved


def matching(text: str, *, prefix: bool, columns: Sequence[str] = ()) -> ColumnElement[bool]:
    """Return the condition on `photo.id` that one of its texts contains the words of `text` consecutively.

    With `prefix` the last word matches as a prefix. columns: of `photo_text`, where not all are meant. All texts are folded.
    """
    from photoindex.store.schema.tables import photo

    expression = text_search.phrase(text, prefix=prefix)
    found = text_search.matches(text_search.in_columns(columns, expression) if columns else expression)
    return photo.c.id.in_(select(text_search.photo_id).where(found))


def contains_words(value: str) -> ColumnElement[bool]:
    """Return the condition for `text:value`, as `matching`; a trailing `*` makes the last word a prefix."""
    return _contains(value)


def captioned(value: str) -> ColumnElement[bool]:
    """Return the condition for `caption:value`, like `contains_words`, on the description and models' captions."""
    return _contains(value, "description", "caption")


def contains_words_in_picture(value: str) -> ColumnElement[bool]:
    """Return the condition for `ocr:value`, like `contains_words`, on the text in the picture."""
    return _contains(value, "ocr")


def _contains(value: str, *columns: str) -> ColumnElement[bool]:
    return matching(value.removesuffix("*"), prefix=value.endswith("*"), columns=columns)


def check_searchable(value: str) -> None:
    """Raise ValueError for a value without anything to search for, or with a `*` before its end."""
    if "*" in value[:-1]:
        raise ValueError("'*' is allowed only at the end; name:IMG_*7 and path:2019/*.jpg accept it anywhere")
    if not any(map(is_indexed, value)):
        raise ValueError("there is no letter or digit to search for; punctuation alone is not indexed")


def document(names: Sequence[bytes], folders: Sequence[bytes], resolved: Resolved) -> dict[str, str]:
    """Return a photo's row of `photo_text`, folded, without its `photo_id`.

    names: of all the photo's files. folders: of these files, relative to their roots. Invalid UTF-8 becomes U+FFFD.
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
    return {name: fold(text) for name, text in texts.items()}
