"""`recaffe compare`: the verdict first, then blame and cause; exit statuses; JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recaffe.golden.fixture import Fixture
from recaffe.tools.main import main

from ...golden.ties.goldens import by_accident, golden_of, scaled

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"
NET, WEIGHTS, GOLDEN = NETS / "frcnn_test.prototxt", NETS / "frcnn_test.caffemodel", NETS / "frcnn_test.npz"


def compare(*words: object) -> int:
    return main(["compare", *map(str, words)])


@pytest.fixture
def floored(tmp_path: Path) -> Path:
    """The net with pool4 as an average."""
    path = tmp_path / "net.prototxt"
    old = 'top: "pool4" pooling_param { pool: MAX'
    assert old in NET.read_text()
    path.write_text(NET.read_text().replace(old, old.replace("MAX", "AVE")))
    return path


def test_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(NET, WEIGHTS, GOLDEN) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [f"same   {GOLDEN}: 24 blobs in use, 24 blobs layer by layer", "1 fixture(s): 1 same"]


@pytest.fixture
def tied(tmp_path: Path) -> Path:
    """A golden whose RPN is sure of most anchors, and takes them in another order than ours."""
    path = tmp_path / "tied.npz"
    golden_of(scaled(Fixture.load(GOLDEN), "rpn_cls_score", 400), by_accident(3)).save(path)
    return path


def test_ties(tied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("-", "-", tied) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"same but for ties {tied}: 'proposal': 30 of 30 RoIs in another order, ")
    assert out[1:] == ["1 fixture(s): 1 same but for ties"]
    assert compare("-", "-", tied, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["same_but_for_ties"]) == (True, 1)
    (one,) = told["fixtures"]
    assert (one["outcome"], one["verdict"]["kind"], one["verdict"]["layer"]) == (
        "same but for ties",
        "ties",
        "proposal",
    )
    assert (one["ties"][0]["score"], len(one["ties"])) == (1, 1)


def test_the_cause_is_found_along_the_golden_order(tied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("-", "-", tied, "--set", "TEST.RPN_NMS_THRESH", 0.5) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"DIFFER {tied}: the first layer that differs: 'proposal' ")
    assert out[2].startswith("         cause (prototxt): config TEST.RPN_NMS_THRESH: golden 0.7, NET 0.5: ")


def test_a_report_of_ties(tied: Path, tmp_path: Path) -> None:
    assert compare("-", "-", tied, "--html", tmp_path / "report.html") == 0
    page = (tmp_path / "report.html").read_text()
    assert "The same but for ties" in page
    assert "RoIs in another order" in page


def test_a_difference(floored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(floored, WEIGHTS, GOLDEN) == 1
    out = capsys.readouterr().out.splitlines()
    line = next(i for i, text in enumerate(floored.read_text().splitlines(), 1) if 'top: "pool4"' in text)
    assert out[0] == f"DIFFER {GOLDEN}: the first layer that differs: 'pool4' (Pooling, {floored}:{line})"
    assert out[1].startswith("         top/pool4: ")
    assert out[2].startswith(
        "         cause (maximum or average): the golden pools by MAX, NET by AVE: a difference of "
    )
    assert out[2].endswith(" becomes 0 (allowed 1e-05)")
    assert "         prototxt: layer 'pool4': pooling_param.pool: golden MAX, NET AVE" in out
    (row,) = (text.split() for text in out if text.startswith("         top/conv5_1 "))
    assert row[1] == "same"
    assert out[-1] == "1 fixture(s): 1 different"


def test_own_net_and_weights_of_several_fixtures(capsys: pytest.CaptureFixture[str]) -> None:
    layers = NETS.parent / "layers"
    assert compare("-", "-", layers / "relu.npz", layers / "pool_max_k3s2.npz", "--isolate") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].endswith("relu.npz: 2 blobs layer by layer")
    assert out[-1] == "2 fixture(s): 2 same"


def test_options(floored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(floored, WEIGHTS, GOLDEN, "--until", "conv4_1") == 0
    assert compare(floored, WEIGHTS, GOLDEN, "--tolerance", 10, "--until", "pool4") == 0
    assert compare(NET, WEIGHTS, GOLDEN, "--chain", "--set", "TEST.RPN_POST_NMS_TOP_N", "20") == 1
    out = capsys.readouterr().out
    assert "the first blob that differs: 'rois' of layer 'proposal' (--isolate tells whose doing it is)" in out
    assert "         prototxt: config TEST.RPN_POST_NMS_TOP_N: golden 30, NET 20\n" in out

    assert compare(NET, WEIGHTS, GOLDEN, "--until", "pool9") == 2
    assert "--until pool9: net 'tiny_frcnn' has no such blob" in capsys.readouterr().out


def test_a_cause_names_the_flag_of_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["port", *map(str, (NET, WEIGHTS, tmp_path / "w.npz")), "--bbox-unnormalize"]) == 0
    assert compare(NET, tmp_path / "w.npz", GOLDEN) == 1
    assert "the golden's has not (recaffe port --bbox-normalize)" in capsys.readouterr().out


def test_verbose_shows_every_blob(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(NET, WEIGHTS, GOLDEN, "-v") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[1].split() == [
        "blob",
        "alone",
        "in",
        "use",
        "largest",
        "mean",
        "of",
        "magnitude",
        "ulps",
        "cosine",
        "first",
    ]
    assert sum(line.startswith("         top/") for line in out) == 24


def test_json(floored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(floored, WEIGHTS, GOLDEN, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    (fixture,) = told["fixtures"]
    assert (told["ok"], told["different"], fixture["ok"]) == (False, 1, False)
    assert (fixture["verdict"]["kind"], fixture["verdict"]["layer"]) == ("forward", "pool4")
    assert fixture["blames"][0]["causes"][0]["rule"] == "maximum or average"
    assert fixture["isolated"][0]["measures"]["cosine"] == pytest.approx(1)


def test_bad_input_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(tmp_path / "no.prototxt", WEIGHTS, GOLDEN) == 2
    assert capsys.readouterr().err.startswith(f"recaffe compare: {tmp_path}/no.prototxt: cannot be read")
    assert compare(NET, tmp_path / "no.caffemodel", GOLDEN) == 2
    assert compare(NET, WEIGHTS, tmp_path / "no.npz") == 2
    assert capsys.readouterr().err.endswith(f"recaffe compare: {tmp_path}/no.npz: no such file or folder\n")
    np.savez(tmp_path / "other.npz", prototxt="layer {", phase="TEST")
    assert compare("-", "-", tmp_path / "other.npz", GOLDEN) == 2
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"error  {tmp_path}/other.npz: ")
    assert out[-1] == "2 fixture(s): 1 same, 1 unusable"


def test_weights_of_other_shapes_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(NET.read_text().replace("num_output: 12", "num_output: 13"))
    assert compare(path, WEIGHTS, GOLDEN) == 2
    assert "layer 'conv4_1', blob 0 is 12×8×3×3 in the file, 13×8×3×3 in the net" in capsys.readouterr().out
    assert compare(path, "-", GOLDEN) == 1
    out = capsys.readouterr().out
    assert "the first layer that differs: 'conv4_1'" in out
    assert "shape 1×12×14×18 wanted, have 1×13×14×18" in out
