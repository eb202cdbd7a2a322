from recaffe.layers.sigmoid import SigmoidLayer

from .conftest import Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("sigmoid", SigmoidLayer)
