from recaffe.layers.absval import AbsValLayer

from .conftest import Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("absval", AbsValLayer)


def test_it_refuses_to_be_in_place_as_in_caffe() -> None:
    assert AbsValLayer.never_in_place
