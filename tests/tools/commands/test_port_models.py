"""`recaffe port` to models: run before they are kept, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.golden.compare import compare_blob
from recaffe.golden.fixture import Fixture
from recaffe.golden.limits import WHOLE
from recaffe.golden.proof.model import load_model
from recaffe.prototxt.export.models import MODELS, Model
from recaffe.prototxt.net.build import Parts
from recaffe.tools.main import main

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
FRCNN = FIXTURES / "nets" / "frcnn_test.prototxt", FIXTURES / "nets" / "frcnn_test.caffemodel"
RFCN = FIXTURES / "nets" / "rfcn_test.prototxt", FIXTURES / "nets" / "rfcn_test.caffemodel"
LENET = FIXTURES / "formats" / "lenet.prototxt", FIXTURES / "formats" / "lenet.caffemodel"


def port(*words: object) -> int:
    return main(["port", *map(str, words)])


@pytest.mark.parametrize("form", MODELS)
@pytest.mark.parametrize("net", [FRCNN, RFCN])
def test_models_give_caffes_blobs(net: tuple[Path, Path], form: str, tmp_path: Path) -> None:
    target = tmp_path / f"net{form}"
    fixture = Fixture.load(net[0].with_suffix(".npz"))
    config = [word for key, value in fixture.config.items() for word in (key, value)]
    assert port(*net, target, "--set", *config) == 0
    have = load_model(target).chained({k: torch.from_numpy(np.array(v)) for k, v in fixture.bottoms.items()})
    assert {"cls_prob", "bbox_pred"} <= set(have)
    for blob in set(have) & set(fixture.tops):
        result = compare_blob(blob, fixture.tops[blob], have[blob], WHOLE)
        assert result.ok, str(result)


@pytest.mark.parametrize("form", MODELS)
def test_a_second_run_gives_the_same_bytes(
    form: str, tmp_path: Path, refused: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert port(*LENET, tmp_path / name / f"lenet{form}") == 0
        files.append({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()})
    assert files[0] == files[1]
    assert len(files[0]) == (2 if form == ".py" else 1)
    line = refused("port", *LENET, tmp_path / "a" / f"lenet{form}") if capsys.readouterr() else ""
    assert line == f"{tmp_path}/a/lenet{form}: exists already (--force replaces it)"
    assert port(*LENET, tmp_path / "a" / f"lenet{form}", "--force") == 0


def test_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "rfcn.py"
    assert port(*RFCN, target, "--fold") == 0
    size = target.stat().st_size + (tmp_path / "rfcn.safetensors").stat().st_size
    assert capsys.readouterr().out.splitlines() == [
        f"{RFCN[1]} -> {target}: PyTorch code, 58 params, {size:,} bytes",
        "  changed: 46 BatchNorm and Scale layers are folded into convolutions",
        "  note: layer 'rpn_conv/3x3' goes by 'rpn_conv_3x3'",
        "  check: 47 blobs the same on a random input",
        "  check: 47 blobs the same on a blank input",
    ]
    assert port(*LENET, tmp_path / "a.onnx", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["notes"] == ["1 BatchNorm layers have mean and variance, not sums and their weight"]
    assert report["params"]["conv1/0"] == [4, 1, 3, 3]
    assert port(*FRCNN, tmp_path / "a.pt2") == 0
    line = "note: calls recaffe.propose, recaffe.roi_pool: load it by recaffe.load_pt2"
    assert line in capsys.readouterr().out


@pytest.mark.parametrize("form", MODELS)
def test_a_model_that_came_out_wrong_is_not_kept(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]
) -> None:
    from recaffe.tools.porting import model as module

    right = module.write_model

    def wrong(path: Path, name: str, parts: Parts, inputs: Sequence[str], outputs: Sequence[str]) -> Model:
        weight = next(step.layer for step in parts.steps if step.node.name == "conv3_1")
        saved = weight.params[0].detach().clone()
        weight.params[0].data[2, 1, 0, 0] += 0.1
        model = right(path, name, parts, inputs, outputs)
        weight.params[0].data.copy_(saved)
        return model

    monkeypatch.setattr(module, "write_model", wrong)
    line = refused("port", *FRCNN, tmp_path / f"a{form}")
    blob = "bbox_pred" if form == ".pt2" else "conv3_1"  # of a program only the outputs can be seen
    assert line.startswith(f"{tmp_path}/a{form}: not kept: on a random input top/{blob}: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", MODELS)
def test_what_breaks_off_leaves_nothing(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]
) -> None:
    def broken(path: Path, *rest: object) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr("recaffe.tools.porting.model.write_model", broken)
    assert refused("port", *LENET, tmp_path / f"a{form}") == "interrupted"
    assert list(tmp_path.iterdir()) == []


def test_code_replaces_neither_file_unasked(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"mine")
    line = refused("port", *LENET, tmp_path / "a.py")
    assert line == f"{tmp_path}/a.safetensors: exists already (--force replaces it)"
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


def test_boxes_are_scaled_in_models_too(tmp_path: Path) -> None:
    assert port(*FRCNN, tmp_path / "plain.py") == 0
    assert port(*FRCNN, tmp_path / "scaled.py", "--bbox-unnormalize") == 0
    plain, scaled = (load_model(tmp_path / f"{name}.py").net.bbox_pred for name in ("plain", "scaled"))
    assert torch.equal(scaled.bias, plain.bias.double().mul(torch.tensor([0.1, 0.1, 0.2, 0.2] * 4).double()).float())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((FIXTURES / "nets" / "frcnn_train.npz", "a.py"), "is no prototxt"),
        ((LENET[0], LENET[1], "a.npz", "--fold"), "--fold changes the layers: it goes with a model (.py, .onnx, .pt2)"),
        ((LENET[0], LENET[1], "a.torch"), "no format has this suffix; there are .caffemodel, .caffemodel.h5, .npz, "),
    ],
)
def test_refusals(
    words: tuple[object, ...],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: Callable[..., str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert line in refused("port", *(words if len(words) > 2 else (words[0], words[0], words[1])))
    assert list(tmp_path.iterdir()) == []
