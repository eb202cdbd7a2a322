from recaffe.layers.absval import AbsValLayer

from .conftest import Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("absval", AbsValLayer)
