"""Pictures prepared in another way than the golden's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from recaffe.golden.diagnosis.findings import Cause
from recaffe.golden.fixture import Fixture
from recaffe.golden.subject import Subject

FIXTURES = Path(__file__).parents[4] / "golden" / "fixtures"
Broken = Callable[..., dict[str, Cause]]
Floats = npt.NDArray[np.float32]
FRCNN = Fixture.load(FIXTURES / "nets" / "frcnn_test.npz")
MEANS = np.float32([102.9801, 115.9465, 122.7717]).reshape(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("change", "rule", "words"),
    [
        (lambda x: x[:, ::-1].copy(), "order of the image's channels", "in reverse order (BGR and RGB)"),
        (lambda x: x + MEANS, "mean of the image", "still has its mean"),
        (lambda x: x - MEANS, "mean of the image", "twice"),
        (lambda x: x + MEANS - MEANS[:, ::-1], "mean of the image", "less the mean in the order RGB, NET's in BGR"),
        (lambda x: x / np.float32(255), "scale of the image", "divided by 255"),
    ],
)
def test_the_image_of_a_convolution(change: Callable[[Floats], Floats], rule: str, words: str, broken: Broken) -> None:
    net = Subject(until="conv1_1").build(FRCNN)
    Subject().fill(net, FRCNN)
    with torch.no_grad():
        net({"data": torch.from_numpy(change(FRCNN.bottoms["data"])), "im_info": FRCNN.bottoms["im_info"]})
    other = net.blobs["conv1_1"].contiguous().numpy()
    causes = broken(FRCNN, golden={"conv1_1": other}, until="conv1_1")
    assert list(causes) == [rule]
    assert words in causes[rule].text


def test_the_transformation_of_a_data_layer(broken: Broken) -> None:
    text = ("scale: 0.00390625 mean_value: 100", "scale: 0.0078125 mean_value: 90")
    causes = broken("data_layers/image_gray_resize_scale_mean", text)
    assert "ours times 0.5, plus (-0.03906)" in causes["mean and scale of a data layer"].text


def test_the_channels_of_a_data_layer(broken: Broken) -> None:
    known = Fixture.load(FIXTURES / "data_layers" / "window_warp_pad.npz")
    (tops,) = known.forwards
    known.forwards[0] = tops | {"data": tops["data"][:, ::-1].copy()}
    assert "order of the image's channels" in broken(known)
