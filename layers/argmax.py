"""ArgMax."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .base import Layer, LayerError, canonical_axis, register, times


@register("ArgMax")
class ArgMaxLayer(Layer):
    """Find the top_k largest values and where they are.

    Bottom: x. With `axis`, top: the places of the largest values along it, or, if out_max_val, those values: x's shape
    with top_k at the axis. Without, each item is searched as a whole, and top: the places, (N, 1, top_k), or, if
    out_max_val, places and values, (N, 2, top_k), with further axes of length 1 where x has more than three.
    The largest comes first; of equal values the one further back. Places count from 0.

    Differs from torch.topk: the order of equal values, and the top without axis. It has no backward, as in Caffe.
    """

    messages = ("argmax_param",)
    undifferentiable = frozenset({0})

    def __init__(self, *, out_max_val: bool = False, top_k: int = 1, axis: int | None = None) -> None:
        super().__init__()
        if top_k < 1:
            raise LayerError(f"needs top_k of at least 1, got {top_k}")
        self.out_max_val, self.top_k, self.axis = out_max_val, top_k, axis
        self.discrete = frozenset() if out_max_val else frozenset({0})

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x = bottoms[0].detach()
        shape = tuple(x.shape)
        if self.axis is not None:
            places, values = self._largest(x, canonical_axis(self.axis, shape))
            return (values if self.out_max_val else places,)
        batch = shape[canonical_axis(0, shape)]
        places, values = self._largest(x.reshape(batch, math.prod(shape[1:])), 1)
        # twice (N, top_k) -> (N, 2, top_k)
        top = torch.stack([places, values] if self.out_max_val else [places], 1)
        return (top.reshape(*top.shape, *(1,) * (len(shape) - 3)),)

    def _largest(self, x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
        """Places and values of the top_k largest along an axis."""
        length = x.shape[axis]
        if self.top_k > length:
            raise LayerError(f"top_k {self.top_k} is more than the length of axis {axis} of {times(tuple(x.shape))}")
        # Of equal values torch's order takes the first, so the order is turned round.
        turned = x.flip(axis)
        if self.top_k == 1:
            values, places = turned.max(axis, keepdim=True)
        else:
            values, places = turned.sort(dim=axis, descending=True, stable=True)
        values, places = values.narrow(axis, 0, self.top_k), places.narrow(axis, 0, self.top_k)
        return (length - 1 - places).to(x.dtype), values
