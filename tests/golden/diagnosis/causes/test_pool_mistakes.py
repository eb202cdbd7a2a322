"""Pooling broken in every way that a rule knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from recaffe.golden.diagnosis.findings import Cause
from recaffe.golden.fixture import Fixture

Broken = Callable[..., dict[str, Cause]]


@pytest.mark.parametrize(
    ("fixture", "text", "words"),
    [
        ("layers/pool_max_k3s2", ("stride: 2", "stride: 2 round_mode: FLOOR"), "up (ceil, Caffe's rule)"),
        ("layers/pool_ave_floor", ("round_mode: FLOOR", ""), "down (floor)"),
    ],
)
def test_rounding(fixture: str, text: tuple[str, str], words: str, broken: Broken) -> None:
    cause = broken(fixture, text)["pooling rounds down or up"]
    assert f"the golden's number of windows is rounded {words}" in cause.text
    assert (cause.layer, cause.before) == ("op", None if "max" in fixture else cause.before)
    assert cause.after is not None
    assert cause.after <= cause.allowed == 1e-5


def test_a_shape_is_told(broken: Broken) -> None:
    causes = broken("layers/pool_max_hw", ("kernel_h: 3 kernel_w: 2", "kernel_h: 5 kernel_w: 2"))
    assert str(causes["prototxt"]) == (
        "layer 'op': pooling_param.kernel_h: golden 3, NET 5: another shape becomes 0 (allowed 1e-05)"
    )


def test_average_for_maximum(broken: Broken) -> None:
    causes = broken("layers/pool_max_k3s2", ("pool: MAX", "pool: AVE"))
    assert causes["maximum or average"].text == "the golden pools by MAX, NET by AVE"


def test_an_average_without_the_padding(broken: Broken) -> None:
    fixture = Fixture.load(Path(__file__).parents[4] / "golden" / "fixtures" / "layers" / "pool_ave_k3s2p1.npz")
    x = torch.from_numpy(fixture.bottoms["x"])
    other = functional.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)
    assert list(broken(fixture, golden={"y": other.numpy()})) == ["average counts the padding"]


def test_rows_for_columns(broken: Broken) -> None:
    turned = "kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2 pad_h: 0 pad_w: 1"
    causes = broken("layers/pool_max_hw", ("kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 0", turned))
    assert list(causes) == ["rows for columns", "prototxt"]
