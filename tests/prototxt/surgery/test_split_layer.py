from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.surgery.operation import Operation, SurgeryError
from recaffe.prototxt.surgery.split_layer import split_layer


@pytest.mark.parametrize(("name", "counts"), [("cls_score", [1, 3]), ("rpn_cls_score", [9, 2, 7])])
def test_parts_give_the_same_blob(
    name: str, counts: list[int], frcnn: Operation, finish: Callable[[Operation], Net]
) -> None:
    split_layer(frcnn, name, counts)
    net = finish(frcnn)
    parts = [net.layer(f"{name}_{i}") for i in range(1, len(counts) + 1)]
    assert [len(part.params[1]) for part in parts] == counts
    for index, whole in enumerate(frcnn.net.layer(name).params):
        assert torch.equal(torch.cat([part.params[index] for part in parts]), whole)
    fed = {"data": torch.rand(1, 3, 96, 144) * 255 - 128, "im_info": torch.tensor([[96.0, 144.0, 1.0]])}
    with torch.no_grad():
        for one in (net, frcnn.net):
            one(fed, keep="all")
    torch.testing.assert_close(net.blobs[name], frcnn.net.blobs[name], atol=1e-4, rtol=1e-5)
    assert frcnn.changes[f"{name}_2"][0] == f"outputs {counts[0]} to {sum(counts[:2]) - 1} of {name!r}"


def test_transposed_weights_on_a_late_axis(
    start: Callable[[str], Operation], finish: Callable[[Operation], Net]
) -> None:
    operation = start(
        """
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 7 } } }
        layer { name: "fc" type: "InnerProduct" bottom: "x" top: "y" inner_product_param {
                num_output: 5 axis: 2 transpose: true bias_term: false } }
        """
    )
    split_layer(operation, "fc", [4, 1])
    net, x = finish(operation), torch.rand(2, 3, 7)
    assert [tuple(net.layer(name).params[0].shape) for name in ("fc_1", "fc_2")] == [(7, 4), (7, 1)]
    with torch.no_grad():
        torch.testing.assert_close(net(x=x)["y"], operation.net(x=x)["y"])


@pytest.mark.parametrize(
    ("name", "counts", "line"),
    [
        ("cls_score", [1, 2], "layer 'cls_score' has 4 outputs, to be split into two parts or more, not 1, 2"),
        ("cls_score", [4], "layer 'cls_score' has 4 outputs, to be split into two parts or more, not 4"),
        ("cls_score", [4, 0], "layer 'cls_score' has 4 outputs, to be split into two parts or more, not 4, 0"),
        ("relu6", [1, 3], "layer 'relu6' (ReLU) is no InnerProduct or Convolution"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, counts: list[int], line: str, frcnn: Operation) -> None:
    with pytest.raises(SurgeryError) as refused:
        split_layer(frcnn, name, counts)
    assert str(refused.value) == line


def test_groups_are_refused(start: Callable[[str], Operation]) -> None:
    operation = start(
        """
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 6 dim: 4 dim: 5 } } }
        layer { name: "c" type: "Convolution" bottom: "x" top: "y" convolution_param {
                num_output: 4 group: 2 kernel_size: 1 } }
        """
    )
    with pytest.raises(SurgeryError, match=r"^layer 'c' has groups or several bottoms: it cannot be split$"):
        split_layer(operation, "c", [2, 2])
