from __future__ import annotations

from collections.abc import Callable

import pytest

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.surgery.drop import drop
from recaffe.prototxt.surgery.operation import Operation, SurgeryError


def test_what_nobody_reads_goes(frcnn: Operation, finish: Callable[[Operation], Net]) -> None:
    drop(frcnn, ["bbox_pred", "drop6"])
    net = finish(frcnn)
    assert frcnn.net.layers.keys() - net.layers.keys() == {"bbox_pred", "drop6", "fc7_relu7_0_split"}
    assert net.outputs == ("cls_prob",)
    assert frcnn.changes == {"bbox_pred": ["dropped, with 2 param(s)"], "drop6": ["dropped, computed in place"]}
    assert "fc6" in frcnn.promise.moved
    assert "pool5" not in frcnn.promise.moved


def test_a_chain_goes_as_a_whole(frcnn: Operation, finish: Callable[[Operation], Net]) -> None:
    with pytest.raises(SurgeryError) as refused:
        drop(frcnn, ["cls_score"])
    assert str(refused.value) == "layer 'cls_score' gives blob 'cls_score', which layer 'cls_prob' takes: drop both"
    drop(frcnn, ["cls_score", "cls_prob"])
    assert finish(frcnn).outputs == ("bbox_pred",)


def test_a_maker_that_is_left_will_do(start: Callable[[str], Operation], finish: Callable[[Operation], Net]) -> None:
    operation = start(
        """
        layer { name: "a" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } include { phase: TEST } }
        layer { name: "b" type: "Input" top: "x" input_param { shape { dim: 4 dim: 3 } } include { phase: TRAIN } }
        layer { name: "c" type: "Power" bottom: "x" top: "y" }
        """
    )
    drop(operation, ["b"])
    assert list(finish(operation).layers) == ["a", "c"]


def test_an_unknown_layer_is_refused(frcnn: Operation) -> None:
    with pytest.raises(SurgeryError, match=r"^no layer 'bbox_prd' in net 'tiny_frcnn'; did you mean 'bbox_pred'\?$"):
        drop(frcnn, ["bbox_prd"])
