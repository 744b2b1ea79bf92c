"""Turn the words and pictures of a query into vectors of a space, each alternative with its cut-off."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection

from photoindex.errors import NothingFound, UsageError
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import find_file
from photoindex.library.search.query_vector import Part, QueryVector, combined
from photoindex.library.search.semantic_query import Wanted
from photoindex.library.search.semantic_terms import Meaning
from photoindex.library.spaces.calibration import CutOff, Share, calibrated, cut_off, level_of
from photoindex.library.spaces.query_encoder import QueryEncoder
from photoindex.paths import display, from_text
from photoindex.store.search import vector_photos
from photoindex.store.search.paths import refuse_path
from photoindex.store.search.targets import photo_of_file
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.store.vectors.vectors import STORED
from photoindex.vectors.scoring import is_unit

if TYPE_CHECKING:
    from photoindex.vectors.space_index import SpaceIndex

_SHOWN = 5
_LOWEST_SCORE = -2.0
"""Below every cosine."""


@dataclass(frozen=True, slots=True)
class Sought:
    """One alternative of a query: its vector, and the least score of a hit."""

    vector: QueryVector
    cut: CutOff

    @property
    def minimum(self) -> float:
        """The least score of a hit; below every score where there is no cut-off."""
        return _LOWEST_SCORE if self.cut.minimum is None else self.cut.minimum


def query_vectors(
    library: Library, space: SpaceRow, encoder: QueryEncoder, meaning: Meaning, wanted: Wanted
) -> list[QueryVector]:
    """Return the vector of each alternative of a query.

    Raises ModelUnavailable; NothingFound for a photo that the library does not know; UsageError for a picture that cannot
    be decoded, a photo without a vector, and where what is looked for and what is subtracted cancel each other out.
    """
    texts = {one.text for each in (*meaning.alternatives, wanted.without) for one in each}
    values = encoder.texts(sorted(texts))
    with library.database.read() as connection:
        photos = [_photo_part(connection, space, one.value or "", wanted.like_weight) for one in meaning.likes]
    pictures = [
        Part("picture", file.shown, wanted.like_weight, encoder.picture(file.path, file.shown))
        for file in wanted.pictures
    ]
    without = [Part("without", one.text, one.weight * wanted.not_weight, values[one.text]) for one in wanted.without]
    made = []
    for alternative in meaning.alternatives or ((),):
        words = [Part("text", one.text, one.weight * wanted.words_weight, values[one.text]) for one in alternative]
        made.append(combined([*words, *photos, *pictures, *without]))
    return made


def with_cut_offs(
    library: Library, space: SpaceRow, index: SpaceIndex, vectors: Sequence[QueryVector], wanted: Wanted
) -> list[Sought]:
    """Return each vector of a query with its cut-off. Raises ModelUnavailable where the space has to be measured first."""
    if wanted.everything or wanted.min_score is not None:
        return [Sought(vector, CutOff(wanted.min_score)) for vector in vectors]
    measured = calibrated(library, space, index)
    sample = np.asarray(index.sample(), np.float32)
    return [
        Sought(
            vector,
            cut_off(sample @ vector.values, level_of(measured, _shares(vector)), _top(vector)),
        )
        for vector in vectors
    ]


def _top(vector: QueryVector) -> float:
    """Return the least score of the pictures that a query names, 1 where they count less than its words."""
    pictures = [part for part in vector.parts if part.is_picture]
    words = sum(part.weight for part in vector.parts if part.kind == "text")
    if not pictures or sum(part.weight for part in pictures) < words:
        return 1.0
    return min(float(part.values @ vector.values) for part in pictures)


def _shares(vector: QueryVector) -> list[Share]:
    return [Share(part.is_picture, part.factor / vector.length) for part in vector.parts]


def _photo_part(connection: Connection, space: SpaceRow, written: str, weight: float) -> Part:
    photo_id = _photo_named(connection, written)
    data = vector_photos.vector_of_photo(connection, space.id, photo_id)
    if data is None:
        raise UsageError(
            f"like:{written}: photo {photo_id} has no vector in the space '{space.name}' yet; run: photoindex embed"
        )
    values = np.zeros(0) if len(data) != STORED.itemsize * space.dim else np.frombuffer(data, STORED).astype(np.float32)
    if not is_unit(values):
        raise UsageError(
            f"like:{written}: the vector of photo {photo_id} is damaged; make it again: photoindex redo embed id:{photo_id}, "
            "then: photoindex embed"
        )
    return Part("photo", written, weight, values / np.linalg.norm(values))


def _photo_named(connection: Connection, written: str) -> int:
    """Return the photo of a number, or of a path where a file of that name exists here or the text is no number.

    A path that leads to no file of the library from here may be the end of one, as in `path:`.
    """
    path = from_text(written)
    if written.isascii() and written.isdigit() and len(written) < 19 and not os.path.lexists(path):
        if not vector_photos.has_photo(connection, int(written)):
            raise NothingFound(f"like:{written}: there is no photo with the number {written}")
        return int(written)
    file_id = find_file(connection, path)
    if file_id is None:
        return _photo_at_end(connection, written)
    found = photo_of_file(connection, file_id)
    if found is None:
        raise NothingFound(
            f"like:{display(path)}: the file is in the library, but it is no photo; for any picture file, use: "
            f"--like {display(path)}"
        )
    return found.photo_id


def _photo_at_end(connection: Connection, written: str) -> int:
    shown = display(from_text(written))
    try:
        refuse_path(written)
        found = vector_photos.photos_at(connection, written, limit=_SHOWN + 1)
        is_folder = not found and "*" not in written and vector_photos.has_photo_below(connection, written)
    except ValueError:
        found, is_folder = [], False
    if len(found) == 1:
        return found[0]
    if found:
        more = ", …" if len(found) > _SHOWN else ""
        raise UsageError(
            f"like:{shown}: several photos have this path or end of one: {', '.join(map(str, found[:_SHOWN]))}{more}; "
            f"name one by its number, like:{found[0]}"
        )
    if is_folder:
        raise UsageError(f"like:{shown} is a folder; name one photo of it; to find them all: path:{shown}")
    raise NothingFound(f"like:{shown}: the file is not in the library; for any picture file, use: --like {shown}")
