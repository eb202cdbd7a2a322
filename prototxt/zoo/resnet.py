"""ResNet-50 and ResNet-101 with their statistics frozen, and a fifth stage that keeps the fourth's size."""

from __future__ import annotations

from functools import partial

from ..caffe_pb2 import LayerParameter
from .blocks import STILL, Layers, conv, layer, max_pool, relu
from .rfcn import Stages

_BLOCKS = {
    50: ("abc", "abcd", "abcdef", "abc"),
    101: ("abc", ("a", *(f"b{i}" for i in range(1, 4))), ("a", *(f"b{i}" for i in range(1, 23))), "abc"),
}
"""The names of the blocks of stages 2 to 5."""


def trunk(depth: int, last: int, learned_from: int) -> Layers:
    """From data (N, 3, H, W) to the blob of the last stage; the stages before `learned_from` stay as they are.

    Stage 4 gives 1024 channels, stage 5 gives 2048, both on cells of 16 pixels: stage 5 reaches as far by dilation.
    """
    biased = depth == 50
    layers = [
        conv("conv1", "data", 64, 7, ({"lr_mult": 0},) * (1 + biased), bias=biased, pad=3, stride=2),
        *_normalised("_conv1", "conv1"),
        relu("conv1_relu", "conv1"),
        max_pool("pool1", "conv1", 3),
    ]
    for stage in range(2, last + 1):
        for index, block in enumerate(_BLOCKS[depth][stage - 2]):
            layers += _block(
                f"{stage}{block}", layers[-1].top[0], stage, first=index == 0, learns=stage >= learned_from
            )
    return layers


def _block(name: str, bottom: str, stage: int, *, first: bool, learns: bool) -> Layers:
    """Three convolutions beside the bottom itself; in a stage's first block beside one convolution of it."""
    width = 2 ** (stage + 4)
    stride = 2 if first and stage in (3, 4) else 1
    reach = 2 if stage == 5 else 1
    specs = ({"lr_mult": int(learns)},)
    layers: Layers = []
    beside = bottom
    if first:
        beside = f"res{name}_branch1"
        layers = [
            conv(beside, bottom, 4 * width, 1, specs, bias=False, pad=0, stride=stride),
            *_normalised(f"{name}_branch1", beside),
        ]
    a, b, c = (f"res{name}_branch2{branch}" for branch in "abc")
    layers += [
        conv(a, bottom, width, 1, specs, bias=False, pad=0, stride=stride),
        *_normalised(f"{name}_branch2a", a),
        relu(f"{a}_relu", a),
        conv(b, a, width, 3, specs, bias=False, pad=reach, stride=1, dilation=reach if reach > 1 else None),
        *_normalised(f"{name}_branch2b", b),
        relu(f"{b}_relu", b),
        conv(c, b, 4 * width, 1, specs, bias=False, pad=0, stride=1),
        *_normalised(f"{name}_branch2c", c),
        layer("Eltwise", f"res{name}", [beside, c], [f"res{name}"]),
        relu(f"res{name}_relu", f"res{name}"),
    ]
    return layers


def _normalised(name: str, blob: str) -> list[LayerParameter]:
    """In place: normalisation by the given statistics, then a factor and an offset, all of which stay as they are."""
    statistics = {"use_global_stats": True}
    return [
        layer("BatchNorm", f"bn{name}", [blob], [blob], (STILL,) * 3, batch_norm_param=statistics),
        layer("Scale", f"scale{name}", [blob], [blob], (STILL,) * 2, scale_param={"bias_term": True}),
    ]


def _resnet(depth: int) -> Stages:
    fourth, fifth = (f"res{stage}{_BLOCKS[depth][stage - 2][-1]}" for stage in (4, 5))
    return Stages(f"ResNet-{depth}", partial(trunk, depth), (fourth, fifth))


RESNET_50, RESNET_101 = _resnet(50), _resnet(101)
