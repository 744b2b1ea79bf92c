"""`caption` and `ocr` by the providers of the settings, in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from photoindex.library.handle import Library
from photoindex.library.providers.chain import Chain, ChainRequest, Local
from photoindex.library.providers.service_run import ServiceSummary
from photoindex.library.stage_run import Chosen, StageRequest
from photoindex.library.words.caption import CaptionRequest, CaptionSummary, caption
from photoindex.library.words.captioner import chosen_captioner
from photoindex.library.words.ocr import OcrRequest, OcrSummary, ocr, preview_variant
from photoindex.progress import EventSink
from photoindex.stages.caption import STAGE as CAPTION
from photoindex.stages.ocr import STAGE as OCR


def caption_in_turn(
    library: Library, request: CaptionRequest, emit: EventSink, stop: Callable[[], bool] = lambda: False
) -> list[CaptionSummary | ServiceSummary]:
    """Describe pictures by the providers in `caption.providers`, and return a summary of each. Raises what `caption` raises."""

    def local(chosen: Chosen | None, left: StageRequest) -> tuple[CaptionSummary, int]:
        own = replace(request, chosen=chosen, limit=left.limit, window_seconds=left.window_seconds)
        summary = caption(library, own, emit, stop)
        return summary, summary.captions + summary.failed + summary.quarantined

    wanted = ChainRequest(request.limit, request.window_seconds, request.dry_run)
    chain = Chain(library, CAPTION, wanted, emit)
    return chain.run(lambda: Local(local, lambda: chosen_captioner(library).variant), stop)


def ocr_in_turn(
    library: Library, request: OcrRequest, emit: EventSink, stop: Callable[[], bool] = lambda: False
) -> list[OcrSummary | ServiceSummary]:
    """Read text by the providers in `ocr.providers`, and return a summary of each. Raises what `ocr` raises."""

    def local(chosen: Chosen | None, left: StageRequest) -> tuple[OcrSummary, int]:
        own = replace(request, chosen=chosen, limit=left.limit, window_seconds=left.window_seconds)
        summary = ocr(library, own, emit, stop)
        return summary, summary.previews + summary.originals + summary.failed + summary.quarantined

    wanted = ChainRequest(request.limit, request.window_seconds, request.dry_run)
    chain = Chain(library, OCR, wanted, emit)
    return chain.run(lambda: Local(local, lambda: preview_variant(library)), stop)
