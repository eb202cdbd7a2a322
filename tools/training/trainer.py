"""Training a detector: Caffe's solver, fed with a data set, its snapshots saved as the originals save theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from ...layers import State
from ...prototxt.export import HEADS, BoxScaling, ParamPosition, params_of, rpn_scaling, scale_heads
from ...prototxt.files import LayerParams
from ...prototxt.net import Net
from ...prototxt.solving import Solver
from ..datasets import Minibatches, Roidb, feed_solver


class BoxHead:
    """The layers whose targets are normalised: training has them as they learn, snapshots as a test wants them.

    What a snapshot holds gives boxes without more ado; what training goes on from lies beside it, bit for bit.
    A roidb without means means the RPN's layer alone, where the config has TRAIN.RPN_NORMALIZE_TARGETS.
    """

    def __init__(self, net: Net, roidb: Roidb) -> None:
        self.net = net
        self.spread: tuple[tuple[float, ...], tuple[float, ...]] | None = None
        if roidb.means is not None and roidb.stds is not None:
            self.spread = tuple(roidb.means.flatten().tolist()), tuple(roidb.stds.flatten().tolist())
        self.restored = False
        """Whether a snapshot brought the params as they learn."""

    def saved(self, net: Net) -> list[LayerParams]:
        """The net's layers, with the normalisation of their targets undone."""
        params = {(i, k): p for i, step in enumerate(net.steps) for k, p in enumerate(step.layer.params)}
        return params_of(net, {**params, **self._scaled(undo=True)})

    def normalise(self) -> None:
        """Take the params for what a test wants, as an old machine's snapshot has them, and turn them back."""
        for place, value in self._scaled(undo=False).items():
            self._param(place).data.copy_(value)

    def place(self) -> State:
        """The params as they learn."""
        return {f"{i}/{k}": self._param((i, k)).detach().cpu().numpy() for i, k in self._scaled(undo=True)}

    def return_to(self, place: State) -> None:
        """Take them over."""
        for key, value in place.items():
            layer, _, index = key.partition("/")
            self._param((int(layer), int(index))).data.copy_(torch.from_numpy(value))
        self.restored = True

    def _param(self, place: ParamPosition) -> torch.Tensor:
        return self.net.steps[place[0]].layer.params[place[1]]

    def _scaled(self, undo: bool) -> dict[ParamPosition, torch.Tensor]:
        scalings = rpn_scaling(self.net.config, undo)
        if self.spread:
            scalings |= dict.fromkeys(HEADS, BoxScaling(*self.spread, undo))
        return scale_heads(self.net, params_of(self.net), scalings)


def feed_detector(solver: Solver, roidb: Roidb, workers: int = 2) -> Minibatches:
    """Feed a solver from a roidb, and have its snapshots hold boxes whose normalisation is undone."""
    batches = feed_solver(solver, roidb, workers)
    config = solver.net.config
    has_head = any(node.name in HEADS for node in solver.net.nodes)
    normalised = has_head and config["TRAIN.BBOX_REG"] and config["TRAIN.BBOX_NORMALIZE_TARGETS"]
    head = BoxHead(solver.net, roidb if normalised else replace(roidb, means=None, stds=None))
    if head.place():
        solver.saved = head.saved
        solver.resumables["boxes"] = head
    return batches


def resume(solver: Solver, state: str, weights: str | None = None) -> list[str]:
    """Go on from a snapshot, ours or an old machine's; gives what could not be taken up exactly."""
    notes: list[str] = solver.restore(state, weights)
    head = solver.resumables.get("boxes")
    if isinstance(head, BoxHead) and not head.restored:
        head.normalise()
        notes.append("the box layers were taken as snapshots have them, and their targets' normalisation put back")
    return notes


def losses_of(outputs: Sequence[tuple[str, torch.Tensor]]) -> dict[str, float]:
    """The outputs that are one number."""
    return {name: float(value) for name, value in outputs if value.numel() == 1}
