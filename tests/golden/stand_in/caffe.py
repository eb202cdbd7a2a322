"""A stand-in for pycaffe: what dump_caffe.py asks of it, computed by our own layers on NumPy's global generator."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from fast_rcnn.config import cfg

from recaffe.prototxt.net.net import Net as Ours
from recaffe.prototxt.text.config import Config

TRAIN, TEST = 0, 1
__version__ = "stand-in"
seeds: list[int] = []
modes: list[object] = []


def set_mode_cpu() -> None:
    modes.append("cpu")


def set_mode_gpu() -> None:
    modes.append("gpu")


def set_device(number: int) -> None:
    modes.append(number)


def set_random_seed(seed: int) -> None:
    seeds.append(seed)


def config() -> Config:
    return Config().merged({key: value for key, value in cfg.items() if key != "PIXEL_MEANS"})


class Blob:
    def __init__(self, data: np.ndarray[Any, Any]) -> None:
        self.data = data
        self.diff = np.zeros_like(data)

    def reshape(self, *shape: int) -> None:
        self.data, self.diff = np.zeros((2, *shape), np.float32)

    def tensor(self) -> torch.Tensor:
        """A copy; with channels innermost as our nets have it, so that sums round alike."""
        values = torch.from_numpy(self.data.copy())
        return values.contiguous(memory_format=torch.channels_last) if values.dim() == 4 else values


class Net:
    def __init__(self, network_file: str, weights: str, phase: int) -> None:
        net = self._net = Ours.from_prototxt(network_file, ("TRAIN", "TEST")[phase], weights, config())
        for layer in (step.layer for step in net.steps):
            layer.overwrite = False
        self._blob_names = list(net.blob_shapes)
        self._layer_names = [node.name for node in net.nodes]
        self.layers = [SimpleNamespace(type=node.type) for node in net.nodes]
        self.inputs = list(net.inputs)
        self.blobs = OrderedDict((name, Blob(np.zeros(shape, np.float32))) for name, shape in net.blob_shapes.items())
        self.params = OrderedDict(
            (name, [Blob(param.detach().numpy()) for param in layer.params])
            for name, layer in net.layers.items()
            if layer.params
        )
        for name, weight in net.loss_weights.items():
            self.blobs[name].diff[...] = weight
        self._began: tuple[Any, ...] = ()

    def _ids(self, names: tuple[str, ...]) -> list[int]:
        return [self._blob_names.index(name) for name in names]

    def _bottom_ids(self, i: int) -> list[int]:
        return self._ids(self._net.nodes[i].bottoms)

    def _top_ids(self, i: int) -> list[int]:
        return self._ids(self._net.nodes[i].tops)

    def _forward(self, start: int, end: int) -> float:
        loss = 0.0
        for i in range(start, end + 1):
            node = self._net.nodes[i]
            if node.bottoms and not self._began:
                self._began = np.random.get_state()
            with self._drawing(), torch.no_grad():
                tops = self._net.steps[i].run([self.blobs[name].tensor() for name in node.bottoms])
            for name, top in zip(node.tops, tops, strict=True):
                weight = self._net.loss_weights.get(name, 0.0)
                self.blobs[name] = Blob(top.contiguous().numpy())
                self.blobs[name].diff[...] = weight
                loss += weight * float(top.sum())
        return loss

    def _backward(self, start: int, end: int) -> None:
        """Backward of another forward from where the first began."""
        assert (start, end) == (len(self._net.nodes) - 1, 0)
        sources = [top for node in self._net.nodes if not node.bottoms for top in node.tops]
        np.random.set_state(self._began)
        with self._drawing():
            self._net({name: self.blobs[name].tensor() for name in sources}, keep="all")
        handed = {k: torch.from_numpy(blob.diff) for k, blob in self.blobs.items() if blob.diff.any()}
        if handed:
            self._net.backward({k: diff for k, diff in handed.items() if k not in self._net.loss_weights})
        for name, diff in self._net.diffs.items():
            self.blobs[name].diff[...] = diff.numpy() if name not in sources else 1  # some layers compute there
        for name, params in self.params.items():
            for param, ours in zip(params, self._net.layer(name).params, strict=True):
                param.diff[...] = 0 if ours.grad is None else ours.grad.numpy().reshape(param.diff.shape)

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Have the layers draw from NumPy's global generator."""
        self._net.rng.set_state(np.random.get_state())
        yield
        np.random.set_state(self._net.rng.get_state())
