import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recaffe.golden.fixture import Fixture
from recaffe.tools.main import main

from ...golden.ties.goldens import by_accident, golden_of, quantised

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
ROIS = FIXTURES / "layers" / "roi_pool_7.npz"


def broken(path: Path) -> Path:
    """The ROI pooling fixture with one golden value changed."""
    with np.load(ROIS) as archive:
        arrays = dict(archive)
    arrays["top/y"].flat[7] += 1
    np.savez(path, **arrays)
    return path


def test_a_clean_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(FIXTURES / "rpn")]) == 0
    out = capsys.readouterr().out.splitlines()
    assert all(line.startswith("same ") for line in out[:-1])
    assert out[-1] == f"{len(out) - 1} fixture(s), whole: {len(out) - 1} same"


def test_a_difference_is_told_and_is_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = broken(tmp_path / "broken.npz")
    assert main(["verify", "--isolate", str(path), str(ROIS)]) == 1
    out = capsys.readouterr().out
    assert f"DIFFER {path}: 2 blobs, 1 differ" in out
    assert "top/y: 1 of " in out
    assert "first at [0, 0, 1, 0]" in out
    assert "2 fixture(s), layer by layer: 1 same, 1 different" in out


def tied(path: Path) -> Path:
    """One proposal layer of few scores, whose golden takes equal ones in another order."""
    golden_of(
        quantised(Fixture.load(FIXTURES / "rpn/proposal_004.npz"), "rpn_cls_prob_reshape", 64), by_accident(1)
    ).save(path)
    return path


def test_ties_are_the_same_net(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tied(tmp_path / "tied.npz")
    assert main(["verify", str(path), str(ROIS)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"same but for ties {path}: 'op': ")
    assert out[0].endswith(" values depend on it")
    assert " of 40 RoIs in another order, " in out[0]
    assert out[-1] == "2 fixture(s), whole: 1 same, 1 same but for ties"
    assert main(["verify", "--json", str(path)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["ok"], result["same"], result["same_but_for_ties"], result["different"]) == (True, 0, 1, 0)
    (told,) = result["fixtures"]
    assert (told["ok"], told["outcome"], told["ties"][0]["layer"]) == (True, "same but for ties", "op")
    assert len(told["ties"][0]["places"]) == 2


def test_what_differs_beside_ties_is_told_with_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tied(tmp_path / "tied.npz")
    fixture = Fixture.load(path)
    scores = fixture.tops["scores"].copy()
    scores[5] += 1
    replace(fixture, tops=fixture.tops | {"scores": scores}).save(path)
    assert main(["verify", str(path)]) == 1
    out = capsys.readouterr().out
    assert f"DIFFER {path}: 2 blobs, 1 differ" in out
    assert "top/scores: 1 of 40 values differ" in out
    assert "         tie: 'op': " in out


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--json", str(broken(tmp_path / "broken.npz"))]) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["ok"], result["different"]) == (False, 1)
    (fixture,) = result["fixtures"]
    assert [(blob["key"], blob["ok"]) for blob in fixture["blobs"]] == [("top/y", False), ("diff/x", True)]


def test_a_broken_file_is_status_2_and_the_others_still_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / "cut.npz"
    cut.write_bytes(ROIS.read_bytes()[:500])
    assert main(["verify", str(cut), str(ROIS)]) == 2
    out = capsys.readouterr().out
    assert f"error  {cut}: " in out
    assert "1 same, 1 unusable" in out


def test_a_defect_in_one_case_is_told_in_a_line_and_the_others_still_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_load(path: Path) -> Fixture:
        return load(path) if path.name == ROIS.name else Fixture.absent  # type: ignore[attr-defined]

    load = Fixture.load
    monkeypatch.setattr(Fixture, "load", broken_load)
    bad = Path(shutil.copy(ROIS, tmp_path / "bad.npz"))
    assert main(["verify", str(bad), str(ROIS)]) == 2
    out, err = capsys.readouterr()
    line = f"error  {bad}: AttributeError: type object 'Fixture' has no attribute 'absent' (a defect of recaffe, "
    assert line in out
    assert out.splitlines()[-1].endswith("1 same, 1 unusable")
    assert not err
    monkeypatch.setenv("RECAFFE_TRACEBACK", "1")
    assert main(["verify", str(bad), str(ROIS)]) == 2
    out, err = capsys.readouterr()
    assert "1 same, 1 unusable" in out
    assert "Traceback" in err


def test_companions_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ROIS, tmp_path)
    (tmp_path / "a.caffemodel").touch()
    assert main(["verify", *map(str, sorted(tmp_path.iterdir()))]) == 0
    assert "left out: 1 companion file(s)" in capsys.readouterr().out


def test_an_empty_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"recaffe verify: {tmp_path}: no fixture in this folder (0 .npz of other kinds)\n"


def test_a_note_names_the_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixture = Fixture.load(ROIS)
    replace(fixture, versions={("y", 0): fixture.tops["y"]}).save(tmp_path / "a.npz")
    assert main(["verify", str(tmp_path / "a.npz")]) == 0
    told = "note: values overwritten in place and states of the random generator: --isolate compares them\n"
    assert told in capsys.readouterr().out


def test_gradients_of_overwritten_blobs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Power in place puts scale² where the diff was, and TanH takes 2 tanh(1) + 0.5 for its top.
    path, top = tmp_path / "overwritten.npz", np.float32([2 * np.tanh(1) + 0.5])
    text = """force_backward: true input: "x" input_shape { dim: 1 }
layer { name: "t" type: "TanH" bottom: "x" top: "y" }
layer { name: "p" type: "Power" bottom: "y" top: "y" power_param { scale: 2 shift: 0.5 } }"""
    one, diffs = np.ones(1, np.float32), {"x": 4 * (1 - top**2)}
    Fixture(path, text, "TRAIN", bottoms={"x": one}, tops={"y": top}, top_diffs={"y": one}, diffs=diffs).save(path)
    assert main(["verify", str(path)]) == 1
    out = capsys.readouterr().out
    assert "note: <text>:3: layer 'p' (Power): computes in place" in out
    assert "(--faithful-inplace computes Caffe's)" in out
    assert main(["verify", "--faithful-inplace", str(path)]) == 0
    assert "note" not in capsys.readouterr().out
    assert main(["compare", "-", "-", str(path)]) == 1
    assert "(--faithful-inplace computes Caffe's)" in capsys.readouterr().out
    assert main(["compare", "--faithful-inplace", "-", "-", str(path)]) == 0
