"""The parts of `recaffe bench` that run whole nets."""

from __future__ import annotations

from math import inf

import numpy as np
import torch

from ...layers import psroi_pool
from ...prototxt.net import Net
from ...prototxt.text import NetText, print_text, read_net
from ...prototxt.zoo import make_net
from .best import best


def forward() -> None:
    """VGG16's test net against the rate of a large matrix product."""
    net = Net(_vgg16())
    net.fill(_weights(net))
    rng = np.random.RandomState(5)
    data = rng.standard_normal((1, 3, 600, 1000)).astype(np.float32) * 50
    blobs = {"data": data, "im_info": np.array([[600, 1000, 1.6]], np.float32)}
    a, b = torch.randn(3072, 3072), torch.randn(3072, 3072)
    net(blobs)
    # Interleaved, so that a slow moment of the machine hits both alike.
    pairs = [(best(lambda: a @ b, 2), best(lambda: net(blobs), 1)) for _ in range(4)]
    product, whole = (min(column) for column in zip(*pairs, strict=True))
    rois = net.blobs["cls_prob"].shape[0]
    work = _multiply_adds(rois)
    rate, peak = work / whole, 3072**3 / product
    print(f"  matrix product 3072³      {peak / 1e9:7.1f} G multiply-adds/s")
    print(f"  VGG16 at 600×1000, {rois} RoIs {rate / 1e9:7.1f} G multiply-adds/s ({work / 1e9:.0f} G in {whole:.2f} s)")
    print(f"  ratio {rate / peak:.2f} (wanted: at least 0.85)")


def _vgg16() -> NetText:
    return read_net(print_text(make_net("vgg16")))


def _weights(net: Net) -> dict[tuple[str, int], torch.Tensor]:
    """Weights from N(0, 0.01²): a TEST net names fillers for its last layers alone."""
    generator = torch.Generator().manual_seed(1)
    places = [(name, shapes[0]) for name, shapes in net.param_shapes.items()]
    return {(name, 0): torch.randn(shape, generator=generator) * 0.01 for name, shape in places}


def _multiply_adds(rois: int) -> int:
    """Multiply-adds of VGG16's test net at 600×1000 with so many RoIs."""
    net = Net(_vgg16(), shapes={"data": (1, 3, 600, 1000)})
    work = 0
    for step in net.steps:
        node, layer = step.node, step.layer
        count = layer.multiply_adds(*(net.blob_shapes[blob] for blob in node.bottoms))
        # At setup the RoIs are one.
        work += count * rois if node.type == "InnerProduct" else count
    return work


def rfcn() -> None:
    """R-FCN with BatchNorm and Scale folded into the convolutions, beside the same net as it is written."""
    net = Net(read_net(print_text(make_net("resnet50"))))
    net.fill(_weights(net))
    with torch.no_grad():
        for layer in net.layers.values():
            if layer.type == "BatchNorm":
                for param, value in zip(layer.params, (0.0, 1.0, 1.0), strict=True):
                    param.fill_(value)
    rng = np.random.RandomState(5)
    data = rng.standard_normal((1, 3, 600, 1000)).astype(np.float32) * 50
    blobs = {"data": data, "im_info": np.array([[600, 1000, 1.6]], np.float32)}
    times: dict[bool, float] = {}
    for folding in (True, False) * 3:
        net.folding = folding
        times[folding] = min(times.get(folding, inf), best(lambda: net(blobs), 1))
    folded, written = times[True], times[False]
    features, rois = torch.randn(1, 1029, 38, 63), torch.tensor([[0.0, 80, 90, 500, 400]]).repeat(300, 1)
    pooling = best(lambda: psroi_pool(features.contiguous(memory_format=torch.channels_last), rois, 7, 1 / 16))
    print(f"  ResNet-50 at 600×1000: folded {folded:.2f} s, as written {written:.2f} s: ratio {written / folded:.2f}")
    print(f"  PS-ROI pooling of 300 RoIs, 21 classes: {pooling / folded:.3f} of a forward (wanted: at most 0.1)")
