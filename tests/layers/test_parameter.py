import torch

from recaffe.layers.parameter import ParameterLayer


def test_the_top_is_the_param_and_so_is_its_diff() -> None:
    layer = ParameterLayer(shape=(2, 3))
    layer.setup()
    (param,) = layer.params
    param.data.uniform_()
    (top,) = layer()
    (2 * top).sum().backward()
    assert torch.equal(top, param)
    assert param.grad is not None
    assert param.grad.tolist() == [[2, 2, 2]] * 2


def test_it_starts_as_zero() -> None:
    layer = ParameterLayer(shape=(2, 3))
    layer.setup()
    assert layer.top_shapes() == ((2, 3),)
    assert not layer()[0].any()


def test_without_a_shape_it_is_one_number() -> None:
    layer = ParameterLayer()
    layer.setup()
    assert layer.param_shapes == [()]
