"""The families of captioners: what each of them is asked, and how its answer is told from the question.

The classes are those of transformers' AutoModelForImageTextToText; a family differs from another in what is asked and in
what it returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ask(StrEnum):
    """How a model is asked: with words in front of the caption, with a task, in a chat, or not at all."""

    BEGINNING = "beginning"
    TASK = "task"
    CHAT = "chat"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Family:
    """Models that are run in the same way.

    types: as `model_type` in their `config.json`. prompt: asked by default. repeats: the answer begins with the question.
    varies: pictures of different shapes take different times, so that batches are sorted. wide: its numbers are too large
    for float16.
    """

    name: str
    types: tuple[str, ...]
    ask: Ask
    prompt: str = ""
    repeats: bool = False
    varies: bool = False
    wide: bool = False


IN_A_SENTENCE = "Describe this photo in one sentence."

FAMILIES: tuple[Family, ...] = (
    Family("blip", ("blip",), Ask.BEGINNING),
    Family("blip-2", ("blip-2",), Ask.BEGINNING, repeats=True),
    Family("florence-2", ("florence2",), Ask.TASK, "<DETAILED_CAPTION>"),
    Family(
        "smolvlm", ("idefics2", "idefics3", "smolvlm"), Ask.CHAT, IN_A_SENTENCE, repeats=True, varies=True, wide=True
    ),
    Family(
        "qwen-vl",
        ("qwen2_vl", "qwen2_5_vl", "qwen3_vl"),
        Ask.CHAT,
        IN_A_SENTENCE,
        repeats=True,
        varies=True,
        wide=True,
    ),
    Family("gemma", ("gemma3", "gemma3n", "gemma4"), Ask.CHAT, IN_A_SENTENCE, repeats=True, varies=True, wide=True),
    Family("fast-vlm", ("fast_vlm",), Ask.CHAT, IN_A_SENTENCE, repeats=True, wide=True),
    Family("encoder-decoder", ("vision-encoder-decoder",), Ask.NOTHING),
)
"""The families that transformers itself implements."""
OWN_CODE = Family("own-code", (), Ask.NOTHING)
"""Models that bring their own code, see `models.captions.own_code`; none was tested."""


def family_of(model_type: str) -> Family | None:
    """Return the family of a `model_type`, None if it is not known."""
    return next((family for family in FAMILIES if model_type in family.types), None)


def family_named(name: str) -> Family:
    """Return a family by its name. Raises KeyError."""
    return {family.name: family for family in (*FAMILIES, OWN_CODE)}[name]
