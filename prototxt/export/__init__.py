"""A net on its way out: weights in every format, PyTorch code, ONNX, torch.export."""

from .box_scaling import HEADS, BoxScaling, repeats, rpn_scaling, scale_boxes, scale_heads
from .models import MODELS, model_files, write_model
from .net_params import Floats, OutLayer, OutParam, ParamPosition, find_blobs, outgoing
from .pt2 import load_pt2
from .refusals import ExportError
from .write import FORMATS, format_of, write_weights
from .write_caffemodel import Chunk, as_set_up, blob_chunks, write_chunks

__all__ = [
    "FORMATS",
    "HEADS",
    "MODELS",
    "BoxScaling",
    "Chunk",
    "ExportError",
    "Floats",
    "OutLayer",
    "OutParam",
    "ParamPosition",
    "as_set_up",
    "blob_chunks",
    "find_blobs",
    "format_of",
    "load_pt2",
    "model_files",
    "outgoing",
    "repeats",
    "rpn_scaling",
    "scale_boxes",
    "scale_heads",
    "write_chunks",
    "write_model",
    "write_weights",
]
