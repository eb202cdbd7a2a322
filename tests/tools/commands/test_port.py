"""`recaffe port`: from any format to any other, checked, whole or not at all."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.prototxt.export.models import MODELS
from recaffe.prototxt.files.weights import LazyBlob
from recaffe.prototxt.files.write import WRITABLE
from recaffe.prototxt.net import Allow
from recaffe.prototxt.net.net import Net
from recaffe.tools.main import main

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
NETS = {
    "frcnn_test": (FIXTURES / "nets", "caffe-rfcn"),
    "lenet": (FIXTURES / "formats", "bvlc"),
}
LENET, WEIGHTS = FIXTURES / "formats" / "lenet.prototxt", FIXTURES / "formats" / "lenet.caffemodel"
FRCNN = FIXTURES / "nets" / "frcnn_test.prototxt", FIXTURES / "nets" / "frcnn_test.caffemodel"


def port(*words: object) -> int:
    return main(["port", *map(str, words)])


@pytest.fixture(scope="module")
def ported(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Caffe's own weights of each net in every format."""
    folder = tmp_path_factory.mktemp("ported")
    files = {}
    for (name, (home, dialect)), form in product(NETS.items(), WRITABLE):
        files[name, form] = folder / f"{name}{form}"
        words = (home / f"{name}.prototxt", home / f"{name}.caffemodel", files[name, form], "--dialect", dialect)
        assert port(*words) == 0
    return files


@pytest.mark.parametrize("name", NETS)
def test_caffemodels_are_caffes_own(name: str, ported: dict[tuple[str, str], Path]) -> None:
    assert ported[name, ".caffemodel"].read_bytes() == (NETS[name][0] / f"{name}.caffemodel").read_bytes()


@pytest.mark.parametrize(("name", "form", "other"), list(product(NETS, WRITABLE, WRITABLE)))
def test_round_trips_are_bit_exact(
    name: str, form: str, other: str, ported: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    home, dialect = NETS[name]
    target = tmp_path / f"again{other}"
    assert port(home / f"{name}.prototxt", ported[name, form], target, "--dialect", dialect) == 0
    assert target.read_bytes() == ported[name, other].read_bytes()
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("form", WRITABLE)
def test_a_net_loads_what_was_ported(form: str, ported: dict[tuple[str, str], Path]) -> None:
    want = Net.from_prototxt(FRCNN[0], weights=FRCNN[1])
    have = Net.from_prototxt(FRCNN[0], weights=ported["frcnn_test", form])
    assert all(torch.equal(a, b) for a, b in zip(want.parameters(), have.parameters(), strict=True))


def test_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "a.caffemodel.h5"
    assert port(*FRCNN, target) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{FRCNN[1]} -> {target}: .caffemodel.h5, 28 params, {target.stat().st_size:,} bytes",
        "  note: Caffe itself finds no layer with a slash in its name in HDF5; recaffe does",
        "  check: every param read back, bit for bit the same",
        "  check: 32 blobs the same on a random input",
        "  check: 32 blobs the same on a blank input",
    ]
    assert port(*FRCNN, tmp_path / "a.npz", "--verbose") == 0
    assert "  conv1_1/0: 4×3×3×3\n" in capsys.readouterr().out


def test_the_report_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = FIXTURES / "formats" / "plain.prototxt"
    words = (plain, FIXTURES / "formats" / "wire_double.caffemodel", tmp_path / "a.npz", "--allow-unused", "--json")
    assert port(*words) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["params"] == {"conv/0": [4, 3, 3, 3], "conv/1": [4], "fc/0": [5, 48], "fc/1": [5]}
    assert report["changed"] == ["4 params of float64 became float32"]
    assert report["left_out"] == ["layer 'nobody', which the net lacks"]
    assert port(plain, FIXTURES / "formats" / "wire_legacy.caffemodel", tmp_path / "b.npz", "--allow-unused") == 0
    assert "  changed: 3 params have the net's shape, not the old 4-axis one\n" in capsys.readouterr().out


def test_layers_that_the_weights_lack_are_left_out(
    tmp_path: Path, refused: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    plain, missing = FIXTURES / "formats" / "plain.prototxt", FIXTURES / "formats" / "bad_missing_layer.caffemodel"
    assert "lacks layer(s) 'fc'" in refused("port", plain, missing, tmp_path / "a.caffemodel")
    for form in WRITABLE:
        assert port(plain, missing, tmp_path / f"a{form}", "--allow-missing") == 0
        assert f"  left out: layer 'fc', which {missing} lacks\n" in capsys.readouterr().out
        net = Net.from_prototxt(plain, weights=tmp_path / f"a{form}", allow=Allow(missing=True))
        assert net.layer("conv").params[0].any()
        assert "lacks layer(s) 'fc'" in refused("port", plain, tmp_path / f"a{form}", tmp_path / "b.pt")


def test_what_is_there_stays(tmp_path: Path, refused: Callable[..., str]) -> None:
    target = tmp_path / "a.pt"
    target.write_bytes(b"mine")
    assert refused("port", LENET, WEIGHTS, target) == f"{target}: exists already (--force replaces it)"
    assert target.read_bytes() == b"mine"
    assert port(LENET, WEIGHTS, target, "--force") == 0
    assert port(LENET, target, target, "--force") == 0
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("form", WRITABLE)
@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "{target}: cannot be written: No space left on device"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_what_breaks_off_leaves_nothing(
    form: str,
    fault: BaseException,
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: Callable[..., str],
) -> None:
    whole = LazyBlob.tensor

    def broken(self: LazyBlob) -> torch.Tensor:
        if self.shape == (10,):
            raise fault
        return whole(self)

    # As the npz is read through a library, every writer asks for whole tensors.
    monkeypatch.setattr(LazyBlob, "tensor", broken)
    target = tmp_path / f"a{form}"
    assert refused("port", LENET, FIXTURES / "formats" / "lenet.npz", target) == line.format(target=target)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", WRITABLE)
def test_a_file_that_came_out_wrong_is_not_kept(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]
) -> None:
    from recaffe.tools.porting import weights as module

    right = module.write_weights

    def wrong(path: Path, *rest: object) -> None:
        right(path, *rest)
        content = bytearray(path.read_bytes())
        with np.load(FIXTURES / "formats" / "lenet.npz") as golden:
            content[content.index(golden["param/conv2/0"].tobytes()) + 6] ^= 1
        path.write_bytes(content)

    monkeypatch.setattr(module, "write_weights", wrong)
    line = refused("port", LENET, WEIGHTS, tmp_path / f"a{form}")
    assert line.startswith(f"{tmp_path}/a{form}: not kept: ")
    told = {".npz": "Bad CRC-32"}  # and torch.load finds this one by itself only where it is asked to
    assert told.get(form, "layer 'conv2', param 0 comes back from the written file with other bits") in line
    assert list(tmp_path.iterdir()) == []


def test_dialects(tmp_path: Path, refused: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    line = refused("port", *FRCNN, tmp_path / "a.caffemodel")
    assert "layer 'roi_pool5' (ROIPooling): LayerParameter.roi_pooling_param is unknown to bvlc's Caffe" in line
    assert port(*FRCNN, tmp_path / "a.caffemodel", "--dialect", "fast-rcnn") == 0
    assert ".caffemodel of fast-rcnn's Caffe, 28 params" in capsys.readouterr().out
    assert port(*FRCNN, tmp_path / "b.npz") == 0


@pytest.mark.parametrize("name", ["a.tar", "caffemodel", "a.h5"])
def test_an_unknown_suffix_is_refused(name: str, tmp_path: Path, refused: Callable[..., str]) -> None:
    line = refused("port", LENET, WEIGHTS, tmp_path / name)
    assert line == f"{tmp_path / name}: no format has this suffix; there are {', '.join((*WRITABLE, *MODELS))}"


def test_nan_is_refused_unless_allowed(tmp_path: Path, refused: Callable[..., str]) -> None:
    content = bytearray(WEIGHTS.read_bytes())
    with np.load(FIXTURES / "formats" / "lenet.npz") as golden:
        at = content.index(golden["param/ip2/1"].tobytes())
    content[at : at + 4] = np.float32(np.nan).tobytes()
    bad = tmp_path / "nan.caffemodel"
    bad.write_bytes(content)
    line = refused("port", LENET, bad, tmp_path / "a.npz")
    assert line == f"{bad}: NaN or infinite: 1 value(s) of layer 'ip2', blob 1 (--allow-nonfinite takes them)"
    assert port(LENET, bad, tmp_path / "a.caffemodel", "--allow-nonfinite") == 0
    assert (tmp_path / "a.caffemodel").read_bytes() == content


def test_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert port(*FRCNN, tmp_path / "plain.npz", "--bbox-unnormalize") == 0
    assert "  scaled: bbox_pred\n" in capsys.readouterr().out
    net = Net.from_prototxt(FRCNN[0], weights=FRCNN[1])
    weight, bias = (param.detach().numpy() for param in net.layer("bbox_pred").params)
    stds = np.array([0.1, 0.1, 0.2, 0.2] * 4)
    with np.load(tmp_path / "plain.npz") as have:
        assert np.array_equal(have["param/bbox_pred/0"], (weight * stds[:, np.newaxis]).astype(np.float32))
        assert np.array_equal(have["param/bbox_pred/1"], (bias * stds).astype(np.float32))
    words = ("--bbox-normalize", "--means", 1, 2, 3, 4, "--stds", 2, 2, 4, 4)
    assert port(*FRCNN, tmp_path / "own.npz", *words) == 0
    with np.load(tmp_path / "own.npz") as have:
        want = (bias - np.array([1, 2, 3, 4] * 4)) / np.array([2, 2, 4, 4] * 4)
        assert np.array_equal(have["param/bbox_pred/1"], want.astype(np.float32))


def test_deviations_alone_are_refused(tmp_path: Path, refused: Callable[..., str]) -> None:
    line = refused("port", *FRCNN, tmp_path / "a.npz", "--stds", 1, 1, 1, 1)
    assert line == "--means and --stds say how: add --bbox-normalize or --bbox-unnormalize"


def test_large_nets_are_not_run_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("recaffe.tools.porting.size._MOST_WORK", 1000)
    assert port(LENET, WEIGHTS, tmp_path / "a.npz") == 0
    assert "  check: not run: 0.0 G multiply-adds, 0 MiB (--run runs it)\n" in capsys.readouterr().out
    assert port(LENET, WEIGHTS, tmp_path / "b.npz", "--run") == 0
    assert "9 blobs the same on a blank input" in capsys.readouterr().out
