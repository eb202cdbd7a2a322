"""Diffs that are truly zero differ by rounding alone, and what is more than rounding still differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.golden import Fixture, verify
from recaffe.golden.rounding import rounding_floors
from recaffe.golden.subject import Subject
from recaffe.layers import LayerError
from recaffe.prototxt.net import Net

RANDOM = Path(__file__).parents[2] / "golden" / "fixtures" / "random"


def tensors(blobs: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(blob.copy()) for name, blob in blobs.items()}


@pytest.mark.parametrize("isolate", [False, True])
@pytest.mark.parametrize("name", ["chain_261", "chain_404", "chain_426"])
def test_a_diff_before_batch_statistics_is_rounding(name: str, isolate: bool) -> None:
    """Caffe wrote 3e-5 and less where ours has as much with another sign, beside diffs of 1 and more."""
    assert verify(Fixture.load(RANDOM / f"{name}.npz"), isolate).ok


def test_what_rounding_comes_to_is_said() -> None:
    (result,) = (
        result for result in verify(Fixture.load(RANDOM / "chain_404.npz")).results if "rounding" in result.detail
    )
    assert result.key == "param_diff/l1/1"
    assert result.relative == 0


@pytest.mark.parametrize("isolate", [False, True])
@pytest.mark.parametrize(("key", "size"), [(("l1", 1), 1e-3), (("l1", 0), 1e-3), (("l4", 1), 1e-3)])
def test_more_than_rounding_differs(key: tuple[str, int], size: float, isolate: bool) -> None:
    """A bias whose diff is truly zero, and params whose diffs are not."""
    fixture = Fixture.load(RANDOM / "chain_404.npz")
    wrong = fixture.param_diffs[key] + np.float32(size * max(1.0, float(np.abs(fixture.param_diffs[key]).max())))
    report = verify(replace(fixture, param_diffs={**fixture.param_diffs, key: wrong}), isolate)
    assert [result.key for result in report.results if not result.ok] == [f"param_diff/{key[0]}/{key[1]}"]


def test_floors_follow_the_sums() -> None:
    """Diffs ten thousand times as large round ten thousand times as much."""
    fixture = Fixture.load(RANDOM / "chain_404.npz")
    larger = replace(fixture, top_diffs={name: diff * np.float32(1e4) for name, diff in fixture.top_diffs.items()})

    def run(net: Net, one: Fixture) -> dict[str, Tensor]:
        net(tensors(one.bottoms), keep="all")
        net.backward(one.top_diffs)
        (bias,) = (param.grad for name, param in net.named_parameters() if name == "l1.1")
        assert bias is not None
        return {"bias": bias}

    floors = [rounding_floors(partial(Subject().filled, f), f, run, ["bias"])["bias"] for f in (fixture, larger)]
    assert 0 < floors[0] < 1e-4
    assert 1e3 < floors[1] / floors[0] < 1e5


def test_a_layer_without_float64_has_no_floor() -> None:
    fixture = Fixture.load(RANDOM / "chain_404.npz")

    def run(net: Net, one: Fixture) -> dict[str, Tensor]:
        raise LayerError("computes in float32 alone")

    assert rounding_floors(partial(Subject().filled, fixture), fixture, run, ["bias"]) == {}
