"""Services in an unattended run: they have their turn, and a spent budget is said and does not end the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from photoindex.domain.night.patience import Machine
from photoindex.library.night import run as night
from photoindex.library.night.run import RunRequest
from tests.service_rows import album_in
from tests.vision_server import KEY, vision_server


class QuietComputer:
    """A computer that nobody else uses."""

    joules = None

    def look(self, *, own_runs: bool) -> Machine:
        return Machine()


def test_a_spent_budget_is_an_error_of_its_step_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("PHOTOINDEX_GOOGLE_VISION_KEY", KEY)
    album = album_in(tmp_path, monkeypatch, capsysbinary)
    album.looked_at("faces", "sensitive")
    with vision_server() as server:
        album.settings |= {
            "allow_network": True, "providers.allowed": "google_vision", "google_vision.url": server.url,
            "caption.providers": "google_vision", "ocr.providers": "dummy", "google_vision.free_per_month": 2,
        }  # fmt: skip
        request = RunRequest(stages=("caption", "ocr"), watcher=QuietComputer, sample_seconds=0.0)
        with album.open() as library:
            summary = night.run(library, request, album.events.append, lambda: False)
        assert server.billed == {"LABEL_DETECTION": 2}
    caption, ocr = (next(one for one in summary.steps if one.name == name) for name in ("caption", "ocr"))
    assert (caption.done, caption.left, caption.error_code) == (2, 1, 10)
    assert "the budget of this month is spent" in (caption.error or "")
    assert (ocr.done, ocr.left, ocr.error) == (3, 0, None)
