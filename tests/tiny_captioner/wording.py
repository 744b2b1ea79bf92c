"""The captions of the tiny captioner, and its tokens: one for each word."""

from __future__ import annotations

import itertools
from functools import cache

from tests.tiny_clip.captions import describe
from tests.tiny_clip.scenes import Scene, all_scenes

PAD, UNKNOWN, BEGIN, END, IMAGE = "<pad>", "<unk>", "<s>", "</s>", "<image>"
SPECIAL = (PAD, UNKNOWN, BEGIN, END, IMAGE)


def sentence_of(scene: Scene) -> str:
    """Return the caption of a scene, always in the same words: "three red circles on the left on grass"."""
    return describe(scene)


@cache
def vocabulary() -> tuple[str, ...]:
    """Return the tokens: the special ones, then every word of the captions."""
    sentences = (sentence_of(scene) for scene in all_scenes())
    return (*SPECIAL, *sorted(set(itertools.chain.from_iterable(sentence.split() for sentence in sentences))))
