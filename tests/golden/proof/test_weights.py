"""The proof finds what is wrong with written weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from recaffe.golden.errors import GoldenError
from recaffe.golden.proof.weights import compare_params
from recaffe.prototxt.export.net_params import params_of
from recaffe.prototxt.files.layer_params import LayerParams
from recaffe.prototxt.net.net import Net

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
LENET = FIXTURES / "formats" / "lenet.prototxt"
WEIGHTS = FIXTURES / "formats" / "lenet.caffemodel"


def lenet() -> Net:
    return Net.from_prototxt(LENET, weights=WEIGHTS)


def changed(name: str, index: int, value: float) -> tuple[list[LayerParams], list[LayerParams]]:
    """Lenet's layers, and the same with the last value of a param set to another."""
    net, other = lenet(), lenet()
    param = other.layer(name).params[index].detach()
    param.view(-1)[-1] = value
    return params_of(net), params_of(other)


def test_what_is_the_same_passes() -> None:
    assert compare_params(params_of(lenet()), params_of(lenet())) == {}


@pytest.mark.parametrize(("name", "index"), [("conv1", 0), ("bn1", 2), ("ip3", 1)])
def test_one_value_is_found(name: str, index: int) -> None:
    with pytest.raises(GoldenError, match=f"layer '{name}', param {index} comes back .* with other bits"):
        compare_params(*changed(name, index, 0.12345))


def test_bits_count_not_values() -> None:
    want, have = changed("conv1", 1, 0.0)
    tensor = torch.from_numpy(have[1].params[1].array())
    negative = torch.where(tensor == 0, -0.0, tensor)
    have[1] = replace(have[1], params=(have[1].params[0], replace(have[1].params[1], values=negative)))
    with pytest.raises(GoldenError, match="layer 'conv1', param 1"):
        compare_params(changed("conv1", 1, 0.0)[1], have)


def test_nan_that_comes_back_is_counted() -> None:
    _, have = changed("conv1", 0, float("nan"))
    assert compare_params(have, have) == {("conv1", 0): 1}


def test_a_lost_layer_and_a_lost_value_are_found() -> None:
    layers = params_of(lenet())
    with pytest.raises(GoldenError, match="layer 'bn1' does not come back"):
        compare_params(layers, [layer for layer in layers if layer.name != "bn1"])
    short = replace(layers[1].params[1], shape=(3,), values=torch.zeros(3))
    cut = [*layers[:1], replace(layers[1], params=(layers[1].params[0], short)), *layers[2:]]
    with pytest.raises(GoldenError, match="layer 'conv1', param 1"):
        compare_params(layers, cut)
