"""A net's params beside the golden ones: which differ, where, and how that may have come about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ....layers import InnerProductLayer
from ....prototxt.net import Net, ParamName
from ...compare import BlobResult, compare_blob
from ..language import Vocabulary

Array = npt.NDArray[Any]
_NEAR = 1e-4
"""What a conversion may cost, in parts of the largest magnitude, and still be known for what it is."""


@dataclass(frozen=True)
class ParamDifference:
    """A param that is not the golden's; `str()` of it is one line."""

    layer: str
    index: int
    result: BlobResult
    where: str = ""
    """The first value that differs, in the domain's words."""
    guess: str = ""
    """How it came about, where the values show it."""

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        guess = f": {self.guess}" if self.guess else ""
        return f"layer {self.layer!r}, param {self.index}{guess or f': {self.result.detail}'}{where}"


def compare_params(
    net: Net, golden: Mapping[ParamName, Array], words: Vocabulary, tolerance: float = 0.0
) -> list[ParamDifference]:
    """Every golden param that the net lacks or has otherwise, in the net's order."""
    order = {node.name: i for i, node in reversed(list(enumerate(net.nodes)))}
    found = []
    for layer, index in sorted(golden, key=lambda place: (order.get(place[0], len(order)), place[1])):
        want, have = golden[layer, index], param_of(net, layer, index)
        result = compare_blob(f"param/{layer}/{index}", want, have, tolerance, exact=not tolerance)
        if result.ok:
            continue
        where = words.param(layer, index, result.first) if result.first is not None else ""
        guess = _guess(net, golden, (layer, index), want, have) if have is not None and have.dtype == want.dtype else ""
        found.append(ParamDifference(layer, index, result, where, guess))
    return found


def param_of(net: Net, layer: str, index: int) -> Array | None:
    """A param's values, None where the net has no such param."""
    params = net.layer(layer).params if layer in net.layers else []
    return params[index].detach().cpu().numpy() if index < len(params) else None


def _guess(net: Net, golden: Mapping[ParamName, Array], place: ParamName, want: Array, have: Array) -> str:
    return next(filter(None, _guesses(net, golden, place, want, have)), "")


def _guesses(net: Net, golden: Mapping[ParamName, Array], place: ParamName, want: Array, have: Array) -> Iterator[str]:
    """What the difference may come from, most telling first; empty texts for what does not hold."""
    layer, index = place
    if prod(have.shape) > 1:
        yield _owner(golden, place, have)
    if have.shape == want.shape:
        yield from _rearranged(net, layer, want, have)
        count = int(np.count_nonzero(want != have))
        if count == 1 < want.size:
            yield "one single value differs"
        if not have.any():
            yield "it is all zeros"
        yield from _scaled(want, have)
        if np.array_equal(want.astype(np.float16).astype(np.float32), have):
            yield "it went through half floats"
    weight = param_of(net, layer, 0)
    if index and weight is not None and np.array_equal(weight, golden.get((layer, 0), weight + 1)):
        yield "it is stale: param 0 of the layer is the golden's, this one is not"


def _owner(golden: Mapping[ParamName, Array], place: ParamName, have: Array) -> str:
    """Another layer whose param this is."""
    if np.all(have == have.flat[0]):
        return ""  # zeros and ones are everybody's
    for (layer, index), value in golden.items():
        if (layer, index) != place and value.shape == have.shape and np.array_equal(value, have):
            return f"it is that of layer {layer!r}, param {index}: swapped"
    return ""


def _rearranged(net: Net, layer: str, want: Array, have: Array) -> Iterator[str]:
    """The golden's values in another order."""
    if want.ndim == 2 and np.array_equal(want.reshape(want.shape[::-1]).T, have):
        yield "it is transposed: stored inputs first"
    if want.ndim == 2 and np.array_equal(want.T.reshape(want.shape), have):
        yield "it is transposed: stored outputs first where inputs are meant to be"
    if want.ndim == 4 and want.shape[1] == 3 and np.array_equal(want[:, ::-1], have):
        yield "its input channels are in reverse order: BGR and RGB exchanged"
    if want.ndim == 4 and np.array_equal(want[:, :, ::-1, ::-1], have):
        yield "its kernels are turned by 180 degrees"
    made = net.layer(layer)
    if isinstance(made, InnerProductLayer) and want.ndim == 2 and not made.transpose:
        bottom = next(net.blob_shapes[node.bottoms[0]] for node in net.nodes if node.name == layer)
        if len(bottom) == 4:
            c, h, w = bottom[1:]
            last = want.reshape(-1, c, h, w).transpose(0, 2, 3, 1).reshape(want.shape)  # (O, C*H*W) -> (O, H*W*C)
            if np.array_equal(last, have):
                yield "its inputs are in the order of rows, columns, channels; Caffe's is channels, rows, columns"


def _scaled(want: Array, have: Array) -> Iterator[str]:
    """The golden's values times a factor, the same for all or for each output."""
    if not want.any() or not have.any():
        return
    factor = _factor(want, have)
    if _explains(want * factor, have):
        yield f"it is {factor:.6g} times the golden's"
    elif want.ndim > 1:
        factors = np.array([_factor(w, h) for w, h in zip(want, have, strict=True)])
        if _explains(want * factors.reshape(-1, *[1] * (want.ndim - 1)), have):
            several = ", ".join([*(f"{f:.4g}" for f in factors[:8]), *["..."][: len(factors) > 8]])
            boxes = len(factors) % 4 == 0 and (factors > 0).all() and np.mean(np.abs(factors - 1) > _NEAR) > 0.5
            yield f"each output is a multiple of the golden's ({several}){_BOXES if boxes else ''}"


_BOXES = ": as box layers are with and without the normalisation of their targets"


def _factor(want: Array, have: Array) -> float:
    """The factor that fits best."""
    a, b = want.astype(np.float64).ravel(), have.astype(np.float64).ravel()
    return float(a @ b / (a @ a)) if a.any() else 0.0


def _explains(made: Array, have: Array) -> bool:
    return bool(np.abs(made - have).max() <= _NEAR * np.abs(have).max())
