"""Export of CLIP towers to ONNX, with checks."""
