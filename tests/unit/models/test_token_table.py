"""Models for many languages: the large table of tokens stays outside the text tower, and is read and checked in blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from photoindex.errors import ModelUnavailable
from photoindex.models.description import TABLE, TABLE_SUMS, read_description
from photoindex.models.encoders import open_text_encoder
from photoindex.models.token_table import BLOCK_TOKENS, MappedTable, write_table

TEXTS = ("a photo of a dog", "Ein Hund am Strand!", "пляж на закате", "海滩日落", "")


@pytest.fixture
def values() -> np.ndarray[tuple[int, int], np.dtype[np.float16]]:
    return np.random.default_rng(3).normal(size=(3 * BLOCK_TOKENS + 5, 8)).astype(np.float16)


def test_rows_are_those_of_the_table_also_in_the_last_block_which_is_shorter(
    tmp_path: Path, values: np.ndarray
) -> None:
    (tmp_path / "onnx").mkdir()
    table = MappedTable(tmp_path, write_table(values, tmp_path))
    tokens = np.array([[0, 5, len(values) - 1], [BLOCK_TOKENS, 5, 5]], np.int64)
    assert np.array_equal(table.rows(tokens), values[tokens])


def test_a_changed_block_is_noticed_when_it_is_needed(tmp_path: Path, values: np.ndarray) -> None:
    (tmp_path / "onnx").mkdir()
    description = write_table(values, tmp_path)
    data = bytearray((tmp_path / TABLE).read_bytes())
    data[-1] ^= 1
    (tmp_path / TABLE).write_bytes(data)
    table = MappedTable(tmp_path, description)
    assert np.array_equal(table.rows(np.array([3])), values[[3]])
    with pytest.raises(ModelUnavailable, match="has changed since it was installed; install the model again"):
        table.rows(np.array([3, len(values) - 2]))


@pytest.mark.parametrize("name", [TABLE, TABLE_SUMS])
def test_a_table_that_is_cut_off_or_missing_is_refused(tmp_path: Path, values: np.ndarray, name: str) -> None:
    (tmp_path / "onnx").mkdir()
    description = write_table(values, tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[:-2])
    with pytest.raises(ModelUnavailable, match="does not have 197 rows; install the model again"):
        MappedTable(tmp_path, description)
    (tmp_path / name).unlink()
    with pytest.raises(ModelUnavailable, match="cannot be read: No such file or directory; install the model again"):
        MappedTable(tmp_path, description)


@pytest.mark.slow
def test_a_model_like_siglip_2_gives_the_vectors_of_torch_from_a_mapped_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("open_clip")
    from photoindex.models.export import towers
    from photoindex.models.export.run import export
    from tests.unit.models.clip_models import installed, write_siglip2_model

    folder = write_siglip2_model(tmp_path / "siglip2")
    plain = export(folder)
    assert not any("table" in name for name in plain.files)
    expected = open_text_encoder(installed(folder)).encode_texts(TEXTS)
    monkeypatch.setattr(towers, "_INLINE_BYTES_MAX", 0)
    monkeypatch.setattr(towers, "_TABLE_BYTES_MIN", 32 * 1024)
    report = export(folder)
    assert {TABLE, TABLE_SUMS} <= set(report.files)
    assert report.least_text_cosine > 0.9999
    described = read_description(folder)
    assert (described.tokenizer.clean, described.preprocessing.resize) == ("canonicalize", "squash")
    assert described.table is not None
    assert (folder / TABLE).stat().st_size == 2 * described.table.tokens * described.table.width
    model = installed(folder)
    found = open_text_encoder(model).encode_texts(TEXTS)
    assert np.sum(found * expected, axis=1) == pytest.approx(1, abs=1e-4)
    assert np.max(found @ found.T - np.eye(len(TEXTS))) < 0.999
    (folder / TABLE_SUMS).write_bytes(bytes((folder / TABLE_SUMS).stat().st_size))
    with pytest.raises(ModelUnavailable, match="has changed since the model 'small' was installed"):
        open_text_encoder(model)
