"""The files of the steps: found in a folder, or written from the zoo under the originals' names."""

from __future__ import annotations

from pathlib import Path

import pytest

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.text.read import print_text
from recaffe.prototxt.zoo.catalog import make_net
from recaffe.prototxt.zoo.rpn import DATASETS, DetectionTask
from recaffe.tools.training.alternating.plan import FASTER_RCNN, RFCN
from recaffe.tools.training.alternating.stage_files import read_stages, write_stages
from recaffe.tools.training.errors import TrainingError

TASK = DetectionTask(classes=4)


@pytest.fixture
def zf(tmp_path: Path) -> Path:
    write_stages(tmp_path, "zf", TASK, "voc")
    return tmp_path


def test_the_papers_steps(zf: Path) -> None:
    assert {path.name for path in zf.iterdir() if "solver" in path.name} == {
        "stage1_rpn_solver60k80k.pt",
        "stage1_fast_rcnn_solver30k40k.pt",
        "stage2_rpn_solver60k80k.pt",
        "stage2_fast_rcnn_solver30k40k.pt",
    }
    files = read_stages(zf)
    assert files.plan is FASTER_RCNN
    assert [solver.max_iter for solver in files.solvers.values()] == [80_000, 40_000, 80_000, 40_000]
    assert files.names["stage2_rpn"] == str(zf / "stage2_rpn_solver60k80k.pt")
    assert print_text(files.nets["stage2_rpn"].net) == print_text(make_net("zf", "stage2-rpn", "TRAIN", TASK))
    assert files.rpn_test.name == str(zf / "rpn_test.pt")


@pytest.mark.parametrize(("dataset", "iters"), [("voc", (80, 120, 80, 120, 80)), ("coco", (480,) * 5)])
def test_rfcns_steps(dataset: str, iters: tuple[int, ...], tmp_path: Path) -> None:
    write_stages(tmp_path, "resnet50", DATASETS[dataset], dataset)
    files = read_stages(tmp_path)
    assert files.plan is RFCN
    assert [solver.max_iter for solver in files.solvers.values()] == [1000 * k for k in iters]
    assert (tmp_path / "rfcn_test.pt").exists()


def test_how_long(zf: Path) -> None:
    assert {solver.max_iter for solver in read_stages(zf, (7,)).solvers.values()} == {7}
    assert [solver.max_iter for solver in read_stages(zf, (1, 2, 3, 4)).solvers.values()] == [1, 2, 3, 4]
    solver = zf / "stage1_rpn_solver60k80k.pt"
    solver.write_text(f"{solver.read_text()}max_iter: 9\n")
    assert read_stages(zf).solvers["stage1_rpn"].max_iter == 9
    solver = (zf / "stage2_rpn_solver60k80k.pt").rename(zf / "stage2_rpn_solver.pt")
    with pytest.raises(TrainingError) as refused:
        read_stages(zf)
    assert str(refused.value) == f"{solver}: has no max_iter: say with iters= how long to train"


def test_a_net_where_the_solver_says(zf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solver, net = zf / "stage1_rpn_solver60k80k.pt", Path("models", "stage1_rpn_train.pt")
    solver.write_text(solver.read_text().replace('"stage1_rpn_train.pt"', f'"{net}"'))
    monkeypatch.chdir(zf)
    assert read_stages(zf).nets["stage1_rpn"].name == str(zf / net.name)
    net.parent.mkdir()
    net.write_text((zf / net.name).read_text())
    assert read_stages(zf).nets["stage1_rpn"].name == str(net)


def test_a_solver_too_few_or_too_many(zf: Path) -> None:
    steps = "stage1_rpn, stage1_fast_rcnn, stage2_rpn, stage2_fast_rcnn"
    solver = zf / "stage2_rpn_solver60k80k.pt"
    (zf / "stage2_rpn_solver.pt").write_text(solver.read_text())
    with pytest.raises(TrainingError) as refused:
        read_stages(zf)
    found = "2 files stage2_rpn*solver* (stage2_rpn_solver.pt, stage2_rpn_solver60k80k.pt)"
    assert str(refused.value) == f"{zf}: has {found}, and one is needed for each of {steps}"
    for path in zf.glob("stage2_rpn_solver*"):
        path.unlink()
    with pytest.raises(TrainingError, match=r"has 0 files stage2_rpn\*solver\*, and one is needed for each of"):
        read_stages(zf)


def test_what_is_there_stays(zf: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in zf.iterdir()}
    write_stages(zf, "zf", TASK, "voc")
    assert {path: path.stat().st_mtime_ns for path in zf.iterdir()} == before
    with pytest.raises(PrototxtError, match=r"stage1_rpn_train.pt: exists already \(force=True replaces it\)"):
        write_stages(zf, "zf", DetectionTask(classes=5), "voc")
    write_stages(zf, "zf", DetectionTask(classes=5), "voc", force=True)
    assert "num_classes\\': 5" in (zf / "stage1_rpn_train.pt").read_text()
