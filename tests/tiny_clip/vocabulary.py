"""A small byte-pair vocabulary in the format of CLIP's `bpe_simple_vocab`; run with the file to write.

The alphabet is all 256 bytes, so that every text can be encoded; the merges make a single token of every word in the
captions. The end mark is the token with the highest number, which CLIP's text tower looks for.
"""

from __future__ import annotations

import gzip
import itertools
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.tiny_clip.captions import vocabulary_words

_END_OF_WORD = "</w>"


def learn_merges(words: Sequence[str]) -> list[tuple[str, str]]:
    """Return the merges, most frequent first, that make one token of each word of ASCII letters and digits."""
    spelled = [[*word[:-1], word[-1] + _END_OF_WORD] for word in words]
    merges: list[tuple[str, str]] = []
    while True:
        pairs = Counter(pair for word in spelled for pair in itertools.pairwise(word))
        if not pairs:
            return merges
        # Ties are broken alphabetically, so that the file does not depend on the order of words.
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        spelled = [_merged(word, best) for word in spelled]


def token_count(merges: Sequence[tuple[str, str]]) -> int:
    """Return the size of a vocabulary: each byte, each byte at the end of a word, the merges, start and end."""
    return 2 * 256 + len(merges) + 2


def write_vocabulary(path: Path, merges: Sequence[tuple[str, str]]) -> None:
    """Write a version line and the merges. The file has no final line feed: readers would take it for a merge."""
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    path.write_bytes(gzip.compress("\n".join(lines).encode(), 9, mtime=0))


def _merged(word: list[str], pair: tuple[str, str]) -> list[str]:
    parts: list[str] = []
    for part in word:
        if parts and (parts[-1], part) == pair:
            parts[-1] += part
        else:
            parts.append(part)
    return parts


if __name__ == "__main__":
    learned = learn_merges(vocabulary_words())
    write_vocabulary(Path(sys.argv[1]), learned)
    print(f"{token_count(learned)} tokens")
