"""BatchNorm and Scale multiplied into the convolution before them: the same numbers to rounding, two passes less.

Only for inference, and only where nobody asks for a blob that this leaves out.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from threading import Lock
from typing import cast

import torch
from torch import Tensor, nn

from ...layers import BatchNormLayer, ConvolutionLayer, Layer, ScaleLayer
from .build import Parts
from .step import Step
from .walk import Walk

Affine = tuple[Tensor, Tensor]
"""A factor and a shift for each channel."""


@dataclass(frozen=True)
class Folded:
    """The parts that remain, the blobs that vanish, and the params that went in, with their versions then."""

    parts: Parts
    hidden: frozenset[str]
    stamps: list[tuple[Tensor, int]]

    def is_current(self, steps: Sequence[Step]) -> bool:
        """Whether the params are still those that were folded."""
        present = _params(steps)
        return len(present) == len(self.stamps) and all(
            param is then and param._version == version
            for param, (then, version) in zip(present, self.stamps, strict=True)
        )


class Folding:
    """The walk over a net's folded layers, made anew when params have changed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._last: tuple[Folded, Walk] | None = None
        self._lock = Lock()

    def walk(self, kept: Set[str]) -> Walk | None:
        """The walk; none where nothing is folded, or a blob that vanished is to be kept."""
        with self._lock:
            if self._last is None or not self._last[0].is_current(self._parts.steps):
                folded = fold(self._parts)
                self._last = folded, Walk(folded.parts.steps)
            folded, walk = self._last
        return walk if len(walk.steps) < len(self._parts.steps) and not folded.hidden & kept else None


@torch.no_grad()
def fold(parts: Parts) -> Folded:
    """Fold every BatchNorm with fixed statistics and every Scale by channel that follows a convolution."""
    steps: list[Step] = []
    hidden: set[str] = set()
    convolved: dict[str, int] = {}  # blobs whose present version a convolution made, and where that is
    for step in parts.steps:
        node = step.node
        at = convolved.pop(node.bottoms[0], None) if len(node.bottoms) == 1 else None
        affine = _affine(step.layer) if at is not None and not any(step.loss_weights) else None
        if at is not None and affine is not None:
            before = steps[at]
            if node.tops != before.node.tops:
                hidden.update(before.node.tops)
            layer = _multiplied(cast(ConvolutionLayer, before.layer), affine)
            steps[at] = replace(before, node=replace(before.node, tops=node.tops), layer=layer)
        else:
            at = len(steps)
            steps.append(step.without_backward())
        if _is_convolution(steps[at].layer) and len(node.tops) == 1 and not any(step.loss_weights):
            convolved[node.tops[0]] = at
    stamps = [(param, param._version) for param in _params(parts.steps)]
    return Folded(replace(parts, steps=tuple(steps)), frozenset(hidden), stamps)


def _params(steps: Sequence[Step]) -> list[Tensor]:
    return [param for step in steps for param in step.layer.parameters(recurse=False)]


def _is_convolution(layer: Layer) -> bool:
    return isinstance(layer, ConvolutionLayer) and layer.axis == 1


def _affine(layer: Layer) -> Affine | None:
    """What a layer does to each channel of a convolution's top, if it is no more than that."""
    if isinstance(layer, BatchNormLayer) and layer.use_global_stats:
        return layer.affine()
    if isinstance(layer, ScaleLayer) and layer.axis == 1 and layer.params and layer.params[0].dim() == 1:
        factor, *shift = layer.params
        return factor, shift[0] if shift else torch.zeros_like(factor)
    return None


def _multiplied(layer: ConvolutionLayer, affine: Affine) -> ConvolutionLayer:
    """A convolution that multiplies and shifts its channels as well."""
    factor, shift = affine
    weight, *bias = layer.params
    folded = copy.copy(layer)
    weight = weight * factor.view(-1, *[1] * (weight.dim() - 1))
    params = weight, (bias[0] * factor if bias else 0) + shift
    folded._parameters = {str(i): nn.Parameter(param, requires_grad=False) for i, param in enumerate(params)}
    folded.param_shapes = [tuple(param.shape) for param in params]
    folded.bias_term = True
    return folded
