"""Learning rates by hand; Caffe's own are in the traces."""

from __future__ import annotations

import pytest

from recaffe.prototxt.caffe_pb2 import SolverParameter
from recaffe.prototxt.solving.policies import RateState, SolverError, check_policy, learning_rate
from recaffe.prototxt.text.read import read_solver


def solver(text: str) -> SolverParameter:
    return read_solver(f"base_lr: 0.5 {text}\n")


def rates(text: str, count: int, losses: list[float] | None = None) -> list[float]:
    param, standing, found = solver(text), RateState(), []
    check_policy(param)
    for iteration in range(count):
        standing.iter = iteration
        found.append(learning_rate(param, standing, losses[iteration] if losses else 1.0))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('lr_policy: "fixed"', [0.5] * 5),
        ('lr_policy: "step" gamma: 0.5 stepsize: 2', [0.5, 0.5, 0.25, 0.25, 0.125]),
        ('lr_policy: "exp" gamma: 0.5', [0.5, 0.25, 0.125, 0.0625, 0.03125]),
        ('lr_policy: "inv" gamma: 1 power: 2', [0.5, 0.125, 0.5 / 9, 0.03125, 0.02]),
        ('lr_policy: "poly" power: 2 max_iter: 4', [0.5, 0.28125, 0.125, 0.03125, 0]),
        ('lr_policy: "sigmoid" gamma: 0 stepsize: 3', [0.25] * 5),
        ('lr_policy: "multistep" gamma: 0.5 stepvalue: 1 stepvalue: 4', [0.5, 0.25, 0.25, 0.25, 0.125]),
        ('lr_policy: "multistep" gamma: 0.5', [0.5] * 5),
    ],
)
def test_rates(text: str, expected: list[float]) -> None:
    assert rates(text, 5) == pytest.approx(expected, rel=1e-7)


def test_multistep_takes_one_step_an_iteration_however_many_are_due() -> None:
    standing = RateState(iter=9)
    param = solver('lr_policy: "multistep" gamma: 0.5 stepvalue: 2 stepvalue: 3 stepvalue: 4')
    assert [learning_rate(param, standing, 1.0) for _ in range(4)] == [0.25, 0.125, 0.0625, 0.0625]
    assert standing.current_step == 3


def test_step_counts_its_steps() -> None:
    standing = RateState(iter=7)
    learning_rate(solver('lr_policy: "step" gamma: 0.5 stepsize: 3'), standing, 1.0)
    assert standing.current_step == 2


def test_a_sigmoid_far_from_its_step_is_zero_or_one() -> None:
    param = solver('lr_policy: "sigmoid" gamma: 500 stepsize: 10')
    assert [learning_rate(param, RateState(iter=i), 1.0) for i in (0, 10, 20)] == [0, 0.25, 0.5]


def test_plateau_falls_when_the_loss_has_not_for_a_window() -> None:
    text = 'lr_policy: "plateau" gamma: 0.5 plateau_winsize: 2 plateau_winsize: 3'
    losses = [5.0, 4, 4, 4, 4, 4, 4, 1, 1, 1, 1]
    assert rates(text, 11, losses) == [0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125, 0.125]


def test_plateau_knows_its_smallest_loss_and_last_event() -> None:
    standing = RateState(iter=6)
    learning_rate(solver('lr_policy: "plateau" gamma: 0.5 plateau_winsize: 9'), standing, 0.75)
    assert (standing.minimum_loss, standing.iter_last_event, standing.current_step) == (0.75, 6, 0)


def test_poly_beyond_its_end_is_refused() -> None:
    param = solver('lr_policy: "poly" power: 0.5 max_iter: 4')
    with pytest.raises(SolverError, match=r"^iteration 5: the lr_policy 'poly' ends at max_iter 4$"):
        learning_rate(param, RateState(iter=5), 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'base_lr: 1 lr_policy: "stepp"',
            "has the lr_policy 'stepp'; did you mean 'step'? "
            "there are fixed, step, exp, inv, multistep, poly, sigmoid, plateau",
        ),
        (
            "base_lr: 1",
            "has the lr_policy ''; there are fixed, step, exp, inv, multistep, poly, sigmoid, plateau",
        ),
        ('lr_policy: "fixed"', "has no base_lr, which the lr_policy 'fixed' needs"),
        ('base_lr: 1 lr_policy: "step" stepsize: 3', "has no gamma, which the lr_policy 'step' needs"),
        ('base_lr: 1 lr_policy: "poly" power: 1', "has no max_iter, which the lr_policy 'poly' needs"),
        ('base_lr: 1 lr_policy: "plateau" gamma: 1', "has no plateau_winsize, which the lr_policy 'plateau' needs"),
        ('base_lr: 1 lr_policy: "step" gamma: 1 stepsize: 0', "has the stepsize 0: it must be 1 or more"),
        ('base_lr: 1 lr_policy: "exp" gamma: -0.5', "has the gamma -0.5: it must not be negative"),
    ],
)
def test_what_gives_no_rate_is_refused(text: str, message: str) -> None:
    with pytest.raises(SolverError) as error:
        check_policy(read_solver(f"{text}\n"))
    assert str(error.value) == message
