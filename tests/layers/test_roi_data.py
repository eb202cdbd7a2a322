from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.layers.roi_data import RoIDataLayer

DATA = (2, 3, 600, 1000)


def made(num_tops: int, **keywords: Any) -> RoIDataLayer:
    layer = RoIDataLayer(**{"num_classes": 21, **keywords})
    layer.setup(num_tops=num_tops)
    return layer


def test_an_rpns_tops() -> None:
    layer = made(3, has_rpn=True, ims_per_batch=1, scales=(400, 700, 500), max_size=900)
    assert layer.top_shapes() == ((1, 3, 700, 900), (1, 3), (1, 4))


def test_three_tops_can_only_be_an_rpns() -> None:
    assert made(3).top_shapes() == ((1, 3, 600, 1000), (1, 3), (1, 4))
    assert made(3, bbox_reg=False).top_shapes() == (DATA, (1, 5), (1,))


@pytest.mark.parametrize(
    ("keywords", "shapes"),
    [
        ({}, (DATA, (1, 5), (1,), *[(1, 84)] * 3)),
        ({"variant": "rfcn"}, (DATA, (1, 5, 1, 1), (1, 1, 1, 1), *[(1, 84, 1, 1)] * 3)),
        ({"variant": "rfcn", "agnostic": True}, (DATA, (1, 5, 1, 1), (1, 1, 1, 1), *[(1, 8, 1, 1)] * 3)),
    ],
)
def test_fast_rcnns_tops(keywords: dict[str, Any], shapes: tuple[tuple[int, ...], ...]) -> None:
    assert made(6, **keywords).top_shapes() == shapes


def test_the_wrong_number_of_tops_is_refused() -> None:
    with pytest.raises(LayerError, match="gives data, im_info, gt_boxes, got 6 tops"):
        made(6, has_rpn=True)
    with pytest.raises(LayerError, match=r"gives data, rois, labels, bbox_targets, .* got 4 tops"):
        made(4)


def test_without_data_it_says_how_to_give_it() -> None:
    with pytest.raises(
        LayerError, match="hand data, im_info, gt_boxes to the net as inputs, or set this layer's `feed`"
    ):
        made(3, has_rpn=True)()


@pytest.mark.parametrize(("variant", "truths"), [("frcnn", (4, 5)), ("rfcn", (4, 5, 1, 1))])
def test_it_gives_what_it_is_fed(variant: str, truths: tuple[int, ...]) -> None:
    layer = made(3, has_rpn=True, variant=variant)
    batch = {"gt_boxes": np.ones((4, 5)), "data": np.zeros((1, 3, 6, 7), np.float32), "im_info": np.ones((1, 3))}
    layer.feed = lambda: batch
    tops = layer()
    assert [tuple(top.shape) for top in tops] == [(1, 3, 6, 7), (1, 3), truths]
    assert {str(top.dtype) for top in tops} == {"torch.float32"}
    batch["gt_boxes"] = np.zeros((0, 5))
    assert layer()[2].shape == (0, *truths[1:])


def test_labels_have_four_axes_in_rfcn() -> None:
    layer = made(3, variant="rfcn", bbox_reg=False)
    layer.feed = lambda: {"data": np.zeros((2, 3, 6, 7)), "rois": np.zeros((8, 5)), "labels": np.zeros(8)}
    assert [tuple(top.shape) for top in layer()] == [(2, 3, 6, 7), (8, 5, 1, 1), (8, 1, 1, 1)]


def test_a_wrong_feed_is_refused() -> None:
    layer = made(3, has_rpn=True)
    layer.feed = lambda: {"data": np.zeros((1, 3, 6, 7)), "rois": np.zeros((1, 5))}
    with pytest.raises(LayerError, match="was fed data, rois, but gives data, im_info, gt_boxes"):
        layer()
