"""Every layer's diffs, its params' too, against differences of its tops in float64."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from recaffe.layers.base.layer import Shape
from recaffe.layers.base.registry import registered

from .conftest import CheckGradients

Bottom = Tensor | Shape
PAGE = "docs/contributing.md#add-a-layer says what they are"


@dataclass(frozen=True)
class Case:
    """A layer's keywords, its bottoms (a shape is drawn from N(0, 1) and gets a diff), its number of tops."""

    bottoms: tuple[Bottom, ...] = ((2, 3, 4),)
    tops: int = 1
    keywords: dict[str, Any] = field(default_factory=dict)


def case(*bottoms: Bottom, tops: int = 1, **keywords: Any) -> Case:
    return Case(bottoms or ((2, 3, 4),), tops, keywords)


def drawn(*shape: int, least: float = 0.2, most: float = 0.9) -> Tensor:
    """Numbers between two, with a diff."""
    numbers = torch.rand(shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    return (least + (most - least) * numbers).requires_grad_()


def whole(*numbers: int) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


CONTINUES = torch.tensor([[0.0, 0], [1, 1], [1, 0], [1, 1]])
ROIS = torch.tensor([[0.0, 0, 0, 40, 30], [1, 9, 20, 55, 47], [1, 30, 3, 31, 50]])
INFOGAIN = torch.arange(12.0).reshape(4, 3)[:3].add(0.5)
CASES: dict[str, Case] = {
    "AbsVal": case(),
    "BNLL": case(),
    "BatchNorm": case((4, 3, 2), phase="TRAIN", eps=0.1),
    "BatchReindex": case((4, 3, 2), whole(2, 0, 2, 3, 2)),
    "Bias": case((2, 3, 4), (3, 4)),
    "Clip": case(min=-0.5, max=0.8),
    "Concat": case((2, 3, 4), (2, 5, 4)),
    "ContrastiveLoss": case((4, 3), (4, 3), whole(1, 0, 0, 1), margin=4.0),
    "Convolution": case((1, 4, 5, 3), num_output=6, kernel_size=(3, 2), group=2, stride=(2,), dilation=(2, 1)),
    "Crop": case((2, 4, 5), torch.zeros(2, 3, 2), axis=1, offset=(1, 2)),
    "Deconvolution": case((1, 4, 3, 2), num_output=6, kernel_size=(3, 2), group=2, stride=(2,), pad=(1, 0)),
    "Dropout": case(phase="TEST", scale_train=False, dropout_ratio=0.3),
    "ELU": case(alpha=0.7),
    "Eltwise": case((2, 3, 4), (2, 3, 4), (2, 3, 4), operation="PROD"),
    "Embed": case(whole(2, 0, 2, 4), num_output=3, input_dim=5),
    "EuclideanLoss": case((2, 3, 4), (2, 3, 4)),
    "Exp": case(base=2.0, scale=0.5, shift=0.3),
    "Filter": case((4, 3, 2), (4, 5), whole(1, 0, 0, 1), tops=2),
    "Flatten": case((2, 3, 4, 5), axis=1, end_axis=2),
    "HingeLoss": case((4, 3), whole(2, 0, 1, 2), norm="L2"),
    "Im2col": case((2, 3, 6, 5), kernel_size=(3, 2), stride=(2,), pad=(1,)),
    "InfogainLoss": case((4, 3), whole(2, 0, 1, 2), INFOGAIN),
    "InnerProduct": case((2, 3, 4), num_output=5),
    "LRN": case((2, 4, 3, 5), local_size=3, alpha=0.7),
    "LSTM": case((4, 2, 3), CONTINUES, num_output=1),
    "LSTMUnit": case((1, 2, 3), (1, 2, 12), torch.tensor([[1.0, 0]]), tops=2),
    "Log": case(drawn(2, 3, 4), base=2.0, scale=0.5, shift=0.3),
    "MVN": case((2, 3, 4, 5)),
    "MultinomialLogisticLoss": case(drawn(4, 3), whole(2, 0, 1, 2)),
    "PReLU": case(),
    "PSROIPooling": case((2, 4, 3, 5), ROIS, spatial_scale=0.1, output_dim=1, group_size=2),
    "Parameter": Case((), 1, {"shape": (2, 3)}),
    "Pooling": case((1, 2, 6, 5), pool="AVE", kernel_size=3, stride=2, pad=1),
    "Power": case(drawn(2, 3, 4), power=2.5, scale=0.5, shift=0.3),
    "RNN": case((4, 2, 3), CONTINUES, num_output=1),
    "ROIPooling": case((2, 3, 5, 7), ROIS, pooled_h=2, pooled_w=3, spatial_scale=0.125),
    "ReLU": case(negative_slope=0.2),
    "Reduction": case((2, 3, 4), operation="SUMSQ", axis=1, coeff=0.5),
    "Reshape": case(shape=(0, -1, 2)),
    "SPP": case((1, 2, 5, 4), pyramid_height=2),
    "Scale": case((2, 3, 4), axis=1, bias_term=True),
    "Sigmoid": case(),
    "SigmoidCrossEntropyLoss": case((4, 3), drawn(4, 3).detach().round()),
    "Slice": case((2, 6, 4), tops=3, slice_point=(1, 3)),
    "SmoothL1Loss": case((4, 3), (4, 3), drawn(4, 3).detach(), drawn(4, 3).detach(), sigma=1.5),
    "SmoothL1LossOHEM": case((4, 3), (4, 3), tops=1),
    "Softmax": case(),
    "SoftmaxWithLoss": case((4, 3), whole(2, 0, 1, 2)),
    "SoftmaxWithLossOHEM": case((4, 3), whole(2, 0, 1, 2)),
    "Split": case(tops=2),
    "Swish": case(beta=-0.7),
    "TanH": case(),
    "Tile": case(axis=1, tiles=3),
}
SOURCE, DECISION = "makes blobs and takes none", "gives decisions, which have no slope"
WITHOUT = {
    "Accuracy": DECISION,
    "ArgMax": DECISION,
    "BoxAnnotatorOHEM": DECISION,
    "Data": SOURCE,
    "DummyData": SOURCE,
    "HDF5Data": SOURCE,
    "HDF5Output": "gives no blob",
    "ImageData": SOURCE,
    "Input": SOURCE,
    "MemoryData": SOURCE,
    "Silence": "gives no blob",
    "Threshold": DECISION,
    "WindowData": SOURCE,
    "roi_data_layer.layer.RoIDataLayer": SOURCE,
    "rpn.anchor_target_layer.AnchorTargetLayer": DECISION,
    "rpn.proposal_layer.ProposalLayer": DECISION,
    "rpn.proposal_target_layer.ProposalTargetLayer": DECISION,
}


def test_every_type_has_a_case_or_a_reason() -> None:
    assert CASES.keys() & WITHOUT.keys() == set()
    missing = registered().keys() - CASES.keys() - WITHOUT.keys()
    assert not missing, f"no line in CASES or WITHOUT of tests/layers/test_gradients.py: {missing}; {PAGE}"
    assert CASES.keys() | WITHOUT.keys() <= registered().keys()


@pytest.mark.parametrize("name", CASES)
def test_diffs_are_slopes(name: str, check_gradients: CheckGradients) -> None:
    one = CASES[name]
    check_gradients(registered()[name](**one.keywords), *one.bottoms, num_tops=one.tops)


@pytest.mark.parametrize("name", CASES)
def test_shapes_are_known_without_memory(name: str) -> None:
    one = CASES[name]
    layer = registered()[name](**one.keywords)
    bottoms = [b.detach().float() if isinstance(b, Tensor) else torch.randn(b) for b in one.bottoms]
    shapes = [tuple(bottom.shape) for bottom in bottoms]
    layer.setup(*shapes, num_tops=one.tops)
    tops = layer(*bottoms)
    if name != "Filter":  # how much it keeps, its last bottom says
        assert layer.top_shapes(*shapes) == tuple(tuple(top.shape) for top in tops)
