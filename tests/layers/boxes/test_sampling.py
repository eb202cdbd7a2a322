from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.layers.base.layer import LayerError
from recaffe.layers.boxes.sampling import AnchorRule, RoIRule, overlap, usable


def rng(seed: int = 5) -> np.random.RandomState:
    return np.random.RandomState(seed)


def test_thresholds_are_at_least_and_less_than() -> None:
    # The last row takes the first truth's maximum, so that the thresholds decide about the others.
    overlaps = torch.tensor([[0.7], [0.69], [0.3], [0.29], [0.9]], dtype=torch.float64)
    assert AnchorRule().label(overlaps).tolist() == [1, -1, -1, 0, 1]


def test_every_anchor_with_a_truths_most_is_positive() -> None:
    overlaps = torch.tensor([[0.2, 0.1], [0.2, 0.0], [0.1, 0.25]], dtype=torch.float64)
    assert AnchorRule().label(overlaps).tolist() == [1, 1, 1]
    assert AnchorRule(clobber=True).label(overlaps).tolist() == [0, 0, 0]


def test_a_truth_that_no_anchor_meets_makes_the_unmet_positive() -> None:
    overlaps = torch.tensor([[0.8, 0.0], [0.1, 0.0]], dtype=torch.float64)
    assert AnchorRule().label(overlaps).tolist() == [1, 1]


def assign(rule: AnchorRule, truths: Tensor, inside: list[bool] | None = None) -> tuple[Tensor, Tensor]:
    anchors = torch.tensor([[0, 0, 9, 9], [2, 0, 11, 9], [50, 50, 59, 59], [80, 80, 89, 89], [90, 0, 99, 9]])
    fits = torch.tensor([True] * 5 if inside is None else inside)
    return rule.assign(anchors.double(), fits, truths, rng())


def test_surplus_is_left_out_in_the_generators_order() -> None:
    truths = torch.tensor([[0.0, 0, 9, 9, 1], [50, 50, 59, 59, 1]])
    labels, _ = assign(AnchorRule(positive=0.6, batch_size=3, fg_fraction=0.4), truths)
    same = rng()
    expected = np.array([1, 1, 1, 0, 0])
    expected[same.choice([0, 1, 2], size=2, replace=False)] = -1
    assert labels.tolist() == expected.tolist()
    labels, _ = assign(AnchorRule(positive=0.6, batch_size=2, fg_fraction=0.5), truths)
    same = rng()
    expected = np.array([1, 1, 1, 0, 0])
    expected[same.choice([0, 1, 2], size=2, replace=False)] = -1
    expected[same.choice([3, 4], size=1, replace=False)] = -1
    assert labels.tolist() == expected.tolist()


def test_who_is_outside_has_no_label_and_no_target() -> None:
    labels, targets = assign(AnchorRule(), torch.tensor([[4.0, 5, 13, 24, 1]]), [False, True, False, True, False])
    assert labels.tolist() == [-1, 1, -1, 0, -1]
    assert torch.allclose(targets[1], torch.tensor([0.2, 1.0, 0.0, math.log(2)]))
    assert targets[[0, 2, 4]].count_nonzero() == 0
    assert targets[3].count_nonzero() > 0


def test_without_truths_all_are_negative() -> None:
    labels, targets = assign(AnchorRule(batch_size=4), torch.zeros(0, 5))
    assert sorted(labels.tolist()) == [-1, 0, 0, 0, 0]
    assert targets.count_nonzero() == 0


def test_with_none_inside_nobody_takes_part() -> None:
    labels, targets = assign(AnchorRule(), torch.tensor([[4.0, 5, 13, 24, 1]]), [False] * 5)
    assert labels.tolist() == [-1] * 5
    assert targets.count_nonzero() == 0


def test_truths_without_area_or_number_are_not_usable() -> None:
    nan, inf = math.nan, math.inf
    truths = torch.tensor(
        [[3.0, 4, 3, 4, 1], [3, 4, 2, 9, 1], [nan, 0, 5, 5, 1], [0, 0, inf, 5, 1], [0, 0, 5, 5, nan], [0, 1, 7, 9, 2]]
    )
    assert usable(truths, plus=1).tolist() == [[3, 4, 3, 4, 1], [0, 1, 7, 9, 2]]
    assert usable(truths, plus=0).tolist() == [[0, 1, 7, 9, 2]]


def test_each_convention_has_its_precision() -> None:
    boxes = torch.tensor([[0.0, 0, 2, 3]])
    assert overlap(boxes, boxes, plus=1).dtype == torch.float64
    assert overlap(boxes, boxes, plus=0).dtype == torch.float32


def test_rois_are_drawn_foreground_first() -> None:
    most = torch.tensor([0.5, 0.49, 0.1, 0.09, 0.9, 0.7, 0.3], dtype=torch.float64)[:, None]
    rows, foreground = RoIRule(batch_size=4, fg_fraction=0.25).sample(most, rng())
    same = rng()
    expected = [*same.choice([0, 4, 5], size=1, replace=False), *same.choice([1, 2, 6], size=3, replace=False)]
    assert (rows.tolist(), foreground) == (expected, 1)


def test_the_share_of_foreground_is_rounded_half_to_even() -> None:
    most = torch.ones(9, 1, dtype=torch.float64)
    assert [RoIRule(size, 0.25).sample(most, rng())[1] for size in (6, 10, 14)] == [2, 2, 4]


def test_a_draw_of_none_still_draws() -> None:
    most = torch.tensor([[0.9], [0.2]], dtype=torch.float64)
    used, same = rng(), rng()
    rows, foreground = RoIRule(batch_size=1, fg_fraction=0.0).sample(most, used)
    same.choice([0], size=0, replace=False), same.choice([1], size=1, replace=False)
    assert (rows.tolist(), foreground) == ([1], 0)
    assert used.randint(1 << 30) == same.randint(1 << 30)


@pytest.mark.parametrize("fraction", [0.0, 0.25])
def test_minus_one_takes_all(fraction: float) -> None:
    most = torch.tensor([0.9, 0.8, 0.2, 0.15, 0.05], dtype=torch.float64)[:, None]
    rows, foreground = RoIRule(-1, fraction).sample(most, rng())
    assert foreground == (2 if fraction else 0)
    assert sorted(rows.tolist()) == ([0, 1, 2, 3] if fraction else [2, 3])


def test_fewer_rois_than_asked_are_all_drawn() -> None:
    rows, foreground = RoIRule().sample(torch.tensor([[0.9], [0.2], [0.05]], dtype=torch.float64), rng())
    assert (sorted(rows.tolist()), foreground) == ([0, 1], 1)


def test_without_truths_all_rois_are_background() -> None:
    rows, foreground = RoIRule(batch_size=2).sample(torch.zeros(7, 0, dtype=torch.float64), rng())
    assert (len(rows), foreground) == (2, 0)


@pytest.mark.parametrize(("size", "fraction"), [(-1, 0.5), (256, 1.5), (256, -0.1)])
def test_impossible_samples_of_anchors_are_refused(size: int, fraction: float) -> None:
    with pytest.raises(LayerError, match="RPN_BATCHSIZE must be at least 0"):
        AnchorRule(batch_size=size, fg_fraction=fraction)


@pytest.mark.parametrize(("size", "fraction"), [(0, 0.5), (-2, 0.5), (128, 1.01)])
def test_impossible_samples_of_rois_are_refused(size: int, fraction: float) -> None:
    with pytest.raises(LayerError, match="BATCH_SIZE must be positive or -1"):
        RoIRule(batch_size=size, fg_fraction=fraction)
