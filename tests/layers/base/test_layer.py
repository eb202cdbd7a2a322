from collections.abc import Callable

import pytest
import torch

from recaffe.layers.base.fillers import Filler
from recaffe.layers.base.layer import Arity, Layer, LayerError
from recaffe.layers.base.registry import layer_class, register
from recaffe.layers.batch_norm import BatchNormLayer
from recaffe.layers.bias import BiasLayer
from recaffe.layers.concat import ConcatLayer
from recaffe.layers.convolution import ConvolutionLayer
from recaffe.layers.eltwise import EltwiseLayer
from recaffe.layers.inner_product import InnerProductLayer
from recaffe.layers.lrn import LRNLayer
from recaffe.layers.pooling import PoolingLayer
from recaffe.layers.scale import ScaleLayer

FRESH: list[Callable[[], Layer]] = [
    lambda: BatchNormLayer(phase="TRAIN"),
    lambda: BatchNormLayer(phase="TEST"),
    BiasLayer,
    ConcatLayer,
    lambda: ConvolutionLayer(num_output=4, kernel_size=(3,), weight_filler=Filler("xavier")),
    EltwiseLayer,
    lambda: EltwiseLayer(operation="PROD"),
    lambda: EltwiseLayer(operation="MAX"),
    lambda: InnerProductLayer(num_output=4, weight_filler=Filler("xavier")),
    LRNLayer,
    lambda: LRNLayer(norm_region="WITHIN_CHANNEL"),
    lambda: PoolingLayer(kernel_size=3, stride=2),
    lambda: PoolingLayer(kernel_size=3, stride=2, pad=2),
    lambda: PoolingLayer(kernel_size=3, stride=2, pad=2, pool="AVE"),
    lambda: PoolingLayer(kernel_size=2, pool="STOCHASTIC"),
    lambda: ScaleLayer(bias_term=True),
    ScaleLayer,
]


@pytest.mark.parametrize("make", FRESH)
def test_a_fresh_top_may_be_overwritten_before_backward(make: Callable[[], Layer]) -> None:
    layer = make()
    assert layer.fresh_top
    generator = torch.Generator().manual_seed(3)
    bottoms = [torch.randn(2, 3, 5, 7, generator=generator) for _ in range(min(layer.bottoms.least, 3))]
    layer.setup(*(tuple(bottom.shape) for bottom in bottoms))
    kept, overwritten = (diffs(layer, bottoms, overwrite) for overwrite in (False, True))
    for ours, theirs in zip(overwritten, kept, strict=True):
        assert torch.equal(ours, theirs)


def diffs(layer: Layer, bottoms: list[torch.Tensor], overwrite: bool) -> list[torch.Tensor]:
    leaves = [bottom.clone().requires_grad_() for bottom in bottoms]
    (top,) = layer(*leaves)
    seed = torch.linspace(-1, 1, top.numel()).view(top.shape)
    if overwrite:
        top.detach().fill_(9)
        top = torch.relu_(top)
        assert all(leaf.max() < 9 for leaf in leaves)
    top.backward(seed)
    return [leaf.grad for leaf in leaves if leaf.grad is not None]


def test_counts_in_print() -> None:
    assert [str(arity) for arity in (Arity(), Arity(2, 4), Arity(1, None))] == ["1", "2 to 4", "at least 1"]


def test_an_unknown_type_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(
        LayerError, match=r"unknown layer type 'Convolutoin'; did you mean 'Convolution'\? \(known: AbsVal,"
    ):
        layer_class("Convolutoin")


def test_a_type_is_registered_once() -> None:
    with pytest.raises(LayerError, match=r"ReLU is registered already, by recaffe\.layers\.relu\.ReLULayer"):
        register("ReLU")(ScaleLayer)


def test_a_shared_param_shows_in_the_layers_own_shape() -> None:
    layer = InnerProductLayer(num_output=2, bias_term=False)
    layer.setup((3, 4))
    setattr(layer, "0", torch.nn.Parameter(torch.arange(8.0).view(4, 2)))
    assert layer.params[0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
