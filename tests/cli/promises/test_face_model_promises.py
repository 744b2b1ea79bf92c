"""What messages promise about face packs."""

from __future__ import annotations

import pytest

from photoindex.errors import DeviceFailed, ModelUnavailable
from photoindex.models.faces.pack import open_face_pack
from photoindex.models.weights import ModelStore
from tests.cli.promises.house import House, promises
from tests.tiny_faces import MODEL_ID, install_tiny_faces
from tests.tiny_model import MODEL_ID as CLIP

OTHER_KIND = "the model '{}' {}, and cannot {}; choose another: photoindex models list"
NO_CUDA = "there is no {}: {}; install the package onnxruntime-gpu in place of onnxruntime, see: nvidia-smi, or use --device cpu"


@promises(OTHER_KIND, NO_CUDA)
def test_a_model_of_the_other_kind_says_where_to_find_one(installed: House) -> None:
    install_tiny_faces(installed.library)
    said = installed.run("embed", "--model", MODEL_ID, code=7)
    assert CLIP in installed.follow(OTHER_KIND, said)
    assert "run: photoindex embed" in installed.run("search", "a dog")
    store = ModelStore(installed.library / "models")
    with pytest.raises(ModelUnavailable) as raised:
        open_face_pack(store.get(CLIP))
    assert MODEL_ID in installed.follow(OTHER_KIND, str(raised.value))
    with pytest.raises(DeviceFailed) as failed:
        open_face_pack(store.get(MODEL_ID), device="cuda:99")
    installed.excerpt(NO_CUDA, str(failed.value))
    open_face_pack(store.get(MODEL_ID), device="cpu")
