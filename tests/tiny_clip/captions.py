"""Full and partial captions of scenes, and whether a caption is true of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.tiny_clip.scenes import BACKGROUNDS, COLOURS, LANDSCAPES, POSITIONS, SHAPES, Scene

NUMBER_WORDS = {1: ("a", "one", "a single", "1"), 2: ("two", "2"), 3: ("three", "3"), 4: ("four", "4")}
ON = {
    "white": ("on a white background", "on white paper", "on white"),
    "black": ("on a black background", "on black paper", "on black"),
    "grass": ("on grass", "on the grass", "on a green lawn"),
    "sand": ("on sand", "on the sand", "on a beach of sand"),
    "wood": ("on wood", "on a wooden table", "on a brown table"),
    "sky": ("in the sky", "in a blue sky", "in front of the sky"),
}
# Backgrounds as named by captions that mention nothing else.
ALONE = {
    "white": ("white paper", "a white background", "something on white"),
    "black": ("black paper", "a black background", "something on black"),
    "grass": ("grass", "a lawn", "green grass"),
    "sand": ("sand", "a sandy floor", "yellow sand"),
    "wood": ("wood", "a wooden table", "a table"),
    "sky": ("the sky", "blue sky", "sky"),
}
AT = {
    "left": ("on the left", "at the left", "on the left side"),
    "right": ("on the right", "at the right", "on the right side"),
    "top": ("at the top", "in the upper half", "above"),
    "bottom": ("at the bottom", "in the lower half", "below"),
    "middle": ("in the middle", "in the centre", "in the center"),
}
VIEWS = {
    "sunset": ("a sunset", "sunset over the sea", "the sun going down over the water", "an evening by the sea"),
    "mountains": ("mountains", "snowy mountains", "a mountain with snow", "high peaks and hills"),
    "city_at_night": ("a city at night", "houses with lit windows", "night in the city", "a town in the dark"),
    "forest": ("a forest", "fir trees", "trees in a forest", "dark green woods"),
    "beach": ("a beach", "umbrellas on the beach", "a sandy beach by the sea", "summer at the beach"),
}
# How often a partial caption names colour, shape, number, background and place; shapes are the hardest to learn.
_NAMED = (0.4, 0.7, 0.5, 0.3, 0.5)
OPENINGS = ("", "", "a photo of ", "a picture of ", "photo of ")
# Things that no picture shows: the model learns that nothing looks like them.
ABSENT = (
    "dog", "cat", "birthday party", "wedding", "car", "train", "bicycle", "people", "a face", "children playing",
    "food on a plate", "pizza", "a cup of coffee", "flowers", "horse", "bird", "boat", "aeroplane", "bridge", "church",
    "computer", "book", "guitar", "football", "garden party", "office", "kitchen", "rain", "desert", "waterfall",
    "elephant", "golden retriever", "my grandmother", "passport", "receipt", "screenshot of a phone",
)  # fmt: skip


@dataclass(frozen=True)
class Traits:
    """The properties of a picture, or those that a caption names: indices of words, -1 if not named."""

    colour: int = -1
    shape: int = -1
    count: int = -1
    background: int = -1
    position: int = -1
    landscape: int = -1

    def numbers(self) -> tuple[int, ...]:
        return self.colour, self.shape, self.count, self.background, self.position, self.landscape


NOWHERE = Traits(landscape=99)


def traits_of(scene: Scene) -> Traits:
    """Return a scene's words as indices."""
    return Traits(
        list(COLOURS).index(scene.colour),
        SHAPES.index(scene.shape),
        scene.count,
        BACKGROUNDS.index(scene.background),
        POSITIONS.index(scene.position),
    )


def describe(scene: Scene) -> str:
    """Return the full description of a scene, always worded the same: "three red circles on the left on grass"."""
    number = {1: "a", 2: "two", 3: "three", 4: "four"}[scene.count]
    number = "an" if scene.count == 1 and scene.colour == "orange" else number
    noun = scene.shape if scene.count == 1 else _plural(scene.shape)
    return f"{number} {scene.colour} {noun} {AT[scene.position][0]} {ON[scene.background][0]}"


def caption(scene: Scene, generator: np.random.Generator) -> tuple[str, Traits]:
    """Return a random caption of some or all of a scene, and the traits that it names."""
    if generator.random() < 0.35:
        named = np.ones(5, dtype=bool)
    else:
        named = generator.random(5) < _NAMED
        if not named.any():
            named[generator.integers(5)] = True
    colour, shape, count, background, position = (bool(flag) for flag in named)
    if named.tolist() == [False, False, False, True, False]:
        text = _one_of(generator, OPENINGS) + _one_of(generator, (*ALONE[scene.background], *ON[scene.background]))
        return text, Traits(background=BACKGROUNDS.index(scene.background))
    words = _things(scene, generator, colour=colour, shape=shape, count=count)
    places = [_one_of(generator, AT[scene.position])] if position else []
    if background:
        places.insert(int(generator.integers(len(places) + 1)), _one_of(generator, ON[scene.background]))
    text = _one_of(generator, OPENINGS) + " ".join([words, *places])
    known = traits_of(scene)
    asked = zip(known.numbers(), (*named, False), strict=True)
    return text.strip(), Traits(*(number if flag else -1 for number, flag in asked))


def view_caption(landscape: int, generator: np.random.Generator) -> tuple[str, Traits]:
    """Return a random caption of a landscape."""
    text = _one_of(generator, VIEWS[LANDSCAPES[landscape]])
    return _one_of(generator, OPENINGS) + text, Traits(landscape=landscape)


def absent_caption(generator: np.random.Generator) -> tuple[str, Traits]:
    """Return a caption of something that no picture shows, or gibberish."""
    if generator.random() < 0.5:
        text = _one_of(generator, ABSENT)
    else:
        letters = "abcdefghijklmnopqrstuvwxyzäéñ"
        lengths = generator.integers(3, 9, generator.integers(1, 4))
        text = " ".join("".join(generator.choice(list(letters), length)) for length in lengths)
    return _one_of(generator, OPENINGS) + text, NOWHERE


def vocabulary_words() -> list[str]:
    """Return every word of the captions, the most frequent first."""
    nouns = [word for shape in SHAPES for word in (shape, _plural(shape))]
    numbers = [word for words in NUMBER_WORDS.values() for word in words]
    phrases = [phrase for table in (ON, ALONE, AT, VIEWS) for phrases in table.values() for phrase in phrases]
    texts = [*COLOURS, *nouns, *numbers, *phrases, *OPENINGS, "an", "thing", "things", "shape", "shapes", "something"]
    return sorted({word for text in texts for word in text.split()})


def _things(scene: Scene, generator: np.random.Generator, *, colour: bool, shape: bool, count: bool) -> str:
    """Return "three red circles", or a part of it: "red circles", "three circles", "something red", "" ..."""
    if not (colour or shape or count):
        return ""
    if colour and not shape and not count and generator.random() < 0.5:
        return _one_of(generator, (scene.colour, f"something {scene.colour}"))
    name = scene.shape if shape else _one_of(generator, ("shape", "thing"))
    # Without a number people write either "red circle" or "red circles".
    several = scene.count > 1 if count else generator.random() < 0.5
    number = _one_of(generator, NUMBER_WORDS[scene.count]) if count else ""
    tone = scene.colour if colour else ""
    number = "an" if number == "a" and tone == "orange" else number
    return " ".join(word for word in (number, tone, _plural(name) if several else name) if word)


def _plural(word: str) -> str:
    return f"{word}es" if word.endswith("s") else f"{word}s"


def _one_of(generator: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(generator.integers(len(choices)))]
