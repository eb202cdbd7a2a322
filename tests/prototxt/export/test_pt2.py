"""Programs of torch.export: any picture size, Caffe's names, and nothing of this machine inside."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch
from torch.export import ExportedProgram

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export import pt2
from recaffe.prototxt.export.models import write_model
from recaffe.prototxt.export.pt2 import fixed_sizes, load_pt2, write_pt2
from recaffe.prototxt.export.refusals import ExportError
from recaffe.prototxt.export.torch import write_module
from recaffe.prototxt.net.fold import fold
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


def pooled(fed: str) -> Net:
    """A net whose last plane is one row of numbers, after ceil-mode poolings."""
    text = f'layer {{ name: "data" type: "Input" top: "p0" input_param {{ shape {{ {fed} }} }} }}\n'
    for i in range(3):
        text += f'layer {{ name: "p{i}" type: "Pooling" bottom: "p{i}" top: "p{i + 1}" '
        text += "pooling_param { kernel_size: 2 stride: 2 } }\n"
    text += 'layer { name: "c" type: "Convolution" bottom: "p3" top: "c" convolution_param { num_output: 4 '
    return Net.from_prototxt(text + 'kernel_h: 1 kernel_w: 5 weight_filler { type: "xavier" } } }\n')


def test_planes_that_come_to_be_one_number_high_and_wide(tmp_path: Path) -> None:
    """8×40 becomes 1×1: torch cannot solve for the sizes of which that is true."""
    net = pooled("dim: 1 dim: 3 dim: 8 dim: 40")
    program = write_pt2(tmp_path / "a.pt2", net.parts, net.inputs, net.outputs)
    assert fixed_sizes(program) == {}
    loaded = load_pt2(tmp_path / "a.pt2")
    for size in ((8, 40), (7, 38), (16, 49), (31, 90)):
        feed = {"p0": torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(2))}
        torch.testing.assert_close(loaded(feed)["c"], net(feed)["c"])


def test_without_a_way_out_the_pictures_size_is_fixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, trace = pooled("dim: 1 dim: 3 dim: 8 dim: 40"), pt2._trace

    def unsolved(net: pt2.Program, feed: dict[str, torch.Tensor], size: object) -> ExportedProgram:
        if size is not torch.export.Dim.STATIC:
            raise NotImplementedError("cannot be solved")
        return trace(net, feed, size)

    monkeypatch.setattr(pt2, "_trace", unsolved)
    model = write_model(tmp_path / "a.pt2", "net", net.parts, net.inputs, net.outputs)
    assert model.notes == ["takes p0 8×40, no other size"]
    feed = {"p0": torch.rand(1, 3, 8, 40)}
    torch.testing.assert_close(load_pt2(tmp_path / "a.pt2")(feed)["c"], net(feed)["c"])


def test_what_torch_cannot_trace_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsolved(*args: object) -> ExportedProgram:
        raise NotImplementedError("\nThe inequality\ncannot be solved")

    monkeypatch.setattr(pt2, "_trace", unsolved)
    net = pooled("dim: 1 dim: 3 dim: 8 dim: 40")
    told = r"^torch\.export cannot trace the net: The inequality cannot be solved \(port it to \.py or \.onnx\)$"
    with pytest.raises(ExportError, match=told):
        write_pt2(tmp_path / "a.pt2", net.parts, net.inputs, net.outputs)
    assert not (tmp_path / "a.pt2").exists()


TAPS = [
    ("Convolution", "dim: 2 dim: 3 dim: 7 dim: 9", "kernel_size: 3 dilation: 0"),
    ("Deconvolution", "dim: 2 dim: 3 dim: 7 dim: 9", "kernel_size: 3 stride: 2 dilation: 0 dilation: 2"),
    ("Convolution", "dim: 2 dim: 3 dim: 4 dim: 5 dim: 6 dim: 7", "kernel_size: 2"),
    ("Deconvolution", "dim: 2 dim: 3 dim: 4 dim: 5 dim: 6 dim: 7", "kernel_size: 2 stride: 2"),
    ("Convolution", "dim: 2 dim: 3 dim: 8 dim: 2", "kernel_size: 5 pad: 1 stride: 2"),
]


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize(("kind", "shape", "fields"), TAPS)
def test_filters_that_torch_lacks(kind: str, shape: str, fields: str, folded: bool, tmp_path: Path) -> None:
    net = Net.from_prototxt(
        f'layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ {shape} }} }} }}\n'
        f'layer {{ name: "c" type: "{kind}" bottom: "x" top: "c" convolution_param {{ num_output: 4 {fields} '
        'weight_filler { type: "xavier" } bias_filler { type: "uniform" } } }\n'
        'layer { name: "s" type: "Scale" bottom: "c" top: "s" scale_param { filler { type: "uniform" } } }\n'
    )
    parts = fold(net.parts).parts if folded else net.parts
    assert len(parts.steps) == 3 - (folded and kind == "Convolution")
    write_pt2(tmp_path / "a.pt2", parts, net.inputs, net.outputs)
    feed = {"x": torch.rand(net.blob_shapes["x"], generator=torch.Generator().manual_seed(2))}
    net.folding = False
    torch.testing.assert_close(load_pt2(tmp_path / "a.pt2")(feed)["s"], net(feed)["s"])
    with pytest.raises(ExportError, match="cannot be written as PyTorch code: "):
        write_module("net", parts, net.inputs, net.outputs)
