import torch

from recaffe.layers.split import SplitLayer

from .conftest import Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("split", SplitLayer)


def test_tops_share_memory_but_not_diffs() -> None:
    layer = SplitLayer()
    layer.setup((2, 3), num_tops=3)
    x = torch.randn(2, 3, requires_grad=True)
    tops = layer(x)
    assert {top.data_ptr() for top in tops} == {x.data_ptr()}
    tops[1].retain_grad()
    (tops[0] + 2 * tops[1] + 3 * tops[2]).sum().backward()
    assert x.grad is not None
    assert x.grad.unique().tolist() == [6]
    assert tops[1].grad is not None
    assert tops[1].grad.unique().tolist() == [2]


def test_channels_stay_last_in_memory() -> None:
    x = torch.randn(1, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    assert [top.stride() for top in SplitLayer()(x)] == [x.stride()]
