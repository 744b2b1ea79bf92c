# ruff: noqa: RUF001 the texts are intentionally ambiguous
"""Comparing an exported model with the original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.base import ImageEncoder, TextEncoder
from photoindex.models.open_clip_loader import LoadedModel
from photoindex.models.tokenizer import TextTokenizer

COSINE_MIN = 0.9999

HARD_TEXTS = (
    "",
    " ",
    "a photo of a dog",
    "A Photo Of A DOG",
    "sunset",
    "it's the dog's ball, we'll see; they've won, I'm sure, you're right, he'd go, don't!",
    "IT'S THE DOG'S",
    "&lt;b&gt;bold&lt;/b&gt; &amp;amp; caf&eacute; &#128054; &nbsp; &notanentity; R&D",
    "<b>caf&eacute;</b>",
    "emoji 😀🏖️👩‍👩‍👧‍👦🇵🇹 ❤️",
    "\t tabs\tand\n\nlines \r\n and  \u00a0 no-break\u2003em\u3000ideographic\u200bzero\u2028line ",
    "café naïve Zürich Ångström œuvre ﬁne",
    "cafe\u0301 combining",
    "Ã©tÃ© mojibake âœ” â€œquotesâ€\x9d",
    "‘curly’ “quotes” — dash… ½ № ™",
    "Παραλία το ηλιοβασίλεμα",
    "пляж на закате",
    "海滩日落",
    "ビーチの夕日、犬",
    "해변의 일몰",
    "शाम को समुद्र तट",
    "غروب الشمس على الشاطئ",
    "חוף הים בשקיעה",
    "ชายหาดยามพระอาทิตย์ตก",
    "ＦＵＬＬ　ｗｉｄｔｈ",
    "İstanbul ẞ ſtreet 'ſ K",
    "2024-06-15 12:30 f/1.8 50mm 1,000,000 ٣ ⅷ",
    "IMG_4411.HEIC under_score_name",
    "!!!???...,,,;;; ((([[[{{{ ###",
    "nul\x00inside\x07bell\x1b[31mescape\x1b[0m \x7f \ufeffmark",
    "<end_of_text> a <start_of_text>b <|endoftext|> !<end_of_text> <END_OF_TEXT> </s> <s> <pad> <eos> <unk>",
    "supercalifragilisticexpialidocious" * 5,
    "a" * 300,
    " ".join(["word"] * 200),
    " ".join(f"w{number}" for number in range(200)),
    "𝕱𝖗𝖆𝖐𝖙𝖚𝖗 𠜎 \U0001f9ff \ue000",
)
"""Texts on which tokenizers differ: entities, scripts, unusual white space, control characters, lengths, control tokens."""


def check_tokenizer(exported: TextTokenizer, reference: Any) -> None:
    """Compare the tokens of hard texts, each by itself and all together, with those of open_clip's tokenizer.

    Raises ModelUnavailable with the first text that differs.
    """
    for text in HARD_TEXTS:
        expected = np.asarray(reference([text]), dtype=np.int64)
        found = exported.whole([text])
        if not np.array_equal(found, expected):
            raise ModelUnavailable(
                f"the exported tokenizer differs from the model's own on {text[:60]!r}: {_start(found)} instead of "
                f"{_start(expected)}; the model cannot be used"
            )


def least_text_cosine(exported: TextEncoder, loaded: LoadedModel, reference: Any) -> float:
    """Return the minimum cosine between the vectors of both towers for the hard texts."""
    import torch

    with torch.inference_mode():
        expected = loaded.model.encode_text(torch.as_tensor(reference(list(HARD_TEXTS))))
        expected = torch.nn.functional.normalize(expected.float(), dim=-1).numpy()
    return cosine_of_texts(exported, HARD_TEXTS, expected)


def cosine_of_texts(exported: TextEncoder, texts: Sequence[str], expected: NDArray[np.float32]) -> float:
    """Return the minimum cosine with the expected vectors, of all texts together and of each by itself."""
    alone = np.concatenate([exported.encode_texts([text]) for text in texts])
    return min(_min_cosine(exported.encode_texts(texts), expected), _min_cosine(alone, expected))


def least_image_cosine(exported: ImageEncoder, loaded: LoadedModel) -> float:
    """Return the minimum cosine between the vectors of both towers for random pictures."""
    import torch

    from photoindex.models.clip_torch import TorchImageEncoder

    pictures = random_pictures(exported.preprocessing.size_px)
    torch_tower = TorchImageEncoder(loaded.visual, loaded.preprocessing, loaded.dim, torch.device("cpu"))
    expected = torch_tower.encode_images(pictures)
    return cosine_of_images(exported, pictures, expected)


def cosine_of_images(exported: ImageEncoder, pictures: NDArray[np.uint8], expected: NDArray[np.float32]) -> float:
    """Return the minimum cosine with the expected vectors, of all pictures together and of the first by itself."""
    alone = exported.encode_images(pictures[:1])
    return min(_min_cosine(exported.encode_images(pictures), expected), _min_cosine(alone, expected[:1]))


def random_pictures(size_px: int) -> NDArray[np.uint8]:
    """Return uint8 [8, size_px, size_px, 3]: black, white, and six random pictures with blocks of different sizes."""
    generator = np.random.default_rng(0)
    pictures = [np.zeros((size_px, size_px, 3), np.uint8), np.full((size_px, size_px, 3), 255, np.uint8)]
    for cells in (1, 2, 4, 8, 16, size_px):
        coarse = generator.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        rows = np.arange(size_px) * cells // size_px
        pictures.append(coarse[rows][:, rows])
    return np.stack(pictures)


def _min_cosine(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Return the minimum cosine of pairs of unit vectors; -1 if lengths are not 1 or values not finite."""
    if found.shape != expected.shape or not np.all(np.abs(np.linalg.norm(found, axis=1) - 1) < 1e-3):
        return -1.0
    cosines = np.sum(found.astype(np.float64) * expected, axis=1)
    return float(cosines.min()) if np.isfinite(cosines).all() else -1.0


def _start(tokens: NDArray[np.int64]) -> str:
    return ", ".join(str(token) for token in tokens[0, :12]) + " …"
