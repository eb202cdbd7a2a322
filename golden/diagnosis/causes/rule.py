"""What a rule is, and the registry of all rules. A module of this folder that registers a rule is found by itself."""

from __future__ import annotations

import copy
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ....layers import Layer
from ....prototxt.net import Net, Node, ParamName
from ...isolate import StandIn
from ..pieces import PieceRun

L = TypeVar("L", bound=Layer)


@dataclass(frozen=True)
class Suspect:
    """One mistake to try: what the golden would then be, and a stand-in for the layer that makes it so."""

    text: str
    run: StandIn
    beside: Mapping[int, StandIn] = field(default_factory=dict)
    """Stand-ins for other layers of the net, by position."""


@dataclass(frozen=True)
class Case:
    """A layer that is suspected, and what is known around it."""

    run: PieceRun
    position: int
    params: Mapping[ParamName, npt.NDArray[Any]] = field(default_factory=dict)
    """The golden's params."""

    @property
    def net(self) -> Net:
        """The net under test."""
        return self.run.net

    @property
    def node(self) -> Node:
        """The layer's place in the graph."""
        return self.net.steps[self.position].node

    @property
    def layer(self) -> Layer:
        """The layer itself."""
        return self.net.steps[self.position].layer

    @property
    def only_top(self) -> str:
        """The blob that the layer's piece gives, empty where there are several."""
        tops = self.run.piece.tops
        return tops[0] if len(tops) == 1 else ""

    def golden_param(self, index: int) -> Tensor | None:
        """A param as the golden has it, where it is of our shape and not ours."""
        place = self.node.name, index
        if place not in self.params or index >= len(self.layer.params):
            return None
        ours, golden = self.layer.params[index].detach(), torch.from_numpy(np.array(self.params[place]))
        return golden if golden.shape == ours.shape and not torch.equal(golden, ours) else None

    def may_have(self, weight: Tensor) -> bool:
        """Whether the golden's first param may be this: it is, or nothing is known of it."""
        golden = self.params.get((self.node.name, 0))
        return golden is None or np.array_equal(golden, weight.detach().numpy())

    @property
    def is_last(self) -> bool:
        """Whether nothing follows in its piece."""
        return self.run.piece.layers[-1] == self.position

    @cached_property
    def bottoms(self) -> tuple[Tensor, ...]:
        """What the layer takes where its piece is fed golden blobs."""
        seen: list[tuple[Tensor, ...]] = []

        def watched(*bottoms: Tensor) -> tuple[Tensor, ...]:
            seen.append(bottoms)
            return self.layer(*bottoms)  # type: ignore[no-any-return]

        self.run.again({self.position: watched})
        return seen[0]


Try = Callable[[Case], Iterator[Suspect]]


@dataclass(frozen=True)
class Rule:
    """A mistake by name, the layer types that can make it, and its suspects in a case."""

    name: str
    types: frozenset[str]
    """Empty: every type."""
    suspects: Try


_rules: dict[str, Rule] = {}


def rule(name: str, *types: str) -> Callable[[Try], Try]:
    """Register a function that gives the suspects of one mistake."""

    def add(suspects: Try) -> Try:
        if name in _rules:
            raise ValueError(f"rule {name!r} is registered already")
        _rules[name] = Rule(name, frozenset(types), suspects)
        return suspects

    return add


def rules() -> list[Rule]:
    """Every rule."""
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{__package__}.{module.name}")
    return list(_rules.values())


def altered(layer: L, **attributes: Any) -> L:
    """The layer with other attributes; params are shared with it."""
    other = copy.copy(layer)
    vars(other).update(attributes)
    return other


def with_params(layer: L, params: Sequence[Tensor]) -> L:
    """The layer with other params of the same shapes."""
    own = {str(i): nn.Parameter(param.detach(), requires_grad=False) for i, param in enumerate(params)}
    return altered(layer, _parameters=own)
