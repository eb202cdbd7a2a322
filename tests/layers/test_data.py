from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.layers.data import DataLayer
from recaffe.layers.sources.transformation import Transformation
from recaffe.prototxt.files.wire.datum import read_datum


@pytest.fixture
def folder(fixtures_dir: Path) -> Path:
    return fixtures_dir / "data_layers"


def make(folder: Path, source: str, batch_size: int = 2, **fields: Any) -> DataLayer:
    fields = {"backend": "LMDB", **fields}
    layer = DataLayer(read_datum=read_datum, source=f"inputs/{source}", batch_size=batch_size, folder=folder, **fields)
    layer.setup(num_tops=2)
    return layer


def test_caffe_agrees_across_the_end(folder: Path) -> None:
    layer = make(folder, "float_lmdb", transform_param=Transformation(mean_value=(1.5, -2), scale=0.1))
    with np.load(folder / "data_float.npz") as golden:
        assert layer.top_shapes() == (golden["top/0/data"].shape, golden["top/0/label"].shape)
        for k in range(4):
            data, labels = layer()
            np.testing.assert_array_equal(data, golden[f"top/{k}/data"])
            np.testing.assert_array_equal(labels, golden[f"top/{k}/label"])


def test_leveldb_gives_what_lmdb_gives(folder: Path) -> None:
    one, two = make(folder, "raw_lmdb", 5), make(folder, "raw_leveldb", 5, backend="LEVELDB")
    for _ in range(3):
        for have, want in zip(two(), one(), strict=True):
            np.testing.assert_array_equal(have, want)


@pytest.mark.parametrize(
    ("rule", "channels"),
    [({}, 1), ({"force_color": True}, 3), ({"force_gray": True}, 1)],
    ids=["file", "color", "gray"],
)
def test_an_encoded_image_has_the_channels_asked_for(folder: Path, rule: dict[str, Any], channels: int) -> None:
    layer = make(folder, "encoded_gray_lmdb", transform_param=Transformation(**rule))
    assert layer()[0].shape == (2, channels, 22, 26)


def test_colour_and_gray_exclude_each_other_for_encoded_images_alone(folder: Path) -> None:
    both = Transformation(force_color=True, force_gray=True)
    with pytest.raises(LayerError, match="either force_color or force_gray, not both"):
        make(folder, "encoded_gray_lmdb", transform_param=both)
    assert make(folder, "raw_lmdb", transform_param=both)()[0].shape == (2, 3, 20, 24)


def test_a_damaged_item_is_named(folder: Path) -> None:
    layer = make(folder, "raw_lmdb")
    layer.items = iter([(b"7_a.png", b"\x08\x02\x22\x01a")])
    with pytest.raises(LayerError, match=r"raw_lmdb: item '7_a\.png' holds 1 values where its shape is 2×0×0"):
        layer()


def test_a_missing_source_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match=r"inputs/no_lmdb: cannot be read as LMDB: no such file or folder$"):
        make(tmp_path, "no_lmdb")
