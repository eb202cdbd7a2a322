"""Goldens with equal scores: our own nets, whose sort takes equals in another order as an unstable one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from recaffe.golden.fixture.fixture import Fixture
from recaffe.golden.subject import Subject

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
Sort = Callable[[Tensor, int], Tensor]


def by_accident(seed: int) -> Sort:
    """Descending scores, equal ones in an order of no sense."""

    def sort(scores: Tensor, limit: int = -1) -> Tensor:
        chance = np.random.RandomState(seed).permutation(scores.numel())
        order = torch.from_numpy(np.lexsort((chance, -scores.flatten().numpy())))
        return order[:limit] if limit > 0 else order

    return sort


@contextmanager
def sorted_by(sort: Sort) -> Iterator[None]:
    """Proposal layers that sort so."""
    with patch("recaffe.layers.proposal.by_score", sort):
        yield


def golden_of(fixture: Fixture, sort: Sort) -> Fixture:
    """The fixture with the blobs and diffs that our net gives when its proposals are sorted so."""
    net = Subject().build(fixture)
    Subject().fill(net, fixture)
    with sorted_by(sort), torch.set_grad_enabled(fixture.has_backward):
        net(fixture.bottoms, keep="all")
        if fixture.has_backward:
            net.backward(fixture.top_diffs)
    tops = {name: net.blobs[name].detach().clone().numpy() for name in fixture.tops}
    diffs = {name: net.diffs[name].clone().numpy() for name in fixture.diffs}
    grads = {(layer, i): getattr(net.layer(layer), str(i)).grad for layer, i in fixture.param_diffs}
    param_diffs = {
        place: np.zeros_like(fixture.param_diffs[place]) if grad is None else grad.clone().numpy()
        for place, grad in grads.items()
    }
    return replace(fixture, tops=tops, diffs=diffs, param_diffs=param_diffs, trace={}, rng={}, versions={})


def scaled(fixture: Fixture, layer: str, factor: float) -> Fixture:
    """With a layer's params so many times as large: softmax behind it gives 1 exactly."""
    params = {place: value * np.float32(factor if place[0] == layer else 1) for place, value in fixture.params.items()}
    return replace(fixture, params=params)


def quantised(fixture: Fixture, blob: str, steps: int) -> Fixture:
    """With an input's values on a grid."""
    value = np.round(fixture.bottoms[blob] * steps) / np.float32(steps)
    return replace(fixture, bottoms=fixture.bottoms | {blob: value.astype(np.float32)})
