"""A net on its way out: weights in every format, PyTorch code, ONNX, torch.export."""

from .box_scaling import HEADS, BoxScaling, repeats, rpn_scaling, scale_boxes, scale_heads
from .models import MODELS, model_files, write_model
from .net_params import ParamPosition, find_blobs, params_of, write_weights
from .pt2 import load_pt2
from .refusals import ExportError

__all__ = [
    "HEADS",
    "MODELS",
    "BoxScaling",
    "ExportError",
    "ParamPosition",
    "find_blobs",
    "load_pt2",
    "model_files",
    "params_of",
    "repeats",
    "rpn_scaling",
    "scale_boxes",
    "scale_heads",
    "write_model",
    "write_weights",
]
