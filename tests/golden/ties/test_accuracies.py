"""Accuracy among equal scores: a label that ties may count as right or not, and no other may."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from recaffe.golden.fixture.fixture import Fixture
from recaffe.golden.run import verify
from recaffe.golden.ties.accuracies import follow_accuracy
from recaffe.golden.ties.tie import GoldenSide
from recaffe.layers.accuracy import AccuracyLayer

from .goldens import FIXTURES

PLAIN, PER_CLASS = (Fixture.load(FIXTURES / "layers" / f"{name}.npz") for name in ("accuracy", "accuracy_per_class"))


def tied(fixture: Fixture, rows: int = 2) -> Fixture:
    """Scores where the labels of all items are wrong, but for the first rows, whose label ties with another class."""
    labels = fixture.bottoms["label"].astype(int)
    x = np.zeros_like(fixture.bottoms["x"])
    x[np.arange(len(x)), (labels + 1) % 5] = 1
    x[np.arange(rows), labels[:rows]] = 1
    return replace(fixture, bottoms={"x": x, "label": fixture.bottoms["label"]}, diffs={})


@pytest.mark.parametrize("isolate", [False, True], ids=["whole", "isolated"])
@pytest.mark.parametrize("right", [1, 2])
def test_labels_that_tie(right: int, isolate: bool) -> None:
    report = verify(replace(tied(PLAIN), tops={"y": np.array(right / 23, np.float32)}), isolate)
    assert report.outcome == "same but for ties"
    assert (
        "2 of 23 labels are right or wrong by the order of equal scores: the label of item 0 and another class have"
        in str(report.ties[0])
    )
    assert str(report.ties[0]).endswith("; 1 value depends on it")


@pytest.mark.parametrize("right", [3, 0.5, -1, 23])
def test_other_counts_are_wrong(right: float) -> None:
    report = verify(replace(tied(PLAIN), tops={"y": np.array(right / 23, np.float32)}))
    assert (report.outcome, report.ties) == ("different", [])


def test_classes_add_up() -> None:
    fixture = tied(PER_CLASS)
    labels = fixture.bottoms["label"].astype(int)
    per = np.zeros(5, np.float32)
    per[labels[0]] = 1 / (labels == labels[0]).sum()
    for right, outcome in ((1, "same but for ties"), (2, "different")):
        report = verify(replace(fixture, tops={"acc": np.array(right / 23, np.float32), "per": per}))
        assert report.outcome == outcome


def test_rounding_parts_equal_scores() -> None:
    golden, ours = torch.tensor([[1.0, 3.0, 3.0]]), torch.tensor([[1.0, 3.0000002, 3.0]])
    layer, labels = AccuracyLayer(), torch.tensor([1.0])
    side = GoldenSide((torch.tensor(0.0),), (golden, labels))
    assert layer(ours, labels)[0] == 1
    choice = follow_accuracy(layer, [ours, labels], layer(ours, labels), side, 1e-4)
    assert choice is not None
    assert choice.tops[0] == 0
    assert follow_accuracy(layer, [ours, labels], layer(ours, labels), replace(side, bottoms=None), 1e-4) is None
