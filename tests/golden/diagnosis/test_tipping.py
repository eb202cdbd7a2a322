"""One decision of a training that falls the other way, told from a solver that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.golden.diagnosis import compare_fixture
from recaffe.golden.fixture import Fixture
from recaffe.golden.subject import Subject
from recaffe.golden.trace import compare_trace
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.solving import Solver

FED = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 2 dim: 4 dim: 6 } } }
layer { name: "t" type: "Input" top: "t" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c"
        convolution_param { num_output: 2 kernel_size: 1 weight_filler { type: "constant" value: 1 } } }
"""
DECIDING = {
    "ReLU": 'layer { name: "d" type: "ReLU" bottom: "c" top: "c" }\n',
    "Pooling": 'layer { name: "d" type: "Pooling" bottom: "c" top: "p" pooling_param { kernel_size: 3 stride: 2 } }\n',
}
LOSS = """
layer {{ name: "f" type: "InnerProduct" bottom: "{}" top: "f"
         inner_product_param {{ num_output: 3 weight_filler {{ type: "gaussian" std: 0.5 }} }} }}
layer {{ name: "loss" type: "EuclideanLoss" bottom: "f" bottom: "t" top: "loss" }}
"""
SOLVER = 'base_lr: 0.005 lr_policy: "fixed" momentum: 0.9 type: "SGD" iter_size: {}'
AT, STEPS, PLACE = 3, 8, (1, 0, 2, 2)


def untold(kind: str, iter_size: int = 1) -> Fixture:
    """A fixture whose trace's values are still to be made."""
    text = FED + DECIDING[kind] + LOSS.format("c" if kind == "ReLU" else "p")
    net = Net.from_prototxt(text, "TRAIN", seed=5)
    params = {(name, i): p.detach().numpy() for name, layer in net.layers.items() for i, p in enumerate(layer.params)}
    params["c", 0] = np.array([[1, 0.8], [-0.7, 0.5]], np.float32).reshape(2, 2, 1, 1)
    rng = np.random.RandomState(1)
    trace: dict[str, Any] = {f"bottom/{k}/x": rng.uniform(0.5, 2, (2, 2, 4, 6)).astype("f4") for k in range(STEPS)}
    trace |= {f"bottom/{k}/t": rng.uniform(-1, 1, (2, 3)).astype("f4") for k in range(STEPS)}
    trace |= {"solver": np.array(SOLVER.format(iter_size)), "outputs": np.array(["loss"]), "loss": np.zeros((STEPS, 1))}
    trace |= {f"param/{name}/{i}": value for (name, i), value in params.items()}
    return Fixture(Path("a.npz"), text, "TRAIN", params=params, trace=trace)


def on_layer(solver: Solver, name: str, take: Callable[[Tensor, int], Tensor | None]) -> None:
    forwards = count()
    layer = solver.net.layer(name)
    layer.register_forward_pre_hook(lambda _, bottoms: take(bottoms[0], next(forwards)))


def brought_near(fixture: Fixture, kind: str, at: int) -> Fixture:
    """The same, where in one forward a value is next to 0, or next to another."""
    batch = fixture.trace["bottom/3/x"].copy()
    found: list[np.ndarray[Any, Any]] = []

    def prepare(solver: Solver) -> None:
        params = solver.net.layer("c").params
        on_layer(solver, "d", lambda x, _: found.extend(p.detach().numpy().astype("f8") for p in params))

    compare_trace(fixture, prepare=prepare)
    (first, second), bias = found[2 * at][0, :, 0, 0], found[2 * at + 1][0]
    if kind == "Pooling":
        batch[1, :, 2, 3] = 4, 5
        batch[1, :, 2, 2] = 4 - 2 * second, 5 + 2 * first
    else:
        batch[1, :, 2, 2] = (-bias - second) / first + 1e-7, 1
    return replace(fixture, trace=fixture.trace | {"bottom/3/x": batch})


def move(kind: str, at: int) -> Callable[[Solver], None]:
    """Has the decision that is near fall the other way."""

    def take(x: Tensor, forward: int) -> Tensor | None:
        change, here = torch.zeros_like(x), x.detach()[PLACE]
        gap = x.detach()[1, 0, 2, 3] - here if kind == "Pooling" else -here
        change[PLACE] = 2 * gap if gap else -1e-6
        return x + change if forward == at else None

    return lambda solver: on_layer(solver, "d", take)


def told(fixture: Fixture, prepare: Callable[[Solver], object] | None = None) -> Fixture:
    """The same, whose trace has the values of our own training."""
    values: dict[str, Any] = {}
    compare_trace(fixture, watch=lambda result, _, have: values.update({result.key: have}), prepare=prepare)
    loss = np.array([[values[f"trace/loss/{k}/loss"]] for k in range(STEPS)])
    params = {f"param/{name}/{i}": values[f"trace/param/{name}/{i}"].copy() for name, i in fixture.params}
    return replace(fixture, trace=fixture.trace | params | {"loss": loss})


@pytest.mark.parametrize("kind", ["ReLU", "Pooling"])
@pytest.mark.parametrize("iter_size", [1, 2])
def test_a_decision_that_fell_the_other_way_is_told(kind: str, iter_size: int) -> None:
    at = AT * iter_size + iter_size - 1
    near = brought_near(untold(kind, iter_size), kind, at)
    golden = told(near, move(kind, at))
    verdict = compare_fixture(Subject(), golden).verdict
    assert verdict.kind == "decision", verdict
    where = "from 0" if kind == "ReLU" else "below the maximum of its window"
    line = (
        rf"each step is right; rounding tipped one decision in step {AT}: {kind} 'd': the value of 'c' at "
        rf"\[1, 0, 2, [23]\] is [\d.e-]+ {where}, [\d.e-]+ of the largest magnitude; "
        "with it the other way the trace agrees"
    )
    assert re.fullmatch(line, verdict.text), verdict.text
    assert (verdict.layer, verdict.blob) == ("d", "c")


@pytest.mark.parametrize("kind", ["ReLU", "Pooling"])
def test_a_wrong_solver_is_told_as_wrong(kind: str) -> None:
    near = brought_near(untold(kind), kind, AT)
    for golden in (told(near), told(near, move(kind, AT))):
        wrong = np.array(str(golden.trace["solver"]).replace("0.9", "0.89"))
        found = compare_fixture(Subject(), replace(golden, trace=golden.trace | {"solver": wrong}))
        assert found.verdict.kind == "trace", found.verdict
        assert found.tipped is None


def test_a_trace_that_agrees_is_the_same() -> None:
    found = compare_fixture(Subject(), told(brought_near(untold("ReLU"), "ReLU", AT)))
    assert (found.ok, found.tipped) == (True, None)
