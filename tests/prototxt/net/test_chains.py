"""Training through torch.compile: the same losses and diffs, whatever is kept and whatever the picture's size."""

import pytest
import torch

from recaffe.prototxt.net.build import NetError
from recaffe.prototxt.net.chains import ChainedWalk
from recaffe.prototxt.net.net import Net

FILLER = 'weight_filler { type: "msra" }'
NET = f"""
layer {{ name: "in" type: "Input" top: "data" top: "label"
  input_param {{ shape {{ dim: 1 dim: 3 dim: 9 dim: 8 }} shape {{ dim: 1 }} }} }}
layer {{ name: "still" type: "Convolution" bottom: "data" top: "still" param {{ lr_mult: 0 }} param {{ lr_mult: 0 }}
  convolution_param {{ num_output: 4 kernel_size: 3 pad: 1 {FILLER} }} }}
layer {{ name: "a" type: "Convolution" bottom: "still" top: "a"
  convolution_param {{ num_output: 4 kernel_size: 3 pad: 1 {FILLER} }} }}
layer {{ name: "scale" type: "Scale" bottom: "a" top: "a" scale_param {{ bias_term: true }} }}
layer {{ name: "relu" type: "ReLU" bottom: "a" top: "a" }}
layer {{ name: "sum" type: "Eltwise" bottom: "a" bottom: "still" top: "sum" }}
layer {{ name: "pool" type: "Pooling" bottom: "sum" top: "pool" pooling_param {{ kernel_size: 2 stride: 2 }} }}
layer {{ name: "all" type: "Pooling" bottom: "pool" top: "all" pooling_param {{ pool: AVE global_pooling: true }} }}
layer {{ name: "drop" type: "Dropout" bottom: "all" top: "drop" }}
layer {{ name: "fc" type: "InnerProduct" bottom: "drop" top: "fc" inner_product_param {{ num_output: 5 {FILLER} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }}
"""


def trained(net: Net, width: int, **settings: object) -> list[torch.Tensor]:
    """The loss and all diffs of one forward and backward."""
    data = torch.rand((1, 3, 9, width), generator=torch.Generator().manual_seed(width))
    net.generator.manual_seed(3)
    net.zero_grad()
    net(data=data, label=torch.tensor([2.0]), **settings)
    loss = net.loss.detach()
    net.backward()
    return [loss, *(param.grad for param in net.parameters() if param.grad is not None)]


@pytest.mark.filterwarnings("ignore")  # torch warns of its own compiler
def test_losses_and_diffs_are_the_same() -> None:
    plain, compiled = (Net.from_prototxt(NET, "TRAIN", seed=4) for _ in range(2))
    compiled.compile_chains()
    for width in (8, 11):
        wanted, found = trained(plain, width), trained(compiled, width)
        assert len(wanted) == 7
        for want, have in zip(wanted, found, strict=True):
            torch.testing.assert_close(have, want, rtol=1e-5, atol=1e-6)
        assert set(compiled._last.values) == {"loss"}


def test_where_chains_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda program: program)
    net = Net.from_prototxt(NET, "TRAIN")
    walk = ChainedWalk(net.steps)
    names = [node.name for node in net.nodes]
    assert [(names[chain.start], names[chain.end - 1]) for chain in walk.chains] == [("still", "all")]
    assert [(chain.bottoms, chain.tops) for chain in walk.chains] == [(("data",), ("all",))]


def test_a_blob_within_a_chain_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda program: pytest.fail)
    net = Net.from_prototxt(NET, "TRAIN", seed=4)
    net.compile_chains()
    for keep in ("all", "a"):
        trained(net, 8, keep=keep)
        assert net.blobs["a"].shape == (1, 4, 9, 8)
    with torch.no_grad():
        net(data=torch.zeros(1, 3, 9, 8), label=torch.zeros(1))


def test_what_cannot_be_compiled_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*values: torch.Tensor) -> None:
        raise RuntimeError("no compiler is found\nand much more")

    monkeypatch.setattr(torch, "compile", lambda program: broken)
    net = Net.from_prototxt(NET, "TRAIN")
    net.compile_chains()
    with pytest.raises(NetError, match=r"'still'.* to .*'all'.*, through torch\.compile: no compiler is found$"):
        trained(net, 8)
