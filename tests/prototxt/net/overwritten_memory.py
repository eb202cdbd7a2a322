"""Caffe's own statements of forward and backward, carried out on arrays that in-place layers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
SHAPE = (2, 3, 4, 5)


def sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * np.tanh(0.5 * x) + 0.5)


@dataclass
class Memory:
    """One layer's blobs as Caffe has them: in place bottom and top are the same arrays."""

    bottom: Array
    top: Array
    bottom_diff: Array
    top_diff: Array
    kept: dict[str, Any] = field(default_factory=dict)


class CaffeLayer(Protocol):
    """A type's forward and backward, and its field in a prototxt."""

    text: str

    def forward(self, m: Memory) -> None: ...

    def backward(self, m: Memory) -> None: ...


class TanH:
    text = ""

    def forward(self, m: Memory) -> None:
        m.top[:] = np.tanh(m.bottom)

    def backward(self, m: Memory) -> None:
        m.bottom_diff[:] = m.top_diff * (1 - m.top * m.top)


class Sigmoid:
    text = ""

    def forward(self, m: Memory) -> None:
        m.top[:] = sigmoid(m.bottom)

    def backward(self, m: Memory) -> None:
        m.bottom_diff[:] = m.top_diff * m.top * (1 - m.top)


class Softmax:
    text = ""

    def forward(self, m: Memory) -> None:
        e = np.exp(m.bottom - m.bottom.max(1, keepdims=True))
        m.top[:] = e / e.sum(1, keepdims=True)

    def backward(self, m: Memory) -> None:
        m.bottom_diff[:] = m.top_diff
        scale = (m.bottom_diff * m.top).sum(1, keepdims=True)
        m.bottom_diff -= scale
        m.bottom_diff *= m.top


class Exp:
    text = "exp_param { base: 2 scale: 0.5 shift: 1 }"
    inner, outer = np.log(2) * 0.5, 2.0

    def forward(self, m: Memory) -> None:
        m.top[:] = self.outer * np.exp(self.inner * m.bottom)

    def backward(self, m: Memory) -> None:
        m.bottom_diff[:] = m.top * m.top_diff
        m.bottom_diff *= self.inner


class Swish:
    text = "swish_param { beta: 1.5 }"

    def forward(self, m: Memory) -> None:
        m.kept["sigmoid"] = sigmoid(1.5 * m.bottom)
        m.top[:] = m.bottom * m.kept["sigmoid"]

    def backward(self, m: Memory) -> None:
        m.bottom_diff[:] = m.top_diff * (1.5 * m.top + m.kept["sigmoid"] * (1 - 1.5 * m.top))


class ReLU:
    def __init__(self, slope: float = 0.0) -> None:
        self.slope, self.text = slope, f"relu_param {{ negative_slope: {slope} }}"

    def forward(self, m: Memory) -> None:
        m.top[:] = np.maximum(m.bottom, 0) + self.slope * np.minimum(m.bottom, 0)

    def backward(self, m: Memory) -> None:
        m.bottom_diff[:] = m.top_diff * ((m.bottom > 0) + self.slope * (m.bottom <= 0))


class ELU:
    def __init__(self, alpha: float) -> None:
        self.alpha, self.text = alpha, f"elu_param {{ alpha: {alpha} }}"

    def forward(self, m: Memory) -> None:
        m.top[:] = np.maximum(m.bottom, 0) + self.alpha * (np.exp(np.minimum(m.bottom, 0)) - 1)

    def backward(self, m: Memory) -> None:
        m.bottom_diff[:] = m.top_diff * ((m.bottom > 0) + (self.alpha + m.top) * (m.bottom <= 0))


class Log:
    text = "log_param { base: 2 scale: 0.5 shift: 4 }"

    def forward(self, m: Memory) -> None:
        m.top[:] = np.log(4 + 0.5 * m.bottom) / np.log(2)

    def backward(self, m: Memory) -> None:
        m.bottom_diff[:] = m.bottom
        m.bottom_diff *= 0.5
        m.bottom_diff += 4
        m.bottom_diff[:] = 1 / m.bottom_diff
        m.bottom_diff *= 0.5 / np.log(2)
        m.bottom_diff[:] = m.top_diff * m.bottom_diff


class Clip:
    text = "clip_param { min: -0.3 max: 0.8 }"

    def forward(self, m: Memory) -> None:
        m.top[:] = np.maximum(np.float32(-0.3), np.minimum(m.bottom, np.float32(0.8)))

    def backward(self, m: Memory) -> None:
        m.bottom_diff[:] = m.top_diff * ((m.bottom >= np.float32(-0.3)) & (m.bottom <= np.float32(0.8)))


class BNLL:
    text = ""

    def forward(self, m: Memory) -> None:
        m.top[:] = np.log1p(np.exp(m.bottom))

    def backward(self, m: Memory) -> None:
        e = np.exp(np.minimum(m.bottom, 50))
        m.bottom_diff[:] = m.top_diff * e / (e + 1)


class Power:
    def __init__(self, power: float, scale: float, shift: float) -> None:
        self.power, self.scale, self.shift = power, scale, shift
        self.text = f"power_param {{ power: {power} scale: {scale} shift: {shift} }}"

    def forward(self, m: Memory) -> None:
        m.top[:] = (self.shift + self.scale * m.bottom) ** self.power

    def backward(self, m: Memory) -> None:
        rate = self.power * self.scale
        if self.power == 1:
            m.bottom_diff[:] = rate
        elif self.power == 2:
            m.bottom_diff[:] = rate * self.scale * m.bottom
            m.bottom_diff += rate * self.shift
        elif self.shift == 0:
            m.bottom_diff[:] = m.top / m.bottom
            m.bottom_diff *= self.power
        else:
            m.bottom_diff[:] = m.bottom
            m.bottom_diff *= self.scale
            m.bottom_diff += self.shift
            m.bottom_diff[:] = m.top / m.bottom_diff
            m.bottom_diff *= rate
        m.bottom_diff[:] = m.top_diff * m.bottom_diff


class MVN:
    def __init__(self, across: bool = False, normalize: bool = True) -> None:
        self.axes, self.normalize = (1, 2, 3) if across else (2, 3), normalize
        flags = f"across_channels: {str(across).lower()} normalize_variance: {str(normalize).lower()}"
        self.text = f"mvn_param {{ {flags} eps: 0.01 }}"

    def forward(self, m: Memory) -> None:
        m.top[:] = m.bottom - m.bottom.mean(self.axes, keepdims=True)
        if self.normalize:
            m.kept["variance"] = np.sqrt((m.top**2).mean(self.axes, keepdims=True)) + 0.01
            m.top /= m.kept["variance"]

    def backward(self, m: Memory) -> None:
        if not self.normalize:
            m.bottom_diff[:] = m.top_diff - m.top_diff.mean(self.axes, keepdims=True)
            return
        dim = m.top[0].size if 1 in self.axes else m.top[0, 0].size
        m.bottom_diff[:] = m.top * m.top_diff
        m.bottom_diff[:] = m.bottom_diff.sum(self.axes, keepdims=True)
        m.bottom_diff *= m.top
        m.bottom_diff += m.top_diff.sum(self.axes, keepdims=True)
        m.bottom_diff *= -1 / dim  # cblas_sscal, then cblas_saxpy: axpby of every BLAS but MKL
        m.bottom_diff += m.top_diff
        m.bottom_diff /= m.kept["variance"]


class BatchNorm:
    text = "batch_norm_param { use_global_stats: false }"
    axes = (0, 2, 3)

    def forward(self, m: Memory) -> None:
        centred = m.bottom - m.bottom.mean(self.axes, keepdims=True)
        m.kept["deviation"] = np.sqrt((centred**2).mean(self.axes, keepdims=True) + 1e-5)
        m.top[:] = centred / m.kept["deviation"]
        m.kept["x_norm"] = m.top.copy()

    def backward(self, m: Memory) -> None:
        diff, x_norm = m.top_diff.copy(), m.kept["x_norm"]
        mean, slope = (t.mean(self.axes, keepdims=True) for t in (diff, diff * x_norm))
        m.bottom_diff[:] = (diff - mean - slope * x_norm) / m.kept["deviation"]


class LRN:
    text = "lrn_param { local_size: 3 alpha: 2 beta: 0.6 k: 1.5 }"

    @staticmethod
    def around(x: Array) -> Array:
        padded = np.pad(x, ((0, 0), (1, 1), (0, 0), (0, 0)))
        return np.asarray(padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:])

    def forward(self, m: Memory) -> None:
        m.kept["scale"] = 1.5 + 2 / 3 * self.around(m.bottom**2)
        m.top[:] = m.bottom * m.kept["scale"] ** -0.6

    def backward(self, m: Memory) -> None:
        scale = m.kept["scale"]
        m.bottom_diff[:] = m.top_diff * scale**-0.6
        m.bottom_diff -= 2 * 2 * 0.6 / 3 * m.bottom * self.around(m.top_diff * m.top / scale)


class Dropout:
    text = "dropout_param { dropout_ratio: 0.4 }"

    def __init__(self) -> None:
        self.mask = np.ones(SHAPE)

    def forward(self, m: Memory) -> None:
        m.top[:] = m.bottom * self.mask / 0.6

    def backward(self, m: Memory) -> None:
        m.bottom_diff[:] = m.top_diff * self.mask / 0.6


def caffe(chain: Sequence[CaffeLayer], x: Array, diff: Array) -> Array:
    """The input's diff, of one array for each blob and one for each diff."""
    blobs, diffs = {"x": x.copy(), "y": np.zeros_like(x)}, {"x": np.zeros_like(x), "y": diff.copy()}
    memories = []
    for i, layer in enumerate(chain):
        bottom = "y" if i else "x"
        memories.append(Memory(blobs[bottom], blobs["y"], diffs[bottom], diffs["y"]))
        layer.forward(memories[-1])
    for layer, memory in reversed(list(zip(chain, memories, strict=True))):
        layer.backward(memory)
    return diffs["x"]
