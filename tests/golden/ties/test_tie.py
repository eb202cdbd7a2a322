"""What is equal for the golden is made equal on our side, and told in one line."""

from __future__ import annotations

import torch

from recaffe.golden.ties.tie import Choice, level, tie_of

ULP = 2.0**-24


def test_equal_scores_are_made_equal() -> None:
    golden = torch.tensor([[0.5, 0.75, 0.5], [0.75, 1.0, 0.25]])
    ours = torch.tensor([[0.5 + 2 * ULP, 0.75 - ULP, 0.5 - ULP], [0.75 - 2 * ULP, 1.0, 0.25 + ULP]])
    have = level(ours, golden)
    assert have.tolist() == [[0.5, 0.75 - ULP, 0.5], [0.75 - ULP, 1.0, 0.25 + ULP]]
    assert torch.equal(level(golden, golden), golden)


def test_a_neighbour_keeps_its_rank() -> None:
    golden = torch.tensor([0.75 + ULP, 0.75, 0.75])
    ours = torch.tensor([0.75 + ULP, 0.75 + 2 * ULP, 0.75 - ULP])
    assert level(ours, golden).tolist() == golden.tolist()


def test_no_scores() -> None:
    assert level(torch.zeros(0), torch.zeros(0)).shape == (0,)


def test_one_line() -> None:
    tie = tie_of(
        "proposal", Choice((), "2 of 30 RoIs in another order", ("anchor A", "anchor B"), 1.0, alike=4998), 1204
    )
    assert str(tie) == (
        "'proposal': 2 of 30 RoIs in another order: anchor A and anchor B have the score 1 both, as have 4,998 more; "
        "1,204 values depend on it"
    )
