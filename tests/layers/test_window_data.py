from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from recaffe.layers.base.draws import Draws
from recaffe.layers.base.layer import LayerError
from recaffe.layers.sources.transformation import Transformation
from recaffe.layers.window_data import WindowDataLayer

GRAY = 100
FILE = """# 0
a.png
3 20 30
5
1 0.75 2 2 11 11
7 0.5 0 0 9 9
4 0.5 3 3 12 12
3 0.4 5 5 14 14
9 0.1 10 5 19 14
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((20, 30, 3), GRAY, np.uint8))
    (tmp_path / "windows.txt").write_text(FILE)
    return tmp_path


def make(folder: Path, rule: Transformation | None = None, **fields: Any) -> WindowDataLayer:
    fields = {"source": "windows.txt", "batch_size": 8, "fg_fraction": 0.25, "folder": folder, **fields}
    layer = WindowDataLayer(transform_param=rule or Transformation(crop_size=6), **fields)
    layer.setup(num_tops=2)
    return layer


def test_background_comes_first_and_thresholds_part_the_windows(folder: Path) -> None:
    layer = make(folder, fg_threshold=0.5, bg_threshold=0.4)
    assert layer.top_shapes() == ((8, 3, 6, 6), (8,))
    seen = Counter[float]()
    for _ in range(20):
        labels = layer()[1].tolist()
        assert labels[:6] == [0] * 6
        seen.update(labels[6:])
    assert set(seen) == {1, 7, 4}
    assert [[w.label for w in kind] for kind in layer.kinds] == [[9], [1, 7, 4]]


@pytest.mark.parametrize(("fraction", "batch_size", "count"), [(0.34, 3, 1), (0.25, 7, 1), (0.7, 10, 7), (1.0, 3, 3)])
def test_the_foreground_is_counted_in_float32(folder: Path, fraction: float, batch_size: int, count: int) -> None:
    assert int((make(folder, batch_size=batch_size, fg_fraction=fraction)()[1] > 0).sum()) == count


def test_each_window_is_drawn_and_then_turned(folder: Path) -> None:
    seeds = Draws(5)
    seeds.number()
    draws = Draws(seeds.number())
    layer = make(folder, Transformation(crop_size=6, mirror=True), fg_fraction=1.0, batch_size=5, seeds=Draws(5))
    want = []
    for _ in range(5):
        want.append((1.0, 7.0, 4.0)[draws.below(3)])
        draws.below(2)
    assert layer()[1].tolist() == want


def test_caffes_generator_gives_as_many_numbers(folder: Path) -> None:
    for rule, phase, count in ((Transformation(crop_size=6), "TEST", 2), (Transformation(crop_size=6), "TRAIN", 4)):
        seeds, fresh = Draws(5), Draws(5)
        make(folder, rule, phase=phase, seeds=seeds)
        assert seeds.number() == [fresh.number() for _ in range(count + 1)][-1]


def test_mean_and_the_layers_own_scale_where_the_image_is(folder: Path) -> None:
    rule = Transformation(crop_size=6, mean_value=(10.0,), scale=100)
    # Widened to -10..20 across and -5..25 down: of the crop's 6 columns 10 · 6 / 31 lie outside, that is 2.
    (folder / "windows.txt").write_text("# 0\na.png 3 20 30 2\n1 1 0 5 9 14\n1 0 10 5 19 14\n")
    data = make(folder, rule, scale=0.5, context_pad=2, batch_size=1, fg_fraction=1.0)()[0]
    assert data[0, 0].unique().tolist() == [0, (GRAY - 10) / 2]
    assert (data[0, :, 2, :2] == 0).all()
    assert (data[0, :, 2, 2:] == (GRAY - 10) / 2).all()


def test_the_middle_of_a_mean_file(folder: Path) -> None:
    mean = torch.arange(3 * 9 * 10, dtype=torch.float32).view(1, 3, 9, 10)
    data = make(folder, Transformation(crop_size=6, mean_file=mean))()[0]
    assert torch.equal(data, (GRAY - mean[:, :, 2:8, 2:8]).expand(8, 3, 6, 6))


def test_kept_images_are_read_once(folder: Path) -> None:
    kept, fresh = make(folder, cache_images=True, root_folder="./"), make(folder)
    first = kept()[0]
    (folder / "a.png").unlink()
    assert torch.equal(kept()[0], first)
    with pytest.raises(LayerError, match=r"a\.png: cannot be read"):
        fresh()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"windows\.txt: has no background window: each batch draws from both kinds"),
        ("# 0\na.png 3 20 30 1\n1 0.2 0 0 9 9\n", r"windows\.txt: has no foreground window"),
        (FILE.replace("7 0.5", "0 0.5"), r"windows\.txt: has a foreground window of class 0: classes count from 1"),
        (FILE[:-5], r"windows\.txt: ends within image 1"),
        (FILE.replace("a.png", "windows.txt"), r"windows\.txt is no image that OpenCV reads"),
    ],
)
def test_faults_in_the_file(folder: Path, text: str, message: str) -> None:
    (folder / "windows.txt").write_text(text)
    with pytest.raises(LayerError, match=message):
        make(folder)()


@pytest.mark.parametrize(
    ("rule", "fields", "message"),
    [
        (Transformation(), {}, "needs a crop_size in its transform_param"),
        (Transformation(crop_size=6), {"context_pad": 3}, "context_pad 3 on both sides of a crop_size of 6"),
        (Transformation(crop_size=6), {"fg_fraction": float("inf")}, "takes fg_fraction of a batch .* cannot be inf"),
        (Transformation(crop_size=6), {"batch_size": None}, "needs a batch_size"),
        (Transformation(crop_size=6), {"source": "no.txt"}, r"no\.txt: cannot be read: No such file"),
        (
            Transformation(crop_size=6, mean_file=torch.zeros(1, 3, 6, 9)),
            {},
            "a mean_file of 6×9, which the crop of 6×6 does not fit into",
        ),
    ],
)
def test_settings_that_cannot_be(folder: Path, rule: Transformation, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(LayerError, match=message):
        make(folder, rule, **fields)
