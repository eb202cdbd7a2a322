"""The net of a fixture: its own prototxt, params and config, or what is held against it in place of any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..layers import registered
from ..prototxt import NetParameter
from ..prototxt.files import Weights
from ..prototxt.net import Allow, Match, Net, ParamName
from ..prototxt.text import Config, NetText, read_net
from .errors import GoldenError
from .fixture import Fixture


@dataclass(frozen=True)
class Subject:
    """The side under test; what is not given is the fixture's."""

    text: NetText | None = None
    weights: Weights | None = None
    phase: str | None = None
    configure: Callable[[Config], Config] | None = None
    """Makes the config from the fixture's."""
    level: int = 0
    stages: tuple[str, ...] = ()
    until: str = ""
    """The last blob that is wanted: the layers behind it are left out."""
    faithful_inplace: bool = False
    """Whether backward reads what in-place layers have overwritten, as Caffe's does."""

    def build(self, fixture: Fixture) -> Net:
        """The net, without params yet."""
        text = _without_data(self.prototxt(fixture), fixture.bottoms)
        net = self._net(fixture, text)
        return self._net(fixture, _until(text, net, self.until)) if self.until else net

    def prototxt(self, fixture: Fixture) -> NetText:
        """The net as written, to be changed at will."""
        return _copy(self.text) if self.text else read_net(fixture.prototxt)

    def config(self, fixture: Fixture) -> Config:
        """The config of the net."""
        config = Config.default(fixture.variant).with_flat(fixture.config)
        return self.configure(config) if self.configure else config

    def _net(self, fixture: Fixture, text: NetText) -> Net:
        net = Net(
            text,
            self.phase or fixture.phase,
            config=self.config(fixture),
            level=self.level,
            stages=self.stages,
            seed=fixture.rng_seed if fixture.seed is None else fixture.seed,
            folder=fixture.path.parent,
            faithful_inplace=self.faithful_inplace,
        )
        _seed(net, fixture)
        return net

    def fill(self, net: Net, fixture: Fixture) -> Match | None:
        """Give the net its params; what no file has keeps its filler's values. Tells how a file of weights fitted."""
        if self.weights is not None:
            return net.load(self.weights, allow=Allow(missing=True, unused=True, nonfinite=True))
        net.fill(golden_params(net, fixture))
        return None

    def filled(self, fixture: Fixture) -> Net:
        """The net with its params, ready to run."""
        net = self.build(fixture)
        self.fill(net, fixture)
        return net

    def anew(self, net: Net, fixture: Fixture) -> Net:
        """The net as it was before its first forward: itself, or where a forward leaves traces, another."""
        # Data layers go on in their files, layers without tops write some, and running statistics run.
        reads = any(not node.bottoms and not set(node.tops) <= set(fixture.bottoms) for node in net.nodes)
        if reads or fixture.post or any(not node.tops for node in net.nodes):
            return self.filled(fixture)
        for param in net.parameters():
            param.grad = None
        _seed(net, fixture)
        return net


def _seed(net: Net, fixture: Fixture) -> None:
    """Both generators as a fixture had them."""
    net.rng.seed(net.seed if fixture.rng_seed is None else fixture.rng_seed)
    net.generator.manual_seed(net.seed)


def golden_params(net: Net, fixture: Fixture) -> dict[ParamName, Tensor]:
    """The fixture's params that fit the net."""
    shapes = net.param_shapes
    return {
        (layer, index): torch.from_numpy(np.array(value))
        for (layer, index), value in fixture.params.items()
        if index < len(shapes.get(layer, [])) and shapes[layer][index] == value.shape
    }


def param_of(net: Net, layer: str, index: int) -> Tensor | None:
    """One param of a net, if it has it."""
    params = net.layer(layer).params if layer in net.layers else []
    return params[index].detach() if index < len(params) else None


def _without_data(text: NetText, fed: Mapping[str, npt.NDArray[Any]]) -> NetText:
    """The net with an Input in place of each layer that would read files to give what is handed in."""
    types = registered()
    for layer in text.net.layer:
        if layer.type in types and types[layer.type].reads_files and layer.top and set(layer.top) <= set(fed):
            layer.type = "Input"
            for top in layer.top:
                layer.input_param.shape.add(dim=fed[top].shape)
    return text


def _until(text: NetText, net: Net, blob: str) -> NetText:
    """The text up to the last layer that writes a blob."""
    writers = [node for node in net.nodes if blob in node.tops]
    if not writers:
        raise GoldenError(f"until={blob}: net {net.graph.name!r} has no such blob", choices=("until",))
    last = writers[-1].name
    end = max(i for i, layer in enumerate(text.net.layer) if layer.name == last)
    short = _copy(text)
    del short.net.layer[end + 1 :]
    return short


def _copy(text: NetText) -> NetText:
    net = NetParameter()
    net.CopyFrom(text.net)
    return replace(text, net=net)
