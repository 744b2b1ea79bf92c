"""Encodes the texts and pictures of queries as vectors of a space, with the space's model or from the cache."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import DatabaseFailed, LibraryLocked, ModelUnavailable, StorageFull, UsageError
from photoindex.library.embed.model_choice import command_to_embed
from photoindex.library.handle import Library
from photoindex.library.limit_settings import with_settings
from photoindex.store.search.vector_photos import variant_key
from photoindex.store.vectors import query_vector_cache
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.text import without_stray_bytes
from photoindex.types import Failure
from photoindex.vectors.scoring import is_unit

if TYPE_CHECKING:
    from photoindex.models.base import TextEncoder
    from photoindex.models.weights import InstalledModel

_BATCH_TEXTS = 16
_WAIT_SECONDS = 0.2
"""A search waits no longer than this for another writer to cache its vectors."""


class QueryEncoder:
    """Encodes queries for one space; loads the model only for texts that are not cached."""

    def __init__(self, library: Library, space: SpaceRow) -> None:
        self._library = library
        self._space = space

    def texts(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vector, float32 [dim], of each text. Raises ModelUnavailable."""
        # Bytes of the command line that are not UTF-8 can be neither stored nor encoded.
        readable = {text: without_stray_bytes(text) for text in texts}
        wanted = list(dict.fromkeys(readable.values()))
        with self._library.database.read() as connection:
            found = query_vector_cache.known(connection, self._space.id, wanted)
            unused = query_vector_cache.long_unused(connection, self._space.id, wanted)
        found = {
            text: values for text, values in found.items() if values.shape == (self._space.dim,) and is_unit(values)
        }
        new = [text for text in wanted if text not in found]
        if new:
            found |= self._encoded(new)
        self.keep({text: found[text] for text in {*new, *unused}})
        return {text: found[one] for text, one in readable.items()}

    def texts_once(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of texts that are no queries, float32 [n, dim], without caching them. Raises ModelUnavailable."""
        made = self._encoded(list(dict.fromkeys(texts)))
        return np.stack([made[text] for text in texts])

    def keep(self, vectors: dict[str, NDArray[np.float32]]) -> None:
        """Cache the vectors of texts for the next query, if possible."""
        if not vectors:
            return
        try:
            with self._library.database.write(wait_seconds=_WAIT_SECONDS) as connection:
                query_vector_cache.keep(connection, self._space.id, vectors)
        except (DatabaseFailed, LibraryLocked, StorageFull):
            # Read-only, busy or full: the result is the same, but the next query takes as long.
            return

    def picture(self, path: bytes, shown: str) -> NDArray[np.float32]:
        """Return the vector, float32 [dim], of a picture file; shown: its name in messages.

        Raises ModelUnavailable, and UsageError if the file cannot be decoded.
        """
        from photoindex.models.encoders import open_image_encoder
        from photoindex.pipeline.query_picture import PictureJob, read_picture

        if os.path.isdir(path):
            raise UsageError(f"{shown} is a folder; name a picture file")
        if not os.path.lexists(path):
            raise UsageError(f"{shown}: there is no such file")
        config = self._library.config
        preprocessing = self.installed.encoders.preprocessing
        job = PictureJob(path, config.derived.params, preprocessing, config.scan.limits)
        pixels = read_picture(job)
        if isinstance(pixels, Failure):
            raise UsageError(f"{shown} cannot be decoded: {with_settings(pixels.message)}")
        encoder = open_image_encoder(self.installed, device="cpu", runtime="onnx")
        values: NDArray[np.float32] = encoder.encode_images(pixels[np.newaxis])[0]
        return values

    def cut_words(self, text: str) -> int | None:
        """Return an upper limit of the words that the model reads of a text, None if it may read all.

        Every word is at least one token, and two tokens mark the ends, so the text may be truncated even earlier.
        """
        words = len(text.split())
        if words <= _BATCH_TEXTS:
            return None
        try:
            room = self.installed.encoders.context_length - 2
        except ModelUnavailable:
            return None  # its vector is cached
        return room if words > room else None

    @cached_property
    def installed(self) -> InstalledModel:
        """The model of the space. Raises ModelUnavailable if either is missing, or the model has other weights."""
        from photoindex.models.weights import ModelStore

        with self._library.database.read() as connection:
            written = variant_key(connection, self._space.id)
        if written is None:
            raise ModelUnavailable(f"the space '{self._space.name}' was dropped meanwhile; run the command again")
        found = ModelStore(self._library.models_folder).get(self._space.model)
        key = json.loads(written)
        if found.description.dim != self._space.dim or key.get("weights", found.digest) != found.digest:
            raise ModelUnavailable(
                f"the vectors of the space '{self._space.name}' were made with other weights of the model '{found.id}' "
                f"than those installed; make a space with these: {command_to_embed(self._library, found.id)}, then use it: "
                "photoindex spaces use NAME"
            )
        return found

    @cached_property
    def _encoder(self) -> TextEncoder:
        from photoindex.models.encoders import open_text_encoder

        return open_text_encoder(self.installed)

    def _encoded(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        made: dict[str, NDArray[np.float32]] = {}
        for start in range(0, len(texts), _BATCH_TEXTS):
            some = texts[start : start + _BATCH_TEXTS]
            made |= zip(some, self._encoder.encode_texts(some), strict=True)
        return made
