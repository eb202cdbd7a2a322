from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.surgery.merge import merge_batch_norms
from recaffe.prototxt.surgery.operation import Operation, SurgeryError

NET = """name: "n"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 9 dim: 7 } } }
layer { name: "c1" type: "Convolution" bottom: "data" top: "c1" param { lr_mult: 0 } convolution_param {
        num_output: 4 kernel_size: 3 bias_term: false } }
layer { name: "bn1" type: "BatchNorm" bottom: "c1" top: "bn1" }
layer { name: "s1" type: "Scale" bottom: "bn1" top: "bn1" scale_param { bias_term: true } }
layer { name: "r1" type: "ReLU" bottom: "bn1" top: "bn1" }
layer { name: "c2" type: "Convolution" bottom: "bn1" top: "c2" convolution_param { num_output: 6 kernel_size: 1 } }
layer { name: "bn2" type: "BatchNorm" bottom: "c2" top: "c2" }
layer { name: "pool" type: "Pooling" bottom: "c2" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "bn3" type: "BatchNorm" bottom: "pool" top: "bn3" }
"""


def test_numbers_stay(start: Callable[[str], Operation], finish: Callable[[Operation], Net]) -> None:
    operation, data = start(NET), torch.rand(2, 3, 9, 7)
    merge_batch_norms(operation)
    net = finish(operation)
    assert list(net.layers) == ["data", "c1", "r1", "c2", "pool", "bn3"]
    with torch.no_grad():
        for one in (net, operation.net):
            one(data=data, keep="all")
    for blob in ("bn1", "c2", "bn3"):
        torch.testing.assert_close(net.blobs[blob], operation.net.blobs[blob], rtol=1e-5, atol=1e-5)
    assert operation.promise.moved == {"c1"}
    assert operation.changes == {
        "c1": ["took in 'bn1'", "took in 's1'", "param 1 is 4"],
        "c2": ["took in 'bn2'"],
    }


def test_the_new_bias_learns_as_its_weight(start: Callable[[str], Operation]) -> None:
    operation = start(NET)
    merge_batch_norms(operation)
    first, second = (layer for layer in operation.message.layer if layer.type == "Convolution")
    assert [(spec.lr_mult, spec.decay_mult) for spec in first.param] == [(0, 1), (0, 0)]
    assert first.convolution_param.bias_term
    assert list(second.param) == []


def test_statistics_of_a_batch_are_refused(start: Callable[..., Operation]) -> None:
    operation = start(NET, "TRAIN")
    with pytest.raises(SurgeryError) as refused:
        merge_batch_norms(operation)
    start_of_line, _, rest = str(refused.value).partition("layer 'bn1' (BatchNorm): ")
    assert start_of_line
    assert rest == (
        "uses its batch's own statistics, so it cannot be merged: merge in phase TEST, or say use_global_stats: true"
    )
    fixed = start(NET.replace('top: "bn1" }', 'top: "bn1" batch_norm_param { use_global_stats: true } }', 1), "TRAIN")
    with pytest.raises(SurgeryError, match="'bn2'"):
        merge_batch_norms(fixed)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            'name: "r1" type: "ReLU" bottom: "bn1" top: "bn1"',
            'name: "r1" type: "ReLU" bottom: "bn1" top: "bn1" } layer { name: "t" type: "Power" bottom: "c1" top: "t" '
            "include { phase: TRAIN }",
            "layer 't' takes blob 'c1', which merging leaves out",
        ),
        (
            'name: "bn2" type: "BatchNorm"',
            'name: "bn2" type: "BatchNorm" include { phase: TEST }',
            "layer 'bn2' (BatchNorm) has include or exclude rules: merging would ignore them",
        ),
    ],
)
def test_other_phases_are_thought_of(old: str, new: str, line: str, start: Callable[[str], Operation]) -> None:
    operation = start(NET.replace(old, new))
    with pytest.raises(SurgeryError) as refused:
        merge_batch_norms(operation)
    assert str(refused.value) == line


def test_a_net_without_any_is_refused(frcnn: Operation) -> None:
    with pytest.raises(SurgeryError) as refused:
        merge_batch_norms(frcnn)
    assert str(refused.value) == "net 'tiny_frcnn' has no BatchNorm or Scale right behind a Convolution"
