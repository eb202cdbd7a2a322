"""Outputs of a test net, averaged."""

from __future__ import annotations

import numpy as np
import pytest

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.solving.policies import SolverError
from recaffe.prototxt.solving.scoring import mean_outputs

TEXT = """layer { name: "in" type: "Input" top: "a" top: "b"
  input_param { shape { dim: 2 dim: 3 } shape { dim: 2 dim: 3 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "a" bottom: "b" top: "loss" loss_weight: 2 }
layer { name: "c" type: "Power" bottom: "a" top: "c" power_param { shift: 1 } }
"""


def feed(number: int) -> dict[str, np.ndarray]:
    return {"a": np.full((2, 3), number, np.float32), "b": np.zeros((2, 3), np.float32)}


def test_means() -> None:
    found = mean_outputs(Net.from_prototxt(TEXT), 3, feed, lambda: True)
    assert found is not None
    loss, means = found
    # Half the mean square sum of three values of 0, 1 and 2: 0, 1.5 and 6.
    assert (loss, means["loss"].item()) == (5, 2.5)
    assert means["c"].tolist() == [[2, 2, 2], [2, 2, 2]]


def test_it_may_be_ended() -> None:
    answers = iter((True, False))
    assert mean_outputs(Net.from_prototxt(TEXT), 3, feed, lambda: next(answers)) is None


def test_outputs_of_other_shapes_have_no_mean() -> None:
    def growing(number: int) -> dict[str, np.ndarray]:
        return dict.fromkeys("ab", np.zeros((2 + number, 3), np.float32))

    with pytest.raises(SolverError, match=r"^output 'c' is 2×3, then 3×3: there is no mean of these$"):
        mean_outputs(Net.from_prototxt(TEXT), 2, growing, lambda: True)
