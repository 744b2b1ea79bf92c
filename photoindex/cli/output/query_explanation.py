"""Prints how a query was interpreted: its tree with the number of matches of each part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import visible

if TYPE_CHECKING:
    from photoindex.library.search.query_explanation import ExplainedPart, QueryExplanation
    from photoindex.library.search.score_explanation import Alternative, HitReasons, Reasons

_HEADINGS = {"all": "all of", "any": "any of", "not": "not"}
_TEXT_CHARACTERS_MAX = 60


def print_explanation(explanation: QueryExplanation, reasons: Reasons | None, *, as_json: bool) -> None:
    """Print one indented line per part, or one JSON object; reasons: explanation of semantic results, if any."""
    if as_json:
        whole = {"schema": 1, **_total(explanation), "tree": _object(explanation.tree)}
        print(json.dumps(whole if reasons is None else {**whole, "by_meaning": _reasons_object(reasons)}))
        return
    if reasons is not None:
        _print_reasons(reasons)
        print("\nmatches by words alone, and photos left by the filters:")
    lines = [("", "alone", "left"), *_lines(explanation.tree, 0)]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    for text, alone, left in lines:
        print(f"{text:<{widths[0]}}  {alone:>{widths[1]}}  {left:>{widths[2]}}".rstrip())
    scope = "on disk" if explanation.present_only else "in the library, including missing ones"
    print(f"{explanation.tree.alone:,} of {explanation.photos:,} photos {scope}")


def _total(explanation: QueryExplanation) -> dict[str, Any]:
    return {"total": explanation.tree.alone, "photos": explanation.photos, "missing_too": not explanation.present_only}


def _lines(part: ExplainedPart, depth: int) -> Iterator[tuple[str, str, str]]:
    yield "  " * depth + _text(part), f"{part.alone:,}", "" if part.left is None else f"{part.left:,}"
    for inner in part.parts:
        yield from _lines(inner, depth + 1)


def _text(part: ExplainedPart) -> str:
    if part.kind == "all" and not part.parts:
        return "all photos"
    text = visible(_HEADINGS.get(part.kind, part.text))
    shown = text if len(text) <= _TEXT_CHARACTERS_MAX else text[: _TEXT_CHARACTERS_MAX - 1] + "…"
    return f"{shown} ({part.meaning})" if part.meaning else shown


def _object(part: ExplainedPart) -> dict[str, Any]:
    known: dict[str, Any] = {"kind": part.kind, "query": part.text, "alone": part.alone}
    if part.meaning is not None:
        known["meaning"] = part.meaning
    if part.left is not None:
        known["left"] = part.left
    if part.parts:
        known["parts"] = [_object(inner) for inner in part.parts]
    return known


def _print_reasons(reasons: Reasons) -> None:
    print(f"semantic search in the space {visible(reasons.space)}:")
    for number, alternative in enumerate(reasons.alternatives, 1):
        heading = f"alternative {number}: " if len(reasons.alternatives) > 1 else ""
        print(f"  {heading}{_sum(alternative)}")
        print(f"  {_cut_off(alternative)}")
    for part in reasons.plain:
        print(f"  by its words alone: {visible(part)}")
    print(f"at the cut-off or above, or with all words: {amount(reasons.reached, 'photos')}")
    for removed in reasons.removed:
        print(f"  {visible(removed.query)} removes {removed.photos:,}")
    print(f"{reasons.found:,} found: {reasons.by_score:,} by score, {reasons.by_words:,} by words")
    weights = (f"{one.name} {one.weight:g} ({one.photos:,})" for one in reasons.lists)
    print(f"weights of the lists (and how many photos are in each): {', '.join(weights)}")
    for place, hit in enumerate(reasons.hits, 1):
        print(f"{place}. {visible(hit.path)}")
        print(f"   {_score(hit, reasons)}")
        if hit.second_score is not None and reasons.second_model is not None:
            print(f"   second look: score {hit.second_score:.3f} by {visible(reasons.second_model)}")
        print(f"   {_ranks(hit)}")


def _sum(alternative: Alternative) -> str:
    parts = [f"{part.weight:+g} x {part.kind} {_quoted(part.label)}" for part in alternative.parts]
    return f"{' '.join(parts)}, divided by {alternative.length:.3f}"


def _quoted(label: str) -> str:
    shown = visible(label)
    return '"' + (shown if len(shown) <= _TEXT_CHARACTERS_MAX else shown[: _TEXT_CHARACTERS_MAX - 1] + "…") + '"'


def _cut_off(alternative: Alternative) -> str:
    cut = alternative.cut
    if cut.minimum is None:
        return "no cut-off"
    if cut.middle is None or cut.spread is None or cut.reach is None:
        return f"minimum score {cut.minimum:.3f}, as requested"
    if cut.best is not None:
        return (
            f"cut-off {cut.minimum:.3f}: three quarters of the way from the background to the best score {cut.best:.3f}"
        )
    return (
        f"cut-off {cut.minimum:.3f}: background {cut.middle:.3f} plus {cut.reach:.1f} times the spread {cut.spread:.3f}"
    )


def _score(hit: HitReasons, reasons: Reasons) -> str:
    if hit.score is None or hit.alternative is None:
        return "no score: not embedded in this space"
    parts = reasons.alternatives[hit.alternative].parts
    shares = (f"{share:+.3f} {_quoted(part.label)}" for share, part in zip(hit.shares, parts, strict=True))
    return f"score {hit.score:.3f} = {' '.join(shares)}"


def _ranks(hit: HitReasons) -> str:
    by_score = 0 if hit.score_rank is None else 1
    score = "below the cut-off" if hit.score_rank is None else f"rank {hit.score_rank} by score ({hit.fused_score:.4f})"
    words = "".join(
        f" + {one.weight:g} x rank {one.rank} in {one.name} ({one.adds:.4f})" for one in hit.lists[by_score:]
    )
    return f"{score}{words} = {hit.fused:.4f}"


def _reasons_object(reasons: Reasons) -> dict[str, Any]:
    from dataclasses import asdict

    from photoindex.paths import to_text

    whole = asdict(reasons)
    for hit in whole["hits"]:
        hit["id"] = hit.pop("photo_id")
        hit["path"] = to_text(hit["path"])
    return whole
