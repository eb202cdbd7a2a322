"""One step of a net: a node of its graph, the layer that computes it, and what forward and backward do with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...layers import Layer, LayerError
from ..errors import PrototxtError
from .graph import Node

Compute = Callable[..., tuple[Tensor, ...]]
"""A layer, or what stands in for one: bottoms to tops."""


class NetError(PrototxtError):
    """A net cannot be built or run as asked."""


@contextmanager
def located(node: Node) -> Iterator[None]:
    """Add a layer's name and place to what goes wrong in it."""
    try:
        yield
    except LayerError as error:
        raise NetError(f"{node}: {error}") from error
    except (RuntimeError, MemoryError) as error:
        raise NetError(f"{node}: {_told(error)}") from error


def _told(error: Exception) -> str:
    """What torch or NumPy say, in our words where it is of memory."""
    text = str(error).partition("\n")[0] or "out of memory"
    if sizes := re.search(r"Storage size calculation overflowed with sizes=\[([\d, ]+)\]", text):
        return f"needs a blob of {sizes[1].replace(', ', '×')}, which no memory holds"
    if count := re.search(r"can't allocate memory: you tried to allocate (\d+) bytes", text):
        return f"out of memory: needs {int(count[1]):,} bytes more"
    return text


@dataclass(frozen=True)
class Needs:
    """What backward visits of a layer: itself, each of its bottoms, each of its params."""

    backward: bool
    bottoms: tuple[bool, ...]
    params: tuple[bool, ...]


@dataclass(frozen=True)
class Step:
    """A layer of a net where it runs: its node, itself, what each top weighs in the loss, and what wants a diff."""

    node: Node
    layer: Layer
    loss_weights: tuple[float, ...]
    needs: Needs

    @property
    def losses(self) -> dict[str, float]:
        """The tops that count into the loss, with their weights."""
        return {top: weight for top, weight in zip(self.node.tops, self.loss_weights, strict=True) if weight}

    def run(self, bottoms: Sequence[Tensor], layer: Compute | None = None) -> tuple[Tensor, ...]:
        """The layer's tops; diffs will flow through it where they are needed, and nowhere else.

        `layer` stands in for the layer itself.
        """
        with located(self.node):
            return self.compute(bottoms, layer)

    def compute(self, bottoms: Sequence[Tensor], layer: Compute | None = None) -> tuple[Tensor, ...]:
        """The same, whose errors name no place; under torch.autocast in float32, unless it takes half precision."""
        layer = layer or self.layer
        needed = torch.is_grad_enabled() and self.needs.backward
        if needed:
            bottoms = [self._wanted(bottom, need) for bottom, need in zip(bottoms, self.needs.bottoms, strict=True)]
        if self.layer.takes_half or not bottoms or not torch.is_autocast_enabled(bottoms[0].device.type):
            with torch.set_grad_enabled(needed):
                return self._tops(layer, bottoms)
        with torch.set_grad_enabled(needed), torch.autocast(bottoms[0].device.type, enabled=False):
            return self._tops(layer, [bottom.float() for bottom in bottoms])

    def _wanted(self, bottom: Tensor, need: bool) -> Tensor:
        """A bottom as the layer takes it: cut off where its diff is to go nowhere."""
        return bottom if need or (self.layer.writes_unasked and bottom.is_leaf) else bottom.detach()

    @staticmethod
    def _tops(layer: Compute, bottoms: Sequence[Tensor]) -> tuple[Tensor, ...]:
        tops = layer(*bottoms)
        # A view of what wants a diff seems to want one, too, even where none is recorded.
        return tops if torch.is_grad_enabled() else tuple(top.detach() if top.requires_grad else top for top in tops)

    def passes_down(self, bottom: int) -> bool:
        """Whether backward gives a bottom a diff, for the layers below to go on with."""
        return self.needs.backward and self.needs.bottoms[bottom]

    def writes_diff(self, bottom: int) -> bool:
        """Whether a bottom has a diff after backward, be it of use to a layer below or not."""
        return self.passes_down(bottom) or (self.needs.backward and self.layer.writes_unasked)

    def forced(self) -> Step:
        """The step under `force_backward`: all wants a diff, save what the layer keeps out (a loss's labels)."""
        bottoms = (need or position not in self.layer.unforced for position, need in enumerate(self.needs.bottoms))
        return replace(self, needs=Needs(True, tuple(bottoms), (True,) * len(self.needs.params)))

    def without_backward(self) -> Step:
        """The step where nothing wants a diff."""
        return replace(self, needs=replace(self.needs, backward=False, bottoms=(False,) * len(self.node.bottoms)))
