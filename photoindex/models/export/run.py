"""Exporting a CLIP model to ONNX when it is installed."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from photoindex.errors import ModelUnavailable
from photoindex.models.clip_onnx import OnnxImageEncoder, OnnxTextEncoder, open_session
from photoindex.models.description import DESCRIPTION, FOLDER, TEXT, TOKENIZER, VISUAL, WHOLE_GRAPH, ExportDescription
from photoindex.models.token_table import MappedTable, write_table
from photoindex.models.tokenizer import TextTokenizer

NEEDED = ("torch", "open_clip", "onnx", "onnxscript", "transformers", "safetensors")
NEEDED_TO_SPLIT = ("onnx", "onnx_ir")
"""For a model that is one ONNX file with both towers."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was exported and how close it is to the original.

    files: names inside the model's folder. least_image_cosine, least_text_cosine: minimum cosine between the vectors of both
    runtimes.
    """

    dim: int
    files: tuple[str, ...]
    least_image_cosine: float
    least_text_cosine: float


def export(model_folder: Path) -> ExportReport:
    """Write `onnx/` in the folder of an open_clip model, or of one ONNX file with both towers.

    It gets both towers, the tokenizer and the description.

    An existing folder is replaced at the end; nothing changes if the export fails. The towers are compared with torch and the
    tokenizer with open_clip's; those of one file with that file. Raises ModelUnavailable if the model cannot be loaded or the result differs.
    """
    from photoindex.models.export.split import split_to

    whole = (model_folder / WHOLE_GRAPH).is_file()
    missing = [name for name in (NEEDED_TO_SPLIT if whole else NEEDED) if find_spec(name) is None]
    if missing:
        raise ModelUnavailable(f"exporting a model needs {', '.join(missing)}; run: pip install 'photoindex[ml]'")
    with tempfile.TemporaryDirectory(prefix=".onnx-", dir=model_folder) as temporary:
        work = Path(temporary)
        (work / FOLDER).mkdir()
        report = (split_to if whole else _export_to)(work, model_folder)
        _require_close(report, model_folder)
        target = model_folder / FOLDER
        if target.exists():
            target.rename(work / "before")
        (work / FOLDER).rename(target)
    return report


def _export_to(work: Path, model_folder: Path) -> ExportReport:
    from photoindex.models.export import check
    from photoindex.models.export.tokenizer import export_tokenizer, load_reference
    from photoindex.models.export.towers import export_text, export_visual
    from photoindex.models.open_clip_loader import load_model

    reference = load_reference(model_folder)
    loaded = load_model(model_folder)
    try:
        export_visual(loaded, work / VISUAL)
        text_tower = export_text(loaded, work / TEXT)
    except Exception as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelUnavailable(f"the model in {model_folder} cannot be exported to ONNX: {first}") from error
    exported, settings = export_tokenizer(model_folder, reference, cut_padding=text_tower.cut_padding)
    exported.save(str(work / TOKENIZER), pretty=False)
    table = None if text_tower.table is None else write_table(text_tower.table, work)
    description = ExportDescription(
        dim=loaded.dim,
        context_length=loaded.context_length,
        preprocessing=loaded.preprocessing,
        tokenizer=settings,
        table=table,
    )
    written = description.model_dump_json(indent=2, exclude={"table"} if table is None else None)
    (work / DESCRIPTION).write_text(written + "\n", encoding="utf-8")

    tokenizer = TextTokenizer.from_file(work / TOKENIZER, settings, loaded.context_length)
    check.check_tokenizer(tokenizer, reference)
    mapped = None if table is None else MappedTable(work, table)
    texts = OnnxTextEncoder(open_session(work / TEXT, threads=None, quick_start=True), tokenizer, description, mapped)
    images = OnnxImageEncoder(open_session(work / VISUAL, threads=None, quick_start=False), description)
    return ExportReport(
        dim=loaded.dim,
        files=tuple(sorted(f"{FOLDER}/{path.name}" for path in (work / FOLDER).iterdir())),
        least_image_cosine=check.least_image_cosine(images, loaded),
        least_text_cosine=check.least_text_cosine(texts, loaded, reference),
    )


def _require_close(report: ExportReport, model_folder: Path) -> None:
    from photoindex.models.export.check import COSINE_MIN

    for what, cosine in (("image", report.least_image_cosine), ("text", report.least_text_cosine)):
        if not cosine > COSINE_MIN:
            raise ModelUnavailable(
                f"the exported {what} tower of {model_folder} differs from the original: cosine {cosine:.5f} instead of "
                f"more than {COSINE_MIN}; the model cannot be used"
            )
