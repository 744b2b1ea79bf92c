"""A second look at the first results of a search: a stronger installed model scores their previews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable, UsageError
from photoindex.library.handle import Library
from photoindex.library.search.hits import read_hits
from photoindex.library.search.query_targets import QueryPart, combined
from photoindex.library.search.rank_fusion import MEANING, Place, Ranked
from photoindex.library.search.semantic_query import SemanticQuery
from photoindex.library.search.semantic_search import SemanticAnswer
from photoindex.library.search.word_lists import MEANING_WEIGHT
from photoindex.models.catalog import load_catalog
from photoindex.models.description import VISUAL
from photoindex.models.encoders import open_image_encoder, open_text_encoder
from photoindex.models.lock import IMAGE_TEXT
from photoindex.models.weights import InstalledModel, ModelStore
from photoindex.pipeline.ingest.derived_files import preview_path
from photoindex.stages.base import UnreadablePreview
from photoindex.stages.embed import pixels_of

SECOND_LOOK = "second look"
_BATCH = 8
_WORTH_PULLING = ("clip-vit-l-14", "siglip2-vit-b-16-256")


def look_again(library: Library, query: SemanticQuery, answer: SemanticAnswer, first: int) -> SemanticAnswer:
    """Return an answer whose first photos are in the order that a stronger model gives them, fused with their words.

    The rank by the stronger model's score takes the place of the rank by score. A photo without a preview keeps its rank.
    Raises ModelUnavailable without a stronger model, UsageError for queries by pictures.
    """
    if not query.parts.alternatives or query.parts.likes or query.options.pictures:
        raise UsageError("--rerank is for words alone; leave out like: and --like, or --rerank")
    installed = stronger_model(library, answer.space.model)
    looked = answer.ranked[:first]
    scores = _scores(library, installed, query, [one.photo_id for one in looked])
    order = sorted(scores, key=lambda photo_id: (-scores[photo_id], photo_id))
    ranks = {photo_id: rank for rank, photo_id in enumerate(order, 1)}
    again = [
        _again(one, scores[one.photo_id], ranks[one.photo_id]) if one.photo_id in scores else one for one in looked
    ]
    again.sort(key=lambda one: (-one.fused, -(one.second_score or -2.0), one.photo_id))
    return replace(answer, ranked=(*again, *answer.ranked[first:]), second_model=installed.id)


def _again(one: Ranked, score: float, rank: int) -> Ranked:
    """Replace the rank by score: it stays as information, with the weight 0."""
    kept = tuple(replace(place, weight=0.0) if place.name == MEANING else place for place in one.places)
    places = (*kept, Place(SECOND_LOOK, MEANING_WEIGHT, rank))
    return replace(one, places=places, fused=sum(place.share for place in places), second_score=score)


def stronger_model(library: Library, model_id: str) -> InstalledModel:
    """Return the installed model that looks closest at a picture, if that is closer than a model does.

    Raises ModelUnavailable, with the command to install one, if there is none.
    """
    known = {one.id: one for one in ModelStore(library.models_folder).installed() if one.description.task == IMAGE_TEXT}
    own = closeness(known[model_id]) if model_id in known else 0
    best = max(known.values(), key=closeness, default=None)
    if best is not None and best.id != model_id and closeness(best) > own:
        return best
    catalog = load_catalog(library.models_folder)
    wanted = next((one for one in _WORTH_PULLING if one in catalog and one not in known), None)
    remedy = "" if wanted is None else f"; run: photoindex models pull {wanted}"
    raise ModelUnavailable(f"no installed model is stronger than '{model_id}', which searches here{remedy}")


def closeness(installed: InstalledModel) -> int:
    """Return about how much work a model does for one picture: bytes of its image tower times pixels of its input."""
    tower = sum(one.size_bytes for name, one in installed.files.items() if name.startswith(VISUAL))
    return tower * installed.encoders.input_px**2


def _scores(
    library: Library, installed: InstalledModel, query: SemanticQuery, photo_ids: Sequence[int]
) -> dict[int, float]:
    """Return photo id -> best cosine with an alternative of the query; photos without a usable preview are omitted."""
    targets = _targets(installed, query)
    encoder = open_image_encoder(installed, device=library.config.embed.device)
    scores: dict[int, float] = {}
    ready: list[tuple[int, NDArray[np.uint8]]] = []

    def encode() -> None:
        vectors = encoder.encode_images(np.stack([pixels for _, pixels in ready]))
        best = (vectors @ targets.T).max(axis=1)
        scores.update((photo_id, float(score)) for (photo_id, _), score in zip(ready, best, strict=True))
        ready.clear()

    for hit in read_hits(library, photo_ids):
        if hit.digest is None:
            continue
        try:
            data = preview_path(library.derived_folder, bytes.fromhex(hit.digest)).read_bytes()
            ready.append((hit.id, pixels_of(data, encoder.preprocessing)))
        except (OSError, UnreadablePreview):
            continue  # it was lost, or is damaged: the next scan makes it again
        if len(ready) == _BATCH:
            encode()
    if ready:
        encode()
    return scores


def _targets(installed: InstalledModel, query: SemanticQuery) -> NDArray[np.float32]:
    """Return the vector of each alternative, float32 [n, dim]."""
    options = query.options
    texts = sorted({one.text for each in (*query.parts.alternatives, options.without) for one in each})
    values = dict(zip(texts, open_text_encoder(installed).encode_texts(texts), strict=True))
    without = [
        QueryPart("without", one.text, one.weight * options.not_weight, values[one.text]) for one in options.without
    ]
    alternatives = (
        [QueryPart("text", one.text, one.weight * options.words_weight, values[one.text]) for one in texts]
        for texts in query.parts.alternatives
    )
    return np.stack([combined([*words, *without]).values for words in alternatives])
