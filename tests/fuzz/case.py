"""A random net as it is tried: its text, what it is fed, its params; all follow from a seed and the blobs' names."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from recaffe.prototxt.caffe_pb2 import NetParameter
from recaffe.prototxt.net import Net
from recaffe.prototxt.text import print_text, read_net

from ..layers.reading import Array
from .draw import Feed


@dataclass(frozen=True)
class Case:
    """A net and what its inputs hold."""

    message: NetParameter
    phase: str
    seed: str
    feeds: Mapping[str, Feed] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return print_text(self.message)

    def net(self) -> Net:
        """Built and filled."""
        net = Net(read_net(self.text), self.phase, seed=3)
        values = {}
        for param in net.param_list:
            layer, index = param.layers[0], param.places[0][1]
            value = self._param(net, layer, index)
            values[layer, index] = value
        net.fill(values)
        return net

    def _param(self, net: Net, layer: str, index: int) -> Tensor:
        rng = self._rng(f"{layer}/{index}")
        value = rng.standard_normal(net.layer(layer).param_shapes[index]) * 0.7
        if layer.startswith("batchnorm") and index > 0:  # a variance, or the weight of both, now and then 0
            value = np.abs(value) + (0.3 if index == 1 or rng.random() < 0.9 else -np.abs(value))
        if layer == "start":
            value = 0.3 * value + (index == 0)
        return torch.from_numpy(np.asarray(value, np.float32))

    def inputs(self) -> dict[str, Tensor]:
        return {
            name: torch.from_numpy(self._numbers(name, feed).astype(np.float32)) for name, feed in self.feeds.items()
        }

    def _numbers(self, name: str, feed: Feed) -> Array:
        rng = self._rng(name)
        if feed.kind == "rois":
            return _rois(rng, feed).reshape(feed.shape)
        if feed.kind == "flags_one":
            flags = rng.integers(0, 2, feed.shape)
            flags[-1] = 1
            return flags
        made = {
            "normal": lambda: rng.standard_normal(feed.shape) * rng.choice([1, 1, 1, 0.1, 5]),
            "state": lambda: rng.standard_normal(feed.shape),
            "whole": lambda: rng.integers(0, feed.most, feed.shape),
            "flags": lambda: rng.integers(0, 2, feed.shape),
            "positive": lambda: rng.uniform(0.2, 2, feed.shape),
            "probability": lambda: rng.random(feed.shape),
        }
        return np.asarray(made[feed.kind](), np.float64)

    def _rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng(zlib.crc32(f"{self.seed} {name}".encode()))


def _rois(rng: np.random.Generator, feed: Feed) -> Array:
    """Some within the map, some over its edge, some beside it; corners at halves now and then."""
    corners = rng.uniform(-4, 8, (*feed.shape[:1], 2))
    sizes = rng.uniform(0, 8, (*feed.shape[:1], 2))
    boxes = np.concatenate([corners, corners + sizes], 1) * rng.choice([1, 2, 3.3, 16])
    if rng.random() < 0.3:
        boxes = np.round(boxes * 2) / 2
    return np.concatenate([rng.integers(0, feed.most, (feed.shape[0], 1)), boxes], 1)
