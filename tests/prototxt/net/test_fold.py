import pytest
import torch

from recaffe.prototxt.net.fold import fold
from recaffe.prototxt.net.net import Net

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 9 dim: 7 } } }
layer { name: "c1" type: "Convolution" bottom: "data" top: "c1" convolution_param {
        num_output: 4 kernel_size: 3 bias_term: false weight_filler { type: "gaussian" std: 0.4 } } }
layer { name: "bn1" type: "BatchNorm" bottom: "c1" top: "bn1" }
layer { name: "s1" type: "Scale" bottom: "bn1" top: "bn1" scale_param { bias_term: true } }
layer { name: "r1" type: "ReLU" bottom: "bn1" top: "bn1" }
layer { name: "c2" type: "Convolution" bottom: "bn1" top: "c2" convolution_param {
        num_output: 6 group: 2 kernel_size: 1 weight_filler { type: "gaussian" std: 0.4 } } }
layer { name: "bn2" type: "BatchNorm" bottom: "c2" top: "c2" }
layer { name: "s2" type: "Scale" bottom: "c2" top: "c2" }
layer { name: "r2" type: "ReLU" bottom: "c2" top: "r2" }
layer { name: "c3" type: "Convolution" bottom: "c2" top: "c3" convolution_param { num_output: 2 kernel_size: 1 } }
"""


@pytest.fixture
def net() -> Net:
    net, generator = Net.from_prototxt(NET, seed=4), torch.Generator().manual_seed(8)
    for param in net.parameters():
        param.data = torch.rand(param.shape, generator=generator) + 0.1
    return net


@pytest.fixture
def data() -> torch.Tensor:
    return torch.rand((2, 3, 9, 7), generator=torch.Generator().manual_seed(9)) - 0.5


def test_what_is_left(net: Net) -> None:
    folded = fold(net.parts)
    assert [step.node.name for step in folded.parts.steps] == ["data", "c1", "r1", "c2", "c2_s2_0_split", "r2", "c3"]
    assert folded.hidden == {"c1"}


def test_outputs_are_the_same(net: Net, data: torch.Tensor) -> None:
    whole = {name: blob.clone() for name, blob in net(data=data, keep="all").items()}
    assert "c1" in net.blobs
    calls: list[str] = []
    for node, layer in ((step.node, step.layer) for step in net.steps):
        layer.register_forward_hook(lambda *_, name=node.name: calls.append(name))
    folded = net(data=data)
    assert "bn1" not in calls
    net.folding = False
    net(data=data)
    assert "bn1" in calls
    for name, blob in whole.items():
        torch.testing.assert_close(folded[name], blob, rtol=1e-5, atol=1e-6)


def test_a_hidden_blob_is_given_when_asked_for(net: Net, data: torch.Tensor) -> None:
    net(data=data, keep=["c1"])
    assert (net.blobs["c1"] != 0).all()
    net(data=data, keep=["bn1"])
    assert "c1" not in net.blobs
    assert net.blobs["bn1"].min() >= 0


def test_changed_params_are_folded_anew(net: Net, data: torch.Tensor) -> None:
    before = net(data=data)["r2"].clone()
    with torch.no_grad():
        net.layer("s2").params[0].mul_(2)
    torch.testing.assert_close(net(data=data)["r2"], 2 * before)
    net.load_state_dict({name: torch.ones_like(value) for name, value in net.state_dict().items()})
    torch.testing.assert_close(net(data=data)["r2"], net(data=data, keep="all")["r2"])


def test_training_statistics_are_not_folded() -> None:
    loss = 'layer { name: "loss" type: "Reduction" bottom: "c3" top: "loss" loss_weight: 1 }'
    net = Net.from_prototxt(NET + loss, "TRAIN")
    assert "bn1" in [step.node.name for step in fold(net.parts).parts.steps]
    with torch.no_grad():
        net(data=torch.ones(2, 3, 9, 7))
    assert net.layer("bn1").params[2] == 1
