import torch

from recaffe.layers.threshold import ThresholdLayer

from .conftest import Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("threshold", lambda: ThresholdLayer(threshold=0.2))


def test_the_threshold_itself_is_not_above() -> None:
    (top,) = ThresholdLayer()(torch.tensor([-1.0, 0.0, 1e-30]))
    assert top.tolist() == [0, 0, 1]
