"""`recaffe certify`: verdict, detections, hashes; interrupted and resumed; refused where it cannot be true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from recaffe.golden.diagnosis import match_detections
from recaffe.golden.fixture import Fixture
from recaffe.tools.detection.selection import Selection
from recaffe.tools.main import main
from recaffe.tools.report.certificate import certification
from recaffe.tools.report.certificate.run import CertificateRun, certify_run, match_ties

from ...golden.ties.goldens import by_accident, golden_of, scaled

NETS = Path(__file__).parents[3] / "golden" / "fixtures" / "nets"
NET, WEIGHTS = NETS / "frcnn_test.prototxt", NETS / "frcnn_test.caffemodel"
FRCNN = Fixture.load(NETS / "frcnn_test.npz")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs that are right, as a folder."""
    folder = tmp_path / "golden"
    folder.mkdir()
    FRCNN.save(folder / "a.npz")
    replace(FRCNN, meta={"versions": {"numpy": "1.8.2"}}).save(folder / "b.npz")
    return folder


@pytest.fixture
def certify(tmp_path: Path) -> Callable[..., int]:
    def call(*words: object) -> int:
        return main(["certify", *map(str, words), "--output", str(tmp_path / "out")])

    return call


def text(tmp_path: Path) -> str:
    return (tmp_path / "out.md").read_text()


def test_identical(runs: Path, certify: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert certify(NET, WEIGHTS, runs) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "Identical within tolerance: 2 run(s), 96 blobs compared"
    assert out[1].startswith(f"worst: {runs}/")
    assert out[2] == f"wrote {tmp_path}/out.md, {tmp_path}/out.html"
    told = text(tmp_path)
    assert "| detections, golden | 44 |\n| detections, ours | 44 |\n| lost | 0 |\n| added | 0 |" in told
    assert "| class 1 | 26 | 26 | 26 |" in told
    for path in (NET, WEIGHTS, runs / "a.npz", runs / "b.npz"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in told
    assert '| versions | {"numpy": "1.8.2"} |' in told
    assert "✓ Identical within tolerance: 2 run(s), 96 blobs compared" in (tmp_path / "out.html").read_text()


def test_identical_but_for_ties(certify: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden_of(scaled(FRCNN, "rpn_cls_score", 400), by_accident(3)).save(tmp_path / "tied.npz")
    for _ in range(2):  # the second time from what was kept
        assert certify("-", "-", tmp_path / "tied.npz", "--force") == 0
        told = "Identical within tolerance: 1 run(s), 1 the same but for the order of equal scores, 48 blobs compared"
        assert capsys.readouterr().out.splitlines()[0] == told
        assert "| identical but for ties |" in text(tmp_path)
        assert "every blob is the golden's but for ties: 'proposal'" in text(tmp_path)


def test_detections_of_equal_scores() -> None:
    boxes = torch.tensor([[0.0, 0, 99, 99], [0, 40, 99, 139], [300, 0, 399, 99]]).repeat(1, 2)
    golden = torch.tensor([[0.1, 0.9], [0.1, 0.9], [0.5, 0.5]])
    ours = golden + torch.tensor([[0.0, 0.0], [0.0, 1e-7], [0.0, 0.0]])
    selection = Selection()
    assert not match_detections(selection.pick(golden, boxes), selection.pick(ours, boxes), 0.05).ok
    for sides in ([golden, ours], [ours, golden]):
        found = match_ties([(scores, boxes) for scores in sides], selection)
        assert found is not None
        assert [match.matched for match in found.classes] == [2]
    golden[1, 1] -= 1e-6  # no tie on either side: rounding parts what was not equal
    assert match_ties([(golden, boxes), (ours, boxes)], selection) is None


def test_what_differs(runs: Path, certify: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = FRCNN.tops["cls_prob"].copy()
    rows = scores[:, 1].argsort()
    scores[rows[-1], 1] = 0
    (runs / "b.npz").unlink()
    replace(FRCNN, tops=FRCNN.tops | {"cls_prob": scores}).save(runs / "c.npz")
    assert certify(NET, WEIGHTS, runs, "--classes", "car,dog,cat", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["verdict"]) == (False, "Differs: 1 of 2 run(s) differ")
    (bad,) = (run for run in told["runs"] if not run["ok"])
    assert (bad["path"], bad["different"]) == (f"{runs}/c.npz", 2)
    singles = bad["detections"]["singles"]
    assert ("ours", 1) in {(single["side"], single["label"]) for single in singles}
    page = text(tmp_path)
    assert f"{runs}/c.npz".replace("_", "\\_") in page.partition("## The worst case")[2].partition("##")[0]
    assert "| added | car |" in page


def test_names_of_classes_must_fit(runs: Path, certify: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert certify(NET, WEIGHTS, runs / "a.npz", "--classes", "car") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("recaffe certify: ")
    assert line.endswith(" and the background apart")


def test_interrupted_and_resumed(
    runs: Path, certify: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def interrupted(subject: Any, path: Path, *rest: Any) -> CertificateRun:
        if asked:
            raise KeyboardInterrupt
        asked.append(path.name)
        return certify_run(subject, path, *rest)

    monkeypatch.setattr(certification, "certify_run", interrupted)
    assert certify(NET, WEIGHTS, runs) == 2
    kept = f"1 of 2 runs are done and kept in {tmp_path}/out.runs"
    assert capsys.readouterr().err == f"recaffe certify: interrupted: {kept}; the same command goes on from there\n"
    assert not (tmp_path / "out.md").exists()
    monkeypatch.setattr(
        certification,
        "certify_run",
        lambda subject, path, *rest: asked.append(path.name) or certify_run(subject, path, *rest),
    )
    assert certify(NET, WEIGHTS, runs) == 0
    assert asked == ["a.npz", "b.npz"]
    before = [(tmp_path / name).read_bytes() for name in ("out.md", "out.html")]
    assert certify(NET, WEIGHTS, runs, "--force") == 0
    assert asked == ["a.npz", "b.npz"]
    assert [(tmp_path / name).read_bytes() for name in ("out.md", "out.html")] == before
    assert certify(NET, WEIGHTS, runs / "a.npz", "--force", "--thresh", 0.2) == 0
    assert len(asked) == 3


def test_nothing_is_replaced_and_nothing_damaged_believed(
    runs: Path, certify: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out.html").write_text("mine")
    assert certify(NET, WEIGHTS, runs / "a.npz") == 2
    assert capsys.readouterr().err == f"recaffe certify: {tmp_path}/out.html: exists already (--force replaces it)\n"
    assert certify(NET, WEIGHTS, runs / "a.npz", "--force") == 0
    (kept,) = (tmp_path / "out.runs").iterdir()
    kept.write_text(kept.read_text()[:40])
    capsys.readouterr()
    assert certify(NET, WEIGHTS, runs / "a.npz", "--force") == 2
    told = f"{kept}: is no run that was kept, or a damaged one: delete it"
    assert capsys.readouterr().err == f"recaffe certify: {told}\n"


def test_runs_that_cannot_be_used(runs: Path, certify: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "b.npz").write_bytes(b"no zip")
    assert certify(NET, WEIGHTS, runs) == 2
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"error  {runs}/b.npz: {runs}/b.npz: is no .npz file, or one cut short"
    assert out[1] == "Differs: 1 of 2 run(s) cannot be used"
    assert "| unusable |" in text(tmp_path)


def test_nets_that_are_no_detectors(certify: Any, tmp_path: Path) -> None:
    layers = NETS.parent / "layers"
    assert certify("-", "-", layers / "relu.npz", layers / "pool_max_k3s2.npz") == 0
    assert "| detections | none: the nets are no detectors |" in text(tmp_path)
