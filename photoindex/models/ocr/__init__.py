"""Reading text in pictures: with the models of the package rapidocr in ONNX Runtime, or with Tesseract."""
