"""Run a fixture through our net, whole or layer by layer, and compare every blob with Caffe's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..prototxt.net import Net, ParamName
from ..prototxt.text import Config, read_net
from .attachments import compare_files, compare_weights, files_apart, hand_in, without_data
from .compare import BlobResult, compare_blob
from .fixture import Fixture
from .isolate import Isolated
from .result import RunResult
from .trace import compare_trace

FORWARD, BACKWARD, WHOLE = 1e-5, 1e-4, 1e-4
"""Allowed differences: one layer forward, one layer backward, a whole net either way."""

Array = npt.NDArray[np.float32]


@dataclass
class Report:
    """The comparison of one fixture, blob by blob in the net's order."""

    fixture: Fixture
    results: list[BlobResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    outcome: RunResult = field(default_factory=RunResult)
    """Our own blobs and diffs."""
    ours: dict[str, Tensor] = field(default_factory=dict)
    """What was compared of ours, by its key."""

    @property
    def ok(self) -> bool:
        """Whether every blob is Caffe's."""
        return all(result.ok for result in self.results)

    @property
    def worst(self) -> BlobResult:
        """The blob that differs most."""
        return max(self.results, key=lambda result: (not result.ok, result.relative))


def verify(fixture: Fixture, isolate: bool = False) -> Report:
    """Build the fixture's net, feed it what the fixture says, compare what comes out."""
    report = Report(fixture)
    if fixture.has_params_alone:
        report.results += compare_weights(fixture)
        return report
    net = _net(fixture, report)
    for run, top in runs(net, fixture, report) if not fixture.has_trace_alone else ():
        compare_run(net, run, isolate, report, top)
    if not isolate and (fixture.versions or fixture.rng):
        report.notes.append(
            "values overwritten in place and states of the random generator: isolate=True compares them"
        )
    if fixture.trace:
        trained = compare_trace(fixture)
        report.results += trained.results
        report.notes += trained.notes
    return report


def runs(net: Net, fixture: Fixture, report: Report) -> Iterator[tuple[Fixture, str]]:
    """The forwards of a fixture one by one, each with the key of its tops; then the files that the net wrote."""
    with files_apart(net) as files:
        hand_in(net, fixture.inputs)
        if not fixture.forwards:
            yield fixture, "top"
        for number, tops in enumerate(fixture.forwards):
            yield replace(fixture, tops=tops), f"top/{number}"
        for golden, ours in files.items():
            if golden.exists():
                report.results += compare_files(golden, ours, WHOLE)
            else:
                report.notes.append(f"{golden} is missing: what the net wrote in its place was not compared")


def compare_run(
    net: Net, fixture: Fixture, isolate: bool, report: Report, top: str = "top", tolerance: float | None = None
) -> None:
    """One forward, and backward where the fixture has diffs, compared; a tolerance takes the place of the usual."""
    fed = {name: torch.from_numpy(np.asarray(value, order="C")) for name, value in fixture.bottoms.items()}
    backward = fixture.has_backward or bool(fixture.top_diffs)
    outcome = _run_isolated(net, fixture, fed, backward) if isolate else _run_whole(net, fixture, fed, backward)
    report.outcome = outcome
    forward_limit, backward_limit = limits(net, isolate, tolerance)
    discrete = {f"{top}/{name}" for name in discrete_blobs(net)}
    for key, want, have in _pairs(net, fixture, outcome, top):
        limit = forward_limit if key.startswith(("top", "post", "version")) else backward_limit
        exact = key in discrete or key.startswith("rng/")
        report.results.append(compare_blob(key, want, have, limit, exact=exact))
        if have is not None:
            report.ours[key] = have


def _pairs(net: Net, fixture: Fixture, outcome: RunResult, top: str) -> Iterator[tuple[str, Array, Tensor | None]]:
    """Everything that the fixture expects of a run, and ours."""
    for name, want in _in_order(net, fixture.tops):
        yield f"{top}/{name}", want, outcome.tops.get(name)
    for name, want in _in_order(net, fixture.diffs):
        yield f"diff/{name}", want, _diff(outcome, name)
    for (layer, index), want in fixture.param_diffs.items():
        yield f"param_diff/{layer}/{index}", want, _param_diff(net, layer, index)
    for (layer, index), want in fixture.post.items():
        yield f"post/{layer}/{index}", want, _param(net, layer, index)
    if outcome.inner is not None:
        for (name, number), want in fixture.versions.items():
            yield f"version/{name}/{number}", want, outcome.inner.versions.get((name, number))
        for layer, want in fixture.rng.items():
            yield f"rng/{layer}", want, outcome.inner.rng.get(layer)


def _net(fixture: Fixture, report: Report) -> Net:
    """The net with the fixture's params; a param that only one side has, or of another shape, is a finding."""
    config = Config.default(fixture.variant).with_flat(fixture.config)
    seed = fixture.rng_seed if fixture.seed is None else fixture.seed
    text = without_data(read_net(fixture.prototxt), fixture.bottoms)
    net = Net(text, fixture.phase, config=config, seed=seed, folder=fixture.path.parent)
    values: dict[ParamName, Tensor] = {}
    for (layer, index), value in fixture.params.items():
        shapes = net.param_shapes.get(layer, [])
        if index < len(shapes) and shapes[index] == value.shape:
            values[layer, index] = torch.from_numpy(np.array(value))
        else:
            have = torch.empty(shapes[index], device="cpu") if index < len(shapes) else None
            report.results.append(compare_blob(f"param/{layer}/{index}", value, have, 0.0))
    shared = {
        place for p in net.param_list for place in zip(p.layers, (i for _, i in p.places), strict=True) if p.shared
    }
    for layer, shapes in net.param_shapes.items():
        for index in range(len(shapes)):
            if (layer, index) not in fixture.params and (layer, index) not in shared:
                report.notes.append(f"param/{layer}/{index} is not in the fixture: it has its filler's values")
    net.fill(values)
    if fixture.rng_seed is not None:
        net.rng.seed(fixture.rng_seed)
    return net


def _run_whole(net: Net, fixture: Fixture, fed: Mapping[str, Tensor], backward: bool) -> RunResult:
    with torch.set_grad_enabled(backward):
        net(fed, keep="all")
    if net.loss_weights or fixture.top_diffs:
        net.backward(fixture.top_diffs)
    return RunResult(dict(net.blobs), dict(net.diffs) if backward else {})


def _run_isolated(net: Net, fixture: Fixture, fed: Mapping[str, Tensor], backward: bool) -> RunResult:
    for step in net.steps:
        step.layer.overwrite = False  # a chain's first version is looked at after its last
    golden = {name: torch.from_numpy(np.array(value)) for name, value in (fixture.bottoms | fixture.tops).items()}
    seeds = {name: torch.full_like(golden[name], weight) for name, weight in net.loss_weights.items() if name in golden}
    seeds |= {name: torch.from_numpy(np.array(diff)) for name, diff in fixture.top_diffs.items()}
    diffs = {name: torch.from_numpy(np.array(diff)) for name, diff in fixture.diffs.items()}
    return Isolated(net, golden, diffs, seeds, fixture.rng).run(fed, backward)


def limits(net: Net, isolate: bool, tolerance: float | None = None) -> tuple[float, float]:
    """What is allowed forward and backward."""
    if tolerance is not None:
        return tolerance, tolerance
    return (FORWARD, BACKWARD) if isolate or _is_one_layer(net) else (WHOLE, WHOLE)


def _is_one_layer(net: Net) -> bool:
    """Whether no layer computes on what another one computed, so that one layer's tolerance holds."""
    computed: set[str] = set()
    for node in net.nodes:
        if node.type == "Split":
            computed |= set(node.tops) if computed & set(node.bottoms) else set()
        elif node.bottoms:
            if computed & set(node.bottoms):
                return False
            computed |= set(node.tops)
    return True


def discrete_blobs(net: Net) -> set[str]:
    """The blobs that hold decisions."""
    return {
        step.node.tops[position]
        for step in net.steps
        for position in step.layer.discrete
        if position < len(step.node.tops)
    }


def _in_order(net: Net, blobs: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """The fixture's blobs in the net's order, then those that the net lacks."""
    known = [name for name in net.blob_shapes if name in blobs]
    for name in known + [name for name in blobs if name not in net.blob_shapes]:
        yield name, blobs[name]


def _diff(outcome: RunResult, name: str) -> Tensor | None:
    """A blob's diff; zero where backward did not come by."""
    if name in outcome.diffs:
        return outcome.diffs[name]
    return torch.zeros_like(outcome.tops[name]) if name in outcome.tops else None


def _param(net: Net, layer: str, index: int) -> Tensor | None:
    params = net.layer(layer).params if layer in net.layers else []
    return params[index] if index < len(params) else None


def _param_diff(net: Net, layer: str, index: int) -> Tensor | None:
    """A param's diff, zero where it does not learn, in the layer's own shape."""
    param = _param(net, layer, index)
    if param is None:
        return None
    diff: Tensor | None = getattr(net.layer(layer), str(index)).grad
    return torch.zeros_like(param) if diff is None else diff.view(param.shape)
