from typing import Any

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.lrn import LRNLayer

from .conftest import CheckGradients, Replay

CASES: dict[str, dict[str, Any]] = {
    "lrn_across": {"local_size": 5, "alpha": 0.5, "beta": 0.75},
    "lrn_across_k": {"local_size": 3, "alpha": 0.001, "beta": 0.75, "k": 2},
    "lrn_within": {"local_size": 3, "alpha": 0.5, "beta": 0.75, "norm_region": "WITHIN_CHANNEL"},
}


@pytest.mark.parametrize("name", CASES)
def test_caffe_agrees(replay: Replay, name: str) -> None:
    replay(name, lambda: LRNLayer(**CASES[name]))


@pytest.mark.parametrize("region", ["ACROSS_CHANNELS", "WITHIN_CHANNEL"])
def test_gradients(check_gradients: CheckGradients, region: str) -> None:
    check_gradients(LRNLayer(local_size=3, alpha=0.7, norm_region=region), (2, 4, 3, 5))


def test_k_counts_across_channels_only() -> None:
    x = torch.ones(1, 2, 3, 4)
    for region, expected in (("ACROSS_CHANNELS", 0.5), ("WITHIN_CHANNEL", 1.0)):
        (y,) = LRNLayer(local_size=3, alpha=0, beta=1, k=2, norm_region=region)(x)
        assert y.unique().tolist() == [expected]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(LayerError, match="local_size must be odd"):
        LRNLayer(local_size=4)
    with pytest.raises(LayerError, match="takes a bottom of 4 axes"):
        LRNLayer().setup((2, 3, 4))
