"""A Caffe net as a torch module."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...layers import Draws, Layer, Shape, times
from ..files import Weights, read_weights
from ..text import Config, NetText, read_net, variant_of
from .blobs import Blobs
from .build import build_layers, unique_keys
from .chains import ChainedWalk
from .fold import Folding
from .graph import Node, build_graph
from .inputs import Array, hand_in
from .match import Allow, Match, match
from .overwriting import OverwritingWalk
from .params import Param, expected_params, fill_params
from .step import NetError, Step
from .walk import Forward, Memory, Walk


class Net(nn.Module):
    """The layers of a prototxt, run in order on blobs that go by Caffe's names.

    `net(data=..., im_info=...)` gives the outputs by name; `net.blobs[name]` reads what was kept: the outputs, or every
    blob after `net(keep="all", ...)`. `net.loss` and `net.backward()` follow Caffe's loss weights; `net.diffs[name]`
    has the diffs of a forward that kept all. Params are `net.layer(name).params`; `state_dict()` has them under
    `layer.0`, `layer.1` in Caffe's order. Gradients flow where Caffe's would: nowhere in a net without a loss or
    `force_backward`.

    Differs from Caffe: blobs are tensors of one forward, not buffers that persist, and inputs may change size freely.
    Threads may share a net for inference: `net.blobs` and `net.loss` are those of the calling thread's last forward.
    (What a layer keeps from one forward to the next it keeps for all: an LSTM its state, a data layer its place.)
    """

    def __init__(
        self,
        text: NetText,
        phase: str = "TEST",
        *,
        config: Config | None = None,
        level: int = 0,
        stages: Sequence[str] = (),
        seed: int | None = None,
        shapes: Mapping[str, Shape] | None = None,
        folder: str | os.PathLike[str] = ".",
        faithful_inplace: bool = False,
    ) -> None:
        """Build without memory: all shapes are known, params are on the meta device until `fill` gives them values.

        Files that layers read or write are looked for from `folder` on. With `faithful_inplace` backward reads what
        in-place layers have overwritten, as Caffe's does, and its gradients are no longer the true ones where that
        matters (`inplace_hazards` names the layers): old trainings can be reproduced.
        """
        super().__init__()
        self.phase = phase
        self.config = config or Config.default(variant_of((layer.type for layer in text.net.layer), text.name))
        self.graph = build_graph(text.net, phase, text.where, level, stages)
        self.seed = int(self.config["RNG_SEED"]) if seed is None else seed
        self.rng = np.random.RandomState(self.seed)
        self.generator = torch.Generator().manual_seed(self.seed)
        context = {"rng": self.rng, "generator": self.generator, "seeds": Draws(self.seed), "folder": Path(folder)}
        self.parts = build_layers(self.graph, self.config, context, shapes)
        self.steps: tuple[Step, ...] = self.parts.steps
        self.blob_shapes: dict[str, Shape] = self.parts.shapes
        self.param_list: list[Param] = self.parts.params
        # Of layers with one name the first takes the weights, as in Caffe.
        self._first_layer = {step.node.name: i for i, step in reversed(list(enumerate(self.steps)))}
        keys = unique_keys(self.steps)
        self._layer_of_key = {key: i for i, key in enumerate(keys)}
        # Straight into the dict: torch's add_module refuses names such as "type" and "data.1", Caffe does not.
        self._modules.update((key, step.layer) for key, step in keys.items())
        self.faithful_inplace = faithful_inplace
        self._walk: Walk = OverwritingWalk(self.steps) if faithful_inplace else Walk(self.steps)
        self._folding = Folding(self.parts)
        self._of_thread = threading.local()
        self.folding = True
        """Whether inference multiplies BatchNorm and Scale into the convolution before them."""
        way_out = 'run net(keep="all", ...) or name it in keep=[...]'
        self.blobs = Blobs(self.blob_shapes, lambda name: self._last.values.get(name), way_out)
        self.diffs = Blobs(self.blob_shapes, lambda name: self._last.diff(name), f"{way_out}, then net.backward()")

    @classmethod
    def from_prototxt(
        cls,
        source: str | os.PathLike[str],
        phase: str = "TEST",
        weights: str | os.PathLike[str] | Weights | None = None,
        config: Config | None = None,
        level: int = 0,
        stages: Sequence[str] = (),
        *,
        seed: int | None = None,
        allow: Allow = Allow(),
        faithful_inplace: bool = False,
    ) -> Net:
        """A net ready to run, from a prototxt's path or text: params from a file of weights, else their fillers."""
        text, faithful = read_net(source), faithful_inplace
        net = cls(text, phase, config=config, level=level, stages=stages, seed=seed, faithful_inplace=faithful)
        if weights is None:
            net.fill()
            return net
        net.load(weights, allow=allow)
        return net

    @property
    def nodes(self) -> list[Node]:
        """The nodes of the graph, in the order their layers run."""
        return [step.node for step in self.steps]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The blobs to hand in: tops of Input layers."""
        return self.graph.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """The blobs that no layer takes, in Caffe's order."""
        return self.graph.outputs

    @property
    def layers(self) -> dict[str, Layer]:
        """The layers by name; of layers with one name, the last, or the last that has params."""
        found: dict[str, Layer] = {}
        for step in self.steps:
            if step.layer.param_shapes or not getattr(found.get(step.node.name), "param_shapes", ()):
                found[step.node.name] = step.layer
        return found

    @property
    def param_shapes(self) -> dict[str, list[Shape]]:
        """The shapes of every layer's params, by layer name."""
        return {name: layer.param_shapes for name, layer in self.layers.items() if layer.param_shapes}

    @property
    def loss_weights(self) -> dict[str, float]:
        """The tops that count into the loss."""
        return {top: weight for step in self.steps for top, weight in step.losses.items()}

    def layer(self, name: str) -> Layer:
        """One layer by its name."""
        if name not in self.layers:
            raise NetError(f"no layer {name!r} in net {self.graph.name!r}")
        return self.layers[name]

    # --- params

    def load(self, weights: str | os.PathLike[str] | Weights, *, allow: Allow = Allow()) -> Match:
        """Take params from a file of any format, by layer; what it lacks is filled. Returns what matched and what not.

        Layers go by their names, of one name the first; in a state_dict's file by the keys of `state_dict()`.
        """
        saved = weights if isinstance(weights, Weights) else read_weights(weights)
        layers = self.positions(saved)
        found = match(saved, *expected_params(self.param_list, self.steps, layers), allow=allow)
        given = {(layers[name], index): value for (name, index), value in found.tensors.items()}
        fill_params(self.param_list, self.steps, given, self.seed)
        return found

    def positions(self, weights: Weights) -> dict[str, int]:
        """The layers that a file of weights may fill, by the names that they have there."""
        return self._layer_of_key if weights.by_module else self._first_layer

    def fill(self, values: Mapping[tuple[str, int], Tensor] | None = None) -> None:
        """Give every param the value handed in by (layer, index), else its present value, else its filler's."""
        learned = {step.node.name: i for i, step in enumerate(self.steps) if step.layer.param_shapes}
        given = {(learned[name], index): value for (name, index), value in (values or {}).items()}
        fill_params(self.param_list, self.steps, given, self.seed)

    # --- forward

    def forward(
        self, blobs: Mapping[str, Array] | None = None, /, *, keep: str | Iterable[str] = "outputs", **named: Array
    ) -> dict[str, Tensor]:
        """Run every layer; blobs are handed in by keyword, or in a mapping where a name is no Python name."""
        device = next((param.device for param in self.parameters()), None)
        fed = hand_in(self.graph, self.blob_shapes, {**(blobs or {}), **named}, device)
        kept = self._kept(keep)
        walk = self._walk if keep == "all" else self._walk_for(kept)
        self._of_thread.last = None  # its memory goes before the next forward takes its own
        done = walk.forward(fed, kept, record=keep == "all" and torch.is_grad_enabled())
        self._of_thread.last = done
        return {name: done.values[name] for name in self.outputs}

    def run_step(self, i: int, bottoms: Sequence[Tensor], memory: Memory) -> tuple[Tensor, ...]:
        """One layer on bottoms from anywhere, as a forward runs it; `memory` goes from each layer to the next."""
        return self._walk.run(i, bottoms, memory)

    @property
    def _last(self) -> Forward:
        """The last finished forward of this thread."""
        return getattr(self._of_thread, "last", None) or Forward()

    def compile_chains(self) -> None:
        """From now on train with torch.compile; see ChainedWalk."""
        if self.faithful_inplace:
            raise NetError(
                f"net {self.graph.name!r}: faithful_inplace=True goes layer by layer, so it cannot be compiled",
                choices=("faithful_inplace",),
            )
        self._walk = ChainedWalk(self.steps)

    def _walk_for(self, kept: Set[str]) -> Walk:
        """The layers as they are, or where no diff can be asked for, with BatchNorms folded into convolutions."""
        if not self.folding or (torch.is_grad_enabled() and any(step.needs.backward for step in self.steps)):
            return self._walk
        return self._folding.walk(kept) or self._walk

    def _kept(self, keep: str | Iterable[str]) -> set[str]:
        if keep == "all":
            return set(self.blob_shapes)
        names = set() if isinstance(keep, str) and keep == "outputs" else {keep} if isinstance(keep, str) else set(keep)
        if unknown := names - set(self.blob_shapes):
            raise NetError(f"cannot keep {sorted(unknown)[0]!r}: net {self.graph.name!r} has no such blob")
        return names | set(self.outputs)

    # --- backward

    @property
    def loss(self) -> Tensor:
        """The weighted sum of the losses of the last forward, ready for `loss.backward()`."""
        losses = self._last.losses
        if not losses:
            raise NetError(f"no top of net {self.graph.name!r} counts into a loss, or there was no forward yet")
        return torch.stack([loss.weighted for loss in losses]).sum()

    def backward(self, diffs: Mapping[str, Array] | None = None) -> None:
        """Compute diffs from the losses and from the diffs handed in for outputs; param diffs add up in `.grad`."""
        handed: dict[str, Tensor] = {}
        for name, diff in (diffs or {}).items():
            if name not in self._last.values:
                raise NetError(f"cannot start backward at {name!r}: it is no blob that the last forward kept")
            value = self._last.values[name]
            if tuple(diff.shape) != tuple(value.shape):
                raise NetError(f"blob {name!r} is {times(value.shape)}, its diff is {times(diff.shape)}")
            handed[name] = torch.as_tensor(diff, dtype=value.dtype, device=value.device)
        if not self._last.losses and not handed:
            raise NetError(f"net {self.graph.name!r} has no loss to go backward from: hand in its outputs' diffs")
        self._last.backward(handed)
