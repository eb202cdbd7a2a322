"""`recaffe surgery`: two files from two files, checked, both or neither."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import print_text, read_net
from recaffe.prototxt.zoo.catalog import make_net
from recaffe.tools.main import main

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"
FORMATS = NETS.parent / "formats"
FRCNN = NETS / "frcnn_test.prototxt", NETS / "frcnn_test.caffemodel"


def surgery(*words: object) -> int:
    return main(["surgery", *map(str, words)])


def test_all_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.prototxt", tmp_path / "a.safetensors"
    words = "--rename fc7=last --svd fc6=8 --scales 4 8 --classes b,c --from a,b,c --drop drop6 --split cls_score=2,1"
    assert surgery(*FRCNN, *out, *words.split()) == 0
    lines = capsys.readouterr().out.splitlines()
    titles = [line for line in lines if not line.startswith(" ")]
    steps = ["drop:", "classes:", "anchors:", "svd fc6:", "split cls_score:", "rename:"]
    assert titles == [*steps, f"{out[0]}, {out[1]}: .safetensors, 31 params"]
    assert "  kept: class 1 'b' was 2 'b'" in lines
    assert "  check: 3 channels of cls_score the same on a random input" in lines
    assert lines[-1] == "  check: the prototxt takes every param of the weights, read back bit for bit the same"
    net, old = Net.from_prototxt(out[0], weights=out[1]), Net.from_prototxt(FRCNN[0], weights=FRCNN[1])
    assert torch.equal(net.layer("cls_score_1").params[0], old.layer("cls_score").params[0][[0, 2]])
    assert torch.equal(net.layer("last").params[0], old.layer("fc7").params[0])
    assert net.blob_shapes["cls_prob"] == (1, 3)


def test_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.prototxt", tmp_path / "a.npz"
    assert surgery(*FRCNN, *out, "--classes", 3, "--keep", "3=1") == 0
    assert capsys.readouterr().out.splitlines() == [
        "classes:",
        "  cls_score: num_output 4 -> 3; param 0 was 4×32, is 3×32; param 1 was 4, is 3",
        "  bbox_pred: num_output 16 -> 12; param 0 was 16×32, is 12×32; param 1 was 16, is 12",
        "  kept: class 0 was 0",
        "  kept: class 1 was 3",
        "  untrained: cls_score: classes 2 (filled by gaussian 0.3, constant 0)",
        "  untrained: bbox_pred: classes 2 (filled by gaussian 0.05, constant 0)",
        "  check: 23 blobs the same on a random input",
        "  check: 2 channels of cls_score the same on a random input",
        "  check: 8 channels of bbox_pred the same on a random input",
        "  check: 23 blobs the same on a blank input",
        "  check: 2 channels of cls_score the same on a blank input",
        "  check: 8 channels of bbox_pred the same on a blank input",
        f"{out[0]}, {out[1]}: .npz, 28 params",
        "  check: the prototxt takes every param of the weights, read back bit for bit the same",
    ]


def test_the_report_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.prototxt", tmp_path / "a.caffemodel"
    words = ("--classes", "2", "--json", "--dialect", "fast-rcnn")
    assert surgery(*FRCNN, *out, *words) == 0
    report = json.loads(capsys.readouterr().out)
    (step,) = report["steps"]
    assert report["format"] == ".caffemodel of fast-rcnn's Caffe"
    assert step["operation"] == "classes"
    assert step["untrained"] == {
        "cls_score": "classes 1 (filled by gaussian 0.3, constant 0)",
        "bbox_pred": "classes 1 (filled by gaussian 0.05, constant 0)",
    }
    assert step["changes"]["bbox_pred"][0] == "num_output 16 -> 8"


def test_a_second_run_gives_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        out = tmp_path / f"{name}.prototxt", tmp_path / f"{name}.caffemodel"
        assert surgery(*FRCNN, *out, "--classes", 5, "--svd", "fc6=3", "--dialect", "fast-rcnn") == 0
        files.append([path.read_bytes() for path in out])
    assert files[0] == files[1]
    assert len(list(tmp_path.iterdir())) == 4


def test_batch_norms_of_caffes_own_net(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.prototxt", tmp_path / "a.caffemodel"
    with np.load(NETS / "rfcn_train_ohem.npz") as archive:
        (tmp_path / "net.prototxt").write_text(str(archive["prototxt"]))
    source = tmp_path / "net.prototxt", NETS / "rfcn_train_ohem.npz"
    assert surgery(*source, *out, "--merge-bn", "--phase", "TRAIN", "--dialect", "microsoft") == 0
    told = capsys.readouterr().out
    assert "  conv1: took in 'bn_conv1'; took in 'scale_conv1'\n" in told
    assert "  check: not run: layer 'input-data' (Python) needs data\n" in told
    kinds = {layer.type for layer in read_net(out[0]).net.layer}
    assert kinds & {"BatchNorm", "Scale"} == set()


def test_input_fields_are_printed_as_such(tmp_path: Path) -> None:
    """A net of the zoo without weights: what its fillers made will do."""
    out = tmp_path / "a.prototxt", tmp_path / "a.npz"
    net = make_net("zf", "fast-rcnn")
    del net.layer[1:]
    (tmp_path / "net.prototxt").write_text(print_text(net))
    np.savez(
        tmp_path / "none.npz", **{"param/conv1/0": np.ones((96, 3, 7, 7), "f4"), "param/conv1/1": np.ones(96, "f4")}
    )
    assert surgery(tmp_path / "net.prototxt", tmp_path / "none.npz", *out, "--rename", "conv1=first") == 0
    assert out[0].read_text().startswith('name: "ZF"\ninput: "data"\ninput: "rois"\ninput_shape {')


def test_missing_and_unused_weights_are_told(
    tmp_path: Path, refused: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    net, weights = FORMATS / "plain.prototxt", FORMATS / "bad_missing_layer.caffemodel"
    out = tmp_path / "a.prototxt", tmp_path / "a.npz"
    assert "lacks layer(s) 'fc'" in refused("surgery", net, weights, *out, "--rename", "conv=c")
    assert surgery(net, weights, *out, "--rename", "conv=c", "--allow-missing") == 0
    assert f"  note: layer 'fc' is not in {weights}: it is as its fillers made it\n" in capsys.readouterr().out


@pytest.mark.parametrize("there", ["a.prototxt", "a.npz"])
def test_what_is_there_stays(there: str, tmp_path: Path, refused: Callable[..., str]) -> None:
    out = tmp_path / "a.prototxt", tmp_path / "a.npz"
    (tmp_path / there).write_bytes(b"mine")
    line = refused("surgery", *FRCNN, *out, "--rename", "fc6=six")
    assert line == f"{tmp_path / there}: exists already (--force replaces it)"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]
    assert surgery(*FRCNN, *out, "--rename", "fc6=six", "--force") == 0
    assert sorted(tmp_path.iterdir()) == sorted(out)


def test_weights_that_came_out_wrong_leave_neither_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]
) -> None:
    from recaffe.tools.porting import operations as module

    right = module.write_weights

    def wrong(path: Path, net: Net, layers: list[object], *rest: object) -> None:
        right(path, net, layers[:-2], *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "write_weights", wrong)
    line = refused("surgery", *FRCNN, tmp_path / "a.prototxt", tmp_path / "a.npz", "--rename", "fc6=six")
    assert line.startswith(f"{tmp_path / 'a.npz'}: not kept: ")
    assert list(tmp_path.iterdir()) == []


def test_large_nets_are_not_run_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("recaffe.tools.porting.size._MOST_WORK", 1000)
    assert surgery(*FRCNN, tmp_path / "a.prototxt", tmp_path / "a.npz", "--rename", "fc6=six") == 0
    assert "(--run runs it)\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("", "nothing to do: see the operations in recaffe surgery --help"),
        ("--keep 1=1", "--from and --keep say which classes go on: add --classes"),
        ("--svd fc6", "--svd fc6: expected LAYER=..."),
        ("--svd fc6=a", "--svd fc6=a: expected numbers behind the ="),
        ("--svd fc6=2,3", "--svd fc6: one rank, not 2"),
        ("--svd fc6=2 fc6=3", "--svd fc6=3: expected a layer once"),
        ("--rename fc6", "--rename fc6: expected LAYER=..."),
        ("--drop fcc7", "no layer 'fcc7' in net 'tiny_frcnn'; did you mean 'fc7'?"),
    ],
)
def test_a_wrong_call_is_one_line(words: str, line: str, tmp_path: Path, refused: Callable[..., str]) -> None:
    assert refused("surgery", *FRCNN, tmp_path / "a.prototxt", tmp_path / "a.npz", *words.split()) == line
    assert list(tmp_path.iterdir()) == []


def test_two_files_are_two(tmp_path: Path, refused: Callable[..., str]) -> None:
    line = refused("surgery", *FRCNN, tmp_path / "a.npz", tmp_path / "a.npz", "--merge-bn")
    assert line == f"{tmp_path / 'a.npz'}: is OUT_NET and OUT: two files are written"
