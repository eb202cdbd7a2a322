"""ZF: five convolutions, all of which learn."""

from __future__ import annotations

from ..caffe_pb2 import LayerParameter
from .blocks import Layers, Style, conv, layer, max_pool, relu
from .faster_rcnn import Backbone
from .rpn import LABELLED, Names


def trunk(style: Style) -> Layers:
    """From data (N, 3, H, W) to conv5 (N, 256, H/16, W/16)."""
    return [
        conv("conv1", "data", 96, 7, style.learned, pad=3, stride=2),
        relu("relu1", "conv1"),
        _norm("norm1", "conv1"),
        max_pool("pool1", "norm1", 3, pad=1),
        conv("conv2", "pool1", 256, 5, style.learned, pad=2, stride=2),
        relu("relu2", "conv2"),
        _norm("norm2", "conv2"),
        max_pool("pool2", "norm2", 3, pad=1),
        conv("conv3", "pool2", 384, 3, style.learned, pad=1, stride=1),
        relu("relu3", "conv3"),
        conv("conv4", "conv3", 384, 3, style.learned, pad=1, stride=1),
        relu("relu4", "conv4"),
        conv("conv5", "conv4", 256, 3, style.learned, pad=1, stride=1),
        relu("relu5", "conv5"),
    ]


def _norm(name: str, bottom: str) -> LayerParameter:
    fields = {"local_size": 3, "alpha": 0.00005, "beta": 0.75, "norm_region": "WITHIN_CHANNEL"}
    return layer("LRN", name, [bottom], [name], lrn_param=fields)


ZF = Backbone(
    name="ZF",
    trunk=trunk,
    feature="conv5",
    channels=256,
    rpn_width=256,
    bins=6,
    widths=(4096, 4096),
    pool=("roi_pool_conv5", "roi_pool_conv5"),
    losses=("cls_loss", "bbox_loss"),
    loss_param=LABELLED,
    dropout={"scale_train": False},
    step_names=Names("rpn_conv1", "rpn_relu1", "rpn_conv1"),
    step_dropout=True,
    idle=("relu",),
    idle_filler={"type": "gaussian", "std": 0.01},
)
