"""Box heads as the originals save them: their arithmetic, written out once more."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.box_scaling import BoxScaling, scale_boxes
from recaffe.prototxt.export.net_params import params_of
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.config import Config
from recaffe.prototxt.text.read import read_net

MEANS, STDS = (0.5, -0.25, 0.0, 0.125), (0.1, 0.3, 0.2, 0.7)
DATA = "layer { name: 'data' type: 'Input' top: 'data' top: 'rois' input_param { shape { dim: 2 dim: 3 dim: 5 dim: 7 } "
DATA += "shape { dim: 6 dim: 5 } } }\n"
FRCNN = DATA + "layer { name: 'bbox_pred' type: 'InnerProduct' bottom: 'data' top: 'bbox' "
FRCNN += "inner_product_param { num_output: 12 } }"
# Two boxes' numbers, each for 3 * 3 cells; a split between the head and its pooling.
RFCN = (
    DATA
    + """
layer { name: 'rpn_bbox_pred' type: 'Convolution' bottom: 'data' top: 'rpn'
  convolution_param { num_output: 16 kernel_size: 1 } }
layer { name: 'rfcn_bbox' type: 'Convolution' bottom: 'data' top: 'map'
  convolution_param { num_output: 72 kernel_size: 1 } }
layer { name: 'pool' type: 'PSROIPooling' bottom: 'map' bottom: 'rois' top: 'boxes'
  psroi_pooling_param { spatial_scale: 0.0625 output_dim: 8 group_size: 3 } }
layer { name: 'look' type: 'Silence' bottom: 'map' }"""
)


def filled(text: str, config: Config | None = None) -> Net:
    net = Net(read_net(text), config=config)
    generator = torch.Generator().manual_seed(4)
    shapes = {(name, i): shape for name, shapes in net.param_shapes.items() for i, shape in enumerate(shapes)}
    net.fill({place: torch.randn(shape, generator=generator) for place, shape in shapes.items()})
    return net


def scaled(net: Net, scaling: BoxScaling) -> dict[tuple[str, int], np.ndarray]:
    values = scale_boxes(net, params_of(net), scaling)
    return {(net.nodes[i].name, index): value.numpy() for (i, index), value in values.items()}


def params(net: Net, name: str) -> list[np.ndarray]:
    return [param.detach().numpy() for param in net.layer(name).params]


def test_bbox_pred_is_multiplied_row_by_row() -> None:
    net = filled(FRCNN)
    have = scaled(net, BoxScaling(MEANS, STDS, undo=True))
    w, b = params(net, "bbox_pred")
    stds, means = np.array(STDS * 3), np.array(MEANS * 3)
    assert np.array_equal(have["bbox_pred", 0], (w * stds[:, np.newaxis]).astype(np.float32))
    assert np.array_equal(have["bbox_pred", 1], (b * stds + means).astype(np.float32))
    assert have["bbox_pred", 0].dtype == np.float32


def test_every_class_may_have_its_own() -> None:
    net = filled(FRCNN)
    means, stds = tuple(np.linspace(-1, 1, 12)), tuple(np.linspace(0.1, 2, 12))
    have = scaled(net, BoxScaling(means, stds, undo=False))
    w, b = params(net, "bbox_pred")
    assert np.array_equal(have["bbox_pred", 0], (w / np.array(stds)[:, np.newaxis]).astype(np.float32))
    assert np.array_equal(have["bbox_pred", 1], ((b - means) / stds).astype(np.float32))


def test_rfcn_repeats_each_number_for_its_cells() -> None:
    net = filled(RFCN)
    have = scaled(net, BoxScaling(MEANS, STDS, undo=True))
    w, b = params(net, "rfcn_bbox")
    stds, means = np.repeat(STDS * 2, 9), np.repeat(MEANS * 2, 9)
    assert set(have) == {("rfcn_bbox", 0), ("rfcn_bbox", 1)}
    assert np.array_equal(have["rfcn_bbox", 0], (w * stds.reshape(72, 1, 1, 1)).astype(np.float32))
    assert np.array_equal(have["rfcn_bbox", 1], (b * stds + means).astype(np.float32))


def test_the_rpn_is_scaled_where_its_targets_were() -> None:
    config = Config.default("rfcn").with_flat(
        {"TRAIN.RPN_NORMALIZE_TARGETS": True, "TRAIN.RPN_NORMALIZE_STDS": [0.2, 0.4, 0.6, 0.8]}
    )
    net = filled(RFCN, config)
    have = scaled(net, BoxScaling(MEANS, STDS, undo=True))
    w, b = params(net, "rpn_bbox_pred")
    stds = np.array([0.2, 0.4, 0.6, 0.8] * 4)
    assert np.array_equal(have["rpn_bbox_pred", 0], (w * stds.reshape(16, 1, 1, 1)).astype(np.float32))
    assert np.array_equal(have["rpn_bbox_pred", 1], (b * stds).astype(np.float32))
    assert ("rfcn_bbox", 1) in have


@pytest.mark.parametrize(
    ("means", "stds", "what"),
    [
        ((0.0,) * 4, (1.0,) * 3, "four means and deviations, or four for each class, not 4 means and 3 deviations"),
        ((), (), "not 0 means and 0 deviations"),
        ((0.0,) * 4, (1.0, 1.0, -2.0, 1.0), "by deviations above 0, not -2"),
        ((0.0,) * 4, (0.0,) * 4, "by deviations above 0, not 0"),
        ((0.0,) * 8, (1.0,) * 8, "layer 'bbox_pred' (InnerProduct): 12 outputs are no boxes for 8 deviations"),
    ],
)
def test_what_does_not_fit_is_refused(means: tuple[float, ...], stds: tuple[float, ...], what: str) -> None:
    with pytest.raises(PrototxtError) as error:
        scaled(filled(FRCNN), BoxScaling(means, stds, undo=True))
    assert what in str(error.value)


def test_a_net_without_boxes_is_refused() -> None:
    with pytest.raises(PrototxtError, match=r"has no box layer to scale \(bbox_pred or rfcn_bbox, with a bias\)"):
        scaled(filled(FRCNN.replace("'bbox_pred'", "'fc'")), BoxScaling(MEANS, STDS, undo=True))
