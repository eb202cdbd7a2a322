from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from recaffe.layers.base.layer import LayerError, Shape
from recaffe.layers.hdf5_output import HDF5OutputLayer


def test_two_bottoms_of_four_axes(tmp_path: Path) -> None:
    layer = HDF5OutputLayer(file_name="out.h5", folder=tmp_path)
    layer.setup((3, 2, 4, 5), (3,), num_tops=0)
    assert layer.top_shapes((3, 2, 4, 5), (3,)) == ()
    assert not (tmp_path / "out.h5").exists()
    (tmp_path / "out.h5").write_text("an old file")
    x, labels = torch.randn(3, 2, 4, 5, requires_grad=True), torch.tensor([7.0, 8, 9])
    assert layer(x.to(memory_format=torch.channels_last), labels) == ()
    with h5py.File(tmp_path / "out.h5") as file:
        assert list(file) == ["data", "label"]
        assert {file[name].dtype for name in file} == {np.dtype("<f4")}
        np.testing.assert_array_equal(file["data"][()], x.detach())
        assert file["label"].shape == (3, 1, 1, 1)
        assert file["label"][:, 0, 0, 0].tolist() == [7, 8, 9]


def test_the_second_forward_is_refused(tmp_path: Path) -> None:
    layer = HDF5OutputLayer(file_name="out.h5", folder=tmp_path)
    layer(torch.zeros(2, 3), torch.zeros(2))
    with pytest.raises(LayerError, match=r"has written .*out\.h5 already"):
        layer(torch.zeros(2, 3), torch.zeros(2))


@pytest.mark.parametrize(
    ("data", "labels"), [((3, 2), (2,)), ((3, 2, 4, 5, 1), (3,)), ((3, 2), (3, 1, 1, 1, 1)), ((3,), ())]
)
def test_bottoms_that_do_not_suit(data: Shape, labels: Shape) -> None:
    with pytest.raises(LayerError, match="two bottoms of up to four axes and of one number of rows, got "):
        HDF5OutputLayer(file_name="out.h5").setup(data, labels, num_tops=0)


def test_where_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match="needs a file_name"):
        HDF5OutputLayer()
    with pytest.raises(LayerError, match=r"none/out\.h5: cannot be written: "):
        HDF5OutputLayer(file_name="none/out.h5", folder=tmp_path)(torch.zeros(2, 3), torch.zeros(2))
