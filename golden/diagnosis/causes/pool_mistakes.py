"""Mistakes in pooling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor

from ....layers import PoolingLayer
from .rule import Case, Suspect, altered, rule


@rule("pooling rounds down or up", "Pooling")
def rounding(case: Case) -> Iterator[Suspect]:
    """The number of windows, rounded the other way."""
    layer = cast(PoolingLayer, case.layer)
    other = "FLOOR" if layer.round_mode == "CEIL" else "CEIL"
    words = {"CEIL": "up (ceil, Caffe's rule)", "FLOOR": "down (floor)"}
    text = f"the golden's number of windows is rounded {words[other]}, NET's {words[layer.round_mode]}"
    yield Suspect(text, altered(layer, round_mode=other))


@rule("maximum or average", "Pooling")
def method(case: Case) -> Iterator[Suspect]:
    """The other way to reduce a window."""
    layer = cast(PoolingLayer, case.layer)
    for other in ({"MAX", "AVE"} - {layer.pool}) if layer.num_tops == 1 else ():
        yield Suspect(f"the golden pools by {other}, NET by {layer.pool}", altered(layer, pool=other))


@rule("average counts the padding", "Pooling")
def padding(case: Case) -> Iterator[Suspect]:
    """Averages over the cells inside the plane alone."""
    layer = cast(PoolingLayer, case.layer)
    if layer.pool != "AVE" or not any(layer.pad):
        return

    def uncounted(*bottoms: Tensor) -> tuple[Tensor, ...]:
        (sums,), (shares,) = layer(*bottoms), layer(torch.ones_like(bottoms[0]))
        return (sums / shares,)

    yield Suspect("the golden divides by the cells inside the plane, Caffe counts padding, too", uncounted)


@rule("rows for columns", "Pooling")
def turned(case: Case) -> Iterator[Suspect]:
    """Kernel, stride and pad of height and width exchanged."""
    layer = cast(PoolingLayer, case.layer)
    if layer.kernel is not None and (layer.kernel, layer.stride, layer.pad) != (
        layer.kernel[::-1],
        layer.stride[::-1],
        layer.pad[::-1],
    ):
        other = altered(layer, kernel=layer.kernel[::-1], stride=layer.stride[::-1], pad=layer.pad[::-1])
        yield Suspect("the golden has height and width of kernel, stride and pad exchanged", other)
