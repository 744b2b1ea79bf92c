"""Turns the words and pictures of a query into query vectors, one per alternative, each with its cut-off.

A query vector is the weighted sum of texts and pictures, minus the subtracted texts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from photoindex.errors import NothingFound, UsageError
from photoindex.library.embed.model_choice import command_to_embed
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import find_file
from photoindex.library.search.semantic_query import SemanticQuery
from photoindex.library.spaces.calibration import CutOff, Share, calibrated, cut_off, level_of
from photoindex.library.spaces.query_encoder import QueryEncoder
from photoindex.paths import display, from_text, shell_word
from photoindex.query.syntax import EVERYTHING, Node
from photoindex.store.search import vector_photos
from photoindex.store.search.paths import check_path
from photoindex.store.search.targets import photo_of_file
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.store.vectors.vectors import STORED
from photoindex.vectors.scoring import is_unit, not_unit

if TYPE_CHECKING:
    from photoindex.vectors.space_index import SpaceIndex

Kind = Literal["text", "photo", "picture", "without"]

_SHOWN = 5
_SAMPLE_VECTORS = 4_096
"""The size of the sample of `SpaceIndex.sample`."""
_LOWEST_SCORE = -2.0
"""Below every cosine."""
_LEAST_NORM = 1e-3
"""Rounding errors are about 1e-7; the direction of a shorter sum means nothing."""


@dataclass(frozen=True, slots=True)
class QueryPart:
    """One text or picture of a query. weight: always above 0. values: float32 [dim] of unit length."""

    kind: Kind
    label: str
    weight: float
    values: NDArray[np.float32]

    @property
    def factor(self) -> float:
        """The signed weight, negative for a subtracted text."""
        return -self.weight if self.kind == "without" else self.weight

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture, in the library or not."""
        return self.kind in ("photo", "picture")


@dataclass(frozen=True, slots=True)
class QueryVector:
    """A query vector. values: float32 [dim] of unit length. length: of the weighted sum before normalisation."""

    values: NDArray[np.float32]
    length: float
    parts: tuple[QueryPart, ...]

    def shares(self, values: NDArray[np.floating]) -> list[float]:
        """Return each part's contribution to the cosine of the query and a vector [dim]; their sum is that cosine."""
        own = values.astype(np.float32)
        return [part.factor * float(part.values @ own) / self.length for part in self.parts]


@dataclass(frozen=True, slots=True)
class QueryTarget:
    """One alternative of a query: its vector and cut-off."""

    vector: QueryVector
    cut: CutOff

    @property
    def minimum(self) -> float:
        """The minimum score of a hit; below every score if there is no cut-off."""
        return _LOWEST_SCORE if self.cut.minimum is None else self.cut.minimum


def query_vectors(library: Library, space: SpaceRow, encoder: QueryEncoder, query: SemanticQuery) -> list[QueryVector]:
    """Return the vector of each alternative of a query.

    Raises ModelUnavailable; NothingFound for a photo that is not in the library or not in the query's scope; UsageError
    for a picture that cannot be decoded, a photo without a vector, and parts that cancel each other out.
    """
    parts, options = query.parts, query.options
    texts = {one.text for each in (*parts.alternatives, options.without) for one in each}
    values = encoder.texts(sorted(texts))
    with library.database.read() as connection:
        named = _NamedPhotos(connection, space, query.scope, command_to_embed(library, space.model))
        photos = [
            QueryPart("photo", one.value or "", options.like_weight, named.vector(one.value or ""))
            for one in parts.likes
        ]
    pictures = [
        QueryPart("picture", file.shown, options.like_weight, encoder.picture(file.path, file.shown))
        for file in options.pictures
    ]
    without = [
        QueryPart("without", one.text, one.weight * options.not_weight, values[one.text]) for one in options.without
    ]
    made = []
    for alternative in parts.alternatives or ((),):
        words = [
            QueryPart("text", one.text, one.weight * options.words_weight, values[one.text]) for one in alternative
        ]
        made.append(combined([*words, *photos, *pictures, *without]))
    return made


def with_cut_offs(
    library: Library, space: SpaceRow, index: SpaceIndex, vectors: Sequence[QueryVector], query: SemanticQuery
) -> list[QueryTarget]:
    """Return each vector of a query with its cut-off, measured against photos in the query's scope.

    Raises ModelUnavailable if the space must be calibrated first and its model is not available.
    """
    options = query.options
    if options.everything or options.min_score is not None:
        return [QueryTarget(vector, CutOff(options.min_score)) for vector in vectors]
    measured = calibrated(library, space, index)
    sample = _sample(library, space, index, query.scope)
    return [
        QueryTarget(vector, cut_off(sample @ vector.values, level_of(measured, _shares(vector)), _top(vector)))
        for vector in vectors
    ]


def _sample(library: Library, space: SpaceRow, index: SpaceIndex, scope: Node) -> NDArray[np.float32]:
    """Return a sample of the vectors in a scope, float32 [n, dim]; others would tell how similar hidden photos are."""
    if scope == EVERYTHING:
        return np.asarray(index.sample(), np.float32)
    with library.database.read() as connection:
        ids = np.asarray(vector_photos.vectors_matching(connection, space.id, scope), np.int64)
    if len(ids) > _SAMPLE_VECTORS:
        chosen = np.random.default_rng(len(ids)).choice(len(ids), _SAMPLE_VECTORS, replace=False)
        ids = ids[np.sort(chosen)]
    rows = index.vectors(ids)
    return np.delete(rows, not_unit(rows), axis=0)


def _top(vector: QueryVector) -> float:
    """Return the lowest score of the query's own pictures, 1 if they weigh less than its words."""
    pictures = [part for part in vector.parts if part.is_picture]
    words = sum(part.weight for part in vector.parts if part.kind == "text")
    if not pictures or sum(part.weight for part in pictures) < words:
        return 1.0
    return min(float(part.values @ vector.values) for part in pictures)


def _shares(vector: QueryVector) -> list[Share]:
    return [Share(part.is_picture, part.factor / vector.length) for part in vector.parts]


@dataclass(frozen=True, slots=True)
class _NamedPhotos:
    """Looks up the photos named by `like:`; photos outside the scope are not found."""

    connection: Connection
    space: SpaceRow
    scope: Node
    command: str
    """Embeds in the space."""

    def vector(self, written: str) -> NDArray[np.float32]:
        """Return the vector of a photo, float32 [dim] of unit length; `written`: its number or path."""
        photo_id = self._photo(written)
        data = vector_photos.vector_of_photo(self.connection, self.space.id, photo_id)
        if data is None:
            raise UsageError(
                f"like:{written}: photo {photo_id} has no vector in the space '{self.space.name}' yet; run: {self.command}; to "
                f"see whether it was given up: photoindex show {photo_id}"
            )
        whole = len(data) == STORED.itemsize * self.space.dim
        values = np.frombuffer(data, STORED).astype(np.float32) if whole else np.zeros(0, np.float32)
        if not is_unit(values):
            raise UsageError(
                f"like:{written}: the vector of photo {photo_id} is damaged; make it again: photoindex redo embed "
                f"id:{photo_id}, then: {self.command}"
            )
        return np.asarray(values / np.linalg.norm(values), np.float32)

    def _photo(self, written: str) -> int:
        """Return the photo with a number, or the photo of a path if such a file exists or the text is not a number.

        A path that is not a file in the library may be the end of one, as in `path:`.
        """
        path = from_text(written)
        if written.isascii() and written.isdigit() and len(written) < 19 and not os.path.lexists(path):
            if not self._is_visible(int(written)):
                raise NothingFound(f"like:{written}: there is no photo with the number {written}")
            return int(written)
        file_id = find_file(self.connection, path)
        if file_id is None:
            return self._photo_at_end(written)
        found = photo_of_file(self.connection, file_id)
        if found is not None and self._is_visible(found.photo_id):
            return found.photo_id
        if found is None and self.scope == EVERYTHING:
            raise NothingFound(
                f"like:{display(path)}: the file is in the library, but it is not a photo; for any picture file, use: "
                f"--like {shell_word(path)}"
            )
        return self._photo_at_end(written)

    def _is_visible(self, photo_id: int) -> bool:
        return photo_id in vector_photos.photos_among(self.connection, [photo_id], self.scope, present_only=False)

    def _photo_at_end(self, written: str) -> int:
        shown = display(from_text(written))
        try:
            check_path(written)
            found = vector_photos.photos_at(self.connection, written, self.scope, limit=_SHOWN + 1)
            is_folder = (
                not found and "*" not in written
                and vector_photos.has_photo_below(self.connection, written, self.scope)
            )  # fmt: skip
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
            raise UsageError(f"like:{shown} is a folder; name one photo in it; to find all of them: path:{shown}")
        raise NothingFound(
            f"like:{shown}: the file is not in the library; for any picture file, use: --like {shell_word(from_text(written))}"
        )


def combined(parts: Sequence[QueryPart]) -> QueryVector:
    """Return the weighted sum of all parts. Raises UsageError if they cancel each other out."""
    total = np.sum([part.factor * part.values.astype(np.float64) for part in parts], axis=0)
    length = float(np.linalg.norm(total))
    if length < _LEAST_NORM:
        raise UsageError("the query and the subtracted texts cancel each other out; change the words or their weights")
    return QueryVector((total / length).astype(np.float32), length, tuple(parts))
