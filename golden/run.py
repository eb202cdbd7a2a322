"""Run a fixture through our net, whole or layer by layer, and compare every blob with Caffe's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..layers import MemoryDataLayer
from ..prototxt.net import Net, inplace_hazards, located
from .compare import BlobResult, compare_blob, largest_magnitude
from .errors import GoldenError
from .files import compare_files, compare_weights, files_apart
from .fixture import Fixture
from .isolate import isolation_of
from .limits import BACKWARD, WHOLE, discrete_blobs, limits
from .rounding import rounding_floors
from .run_result import RunResult, beside
from .run_state import RunState
from .subject import Subject, param_of
from .ties import GoldenOrder, Tie, count_dependents
from .trace import compare_trace

Array = npt.NDArray[np.float32]
_LISTED = 4


@dataclass
class Report:
    """The comparison of one fixture, blob by blob in the net's order."""

    fixture: Fixture
    results: list[BlobResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    """Choices among equals that the golden made otherwise; what lies behind is compared along the golden's."""
    run: RunResult = field(default_factory=RunResult)
    """What ours gave."""
    values: dict[str, tuple[Array, Array | Tensor | None]] = field(default_factory=dict)
    """What was compared of a run, by its key: Caffe's and ours."""

    @property
    def ok(self) -> bool:
        """Whether every blob is Caffe's, or would be had it chosen as we do among equals."""
        return all(result.ok for result in self.results)

    @property
    def outcome(self) -> str:
        """The answer in a word: same, same but for ties, or different."""
        return ("same but for ties" if self.ties else "same") if self.ok else "different"

    @property
    def worst(self) -> BlobResult:
        """The blob that differs most."""
        return max(self.results, key=lambda result: (not result.ok, result.relative))


def verify(fixture: Fixture, isolate: bool = False, faithful_inplace: bool = False) -> Report:
    """Build the fixture's net, feed it what the fixture says, compare what comes out."""
    report, subject = Report(fixture), Subject(faithful_inplace=faithful_inplace)
    if fixture.has_params_alone:
        report.results += compare_weights(fixture)
        return report
    net = subject.filled(fixture)
    report.notes += inplace_hazards(net.steps, net.faithful_inplace)
    _compare_params(net, fixture, report)
    for run, top in runs(net, fixture, report) if not fixture.has_trace_alone else ():
        one = compare_run(net, run, isolate, top, build=partial(subject.filled, fixture))
        report.results += one.results
        report.notes += one.notes
        report.ties += one.ties
    if not isolate and (fixture.versions or fixture.rng):
        report.notes.append(
            "values overwritten in place and states of the random generator: isolate=True compares them"
        )
    if fixture.trace:
        trained = compare_trace(fixture, subject)
        report.results += trained.results
        report.notes += trained.notes
    return report


def _compare_params(net: Net, fixture: Fixture, report: Report) -> None:
    """A param that only one side has, or of another shape, is a finding."""
    for (layer, index), value in fixture.params.items():
        have = param_of(net, layer, index)
        if have is None or have.shape != value.shape:
            report.results.append(compare_blob(f"param/{layer}/{index}", value, have, 0.0))
    shared = {
        place for p in net.param_list for place in zip(p.layers, (i for _, i in p.places), strict=True) if p.shared
    }
    for layer, shapes in net.param_shapes.items():
        for index in range(len(shapes)):
            if (layer, index) not in fixture.params and (layer, index) not in shared:
                report.notes.append(f"param/{layer}/{index} is not in the fixture: it has its filler's values")


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


def hand_in(net: Net, arrays: Mapping[str, Array]) -> None:
    """Give arrays to the MemoryData layers by the names of their tops."""
    rest = set(arrays)
    for step in net.steps:
        node, layer = step.node, step.layer
        if isinstance(layer, MemoryDataLayer) and set(node.tops) <= rest:
            with located(node):
                layer.set_input_arrays(*(arrays[top] for top in node.tops))
            rest -= set(node.tops)
    if rest:
        raise GoldenError(f"has input/{min(rest)}, but no MemoryData layer of its net gives {', '.join(sorted(rest))}")


def compare_run(
    net: Net,
    fixture: Fixture,
    isolate: bool,
    top: str = "top",
    tolerance: float | None = None,
    build: Callable[[], Net] | None = None,
) -> Report:
    """One forward, and backward where the fixture has diffs, compared; a tolerance takes the place of the usual.

    Among equal scores the golden's order is followed where it is one that they allow. With `build`, which makes such a
    net anew, diffs that are nothing but rounding are found to be that.
    """
    before, allowed = RunState.of(net, range(len(net.steps))), limits(net, isolate, tolerance)[0]
    with GoldenOrder(net, fixture, allowed) as order:
        result = _run(net, fixture, isolate)
    report = compare_result(net, fixture, result, isolate, top, tolerance)
    report.ties = order.ties
    if report.ties and not isolate:
        values = count_dependents(net, fixture, before, order.behind, allowed)
        report.ties[0] = replace(report.ties[0], values=values or report.ties[0].values)
    if build is not None and (small := _small(report)):
        floors = rounding_floors(build, fixture, partial(_values, isolate=isolate, top=top), small)
        report.results = [_judged_again(report, result, floors.get(result.key, 0.0)) for result in report.results]
    return report


def _small(report: Report) -> list[str]:
    """The diffs that differ, but by next to nothing beside the net's largest."""
    largest = max((largest_magnitude(want) for key, (want, _) in report.values.items() if "diff/" in key), default=0.0)
    return [r.key for r in report.results if not r.ok and "diff/" in r.key and r.difference <= BACKWARD * largest]


def _judged_again(report: Report, result: BlobResult, floor: float) -> BlobResult:
    return compare_blob(result.key, *report.values[result.key], result.allowed, floor=floor) if floor else result


def _values(net: Net, fixture: Fixture, isolate: bool, top: str) -> dict[str, Tensor]:
    """Our values of a run by key."""
    found = beside(_run(net, fixture, isolate), net, fixture, isolate, top)
    return {key: torch.as_tensor(have) for key, _, have in found if have is not None}


def _run(net: Net, fixture: Fixture, isolate: bool) -> RunResult:
    backward = fixture.has_backward or bool(fixture.top_diffs)
    with torch.set_grad_enabled(backward):
        return _run_isolated(net, fixture, backward) if isolate else _run_whole(net, fixture, backward)


def compare_result(
    net: Net, fixture: Fixture, result: RunResult, isolate: bool, top: str = "top", tolerance: float | None = None
) -> Report:
    """What a run gave, beside what the fixture expects of it."""
    report = Report(fixture, run=result)
    forward_limit, backward_limit = limits(net, isolate, tolerance)
    discrete = {f"{top}/{name}" for name in discrete_blobs(net)}
    left_out = {}
    for key, want, have in beside(result, net, fixture, isolate, top):
        if key in result.dependent:
            left_out[key] = result.dependent[key]
            continue
        limit = forward_limit if key.startswith(("top", "post", "version")) else backward_limit
        exact = key in discrete or key.startswith("rng/")
        report.results.append(compare_blob(key, want, have, limit, exact=exact))
        report.values[key] = want, have
    if left_out:
        report.notes.append(_not_judged(left_out))
    return report


def _not_judged(dependent: Mapping[str, str]) -> str:
    """How many diffs were left out, and why, in one line."""
    keys, blobs = list(dependent), ", ".join(map(repr, dict.fromkeys(dependent.values())))
    listed = ", ".join(keys[:_LISTED]) + (f" and {len(keys) - _LISTED} more" if len(keys) > _LISTED else "")
    what = "1 diff was" if len(keys) == 1 else f"{len(keys)} diffs were"
    return f"{what} not judged layer by layer ({listed}): needed is the diff of {blobs}, which the fixture lacks"


def _run_whole(net: Net, fixture: Fixture, backward: bool) -> RunResult:
    fed = {name: torch.from_numpy(np.asarray(value, order="C")) for name, value in fixture.bottoms.items()}
    net(fed, keep="all")
    if net.loss_weights or fixture.top_diffs:
        net.backward(fixture.top_diffs)
    return RunResult(dict(net.blobs), dict(net.diffs) if backward else {})


def _run_isolated(net: Net, fixture: Fixture, backward: bool) -> RunResult:
    isolation = isolation_of(net, fixture, chains=True)
    made = isolation.run(range(len(net.steps)))
    result = RunResult({name: top.detach() for name, top in made.items()}, rng=isolation.words)
    if backward:
        seeds = {name: torch.full_like(made[name], weight) for name, weight in isolation.losses.items()}
        given, diffs = _tensors(fixture.top_diffs), _tensors(fixture.diffs)
        result.diffs, result.dependent = isolation.backward(seeds | given, diffs)
    return result


def _tensors(arrays: Mapping[str, Array]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
