"""Which model serves a language, and how to get and use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from photoindex.domain.words.language import ENGLISH, NAMES, language_of_locale
from photoindex.library.handle import Library
from photoindex.models.catalog import load_catalog
from photoindex.models.lock import IMAGE_TEXT, read_lock
from photoindex.store.vectors.spaces import all_spaces


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The model for texts in a language: its name in English, or its code where that is not known, and the model's id.

    model_id: None if no model of the catalogue serves it.
    """

    language: str
    model_id: str | None
    is_english: bool


def recommended_to_user(library: Library, environment: Mapping[str, str]) -> Recommendation:
    """Return the model for the language of a user's locale."""
    language = language_of_locale(environment)
    return Recommendation(NAMES.get(language, language), recommended(library, language), language == ENGLISH)


def recommended(library: Library, language: str) -> str | None:
    """Return the first model of the catalogue that embeds photos, serves a language and is free for any use."""
    entries = load_catalog(library.models_folder).values()
    fitting = (one.id for one in entries if one.task == IMAGE_TEXT and not one.restricted and one.serves(language))
    return next(fitting, None)


def advice_on_query(library: Library, model_id: str, language: str) -> str | None:
    """Return a sentence if a model does not serve the language of a query, with the commands to use one that does.

    None for a model whose languages are unknown, and where no model of the catalogue serves the language.
    """
    entry = load_catalog(library.models_folder).get(model_id)
    other = recommended(library, language)
    if entry is None or entry.serves(language) or other is None:
        return None
    return f"the query looks {NAMES.get(language, language)}, which the model {model_id} does not know; {_way_to(library, other)}"


def _way_to(library: Library, model_id: str) -> str:
    with library.database.read() as connection:
        spaces = [one.name for one in all_spaces(connection) if one.model == model_id]
    if spaces:
        return f"to search with one that does: photoindex spaces use {spaces[0]}"
    installed = model_id in read_lock(library.models_folder).models
    pull = "" if installed else f"photoindex models pull {model_id}, then: "
    return f"for one that does: {pull}photoindex embed --model {model_id}, then: photoindex spaces use {model_id}"
