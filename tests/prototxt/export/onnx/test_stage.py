from __future__ import annotations

import pytest
import torch

from recaffe.prototxt.export.refusals import ExportError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

from .conftest import inputs, layer, model_of


def test_params_without_values_are_refused() -> None:
    net = Net(read_net(inputs(x=(2, 3)) + layer("InnerProduct", "inner_product_param { num_output: 2 }")))
    assert net.steps[1].layer.params[0].is_meta
    with pytest.raises(ExportError, match=r"'op' .* param 0 has no values yet: load weights, or fill the net"):
        model_of(net)
    net.fill({("op", 0): torch.ones(2, 3)})
    model_of(net)
