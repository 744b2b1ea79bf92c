"""Exporting CLIP towers and tokenizers to ONNX, with checks."""
