"""A net's params as writers take them: layer by layer, values still where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from ..caffe_pb2 import LayerParameter
from ..files import DIALECTS, Blob, Dialect, LayerParams, ParamValues, Weights, write_params
from ..net import PHASES, Allow, Match, Net, Step, expected_params, pair, unique_keys

ParamPosition = tuple[int, int]
"""The position of a layer in its net, and the index of a param in its layer."""


def find_blobs(net: Net, weights: Weights, *, allow: Allow = Allow()) -> tuple[Match, dict[ParamPosition, Blob]]:
    """Find the blob for each param of a net, as `Net.load` does, but read none."""
    positions = net.positions(weights)
    wanted = expected_params(net.param_list, net.steps, positions)
    found = pair(weights, *wanted, allow=allow)
    return found, {(positions[name], index): blob for (name, index), blob in found.blobs.items()}


def params_of(net: Net, values: Mapping[ParamPosition, Blob | Tensor] | None = None) -> list[LayerParams]:
    """A net's layers with these values, or with its own; a layer that they do not fill is left out."""
    given = _spread(net, values) if values is not None else _own(net)
    owned = {param.places[0] for param in net.param_list}
    out = []
    for i, (key, step) in enumerate(unique_keys(net.steps).items()):
        places = [(i, index) for index in range(len(step.layer.param_shapes))]
        if all(place in given for place in places):
            params = (
                ParamValues(shape, given[place], place not in owned)
                for shape, place in zip(step.layer.param_shapes, places, strict=True)
            )
            out.append(LayerParams(step.node.name, key, str(step.node), _as_set_up(step, net.phase), tuple(params)))
    return out


def write_weights(path: Path, net: Net, layers: Sequence[LayerParams], dialect: Dialect = DIALECTS["bvlc"]) -> None:
    """Write these layers of a net; the suffix says which format, and only a .caffemodel has a dialect."""
    write_params(path, net.graph.name, layers, dialect)


def _as_set_up(step: Step, phase: str) -> LayerParameter:
    """A layer's message as Caffe holds it once the net is set up, without blobs."""
    message = LayerParameter()
    message.CopyFrom(step.node.message)
    message.ClearField("blobs")
    if not message.HasField("phase"):
        message.phase = PHASES[phase]
    if step.layer.is_loss and not message.loss_weight:
        message.loss_weight.append(1)
    if step.layer.statistics:
        for _ in step.layer.param_shapes[len(message.param) :]:
            message.param.add(lr_mult=0)
    return message


def _spread(net: Net, values: Mapping[ParamPosition, Blob | Tensor]) -> dict[ParamPosition, Blob | Tensor]:
    """Give a shared param to all its places; where several are filled the last one stays, as in Caffe."""
    given: dict[ParamPosition, Blob | Tensor] = {}
    for param in net.param_list:
        found = [values[place] for place in param.places if place in values]
        given |= dict.fromkeys(param.places, found[-1]) if found else {}
    return given


def _own(net: Net) -> dict[ParamPosition, Blob | Tensor]:
    return {(i, k): param for i, step in enumerate(net.steps) for k, param in enumerate(step.layer.params)}
