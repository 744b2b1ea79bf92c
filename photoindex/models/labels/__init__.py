"""Models in ONNX that give pictures labels: classifiers, and detectors of objects."""
