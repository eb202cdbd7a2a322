"""VGG_CNN_M_1024: five convolutions, of which the first stays as it is."""

from __future__ import annotations

from ..caffe_pb2 import LayerParameter
from .blocks import TESTED, Layers, Style, conv, layer, max_pool, relu
from .faster_rcnn import Backbone


def trunk(style: Style) -> Layers:
    """From data (N, 3, H, W) to conv5 (N, 512, H/16, W/16)."""
    return [
        conv("conv1", "data", 96, 7, style.frozen, stride=2),
        relu("relu1", "conv1"),
        _norm("norm1", "conv1"),
        max_pool("pool1", "norm1", 3),
        conv("conv2", "pool1", 256, 5, style.learned, pad=1, stride=2),
        relu("relu2", "conv2"),
        _norm("norm2", "conv2"),
        max_pool("pool2", "norm2", 3),
        conv("conv3", "pool2", 512, 3, style.learned, pad=1),
        relu("relu3", "conv3"),
        conv("conv4", "conv3", 512, 3, style.learned, pad=1),
        relu("relu4", "conv4"),
        conv("conv5", "conv4", 512, 3, style.learned, pad=1),
        relu("relu5", "conv5"),
    ]


def _norm(name: str, bottom: str) -> LayerParameter:
    fields = {"local_size": 5, "alpha": 0.0005, "beta": 0.75, "k": 2}
    return layer("LRN", name, [bottom], [name], lrn_param=fields)


VGG_CNN_M_1024 = Backbone(
    name="VGG_CNN_M_1024",
    trunk=trunk,
    feature="conv5",
    channels=512,
    rpn_width=256,
    bins=6,
    widths=(4096, 1024),
    tested=TESTED,
    idle_filler={"type": "gaussian", "std": 0.01},
)
