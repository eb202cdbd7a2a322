"""Programs of torch.export: any picture size, Caffe's names, and nothing of this machine inside."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.pt2 import load_pt2, write_pt2
from recaffe.prototxt.net.net import Net

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"


@pytest.fixture(scope="module")
def net() -> Net:
    return Net.from_prototxt(NETS / "frcnn_test.prototxt", weights=NETS / "frcnn_test.caffemodel")


@pytest.fixture(scope="module")
def written(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pt2") / "net.pt2"
    write_pt2(path, net.parts, net.inputs, net.outputs)
    return path


@pytest.mark.parametrize("size", [(96, 144), (87, 131), (160, 90)])
def test_pictures_of_any_size(size: tuple[int, int], net: Net, written: Path) -> None:
    data = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(2)) * 255 - 128
    feed = {"data": data, "im_info": torch.tensor([[*map(float, size), 1.0]])}
    with torch.no_grad():
        want, have = net(feed), load_pt2(written)(feed)
    assert list(have) == list(want)
    for blob, value in want.items():
        torch.testing.assert_close(have[blob], value, rtol=0, atol=1e-5 * float(value.abs().max()))


def test_params_go_by_the_keys_of_the_state_dict(net: Net, written: Path) -> None:
    program = load_pt2(written)
    assert set(net.state_dict()) <= set(program.state_dict())
    assert torch.equal(program.state_dict()["rpn_conv/3x3.1"], net.layer("rpn_conv/3x3").params[1])


def test_in_place_layers_work_in_place_again_afterwards(net: Net, written: Path) -> None:
    assert sum(layer.overwrite for layer in (step.layer for step in net.steps)) > 5


def test_nothing_tells_where_it_was_written(written: Path) -> None:
    with zipfile.ZipFile(written) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert str(Path(__file__).parents[3]).encode() not in content


def test_what_is_no_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pt2").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(PrototxtError, match=r"a\.pt2: is no program of torch\.export$"):
        load_pt2(tmp_path / "a.pt2")
