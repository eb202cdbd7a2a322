"""The whole net: what it computes beside its layers one by one, its diffs beside differences of its loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import torch

from recaffe.prototxt.net import Net, Node

from ...layers.reading import Array, Given, phase_of, read
from .diffs import LIMIT, directions, has_slopes
from .itself import same
from .slope import slope
from .trial import Trial, as_array

LOSSES = {
    *("ContrastiveLoss", "EuclideanLoss", "HingeLoss", "InfogainLoss", "MultinomialLogisticLoss"),
    *("SigmoidCrossEntropyLoss", "SoftmaxWithLoss", "SoftmaxWithLossOHEM"),
}
"""Types whose first top counts into the loss unless the prototxt says otherwise."""
Params = Mapping[int, Array]
"""Params by their place in the net's list."""


def forward_as_a_whole(trial: Trial) -> Iterator[str]:
    """Blobs and their shapes after a forward that keeps all, beside the layers one by one."""
    net, predicted = trial.net, dict(trial.net.blob_shapes)
    trial.reset()
    statistics = [p.detach().clone() for p in net.parameters()]
    net(trial.inputs, keep="all")
    with torch.no_grad():
        for param, before in zip(net.parameters(), statistics, strict=True):
            param.copy_(before)
    last = {
        blob: (top, run.bottoms) for run in trial.runs for blob, top in zip(run.step.node.tops, run.tops, strict=True)
    }
    for blob, (want, bottoms) in last.items():
        have = net.blobs[blob].detach()
        if not same(have, want, 1e-4, bottoms):
            yield f"blob {blob!r} of the whole net is not what its layer alone gives"
        if tuple(have.shape) != predicted[blob] and not _counted_late(trial, blob):
            yield f"blob {blob!r} is of shape {tuple(have.shape)}, {predicted[blob]} was predicted"


def _counted_late(trial: Trial, blob: str) -> bool:
    return any(blob.startswith(top) for run in trial.runs if run.kind == "Filter" for top in run.step.node.tops)


class ReadingNet:
    """The net's loss as its readings make it, for any params."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.owner = {place: number for number, param in enumerate(trial.net.param_list) for place in param.places}
        self.params = {number: as_array(tensor_of(trial.net, number)) for number in range(len(trial.net.param_list))}
        self.weights = {
            layer.name: list(layer.loss_weight) or [float(layer.type in LOSSES)] for layer in trial.case.message.layer
        }
        self.constant: dict[tuple[str, int], Array] = {}
        self.loss(self.params)

    def loss(self, params: Params) -> float:
        """The weighted sum of the losses. What a bottom passes no diff for is held where it was at first."""
        values = {blob: as_array(x) for blob, x in self.trial.inputs.items()}
        total = 0.0
        for position, step in enumerate(self.trial.net.steps):
            node, shapes = step.node, step.layer.param_shapes
            if node.type == "Input":
                continue
            bottoms = [self._held(node, i, values[blob]) for i, blob in enumerate(node.bottoms)]
            own = [params[self.owner[position, i]].reshape(shape) for i, shape in enumerate(shapes)]
            message, phase = node.message, phase_of(node.message, self.trial.case.phase)
            tops = read(Given(message, phase, bottoms, own, len(node.tops)))
            values |= dict(zip(node.tops, tops, strict=True))
            weights = self.weights.get(node.name, ())  # a Split that was put in weighs nothing of its own
            total += sum(w * float(top.sum()) for w, top in zip(weights, tops, strict=False) if w)
        return total

    def _held(self, node: Node, place: int, value: Array) -> Array:
        flags = list(node.message.propagate_down)
        return value if not flags or flags[place] else self.constant.setdefault((node.name, place), value)


def backward_as_a_whole(trial: Trial) -> Iterator[str]:
    """The loss and the diffs of params, in float64, beside the readings' loss and its differences."""
    if not trial.net.loss_weights or not all(map(has_slopes, trial.runs)):
        return
    if any(run.kind == "ContrastiveLoss" for run in trial.runs):
        return  # Caffe's diff is not quite the slope
    reading, net = ReadingNet(trial), trial.case.net().double()
    net({blob: x.double() for blob, x in trial.inputs.items()}, keep="all")
    net.backward()
    loss, expected = float(net.loss.detach()), reading.loss(reading.params)
    # A loss that another layer reads has a Split behind it, and Caffe's sum of losses has both.
    read_on = any(step.node.type == "Split" and any(step.loss_weights) for step in net.steps)
    if not read_on and abs(loss - expected) > LIMIT * max(abs(loss), abs(expected), 1e-3):
        yield f"the loss is {loss:.7g}, by the readings {expected:.7g}"
    for number, param in enumerate(net.param_list):
        if not net.layer(param.layers[0]).statistics:
            yield from _diff_of(reading, net, number)


def _diff_of(reading: ReadingNet, net: Net, number: int) -> Iterator[str]:
    param, name = tensor_of(net, number), "/".join(map(str, (net.param_list[number].layers[0], number)))
    diff = np.zeros(tuple(param.shape)) if param.grad is None else as_array(param.grad)
    if not param.requires_grad and diff.any():
        yield f"param {name} has a diff though its lr_mult is 0"
    rng = np.random.default_rng(number)
    for way in directions(diff, rng) if param.requires_grad else ():
        want = slope(partial(_moved, reading, number, way))
        have, size = float((diff * way).sum()), float(np.abs(diff * way).sum())
        floor = 1e-4 if "MVN" in {run.kind for run in reading.trial.runs} else 1e-7  # its eps is 0 in its backward
        if want is not None and abs(have - want.value) > LIMIT * size + want.noise + floor:
            told = f"{have:.7g} along a direction, by differences {want.value:.7g}"
            yield f"diff of param {name} in the whole net: {told}"
            return


def _moved(reading: ReadingNet, number: int, way: Array, t: float) -> float:
    return reading.loss({**reading.params, number: reading.params[number] + t * way})


def tensor_of(net: Net, number: int) -> torch.Tensor:
    """A param of the net's list."""
    position, index = net.param_list[number].places[0]
    tensor: torch.Tensor = getattr(net.steps[position].layer, str(index))
    return tensor
