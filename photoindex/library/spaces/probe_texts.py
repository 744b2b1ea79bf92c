"""Texts to calibrate a space with: everyday things, most of which are not in most photos."""

from __future__ import annotations

VERSION = 2
"""Increment with every change of the texts, to invalidate earlier calibrations."""

PROBE_TEXTS: tuple[str, ...] = (
    "a dog running on grass", "a cat asleep on a sofa", "a horse in a field", "cows on a meadow", "an elephant",
    "a bird on a branch", "a parrot", "a butterfly on a flower",
    "a snake", "a frog beside a pond", "a bear in the forest", "a sheep dog with its flock", "a penguin on ice",
    "people laughing at a party", "a baby in a cot", "children on a playground", "an old man reading", "a bride and groom",
    "a portrait in black and white", "a crowd at a concert", "a woman on the telephone", "a man with a beard",
    "a family around the table", "a school class", "a football match", "a swimmer in a pool", "a skier on a slope",
    "a cyclist in the city", "someone playing the guitar", "an orchestra", "a ballet dancer",
    "a beach at sunset", "mountains with snow", "a lake between hills", "a waterfall", "a desert with dunes",
    "a forest in autumn", "a field of sunflowers", "a rainbow after rain", "lightning at night", "stars and the milky way",
    "a full moon", "fog over a river", "a frozen window", "waves against rocks", "a tropical island",
    "a city skyline at night", "a narrow old street", "a castle on a hill", "a bridge",
    "a lighthouse", "a skyscraper of glass", "a farmhouse", "ancient ruins", "a market with fruit",
    "a train at a station", "an aeroplane in the sky", "a sailing boat", "a red sports car", "a motorcycle", "a bus stop",
    "a bicycle against a wall", "a hot air balloon",
    "a plate of pasta", "a birthday cake with candles", "a cup of coffee", "a glass of red wine", "sushi", "a pizza",
    "bread on a board", "an ice cream", "a barbecue in the garden", "vegetables at a market",
    "a kitchen", "a bedroom", "a bookshelf", "an office desk with a computer", "a staircase", "a clock on a wall",
    "a camera on a tripod", "a chessboard", "tools in a workshop", "a Christmas tree",
    "fireworks", "a painting in a museum", "a statue", "graffiti on a wall", "a handwritten letter", "a receipt",
    "a screenshot of a telephone", "a diagram with arrows", "a map", "a sign with text",
    "a child blowing out candles", "friends hiking on a trail", "a grandmother knitting", "a couple dancing at a wedding",
    "a surfer on a wave", "a runner crossing the finish line", "a rabbit in the snow", "ducks on a pond",
    "an aquarium with fish", "a vineyard in summer", "a cave with a torch", "a harbour with fishing boats",
    "a tunnel on a motorway", "an airport hall", "a swimming pool at a hotel", "a bunch of tulips in a vase",
    "a washing machine", "a pair of shoes", "an X-ray picture", "the floor and nothing else", "a blurred photo",
)  # fmt: skip
