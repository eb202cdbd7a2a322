"""From a net with its weights to an ONNX model that computes the same blobs."""

from .drawing import onnx_model, write_onnx

__all__ = ["onnx_model", "write_onnx"]
