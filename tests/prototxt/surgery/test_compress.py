from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.surgery.compress import compress, cut
from recaffe.prototxt.surgery.operation import Operation, SurgeryError

FC = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 7 } } }
layer { name: "fc" type: "InnerProduct" bottom: "x" top: "y" param { name: "w" lr_mult: 3 } param { lr_mult: 6 }
        inner_product_param { num_output: 5 axis: -1 weight_filler { type: "xavier" } } include { phase: TEST } }
layer { name: "r" type: "ReLU" bottom: "y" top: "y" }
"""


@pytest.mark.parametrize("transpose", ["", " transpose: true"])
def test_two_factors_of_the_largest_values(
    transpose: str, start: Callable[[str], Operation], finish: Callable[[Operation], Net]
) -> None:
    operation = start(FC.replace("axis: -1", f"axis: -1{transpose}"))
    weight, bias = operation.net.layer("fc").params
    compress(operation, "fc", 2)
    net = finish(operation)
    (first,), (second, same) = net.layer("fc_L").params, net.layer("fc_U").params
    if transpose:
        weight, first, second = weight.t(), first.t(), second.t()
    u, s, v = np.linalg.svd(weight.detach().numpy(), full_matrices=False)
    np.testing.assert_allclose((second @ first).detach(), u[:, :2] * s[:2] @ v[:2], atol=1e-5)
    # As in py-faster-rcnn the first factor has the singular values, the second is orthonormal.
    torch.testing.assert_close(second.t() @ second, torch.eye(2), atol=1e-5, rtol=0)
    np.testing.assert_allclose(torch.linalg.norm(first, dim=1).detach(), s[:2], rtol=1e-5)
    assert torch.equal(same, bias)
    lost = np.square(s[2:]).sum() / np.square(s).sum()
    told = f"S V of 'fc': 2 of 5 singular values, {1 - lost:.2%} of their squares, relative error {lost**0.5:.2g}"
    assert operation.changes["fc_L"][0] == told


def test_the_prototxt(start: Callable[[str], Operation], finish: Callable[[Operation], Net]) -> None:
    operation = start(FC)
    compress(operation, "fc", 4)
    net = finish(operation)
    assert {name: net.blob_shapes[name] for name in ("fc_L", "y")} == {"fc_L": (2, 3, 4), "y": (2, 3, 5)}
    lower, upper = operation.message.layer[1:3]
    assert [spec.lr_mult for spec in lower.param] == [3]
    assert [(spec.name, spec.lr_mult) for spec in upper.param] == [("", 3), ("", 6)]
    assert lower.include == upper.include
    assert len(lower.include) == 1
    assert lower.inner_product_param.weight_filler.type == "xavier"


def test_all_values_give_the_same_numbers(frcnn: Operation, finish: Callable[[Operation], Net]) -> None:
    compress(frcnn, "fc6", 32)
    assert frcnn.promise.moved == set()
    net, data = finish(frcnn), torch.rand(1, 3, 96, 144) * 255 - 128
    fed = {"data": data, "im_info": torch.tensor([[96.0, 144.0, 1.0]])}
    with torch.no_grad():
        torch.testing.assert_close(net(fed)["cls_prob"], frcnn.net(fed)["cls_prob"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (6, 6)])
def test_a_matrix_is_cut_as_lapack_would(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    matrix[:, 0] = matrix[:, 1]  # and one value may be 0
    u, s, v = torch.linalg.svd(matrix, full_matrices=False)
    for rank in range(1, min(shape) + 1):
        values, first, second = cut(matrix, rank)
        torch.testing.assert_close(values.float(), s, atol=1e-5, rtol=0)
        torch.testing.assert_close(second @ first, u[:, :rank] * s[:rank] @ v[:rank], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("name", "rank", "line"),
    [
        ("fc6", 33, "layer 'fc6' can be cut to 1 to 32 singular values, not 33"),
        ("fc6", 0, "layer 'fc6' can be cut to 1 to 32 singular values, not 0"),
        ("conv1_1", 2, "layer 'conv1_1' (Convolution) is no InnerProduct"),
        ("fc8", 2, "no layer 'fc8' in net 'tiny_frcnn'; did you mean 'fc7'?"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, rank: int, line: str, frcnn: Operation) -> None:
    with pytest.raises(SurgeryError) as refused:
        compress(frcnn, name, rank)
    assert str(refused.value) == line


def test_names_that_are_taken_and_shared_params_are_refused(start: Callable[[str], Operation]) -> None:
    taken = start(FC + 'layer { name: "fc_U" type: "Power" bottom: "y" top: "z" }')
    with pytest.raises(SurgeryError, match=r"^layer 'fc' cannot be compressed: there is a layer 'fc_U' already$"):
        compress(taken, "fc", 2)
    twin = FC.splitlines()[2] + FC.splitlines()[3]
    shared = start(FC + twin.replace('"fc"', '"twin"').replace('"y"', '"z"'))
    with pytest.raises(SurgeryError, match=r"^layer 'fc' \(InnerProduct\) shares its params with 'twin': give it"):
        compress(shared, "fc", 2)
