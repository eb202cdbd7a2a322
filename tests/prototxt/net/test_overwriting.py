"""Backward through overwritten memory, held against Caffe's own statements, carried out on shared arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recaffe.prototxt.net import Net, NetError, inplace_hazards
from recaffe.prototxt.net.overwriting import OverwritingWalk
from recaffe.prototxt.text import read_net

from .overwritten_memory import (
    BNLL,
    ELU,
    LRN,
    MVN,
    SHAPE,
    Array,
    BatchNorm,
    CaffeLayer,
    Clip,
    Dropout,
    Exp,
    Log,
    Power,
    ReLU,
    Sigmoid,
    Softmax,
    Swish,
    TanH,
    caffe,
)

HEAD = 'force_backward: true input: "x" input_shape { dim: 2 dim: 3 dim: 4 dim: 5 }\n'
COPY = Power(1, 1, 0)
"""Gives what follows a blob of its own."""
Chain = list[CaffeLayer]
CHAINS: dict[str, Chain] = {
    "tanh": [TanH(), Power(1, 2, 0.5)],
    "tanh behind dropout": [TanH(), Dropout()],
    "sigmoid": [Sigmoid(), TanH()],
    "softmax": [Softmax(), TanH()],
    "exp": [Exp(), Sigmoid()],
    "swish": [Swish(), TanH()],
    "elu": [ELU(0.7), Sigmoid()],
    "lrn": [LRN(), TanH()],
    "mvn and relu": [MVN(), ReLU()],
    "mvn across and relu": [MVN(across=True), ReLU()],
    "power, shifted": [Power(3, 0.2, 1), TanH()],
    "power, not shifted": [Power(3, 0.5, 0), TanH()],
    "relu, slope below 0": [COPY, ReLU(-0.5)],
    "relu and batch norm": [COPY, ReLU(), BatchNorm()],
    "leaky relu and sigmoid": [COPY, ReLU(0.2), Sigmoid()],
    "elu, alpha below 0": [COPY, ELU(-0.7)],
    "log": [COPY, Log()],
    "clip": [COPY, Clip()],
    "bnll": [COPY, BNLL()],
    "power 1 in place": [COPY, Power(1, 2, 0.5)],
    "power 2 in place": [COPY, Power(2, 2, 0.5)],
    "power 3 in place": [COPY, Power(3, 0.5, 0)],
    "power 3 in place, shifted": [COPY, Power(3, 0.5, 4)],
    "mvn in place": [COPY, MVN()],
    "mvn across in place": [COPY, MVN(across=True)],
    "many": [Exp(), TanH(), ReLU(-0.3), BNLL(), Swish(), Sigmoid()],
}
HARMLESS: dict[str, Chain] = {
    "tanh and relu": [TanH(), ReLU()],
    "lrn and relu": [LRN(), ReLU()],
    "relu and dropout": [COPY, ReLU(), Dropout()],
    "elu in place": [COPY, ELU(0.7)],
    "leaky relu in place": [COPY, ReLU(0.1)],
    "mean in place": [COPY, MVN(normalize=False)],
    "batch norm and relu": [COPY, BatchNorm(), ReLU()],
    "tanh in place": [COPY, TanH()],
    "softmax in place": [COPY, Softmax()],
}


def prototxt(chain: Chain) -> str:
    lines = [
        f'layer {{ name: "l{i}" type: "{type(layer).__name__}" bottom: "{"y" if i else "x"}" top: "y" {layer.text} }}\n'
        for i, layer in enumerate(chain)
    ]
    return HEAD + "".join(lines)


def ours(chain: Chain, x: Array, diff: Array, *, faithful: bool) -> Array:
    net = Net.from_prototxt(prototxt(chain), "TRAIN", seed=3, faithful_inplace=faithful)
    net({"x": torch.from_numpy(x).float()}, keep="all")
    if isinstance(chain[-1], Dropout):
        chain[-1].mask = (net.blobs["y"] != 0).double().numpy()
    net.backward({"y": torch.from_numpy(diff).float()})
    return net.diffs["x"].double().numpy()


@pytest.fixture
def drawn() -> tuple[Array, Array]:
    rng = np.random.RandomState(7)
    return rng.randn(*SHAPE), rng.randn(*SHAPE)


@pytest.mark.parametrize("name", CHAINS)
def test_it_is_caffes_gradient_from_overwritten_memory(name: str, drawn: tuple[Array, Array]) -> None:
    chain = CHAINS[name]
    got = ours(chain, *drawn, faithful=True)
    want = caffe(chain, *drawn)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4 * np.abs(want).max())
    # And the true one, which is given by default, is another: the chain is one of those that matter, and is named.
    assert np.abs(ours(chain, *drawn, faithful=False) - want).max() > 1e-2 * np.abs(want).max()
    assert inplace_hazards(Net(read_net(prototxt(chain)), "TRAIN").steps)
    assert not inplace_hazards(Net(read_net(prototxt(chain)), "TRAIN").steps, faithful=True)


@pytest.mark.parametrize("name", HARMLESS)
def test_elsewhere_caffes_gradient_is_the_true_one(name: str, drawn: tuple[Array, Array]) -> None:
    chain = HARMLESS[name]
    for faithful in (False, True):
        got = ours(chain, *drawn, faithful=faithful)
        want = caffe(chain, *drawn)
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5 * np.abs(want).max())
    assert not inplace_hazards(Net(read_net(prototxt(chain)), "TRAIN").steps)


def test_by_hand() -> None:
    # y = tanh(1) = 0.761594, overwritten by 2 y + 0.5 = 2.023188; Power in place puts scale² = 4 where the diff was.
    text = HEAD.replace("dim: 2 dim: 3 dim: 4 dim: 5", "dim: 1") + "".join(
        f'layer {{ name: "{name}" type: "{kind}" bottom: "{bottom}" top: "y" {param} }}\n'
        for name, kind, bottom, param in (
            ("t", "TanH", "x", ""),
            ("p", "Power", "y", "power_param { scale: 2 shift: 0.5 }"),
        )
    )
    net = Net.from_prototxt(text, faithful_inplace=True)
    net(x=torch.ones(1), keep="all")
    net.backward({"y": torch.full((1,), 7.0)})
    assert net.diffs["x"].item() == pytest.approx(4 * (1 - 2.023188**2), rel=1e-5)


TRAINED = """input: "x" input_shape { dim: 4 dim: 3 } input: "label" input_shape { dim: 4 }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" inner_product_param { num_output: 5
  weight_filler { type: "gaussian" std: 0.5 } } }
layer { name: "t" type: "TanH" bottom: "a" top: "t" }
layer { name: "d" type: "Scale" bottom: "t" top: "t" scale_param { filler { value: 3 } } }
layer { name: "b" type: "InnerProduct" bottom: "t" top: "b" inner_product_param { num_output: 2
  weight_filler { type: "gaussian" std: 0.5 } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "b" bottom: "label" top: "loss" }
"""


def param_diffs(keep: str, faithful: bool) -> list[torch.Tensor]:
    net = Net.from_prototxt(TRAINED, "TRAIN", seed=1, faithful_inplace=faithful)
    net(x=torch.linspace(-1, 1, 12).view(4, 3), label=torch.tensor([0.0, 1, 1, 0]), keep=keep)
    net.loss.backward()
    return [param.grad for param in net.parameters() if param.grad is not None]


def test_training_keeps_no_more_blobs_for_it() -> None:
    outputs, everything = param_diffs("outputs", True), param_diffs("all", True)
    assert len(outputs) == len(everything) == 5
    assert all(torch.equal(a, b) for a, b in zip(outputs, everything, strict=True))
    true = param_diffs("outputs", False)
    assert not torch.allclose(outputs[0], true[0])  # behind the TanH
    assert torch.equal(outputs[-1], true[-1])  # before it


def test_it_takes_each_layer_by_itself() -> None:
    net = Net(read_net(TRAINED), "TRAIN", faithful_inplace=True)
    assert isinstance(net._walk, OverwritingWalk)
    with pytest.raises(NetError, match="faithful_inplace=True goes layer by layer, so it cannot be compiled"):
        net.compile_chains()


def test_forward_is_the_same_either_way() -> None:
    x = torch.randn(*SHAPE)
    for kind in ("ReLU", "BNLL", "Power"):
        text = f'{HEAD}layer {{ name: "l" type: "{kind}" bottom: "x" top: "x" }}'
        nets = [Net.from_prototxt(text, faithful_inplace=faithful) for faithful in (True, False)]
        with torch.no_grad():
            a, b = (net(x=x)["x"] for net in nets)
        assert torch.equal(a, b)
