"""Each rule beside its formula in double precision; Caffe's own steps are in the traces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from recaffe.prototxt.caffe_pb2 import ParamSpec, SolverParameter
from recaffe.prototxt.net.params import Param
from recaffe.prototxt.solving.policies import SolverError
from recaffe.prototxt.solving.updates import Updates, check_rule
from recaffe.prototxt.text.read import read_solver

Array = npt.NDArray[np.float64]
RATE, STEPS, M, D = 0.1, 3, 0.9, 1e-3


def sgd(w: Array, g: Array, h: list[Array], t: int) -> Array:
    h[0] = RATE * g + M * h[0]
    return w - h[0]


def nesterov(w: Array, g: Array, h: list[Array], t: int) -> Array:
    old, h[0] = h[0], RATE * g + M * h[0]
    return w - ((1 + M) * h[0] - M * old)


def adagrad(w: Array, g: Array, h: list[Array], t: int) -> Array:
    h[0] = h[0] + g**2
    return w - RATE * g / (np.sqrt(h[0]) + D)


def rmsprop(w: Array, g: Array, h: list[Array], t: int) -> Array:
    h[0] = 0.98 * h[0] + 0.02 * g**2
    return w - RATE * g / (np.sqrt(h[0]) + D)


def adadelta(w: Array, g: Array, h: list[Array], t: int) -> Array:
    h[0] = M * h[0] + (1 - M) * g**2
    update = g * np.sqrt((h[1] + D) / (h[0] + D))
    h[1] = M * h[1] + (1 - M) * update**2
    return w - RATE * update


def adam(w: Array, g: Array, h: list[Array], t: int) -> Array:
    h[0] = M * h[0] + (1 - M) * g
    h[1] = 0.99 * h[1] + 0.01 * g**2
    return w - RATE * np.sqrt(1 - 0.99**t) / (1 - M**t) * h[0] / (np.sqrt(h[1]) + D)


FORMULAS: dict[str, Callable[[Array, Array, list[Array], int], Array]] = {
    "SGD": sgd,
    "Nesterov": nesterov,
    "AdaGrad": adagrad,
    "RMSProp": rmsprop,
    "AdaDelta": adadelta,
    "Adam": adam,
}


def solver(kind: str, more: str = "") -> SolverParameter:
    momentum = 0 if kind in ("AdaGrad", "RMSProp") else M
    text = f'type: "{kind}" momentum: {momentum} delta: {D} rms_decay: 0.98 momentum2: 0.99 {more}\n'
    param = read_solver(text)
    check_rule(param)
    return param


def param(*shape: int, lr_mult: float = 1, decay_mult: float = 1) -> Param:
    return Param([(0, 0)], shape, ParamSpec(lr_mult=lr_mult, decay_mult=decay_mult), ["fc"])


def one_step(more: str, diffs: list[list[float]], params: list[Param] | None = None) -> list[list[float]]:
    """What one step of SGD without momentum and with a rate of 1 takes from params that are all 2."""
    specs = params or [param(len(diff)) for diff in diffs]
    values = [nn.Parameter(torch.full(spec.shape, 2.0)) for spec in specs]
    for value, diff in zip(values, diffs, strict=True):
        value.grad = torch.tensor(diff)
    Updates(read_solver(f"{more}\n"), specs, torch.device("cpu")).apply(values, 1.0, 0)
    return [(2 - value).tolist() for value in values]


@pytest.mark.parametrize("kind", FORMULAS)
def test_formula(kind: str) -> None:
    rng = np.random.RandomState(5)
    specs = [param(3, 2), param(4)]
    want = [rng.standard_normal(spec.shape) for spec in specs]
    values = [nn.Parameter(torch.tensor(value, dtype=torch.float32)) for value in want]
    updates = Updates(solver(kind), specs, torch.device("cpu"))
    histories = [[np.zeros(spec.shape) for _ in range(2)] for spec in specs]
    for step in range(STEPS):
        diffs = [rng.standard_normal(spec.shape) for spec in specs]
        for value, diff in zip(values, diffs, strict=True):
            value.grad = torch.tensor(diff, dtype=torch.float32)
        updates.apply(values, RATE, step)
        want = [FORMULAS[kind](w, g, h, step + 1) for w, g, h in zip(want, diffs, histories, strict=True)]
    for value, expected in zip(values, want, strict=True):
        np.testing.assert_allclose(value.detach(), expected, rtol=2e-5)
    saved = [h[k] for k in range(len(updates.histories) // 2) for h in histories]
    for history, expected in zip(updates.histories, saved, strict=True):
        np.testing.assert_allclose(history, expected, rtol=2e-5)


def test_weight_decay_of_either_kind() -> None:
    assert one_step("weight_decay: 0.25", [[1.0, -1.0]]) == [[1.5, -0.5]]
    assert one_step('weight_decay: 0.25 regularization_type: "L1"', [[1.0, -1.0]]) == [[1.25, -0.75]]


def test_multipliers() -> None:
    specs = [param(1, lr_mult=2, decay_mult=0), param(1, lr_mult=0.5, decay_mult=2), param(1, lr_mult=0)]
    assert one_step("weight_decay: 0.25", [[1.0], [1.0], [1.0]], specs) == [[2.0], [1.0], [0.0]]


def test_clipping_comes_before_the_division_and_the_decay() -> None:
    # The norm of the sum over both forwards, 5, is clipped to 1.
    text = "clip_gradients: 1 iter_size: 2 weight_decay: 0.25"
    assert one_step(text, [[3.0], [4.0]]) == [[pytest.approx(0.8)], [pytest.approx(0.9)]]
    assert one_step("clip_gradients: 6", [[3.0], [4.0]]) == [[3.0], [4.0]]


def test_a_param_that_does_not_learn_keeps_its_history() -> None:
    specs = [param(2, lr_mult=0)]
    value = nn.Parameter(torch.ones(2), requires_grad=False)
    updates = Updates(read_solver("momentum: 0.5 weight_decay: 1\n"), specs, torch.device("cpu"))
    updates.histories[0].fill_(4)
    updates.apply([value], 1.0, 0)
    assert (updates.histories[0].tolist(), value.tolist()) == ([2, 2], [-1, -1])


def test_histories_are_made_once() -> None:
    value = nn.Parameter(torch.ones(2))
    updates = Updates(solver("Adam"), [param(2)], torch.device("cpu"))
    places = [history.data_ptr() for history in updates.histories]
    for step in range(2):
        value.grad = torch.ones(2)
        updates.apply([value], RATE, step)
    assert [history.data_ptr() for history in updates.histories] == places


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'type: "Adagrad"',
            "has the type 'Adagrad'; did you mean 'AdaGrad'? there are SGD, Nesterov, AdaGrad, RMSProp, AdaDelta, Adam",
        ),
        ('regularization_type: "l2"', "has the regularization_type 'l2'; did you mean 'L2'? there are L1, L2"),
        ('type: "AdaGrad" momentum: 0.9', "has the momentum 0.9, which the type 'AdaGrad' cannot use: say 0"),
        ('type: "RMSProp" momentum: 0.5', "has the momentum 0.5, which the type 'RMSProp' cannot use: say 0"),
        ('type: "RMSProp" rms_decay: 1', "has the rms_decay 1: it must be 0 or more and less than 1"),
        ('type: "Adam" momentum: 1', "has the momentum 1: it must be 0 or more and less than 1"),
        ("iter_size: 0", "has the iter_size 0: it must be 1 or more"),
    ],
)
def test_what_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(SolverError) as error:
        check_rule(read_solver(f"{text}\n"))
    assert str(error.value) == message
