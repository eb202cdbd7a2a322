from recaffe.layers.swish import SwishLayer

from .conftest import CheckGradients, Replay


def test_caffe_agrees(replay: Replay) -> None:
    replay("swish", lambda: SwishLayer(beta=1.5))


def test_gradients(check_gradients: CheckGradients) -> None:
    check_gradients(SwishLayer(beta=-0.7), (2, 3, 4))
