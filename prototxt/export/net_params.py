"""A net's params on their way into a file: layer by layer, values still where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ...layers import Layer, Shape
from ..files import Blob, SavedBlob, Weights
from ..net import Allow, Match, Net, Node, expected_params, pair, unique_keys

ParamPosition = tuple[int, int]
"""The position of a layer in its net, and the index of a param in its layer."""
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class OutParam:
    """A param: its shape in its layer, where its values come from, and whether an earlier layer has it, too."""

    shape: Shape
    values: Blob | Tensor
    shared: bool = False

    def pieces(self) -> Iterator[Floats]:
        """All values in a row, some at a time where a file allows it; each piece lasts until the next."""
        if isinstance(self.values, SavedBlob):
            yield from self.values.pieces()
        else:
            yield self.array().reshape(-1)

    def array(self) -> Floats:
        """All values, in the param's shape."""
        tensor = self.values if isinstance(self.values, Tensor) else self.values.tensor()
        array: Floats = tensor.detach().cpu().contiguous().numpy().reshape(self.shape)
        return array


@dataclass(frozen=True)
class OutLayer:
    """A layer with all of its params; `key` is its name in a state_dict."""

    node: Node
    layer: Layer
    key: str
    params: tuple[OutParam, ...]

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.node.name


def find_blobs(net: Net, weights: Weights, *, allow: Allow = Allow()) -> tuple[Match, dict[ParamPosition, Blob]]:
    """Find the blob for each param of a net, as `Net.load` does, but read none."""
    positions = net.positions(weights)
    wanted = expected_params(net.param_list, net.steps, positions)
    found = pair(weights, *wanted, allow=allow)
    return found, {(positions[name], index): blob for (name, index), blob in found.blobs.items()}


def outgoing(net: Net, values: Mapping[ParamPosition, Blob | Tensor] | None = None) -> list[OutLayer]:
    """A net's layers with these values, or with its own; a layer that they do not fill is left out."""
    given = _spread(net, values) if values is not None else _own(net)
    owned = {param.places[0] for param in net.param_list}
    out = []
    for i, (key, step) in enumerate(unique_keys(net.steps).items()):
        places = [(i, index) for index in range(len(step.layer.param_shapes))]
        if all(place in given for place in places):
            params = (
                OutParam(shape, given[place], place not in owned)
                for shape, place in zip(step.layer.param_shapes, places, strict=True)
            )
            out.append(OutLayer(step.node, step.layer, key, tuple(params)))
    return out


def _spread(net: Net, values: Mapping[ParamPosition, Blob | Tensor]) -> dict[ParamPosition, Blob | Tensor]:
    """Give a shared param to all its places; where several are filled the last one stays, as in Caffe."""
    given: dict[ParamPosition, Blob | Tensor] = {}
    for param in net.param_list:
        found = [values[place] for place in param.places if place in values]
        given |= dict.fromkeys(param.places, found[-1]) if found else {}
    return given


def _own(net: Net) -> dict[ParamPosition, Blob | Tensor]:
    return {(i, k): param for i, step in enumerate(net.steps) for k, param in enumerate(step.layer.params)}
