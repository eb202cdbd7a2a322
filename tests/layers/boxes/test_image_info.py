from __future__ import annotations

import pytest
import torch

from recaffe.layers.base.layer import LayerError
from recaffe.layers.boxes.image_info import ground_truth, image_info, single_item


def test_what_is_right_passes() -> None:
    single_item(torch.zeros(1, 2, 3))
    assert image_info(torch.tensor([[600.0, 1000.0, 1.5]])) == (600, 1000, 1.5)
    assert ground_truth(torch.zeros(3, 5, 1, 1)).shape == (3, 5)
    assert ground_truth(torch.zeros(0, 5)).shape == (0, 5)


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(LayerError, match="got 2×3×4: run one picture at a time"):
        single_item(torch.zeros(2, 3, 4))
    with pytest.raises(LayerError, match=r"im_info must be 1×3 \(height, width, scale\), got 1×4"):
        image_info(torch.zeros(1, 4))
    with pytest.raises(LayerError, match=r"im_info must be finite .* got \[inf, 5.0, 1.0\]"):
        image_info(torch.tensor([[float("inf"), 5.0, 1.0]]))
    with pytest.raises(LayerError, match=r"gt_boxes must be K×5 .* got a scalar"):
        ground_truth(torch.tensor(1.0))
