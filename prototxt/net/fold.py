"""BatchNorm and Scale multiplied into the convolution before them: the same numbers to rounding, two passes less.

Only for inference, and only where nobody asks for a blob that this leaves out.
"""

from __future__ import annotations

import copy
from collections.abc import Set
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from ...layers import BatchNormLayer, ConvolutionLayer, Layer, ScaleLayer
from .build import Parts
from .gradients import Flow
from .graph import Node
from .walk import Walk

Affine = tuple[Tensor, Tensor]
"""A factor and a shift for each channel."""


@dataclass
class Folded:
    """The parts that remain, the blobs that vanish, and the params that went in, with their versions then."""

    parts: Parts
    hidden: frozenset[str]
    stamps: list[tuple[Tensor, int]]

    def is_current(self, parts: Parts) -> bool:
        """Whether the params are still those that were folded."""
        present = _params(parts.layers)
        return len(present) == len(self.stamps) and all(
            param is then and param._version == version
            for param, (then, version) in zip(present, self.stamps, strict=True)
        )


class Folding:
    """The walk over a net's folded layers, made anew when params have changed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._last: tuple[Folded, Walk] | None = None

    def walk(self, kept: Set[str]) -> Walk | None:
        """The walk; none where nothing is folded, or a blob that vanished is to be kept."""
        if self._last is None or not self._last[0].is_current(self._parts):
            folded = fold(self._parts)
            self._last = folded, Walk(folded.parts, folded.parts.flow)
        folded, walk = self._last
        return walk if len(folded.parts.nodes) < len(self._parts.nodes) and not folded.hidden & kept else None


@torch.no_grad()
def fold(parts: Parts) -> Folded:
    """Fold every BatchNorm with fixed statistics and every Scale by channel that follows a convolution."""
    nodes: list[Node] = []
    layers: list[Layer] = []
    kept_weights: list[list[float]] = []
    hidden: set[str] = set()
    convolved: dict[str, int] = {}  # blobs whose present version a convolution made, and where that is
    for node, layer, weights in zip(parts.nodes, parts.layers, parts.weights, strict=True):
        at = convolved.pop(node.bottoms[0], None) if len(node.bottoms) == 1 else None
        affine = _affine(layer) if at is not None and not any(weights) else None
        if at is not None and affine is not None:
            if node.tops != nodes[at].tops:
                hidden.update(nodes[at].tops)
            nodes[at], layers[at] = (
                replace(nodes[at], tops=node.tops),
                _multiplied(cast(ConvolutionLayer, layers[at]), affine),
            )
        else:
            at = len(nodes)
            nodes.append(node)
            layers.append(layer)
            kept_weights.append(weights)
        if _is_convolution(layers[at]) and len(node.tops) == 1 and not any(weights):
            convolved[node.tops[0]] = at
    idle = Flow([False] * len(nodes), [[False] * len(node.bottoms) for node in nodes], [[] for _ in nodes])
    rest = replace(parts, nodes=nodes, layers=layers, weights=kept_weights, flow=idle)
    return Folded(rest, frozenset(hidden), [(param, param._version) for param in _params(parts.layers)])


def _params(layers: list[Layer]) -> list[Tensor]:
    return [param for layer in layers for param in layer.parameters(recurse=False)]


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
