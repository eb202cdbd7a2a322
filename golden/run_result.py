"""What a run of a net gave, and beside it what a fixture expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from ..prototxt.net import Net
from .fixture import Fixture
from .isolate import Words
from .subject import param_of

Array = npt.NDArray[Any]


@dataclass
class RunResult:
    """What a run gave, under the names of a fixture's keys."""

    tops: dict[str, Tensor] = field(default_factory=dict)
    """Blobs after forward; of a run layer by layer also `version/B/K`, which was overwritten in place."""
    diffs: dict[str, Tensor] = field(default_factory=dict)
    """Blobs' diffs after backward."""
    rng: dict[str, Words] = field(default_factory=dict)
    """The random generator's state before a layer."""
    dependent: dict[str, str] = field(default_factory=dict)
    """Keys of diffs that say nothing of their layer, with the blob whose diff they need and the fixture lacks."""


def beside(
    result: RunResult, net: Net, fixture: Fixture, isolate: bool, top: str
) -> Iterator[tuple[str, Array, Array | Tensor | None]]:
    """Everything that the fixture expects of a run, layer by layer or whole, and ours, by its key."""
    for name, want in _in_order(net, fixture.tops):
        yield f"{top}/{name}", want, result.tops.get(name)
    for name, want in _in_order(net, fixture.diffs):
        yield f"diff/{name}", want, _diff(result, name)
    for (layer, index), want in fixture.param_diffs.items():
        yield f"param_diff/{layer}/{index}", want, _param_diff(net, layer, index)
    for (layer, index), want in fixture.post.items():
        yield f"post/{layer}/{index}", want, param_of(net, layer, index)
    if isolate:
        for (name, number), want in fixture.versions.items():
            yield f"version/{name}/{number}", want, result.tops.get(f"version/{name}/{number}")
        for layer, want in fixture.rng.items():
            yield f"rng/{layer}", want, result.rng.get(layer)


def _in_order(net: Net, blobs: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """The fixture's blobs in the net's order, then those that the net lacks."""
    known = [name for name in net.blob_shapes if name in blobs]
    for name in known + [name for name in blobs if name not in net.blob_shapes]:
        yield name, blobs[name]


def _diff(result: RunResult, name: str) -> Tensor | None:
    """A blob's diff; zero where backward did not come by."""
    if name in result.diffs:
        return result.diffs[name]
    return torch.zeros_like(result.tops[name]) if name in result.tops else None


def _param_diff(net: Net, layer: str, index: int) -> Tensor | None:
    """A param's diff, zero where it does not learn, in the layer's own shape."""
    param = param_of(net, layer, index)
    if param is None:
        return None
    diff: Tensor | None = getattr(net.layer(layer), str(index)).grad
    return torch.zeros_like(param) if diff is None else diff.view(param.shape)
