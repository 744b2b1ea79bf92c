"""The terms that pictures are tagged with: read from the vocabulary, and encoded once for a space."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photoindex.atomic_files import atomic_file
from photoindex.config.layers import shipped_file
from photoindex.domain.words.vocabulary import BadVocabulary, Term, read_vocabulary
from photoindex.errors import ConfigError
from photoindex.library.handle import Library
from photoindex.library.spaces.query_encoder import QueryEncoder
from photoindex.library.words.tagging.work import Stopped
from photoindex.paths import display
from photoindex.progress import EventSink, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.stages.tags import NEUTRAL, TEMPLATES, digest_of
from photoindex.store.vectors.spaces import SpaceRow

VOCABULARY = "tags.txt"
"""The file of photoindex's own vocabulary, in the folder `config`."""
_PHASE = "encoding the tags"
_TERMS_AT_ONCE = 16
_SIZE_MAX = 10_000_000


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The terms, and their digest together with how they are said to a model."""

    terms: Sequence[Term]
    digest: str


@dataclass(frozen=True, slots=True)
class TermVectors:
    """terms: float32 [n, dim] of unit length; neutral: float32 [m, dim] of the prompts that fit every picture."""

    terms: NDArray[np.float32]
    neutral: NDArray[np.float32]


def load_vocabulary(library: Library) -> Vocabulary:
    """Return the vocabulary that the settings name. Raises ConfigError, with the lines that cannot be used."""
    settings = library.config.tags
    own = shipped_file(VOCABULARY)
    path = settings.vocabulary or own
    try:
        terms = read_vocabulary(_text(path), language=settings.language, own=_text(own))
    except BadVocabulary as error:
        raise ConfigError(f"the vocabulary {_shown(path)} cannot be used; nothing was tagged\n{error}") from error
    return Vocabulary(terms, digest_of([one.name for one in terms], [one.words for one in terms]))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_SIZE_MAX + 1)
        if len(data) > _SIZE_MAX:
            raise ConfigError(f"the vocabulary {_shown(path)} has more than {_SIZE_MAX:,} bytes; is it another file?")
        return data.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"the vocabulary {_shown(path)} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"the vocabulary {_shown(path)}, line {line}, is not UTF-8; save it as UTF-8") from error


def term_vectors(
    library: Library, space: SpaceRow, vocabulary: Vocabulary, emit: EventSink, stop: Callable[[], bool]
) -> TermVectors:
    """Return the vectors of the terms in a space; they are encoded once and kept in a file, which can be lost.

    Raises ModelUnavailable, and Stopped.
    """
    encoder = QueryEncoder(library, space)
    shape = (len(vocabulary.terms) + len(NEUTRAL), space.dim)
    file = library.indices_folder / f"{_prefix(space)}{vocabulary.digest[:16]}-{encoder.installed.digest[:16]}.npy"
    kept = _kept(file, shape)
    if kept is None:
        kept = _encoded(encoder, vocabulary, emit, stop)
        _keep(file, kept, space)
    return TermVectors(kept[: len(vocabulary.terms)], kept[len(vocabulary.terms) :])


def _encoded(
    encoder: QueryEncoder, vocabulary: Vocabulary, emit: EventSink, stop: Callable[[], bool]
) -> NDArray[np.float32]:
    terms = vocabulary.terms
    emit(PhaseStarted(_PHASE, len(terms), "tags"))
    started = time.monotonic()
    parts = []
    for first in range(0, len(terms), _TERMS_AT_ONCE):
        if stop():
            raise Stopped
        some = terms[first : first + _TERMS_AT_ONCE]
        said = [template.format(term.words) for term in some for template in TEMPLATES]
        vectors = encoder.texts_once(said).reshape(len(some), len(TEMPLATES), -1).mean(axis=1)
        parts.append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        emit(PhaseAdvanced(_PHASE, first + len(some)))
    parts.append(encoder.texts_once(NEUTRAL))
    emit(PhaseFinished(_PHASE, len(terms), time.monotonic() - started))
    return np.concatenate(parts).astype(np.float32)


def _prefix(space: SpaceRow) -> str:
    return f"tags-{space.id}-"


def _kept(file: Path, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    try:
        found = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    is_sound = found.shape == shape and found.dtype == np.float32 and bool(np.isfinite(found).all())
    return found if is_sound else None


def _keep(file: Path, vectors: NDArray[np.float32], space: SpaceRow) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in file.parent.glob(f"{_prefix(space)}*.npy"):
        old.unlink(missing_ok=True)
    with atomic_file(file) as writer:
        np.save(writer, vectors)


def _shown(path: Path) -> str:
    return display(os.fsencode(path))
