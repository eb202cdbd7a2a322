from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from recaffe.layers.base.draws import Draws
from recaffe.layers.base.layer import LayerError, Shape
from recaffe.layers.sources.transformation import Transformation, Transformer

IMAGE = np.random.RandomState(3).randint(0, 256, (3, 6, 9), np.uint8)
MEAN = torch.from_numpy(np.random.RandomState(4).uniform(0, 255, (1, 3, 6, 9)).astype(np.float32))


def transform(rule: Transformation, phase: str = "TEST", seed: int = 3) -> NDArray[np.float32]:
    transformer = Transformer(rule, phase)
    transformer.seed(Draws(seed))
    out = np.full(transformer.shape(IMAGE.shape), np.nan, np.float32)
    transformer(IMAGE, out)
    return out


def test_without_a_rule_pixels_are_floats() -> None:
    np.testing.assert_array_equal(transform(Transformation()), IMAGE.astype(np.float32))


def test_the_mean_is_taken_before_the_scale_in_float32() -> None:
    values = np.float32([104.3, 117.1, 123.7])
    have = transform(Transformation(scale=0.017, mean_value=tuple(values.tolist())))
    np.testing.assert_array_equal(have, (IMAGE - values[:, None, None]) * np.float32(0.017))
    np.testing.assert_array_equal(transform(Transformation(mean_value=(9.5,))), IMAGE - np.float32(9.5))


def test_a_crop_of_the_middle_keeps_the_means_of_its_place() -> None:
    have = transform(Transformation(crop_size=3, mean_file=MEAN, scale=2))
    part = np.s_[:, 1:4, 3:6]  # (6 - 3) / 2 and (9 - 3) / 2, rounded down
    np.testing.assert_array_equal(have, (IMAGE[part] - MEAN.numpy()[0][part]) * np.float32(2))


@pytest.mark.parametrize("seed", range(4))
def test_chance_is_drawn_as_mirror_row_column(seed: int) -> None:
    draws = Draws(Draws(seed).number())
    mirror, top, left = draws.below(2), draws.below(4), draws.below(7)
    want = (IMAGE - MEAN.numpy()[0])[:, top : top + 3, left : left + 3]
    have = transform(Transformation(crop_size=3, mirror=True, mean_file=MEAN), "TRAIN", seed)
    np.testing.assert_array_equal(have, want[:, :, ::-1] if mirror else want)


def test_mirroring_is_by_chance_when_testing_too() -> None:
    mirrored = {seed: transform(Transformation(mirror=True), "TEST", seed)[0, 0, 0] for seed in range(12)}
    assert set(mirrored.values()) == {IMAGE[0, 0, 0], IMAGE[0, 0, -1]}


def test_a_number_is_drawn_only_where_chance_plays_a_part() -> None:
    crop, mirror = Transformation(crop_size=3), Transformation(mirror=True)
    for rule, phase, count in (
        (crop, "TEST", 0),
        (crop, "TRAIN", 1),
        (mirror, "TEST", 1),
        (Transformation(), "TRAIN", 0),
    ):
        draws, fresh = Draws(5), Draws(5)
        Transformer(rule, phase).seed(draws)
        assert [draws.number()] == [fresh.number() for _ in range(count + 1)][-1:], (rule, phase)


@pytest.mark.parametrize(
    ("fields", "image", "message"),
    [
        ({"crop_size": 7}, (3, 6, 9), "crop_size 7 is larger than the image, 6×9"),
        ({"mean_file": MEAN, "crop_size": 3}, (3, 6, 8), "the mean_file is 6×9, the image 6×8"),
        ({"mean_file": MEAN}, (1, 6, 9), r"the mean_file has 3 channel\(s\), the image 1"),
        ({"mean_value": (1.0, 2.0)}, (3, 6, 9), "2 mean_value for 3 channels"),
    ],
)
def test_what_does_not_fit_the_image(fields: dict[str, Any], image: Shape, message: str) -> None:
    with pytest.raises(LayerError, match=message):
        Transformer(Transformation(**fields), "TEST").shape(image)


def test_a_mean_is_a_file_or_values() -> None:
    with pytest.raises(LayerError, match="either mean_file or mean_value, not both"):
        Transformation(mean_file=MEAN, mean_value=(1.0,))


def test_a_mean_without_its_first_axes() -> None:
    assert Transformation(mean_file=MEAN[0]).means(3).shape == (3, 6, 9)
    assert Transformation(mean_file=MEAN[0, 0]).means(1).shape == (1, 6, 9)
