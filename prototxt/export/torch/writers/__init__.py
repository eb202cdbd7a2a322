"""Layers as PyTorch code: a function for each type, in the modules named as those that draw ONNX."""

from .registry import WRITERS

__all__ = ["WRITERS"]
