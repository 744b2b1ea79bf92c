"""What a service said, as results that may be stored: it is text and numbers from outside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from photoindex.domain.words.names import tag_of_keyword
from photoindex.errors import ProviderFailed
from photoindex.providers.base import CallFailed, OpenProvider, PictureRefused
from photoindex.stages.ocr import KIND as OCR
from photoindex.stages.ocr import text_of
from photoindex.text import in_one_line
from photoindex.types import Failure, Label, MoreThere, Result, Text, TextLine

_CAPTION_CHARACTERS_MAX = 2_000
_RESULTS_MAX, _LINES_MAX = 100, 10_000
"""More of one picture is no sensible answer: the services are asked for 20 labels."""
_SHOWN = 200
_KEPT_FROM = 0.05
"""What is kept is paid for: a lower threshold later shows more, and asks nobody again."""
_WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class CheckedProvider:
    """A provider whose results may be stored; see `OpenProvider`."""

    def __init__(self, provider: OpenProvider) -> None:
        self._provider = provider
        self.runs_on = provider.runs_on

    def ask(self, jpeg: bytes, stage: str) -> tuple[Result, ...]:
        """Ask the provider; raises what a provider may raise, also for an answer that it or this program cannot take apart."""
        try:
            return checked(self._provider.ask(jpeg, stage))
        except (CallFailed, PictureRefused, ProviderFailed):
            raise
        except Exception as error:
            what = in_one_line(f"{type(error).__name__}: {error}", _SHOWN)
            raise CallFailed(f"gave an answer that nobody can use ({what})", may_be_billed=True) from error


def checked(results: Sequence[Result]) -> tuple[Result, ...]:
    """Return results with names that tags may have, printable text, and numbers from 0 to 1; nothing of what cannot be kept.

    Of many labels or lines the first ones are kept: services give the surest labels first.
    """
    return tuple(islice((kept for one in results for kept in _checked(one)), _RESULTS_MAX))


def _checked(result: Result) -> Sequence[Result]:
    if isinstance(result, Label):
        return _label(result)
    if isinstance(result, Text):
        return _lines(result) if result.kind == OCR else _caption(result)
    return (result,) if isinstance(result, MoreThere) else ()


def _label(label: Label) -> Sequence[Label]:
    # In a query, commas separate tags.
    name = tag_of_keyword(label.name.replace(",", " "))
    sure = _share(label.confidence)
    box = None if label.box is None else tuple(map(_share, label.box))
    if name is None or sure < _KEPT_FROM:
        return ()
    return (Label(name, sure, label.raw if math.isfinite(label.raw) else sure, box, calibrated=False),)  # type: ignore[arg-type]


def _lines(text: Text) -> Sequence[Result]:
    lines = text.lines[:_LINES_MAX] or tuple(TextLine(one, _WHOLE, 1.0) for one in text.text.splitlines()[:_LINES_MAX])
    placed = [
        replace(one, corners=tuple((_share(x), _share(y)) for x, y in one.corners), score=_share(one.score))
        for one in lines
    ]
    found = text_of(placed)
    return () if isinstance(found, Failure) else found


def _caption(text: Text) -> Sequence[Text]:
    said = in_one_line(text.text)[:_CAPTION_CHARACTERS_MAX]
    return (replace(text, text=said, raw=said, lines=()),) if said else ()


def _share(value: float) -> float:
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
