"""The summary of `embed` in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from photoindex.cli.output.progress_text import amount

if TYPE_CHECKING:
    from photoindex.library.embed.embed import EmbedSummary

_BUSIEST = {
    "read": "reading previews",
    "decode": "decoding previews",
    "infer": "the model",
    "write": "writing to the database",
}


def lines(summary: EmbedSummary) -> Iterator[str]:
    """Yield the lines of the summary: the counts, where the time went, what to do next."""
    if summary.dry_run:
        yield f"would embed {amount(summary.pending, 'pictures')} with {summary.model}"
        return
    if not (summary.embedded or summary.quarantined or summary.failed or summary.pending):
        yield f"nothing to embed: every preview has its vector in the space {summary.space}"
    else:
        yield from _work(summary)
    if summary.stopped or summary.window_ended:
        why = "stopped early" if summary.stopped else "its time is over"
        yield f"{why}: {amount(summary.pending, 'pictures')} waiting; the next photoindex embed goes on"
    elif summary.pending:
        yield f"{amount(summary.pending, 'pictures')} waiting; go on with: photoindex embed"
    if summary.quarantined:
        yield f"{summary.quarantined:,} given up: photoindex tasks --stage embed --state quarantined tells why"
    if summary.failed:
        yield f"{summary.failed:,} failed; the next photoindex embed tries them again"
    if summary.space is not None and not summary.active:
        others = "no space" if summary.search_uses is None else f"the space {summary.search_uses}"
        yield f"search uses {others}; to search in this one: photoindex spaces use {summary.space}"


def _work(summary: EmbedSummary) -> Iterator[str]:
    rate = f"; once the model was loaded, {summary.images_per_second:,.1f} a second" if summary.embedded else ""
    yield f"embedded: {amount(summary.embedded, 'pictures')} with {summary.model} in {summary.seconds:,.1f} s{rate}"
    if summary.batches:
        yield (
            f"where the time went, a batch: read {_each(summary.read_seconds, summary)}, decode "
            f"{_each(summary.decode_seconds, summary)} (both over {summary.decode_threads} threads), infer "
            f"{_each(summary.infer_seconds, summary)} on {summary.runs_on}, write {_each(summary.write_seconds, summary)}; "
            f"the model waited {_each(summary.wait_seconds, summary)}; busiest: {_BUSIEST[summary.bottleneck or 'infer']}"
        )
    if summary.restarts:
        times = "once" if summary.restarts == 1 else f"{summary.restarts} times"
        yield f"the process with the model was lost and started again {times}; the log tells why"


def _each(seconds: float, summary: EmbedSummary) -> str:
    return f"{seconds / summary.batches:.3f} s"
