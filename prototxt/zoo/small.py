"""Small nets to train from nothing in minutes: five or six convolutions, less than 1 MB of weights."""

from __future__ import annotations

from .blocks import FROZEN, TRAINED, Fields, Layers, Style, conv, max_pool, relu
from .faster_rcnn import Backbone
from .rfcn import Stages

_START: Fields = {"weight_filler": {"type": "msra"}, "bias_filler": {"type": "constant", "value": 0}}
_FIRST: Fields = {**_START, "weight_filler": {"type": "gaussian", "std": 0.003}}
"""Pixels lie about 60 from their mean: this takes them to about 1, and msra keeps them there."""


def trunk(style: Style) -> Layers:
    """From data (N, 3, H, W) to conv5 (N, 64, H/16, W/16)."""
    start, specs = (_START if style.fillers else {}), style.learned
    first = _FIRST if style.fillers else {}
    return [
        conv("conv1", "data", 16, 5, specs, pad=2, stride=2, fillers=first),
        relu("relu1", "conv1"),
        max_pool("pool1", "conv1", 2),
        conv("conv2", "pool1", 32, 3, specs, pad=1, fillers=start),
        relu("relu2", "conv2"),
        max_pool("pool2", "conv2", 2),
        conv("conv3", "pool2", 48, 3, specs, pad=1, fillers=start),
        relu("relu3", "conv3"),
        max_pool("pool3", "conv3", 2),
        conv("conv4", "pool3", 64, 3, specs, pad=1, fillers=start),
        relu("relu4", "conv4"),
        conv("conv5", "conv4", 64, 3, specs, pad=1, fillers=start),
        relu("relu5", "conv5"),
    ]


def stages(last: int, learned_from: int) -> Layers:
    """The same as four stages, of which all learn or none, and a fifth that reaches further by dilation."""
    layers = trunk(FROZEN if learned_from > 4 else TRAINED)
    if last == 5:
        layers += [
            conv("conv6", "conv5", 64, 3, TRAINED.learned, pad=2, dilation=2, fillers=_START),
            relu("relu6", "conv6"),
        ]
    return layers


SMALL = Backbone(
    name="Small",
    trunk=trunk,
    feature="conv5",
    channels=64,
    rpn_width=64,
    bins=5,
    widths=(64, 64),
    fillers=_START,
    drops=False,
)
SMALL_STAGES = Stages("Small", stages, ("conv5", "conv6"), width=128, fillers=_START, rpn_widths=(64, 64))
