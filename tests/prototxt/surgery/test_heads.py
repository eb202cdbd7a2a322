from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.caffe_pb2 import LayerParameter
from recaffe.prototxt.surgery.heads import anchor_heads, learned_param
from recaffe.prototxt.surgery.operation import SurgeryError
from recaffe.prototxt.text.read import read_net
from recaffe.prototxt.zoo.catalog import MODELS, make_net

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"


@pytest.mark.parametrize("old", ["", "rpn"])
def test_names_say_nothing(old: str) -> None:
    """Where layers have other names the heads are found all the same."""
    with np.load(NETS / "frcnn_train.npz") as archive:
        text = str(archive["prototxt"])
    for name in ("rpn_cls_score", "rpn_bbox_pred"):
        text = text.replace(f'name: "{name}"', f'name: "my_{name}"') if old else text
    found = anchor_heads(read_net(text).net)
    prefix = "my_" if old else ""
    assert [head.layer.name for head in found.scores] == [f"{prefix}rpn_cls_score"]
    assert [head.layer.name for head in found.boxes] == [f"{prefix}rpn_bbox_pred"]
    assert [layer.name for layer in found.makers] == ["rpn-data", "proposal"]
    assert [layer.name for layer in found.counts] == ["rpn_cls_prob_reshape"]


@pytest.mark.parametrize("model", ["zf", "resnet50"])
def test_every_net_with_an_rpn_shows_its_heads(model: str) -> None:
    seen = 0
    for scheme, phases in MODELS[model].items():
        for phase in phases:
            net = make_net(model, scheme, phase)
            found = anchor_heads(net)
            has_rpn = any(layer.name == "rpn_cls_score" for layer in net.layer)
            assert [head.outputs for head in found.scores + found.boxes] == [18, 36] * has_rpn
            seen += has_rpn
    assert seen > 4


def test_a_head_of_another_type_is_refused() -> None:
    with pytest.raises(SurgeryError) as refused:
        learned_param(LayerParameter(name="up", type="Deconvolution"))
    line = "layer 'up' (Deconvolution) is a head that cannot be resized: only InnerProduct and Convolution can"
    assert str(refused.value) == line
