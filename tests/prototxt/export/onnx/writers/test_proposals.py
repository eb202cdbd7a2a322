"""The proposal layer gives the same regions in ONNX, and nothing where there are none."""

from __future__ import annotations

from math import inf, nan

import pytest
import torch
from torch import Tensor

from recaffe.layers.proposal import ProposalLayer
from recaffe.prototxt.export.refusals import ExportError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.config import Config
from recaffe.prototxt.text.read import read_net

from ..conftest import Agree, inputs, model_of

Feed = dict[str, Tensor]


def proposing(tops: str = "rois scores", param_str: str = "'feat_stride': 16", **config: object) -> Net:
    text = inputs(p=(1, 18, 6, 9), d=(1, 36, 6, 9), i=(1, 3)) + "layer { name: 'proposal' type: 'Python'"
    text += " bottom: 'p' bottom: 'd' bottom: 'i' " + " ".join(f"top: '{top}'" for top in tops.split())
    text += f" python_param {{ module: 'rpn.proposal_layer' layer: 'ProposalLayer' param_str: \"{param_str}\" }} }}"
    flat = {f"TEST.RPN_{key}": value for key, value in config.items() if key.isupper() and key != "USE_GPU_NMS"}
    flat |= {key: value for key, value in config.items() if key == "USE_GPU_NMS"}
    return Net(read_net(text), config=Config.default("frcnn").with_flat(flat))


def maps(height: int, width: int, seed: int = 0, scale: float = 1.0) -> Feed:
    """Random scores and moves over a map of this size."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "p": torch.rand(1, 18, height, width, generator=generator),
        "d": torch.randn(1, 36, height, width, generator=generator) * 0.3,
        "i": torch.tensor([[height * 16.0 - 5, width * 16.0 - 3, scale]]),
    }


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"PRE_NMS_TOP_N": 50, "POST_NMS_TOP_N": 7},
        {"PRE_NMS_TOP_N": -1, "POST_NMS_TOP_N": -1},
        {"NMS_THRESH": 0.3},
        {"NMS_THRESH": 0.5, "USE_GPU_NMS": True},
        {"NMS_THRESH": 1.0, "USE_GPU_NMS": True},
        {"MIN_SIZE": 40},
    ],
)
def test_maps_of_any_size(config: dict[str, object], agree: Agree) -> None:
    agree(proposing(**config), maps(6, 9), maps(14, 5, 1, 1.6), maps(3, 21, 2, 0.8))


def test_one_top_and_other_anchors(agree: Agree) -> None:
    text = "{'feat_stride': 8, 'scales': [2, 4, 8], 'ratios': [0.5, 1, 3], 'base_size': 12}"
    agree(proposing("rois", text), maps(6, 9), maps(10, 7))


def test_equal_scores_keep_the_order_of_anchors(agree: Agree) -> None:
    feed = maps(6, 9)
    few = torch.randint(0, 3, (1, 18, 6, 9), generator=torch.Generator().manual_seed(5)) / 4
    agree(proposing(), {**feed, "p": few}, {**feed, "p": torch.zeros(1, 18, 6, 9), "d": torch.zeros(1, 36, 6, 9)})


@pytest.mark.parametrize("use_gpu_nms", [False, True])
def test_an_overlap_at_the_threshold(use_gpu_nms: bool, agree: Agree) -> None:
    """Boxes of 2:1, twice the same: exactly half of one lies in the other."""
    net = proposing(NMS_THRESH=0.5, MIN_SIZE=1, USE_GPU_NMS=use_gpu_nms)
    feed = maps(12, 12)
    feed["d"] = torch.zeros(1, 36, 12, 12)
    agree(net, feed)


@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize("blob", ["p", "d"])
def test_what_is_not_finite_is_dropped(bad: float, blob: str, agree: Agree) -> None:
    feed = maps(6, 9)
    feed[blob][0, 9:, ::2] = bad
    agree(proposing(), feed)


def test_no_region_is_left(agree: Agree) -> None:
    feed = maps(6, 9)
    small = {**feed, "i": torch.tensor([[96.0, 144.0, 1e4]])}
    lost = {**feed, "d": torch.full((1, 36, 6, 9), nan)}
    agree(proposing(), small, lost, feed)


def test_a_threshold_of_nothing_is_refused() -> None:
    with pytest.raises(
        ExportError, match="ONNX: it suppresses boxes that do not meet, with a threshold of 0: give one above 0"
    ):
        model_of(proposing(NMS_THRESH=0.0))


def test_normalised_deltas_are_refused() -> None:
    net = proposing()
    layer = next(layer for layer in (step.layer for step in net.steps) if isinstance(layer, ProposalLayer))
    layer.normalization = (0.0, 0.0, 0.0, 0.0), (0.1, 0.1, 0.2, 0.2)
    with pytest.raises(ExportError, match="ONNX: it turns back normalised deltas in TRAIN: port the TEST net"):
        model_of(net)
