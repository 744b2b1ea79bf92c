"""Face packs: a detector and an embedder of faces, run by ONNX Runtime."""
