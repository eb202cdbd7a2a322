"""The table of the forks' fields."""

from __future__ import annotations

import pytest

from recaffe.prototxt.caffe_pb2 import DESCRIPTOR
from recaffe.prototxt.forks import FORKS, whose


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("LayerParameter.roi_pooling_param", "Fast R-CNN's and Microsoft Caffe's"),
        ("DropoutParameter.scale_train", "Fast R-CNN's and Microsoft Caffe's"),
        ("LayerParameter.psroi_pooling_param", "Microsoft Caffe's"),
        ("LayerParameter.mil_param", "Microsoft Caffe's"),
        ("LossParameter.pre_fixed_normalizer", "Microsoft Caffe's"),
        ("LayerParameter.permute_param", "SSD's"),
        ("SolverState.minimum_loss", "SSD's"),
        ("LayerParameter.clip_param", ""),  # BVLC's: others lack it
        ("LayerParameter.convolution_param", ""),
    ],
)
def test_whose_a_field_is(name: str, owner: str) -> None:
    assert whose(name) == owner


@pytest.mark.parametrize("fork", FORKS)
def test_every_name_is_in_the_schema(fork: str) -> None:
    for name in FORKS[fork].lacks | FORKS[fork].numbers.keys():
        message, _, word = name.partition(".")
        descriptor = DESCRIPTOR.message_types_by_name[message]
        assert word in descriptor.fields_by_name or word in descriptor.enum_values_by_name, name


def test_every_field_that_bvlc_lacks_has_an_owner() -> None:
    assert [name for name in FORKS["bvlc"].lacks if not whose(name)] == []
