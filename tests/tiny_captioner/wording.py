"""The words of the captions that the tiny captioner is trained on."""

from __future__ import annotations

import itertools

from tests.tiny_clip.captions import describe
from tests.tiny_clip.scenes import all_scenes

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def vocabulary() -> list[str]:
    """Return the tokens: the special ones, then every word of the captions."""
    sentences = (describe(scene) for scene in all_scenes())
    return [*SPECIAL, *sorted(set(itertools.chain.from_iterable(sentence.split() for sentence in sentences)))]
