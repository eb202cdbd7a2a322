"""Weights broken in every way that a rule knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recaffe.golden.diagnosis.findings import Cause
from recaffe.golden.fixture import Fixture

FIXTURES = Path(__file__).parents[4] / "golden" / "fixtures"
Broken = Callable[..., dict[str, Cause]]
IP = Fixture.load(FIXTURES / "layers" / "ip.npz")
FRCNN = Fixture.load(FIXTURES / "nets" / "frcnn_test.npz")


def test_swapped_weights(broken: Broken) -> None:
    cls, box = FRCNN.params["conv1_1", 1], FRCNN.params["conv1_2", 1]
    causes = broken(FRCNN, weights={("conv1_1", 1): box, ("conv1_2", 1): cls}, until="conv1_2")
    assert list(causes) == ["stale bias", "weights"]
    assert "it is that of layer 'conv1_2', param 1: swapped" in causes["weights"].text


@pytest.mark.parametrize("first", [True, False])
def test_a_transposed_inner_product(first: bool, broken: Broken) -> None:
    w = IP.params["op", 0]
    other = np.ascontiguousarray(w.T).reshape(w.shape) if first else w.reshape(w.shape[::-1]).T.copy()
    causes = broken(IP, weights={("op", 0): other})
    assert causes["transposed inner product"].text == (
        f"the weight is transposed: its numbers lie {'inputs' if first else 'outputs'} first, the golden's do not"
    )


@pytest.mark.parametrize("last", [True, False])
def test_the_order_of_inputs(last: bool, broken: Broken) -> None:
    w = IP.params["op", 0]
    to_last = w.reshape(6, 3, 7, 9).transpose(0, 2, 3, 1).reshape(6, -1)
    to_first = w.reshape(6, 7, 9, 3).transpose(0, 3, 1, 2).reshape(6, -1)
    causes = broken(IP, weights={("op", 0): np.ascontiguousarray(to_last if last else to_first)})
    orders = ["channels, rows, columns", "rows, columns, channels"]
    ours, theirs = orders[last], orders[not last]
    text = f"the weight's inputs are in the order of {ours}; the golden's in that of {theirs}"
    assert causes["order of an inner product's inputs"].text == text


def test_turned_kernels(broken: Broken) -> None:
    w = Fixture.load(FIXTURES / "layers" / "conv_hw.npz").params["op", 0]
    causes = broken("layers/conv_hw", weights={("op", 0): w[:, :, ::-1, ::-1].copy()})
    assert list(causes) == ["turned kernels", "weights"]
    assert "its kernels are turned by 180 degrees" in causes["weights"].text


@pytest.mark.parametrize("folded", [True, False])
def test_unnormalised_box_targets(folded: bool, broken: Broken) -> None:
    stds = np.float32(np.tile([0.1, 0.1, 0.2, 0.2], 4)) ** (1 if folded else -1)
    w, b = FRCNN.params["bbox_pred", 0], FRCNN.params["bbox_pred", 1]
    changed = {("bbox_pred", 0): w * stds[:, None], ("bbox_pred", 1): b * stds}
    causes = broken(FRCNN, weights=changed)
    rule = causes["unnormalised box targets"]
    assert rule.layer == "bbox_pred"
    assert f"(recaffe port bbox_{'' if folded else 'un'}normalize=True)" in rule.text


def test_a_stale_bias_whether_the_golden_has_params_or_not(broken: Broken) -> None:
    bias = IP.params["op", 1].copy()
    bias[4] -= 0.25
    causes = broken(IP, weights={("op", 1): bias})
    assert causes["stale bias"].text == "the bias is stale: the golden's is another by up to 0.25 (output 4)"
    causes = broken(replace(IP, params={("op", 0): IP.params["op", 0]}), weights={("op", 1): bias})
    assert causes["stale bias"].text == "the bias is stale: the golden's is another by up to 0.25 (output 4)"


def test_a_golden_without_bias(broken: Broken) -> None:
    other = IP.bottoms["x"].reshape(2, -1) @ IP.params["op", 0].T
    assert broken(IP, golden={"y": other})["stale bias"].text == "the bias is stale: the golden has none (all zeros)"
