"""Layers as ONNX nodes: a function for each type, in the modules named as those that write PyTorch code."""

from .registry import WRITERS

__all__ = ["WRITERS"]
