from recaffe.layers.tanh import TanHLayer

from .conftest import Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("tanh", TanHLayer)
