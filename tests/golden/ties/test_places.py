"""ArgMax among equal values: the golden may take any of them, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from recaffe.golden.fixture.fixture import Array, Fixture
from recaffe.golden.run import Report, verify
from recaffe.golden.ties.places import follow_places
from recaffe.golden.ties.tie import GoldenSide
from recaffe.layers.argmax import ArgMaxLayer

from .goldens import FIXTURES

AXIS, ITEMS = (Fixture.load(FIXTURES / "layers" / f"{name}.npz") for name in ("argmax_ties", "argmax_ties_items"))


def first_ones(values: Array, top_k: int) -> Array:
    """The places of the largest along the last axis, of equal ones the first."""
    return np.argsort(-values, axis=-1, kind="stable")[..., :top_k].astype(np.float32)


def by_axis() -> Fixture:
    places = first_ones(np.moveaxis(AXIS.bottoms["x"], 1, -1), 3)
    return replace(AXIS, tops={"y": np.ascontiguousarray(np.moveaxis(places, -1, 1))}, diffs={})


def by_item() -> Fixture:
    x = ITEMS.bottoms["x"].reshape(3, -1)
    places = first_ones(x, 6)
    values = np.take_along_axis(x, places.astype(np.int64), 1)
    return replace(ITEMS, tops={"y": np.stack([places, values], 1)[..., None]}, diffs={})


@pytest.mark.parametrize("isolate", [False, True], ids=["whole", "isolated"])
@pytest.mark.parametrize("golden", [by_axis(), by_item()], ids=["axis", "items"])
def test_any_of_equal_values(golden: Fixture, isolate: bool) -> None:
    report = verify(golden, isolate)
    assert report.outcome == "same but for ties"
    (tie,) = report.ties
    assert " places of largest values are others: place " in tie.text
    assert f" have the value {tie.score:.9g} both" in str(tie)


def wrong_places(golden: Fixture) -> list[tuple[str, Report]]:
    reports = []
    for what, index, value in (("smaller", 0, None), ("twice", 1, 0), ("outside", 0, 77.0), ("between", 0, 0.5)):
        y = golden.tops["y"].copy()
        column = y[0, :, 1, 1]
        column[index] = np.argmin(golden.bottoms["x"][0, :, 1, 1]) if value is None else value or column[0]
        reports.append((what, verify(replace(golden, tops={"y": y}))))
    return reports


def test_other_places_are_wrong() -> None:
    for what, report in wrong_places(by_axis()):
        assert (report.outcome, report.ties) == ("different", []), what


def test_rounding_parts_equal_values() -> None:
    golden = torch.tensor([[1.0, 3.0, 3.0, 2.0]])
    ours = torch.tensor([[1.0, 3.0, 3.0000002, 2.0]])
    layer = ArgMaxLayer(axis=1)
    side = GoldenSide((torch.tensor([[1.0]]),), (golden,))
    choice = follow_places(layer, [ours], layer(ours), side, 1e-4)
    assert choice is not None
    assert choice.tops[0].tolist() == [[1.0]]
    assert follow_places(layer, [ours], layer(ours), replace(side, bottoms=(ours,)), 1e-4) is None
    assert follow_places(layer, [golden], layer(golden), replace(side, bottoms=(ours,)), 1e-4) is None
