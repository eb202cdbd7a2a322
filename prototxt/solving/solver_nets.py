"""The nets that a solver names: one to train, any number to test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ...layers import Shape, times
from ...layers.sources import SourceLayer
from ..caffe_pb2 import NetParameter, NetState, SolverParameter
from ..net import PHASES, Allow, Net
from ..text import Config, NetText, read_net, upgrade_net
from .policies import SolverError
from .ranks import AveragedForward, Ranks
from .scoring import Feed

_ALONE = Ranks()
_TRAIN_FIELDS = ("net", "net_param", "train_net", "train_net_param")


class SolverNets:
    """The net to train and those to test, on one device; the test nets use the train net's params."""

    def __init__(
        self,
        solver: SolverParameter,
        folder: Path,
        config: Config | None,
        device: torch.device,
        ranks: Ranks = _ALONE,
        faithful_inplace: bool = False,
    ) -> None:
        """Build them; params have their fillers' values, or those of the files that the solver names as `weights`."""
        self.device, self.ranks = device, ranks
        seed = solver.random_seed if solver.random_seed >= 0 else None
        text = train_text(solver, folder)
        self.train = make_net(text, "TRAIN", [solver.train_state], config, seed, folder, faithful_inplace)
        if not self.train.loss_weights:
            raise SolverError(
                f"its net {self.train.graph.name!r} has no loss in phase {self.train.phase}: nothing to learn"
            )
        self.train.fill()
        self.begin_draws()
        self.notes = load_named(self.train, solver.weights, folder)
        """What the `weights` filled."""
        self.train.to(device)
        self.sources = [top for node in self.train.nodes if not node.bottoms for top in node.tops]
        """The blobs that come into the train net."""
        self.tests: list[Net] = []
        for i, text in enumerate(texts_to_test(solver, folder)):
            states = [solver.test_state[i]] if solver.test_state else []
            self.tests.append(make_net(text, "TEST", states, config, seed, folder))
            load_named(self.tests[-1], solver.weights, folder)
        self.params: list[nn.Parameter] = []
        """The train net's, in Caffe's order."""
        self._averaged: AveragedForward | None = None
        self.take_params()

    def begin_draws(self) -> None:
        """Seed the train net's generators: NumPy's with RNG_SEED, torch's as the net; of rank N with N more."""
        net, rank = self.train, self.ranks.rank
        net.rng.seed(net.config["RNG_SEED"] + rank)
        net.generator.manual_seed(net.seed + rank)

    def forward(self, number: int, feed: Feed | None, last: bool) -> dict[str, Tensor]:
        """The train net's n-th forward, on this rank's minibatch; `last` says whether an update follows.

        Data layers pass over the other ranks' minibatches, so that between forwards all ranks stand at the same.
        """
        rank, count = self.ranks.rank, self.ranks.count
        self._pass_over(rank)
        blobs = feed(number * count + rank) if feed else {}
        if count > 1 and torch.is_grad_enabled():
            self._averaged = self._averaged or AveragedForward(self.train, self.params)
            outputs = self._averaged(blobs, self.sources, last)
        else:
            outputs = self.train(blobs, keep=self.sources)
        self._pass_over(count - 1 - rank)
        return outputs

    def _pass_over(self, batches: int) -> None:
        for step in self.train.steps:
            if isinstance(step.layer, SourceLayer) and batches:
                step.layer.pass_over(batches)

    def take_params(self) -> None:
        """Find the params, which `Net.load` makes anew, and have the test nets share them."""
        steps = self.train.steps
        params = [getattr(steps[i].layer, str(k)) for i, k in (param.places[0] for param in self.train.param_list)]
        if len(params) == len(self.params) and all(a is b for a, b in zip(params, self.params, strict=True)):
            return
        for param in params:
            # Those of a file lie anywhere in memory; how a product rounds depends on where its factors lie.
            param.data = param.data.to(self.device, copy=True)
        self.params, self._averaged = params, None
        for net in self.tests:
            share_params(self.train, net)
            net.to(self.device)


def train_text(solver: SolverParameter, folder: Path) -> NetText:
    """The net to train: of the fields that can name it exactly one must be set."""
    given = [field for field in _TRAIN_FIELDS if solver.HasField(field)]
    if len(given) != 1:
        found = f"has {' and '.join(given)}" if given else "names no net to train"
        raise SolverError(f"{found}: give exactly one of {', '.join(_TRAIN_FIELDS)}")
    return _text(getattr(solver, given[0]), given[0], folder)


def texts_to_test(solver: SolverParameter, folder: Path) -> list[NetText]:
    """The nets to test, one for each test_iter: each test_net_param, each test_net, then `net` as often as is left."""
    named: list[tuple[str | NetParameter, str]] = [(net, "test_net_param") for net in solver.test_net_param]
    named += [(net, "test_net") for net in solver.test_net]
    general = [(getattr(solver, field), field) for field in ("net_param", "net") if solver.HasField(field)]
    count = len(solver.test_iter)
    if count < len(named) or (count > len(named) and not general):
        raise SolverError(f"has {count} test_iter for {len(named)} test nets: give each net one")
    if len(solver.test_state) not in (0, count):
        raise SolverError(f"has {len(solver.test_state)} test_state for {count} test nets: give each net one, or none")
    if min(solver.test_iter, default=1) < 1:
        raise SolverError(f"has the test_iter {min(solver.test_iter)}: it must be 1 or more")
    if count and solver.test_interval <= 0:
        raise SolverError(f"has test nets and the test_interval {solver.test_interval}: it must be 1 or more")
    named += general * (count - len(named))
    return [_text(net, field, folder) for net, field in named]


def make_net(
    text: NetText,
    phase: str,
    states: Sequence[NetState],
    config: Config | None,
    seed: int | None,
    folder: Path,
    faithful_inplace: bool = False,
) -> Net:
    """Build a net in a state: its phase, over that what its prototxt says, over that what the solver says."""
    state = NetState(phase=PHASES[phase])
    for over in (text.net.state, *states):
        state.MergeFrom(over)
    net = NetParameter()
    net.CopyFrom(text.net)
    net.state.CopyFrom(state)
    name = next(name for name, number in PHASES.items() if number == state.phase)
    text = NetText(net, text.name, text.places, text.notes)
    level, faithful = state.level, faithful_inplace
    return Net(text, name, config=config, level=level, seed=seed, folder=folder, faithful_inplace=faithful)


def _text(net: str | NetParameter, field: str, folder: Path) -> NetText:
    if isinstance(net, str):
        return read_net(folder / net)
    copy = NetParameter()
    copy.CopyFrom(net)
    notes = tuple(upgrade_net(copy))
    return NetText(copy, f"<{field}>", {}, notes)


def load_named(net: Net, files: Sequence[str], folder: Path) -> list[str]:
    """Load the solver's `weights`, each a file or several with commas; gives what matched and what not.

    Layers that one side lacks are passed over, as in Caffe, unless none at all matches.
    """
    told = []
    for file in (name.strip() for names in files for name in names.split(",")):
        found = net.load(folder / file, allow=Allow(missing=True, unused=True))
        if not found.matched:
            raise SolverError(f"names the weights {file}, of which no layer is in net {net.graph.name!r}")
        told.append(found.report())
    return told


def share_params(source: Net, target: Net) -> None:
    """Have a net use another's params, layer by layer; those that only it has stay, or get their fillers' values."""
    shared: dict[tuple[str, int], Tensor] = {}
    for step in source.steps:
        node, layer = step.node, step.layer
        wanted = target.param_shapes.get(node.name)
        if node.name in target.layers and (wanted or []) != layer.param_shapes:
            raise SolverError(
                f"{node} has params {_shapes(layer.param_shapes)} in the train net, "
                f"{_shapes(wanted or [])} in a test net"
            )
        if wanted:
            shared |= {(node.name, i): param.detach() for i, param in enumerate(layer.params)}
    target.fill(shared)


def _shapes(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(times, shapes)) or "none"
