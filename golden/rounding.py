"""How far rounding alone moves a diff, measured: what lies below says nothing of a net.

The diff of a bias before BatchNorm in TRAIN is truly zero, and what any program has there is the rounding of the sums
that it is made of. How much that is depends on how large their terms are, so it is found by trying: the net is run a
few times on inputs that differ by less than float32 can tell, in float32 and in float64, and the two are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..layers import LayerError
from ..prototxt import PrototxtError
from ..prototxt.net import Net
from .fixture import Fixture

Array = npt.NDArray[Any]
Run = Callable[[Net, Fixture], Mapping[str, Tensor]]
"""Runs a net on a fixture's blobs, of the type that they have; gives our values by key."""

_TRIES = 5
_EPSILON = float(np.finfo(np.float32).eps) / 2
_SPREAD = 10.0
"""How many times the middle one of the tries another program's rounding may be: the originals came to 5 at most."""


def rounding_floors(build: Callable[[], Net], fixture: Fixture, run: Run, keys: Iterable[str]) -> dict[str, float]:
    """What rounding may come to in each of these values; none of them where a layer cannot compute in float64."""
    tries: dict[str, list[float]] = {key: [] for key in keys}
    try:
        for number in range(_TRIES):
            net, nudged = build(), _nudged(fixture, number)
            values = dict(_params(net, number))
            single = _values(net, values, nudged, run, torch.float32)
            double = _values(net, values, nudged, run, torch.float64)
            for key, found in tries.items():
                found.append(float((single[key].double() - double[key]).abs().max()))
    except (RuntimeError, LayerError, PrototxtError, KeyError):
        return {}
    return {key: _SPREAD * median(found) for key, found in tries.items()}


def _values(
    net: Net, values: Mapping[str, Tensor], fixture: Fixture, run: Run, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Our values of one run in one precision, from the same params and random numbers each time."""
    net.to(dtype)
    net.zero_grad()
    for name, param in net.named_parameters():
        param.data.copy_(values[name])
    net.rng.seed(0 if fixture.rng_seed is None else fixture.rng_seed)
    net.generator.manual_seed(net.seed)
    return {key: value.detach().clone() for key, value in run(net, _as_type(fixture, dtype)).items()}


def _params(net: Net, number: int) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(_nudge(param.detach().numpy(), number + i))
        for i, (name, param) in enumerate(net.named_parameters())
    }


def _nudged(fixture: Fixture, number: int) -> Fixture:
    """A fixture of the same net whose blobs are others, by less than float32 can tell."""
    return _with_blobs(fixture, lambda values: _nudge(values, number))


def _nudge(values: Array, seed: int) -> Array:
    """Values times 1 plus or minus half an epsilon; whole numbers, such as labels, stay as they are."""
    whole = values == np.round(values)
    factors = 1 + _EPSILON * np.random.RandomState(seed).uniform(-2, 2, values.shape)
    return np.where(whole, values, values * factors).astype(np.float32)


def _as_type(fixture: Fixture, dtype: torch.dtype) -> Fixture:
    kind = np.float64 if dtype is torch.float64 else np.float32
    return _with_blobs(fixture, lambda values: values.astype(kind))


def _with_blobs(fixture: Fixture, change: Callable[[Array], Array]) -> Fixture:
    """A fixture whose blobs and diffs are changed."""
    bottoms, tops, top_diffs, diffs = (
        {name: change(values) for name, values in blobs.items()}
        for blobs in (fixture.bottoms, fixture.tops, fixture.top_diffs, fixture.diffs)
    )
    return replace(fixture, bottoms=bottoms, tops=tops, top_diffs=top_diffs, diffs=diffs)
