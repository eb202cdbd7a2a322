from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.surgery.operation import Operation, SurgeryError
from recaffe.prototxt.surgery.rename import rename


def test_params_go_along_and_blobs_stay(frcnn: Operation, finish: Callable[[Operation], Net]) -> None:
    rename(frcnn, {"fc6": "fc6_mine", "conv1_1": "conv1_2", "conv1_2": "conv1_1"})
    net = finish(frcnn)
    for new, old in (("fc6_mine", "fc6"), ("conv1_2", "conv1_1"), ("conv1_1", "conv1_2"), ("fc7", "fc7")):
        for have, want in zip(net.layer(new).params, frcnn.net.layer(old).params, strict=True):
            assert torch.equal(have, want)
    assert set(net.blob_shapes) - {"fc6"} == set(frcnn.net.blob_shapes) - {"fc6"}
    assert frcnn.changes == {"conv1_2": ["was 'conv1_1'"], "conv1_1": ["was 'conv1_2'"], "fc6_mine": ["was 'fc6'"]}


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ({"fc66": "fc"}, "no layer 'fc66' in net 'tiny_frcnn'; did you mean 'fc6'?"),
        ({"fc6": "fc7"}, "layer 'fc6' cannot be renamed: there is a layer 'fc7' already"),
        ({"fc6": "fc", "fc7": "fc"}, "layer 'fc7' cannot be renamed: there is a layer 'fc' already"),
        ({"fc6": ""}, "layer 'fc6' cannot do without a name"),
    ],
)
def test_what_does_not_fit_is_refused(names: dict[str, str], line: str, frcnn: Operation) -> None:
    with pytest.raises(SurgeryError) as refused:
        rename(frcnn, names)
    assert str(refused.value) == line
