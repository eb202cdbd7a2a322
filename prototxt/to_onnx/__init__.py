"""From a net with its weights to an ONNX model that computes the same blobs."""
