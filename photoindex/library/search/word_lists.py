"""The lists of photos that have the words of a query, one for each kind of text, with the weight of each in a search.

A photo with all words in one kind of text is in the list of that kind, and in the list of all texts; so a match in own
words counts as much as one in meaning, and a match of words from different kinds, such as a name and a caption, less. The
words in the order of the query count more: only they tell "a dog above a cat" from "a cat above a dog".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from photoindex.library.search.rank_fusion import TEXTS

MEANING_WEIGHT = 1.0
PHRASE, OWN_WORDS, PEOPLE_AND_PLACES = "whole phrase", "own words", "people and places"


@dataclass(frozen=True, slots=True)
class WordList:
    """columns: of the full-text index; none for all of them. weight: how much a rank in this list counts."""

    name: str
    weight: float
    columns: tuple[str, ...] = ()


WORD_LISTS = (
    WordList(TEXTS, 0.4),
    WordList(PHRASE, 0.3),
    WordList(OWN_WORDS, 0.6, ("keywords", "tags", "title", "description", "name")),
    WordList(PEOPLE_AND_PLACES, 0.6, ("people", "place")),
    WordList("captions", 0.5, ("caption",)),
    WordList("machine tags", 0.3, ("labels",)),
    WordList("text in pictures", 0.3, ("ocr",)),
    WordList("folders and cameras", 0.2, ("folder", "camera")),
)
"""A person's words count most; what a machine said or read may be wrong."""
DEPTH_FACTOR = math.ceil(sum(one.weight for one in WORD_LISTS) / WORD_LISTS[0].weight)
"""For n wanted photos, one at rank DEPTH_FACTOR x (60 + n) - 60 in all lists is behind one at rank n in one of them."""
