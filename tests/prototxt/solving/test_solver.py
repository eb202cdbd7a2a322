"""A solver's run: what it tells, stops at, and goes on from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.export.net_params import params_of, write_weights
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.solving.policies import SolverError
from recaffe.prototxt.solving.progress import Progress, Record, Score
from recaffe.prototxt.solving.requests import Request, SignalRequests
from recaffe.prototxt.solving.snapshot import Snapshot
from recaffe.prototxt.solving.solver import Solver

NET = """
  layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
    shape { dim: 4 dim: 3 dim: 5 dim: 6 } shape { dim: 4 } data_filler { type: "gaussian" } data_filler { value: 1 } } }
  layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3
    bias_term: false weight_filler { type: "xavier" } } }
  layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" include { phase: TRAIN } }
  layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" include { phase: TEST } }
  layer { name: "drop" type: "Dropout" bottom: "bn" top: "drop" }
  layer { name: "fc" type: "InnerProduct" bottom: "drop" top: "fc" inner_product_param { num_output: 5
    weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }
  layer { name: "accuracy" type: "Accuracy" bottom: "fc" bottom: "label" top: "accuracy" include { phase: TEST } }"""
TEXT = f'base_lr: 0.1 lr_policy: "fixed" momentum: 0.9 snapshot_prefix: "s" random_seed: 5 net_param {{ {NET} }}\n'
TESTS = "test_iter: 3 test_interval: 2"


def make(folder: Path, more: str = "", **settings: Any) -> tuple[Solver, list[Record]]:
    told: list[Record] = []
    return Solver.from_prototxt(f"{TEXT}{more}\n", folder=folder, tell=told.append, **settings), told


def state(solver: Solver) -> list[bytes]:
    """All bits that training changes."""
    tensors = [*solver.nets.params, *solver.updates.histories]
    return [tensor.detach().numpy().tobytes() for tensor in tensors]


def kinds(told: list[Record]) -> list[str]:
    return [f"{type(record).__name__} {record.iter}" for record in told]


def test_a_run(tmp_path: Path) -> None:
    solver, told = make(tmp_path, f"max_iter: 5 snapshot: 2 display: 2 {TESTS} test_compute_loss: true")
    assert solver.solve()
    assert kinds(told) == [
        "Score 0",
        "Progress 0",
        "Snapshot 2",
        "Score 2",
        "Progress 2",
        "Snapshot 4",
        "Score 4",
        "Progress 4",
        "Snapshot 5",
    ]
    progress, score, snapshot = told[1], told[0], told[2]
    assert isinstance(progress, Progress)
    assert progress.loss == progress.smoothed_loss == progress.outputs["loss"].item()
    assert progress.lr == pytest.approx(0.1)
    assert isinstance(score, Score)
    assert (score.net, list(score.outputs)) == (0, ["accuracy", "loss"])
    assert score.loss == pytest.approx(score.outputs["loss"].item())
    assert isinstance(snapshot, Snapshot)
    names = [path.name for path in (snapshot.weights, snapshot.places, snapshot.state)]
    assert names == ["s_iter_2.caffemodel", "s_iter_2.resume.npz", "s_iter_2.solverstate"]
    assert sorted(path.name for path in tmp_path.iterdir() if "iter_2" in path.name) == sorted(names)


def test_the_end_is_told_where_display_and_test_fall_on_it(tmp_path: Path) -> None:
    solver, told = make(
        tmp_path, f"max_iter: 4 display: 4 {TESTS} test_initialization: false snapshot_after_train: false"
    )
    assert solver.solve()
    assert kinds(told) == ["Progress 0", "Score 2", "Progress 4", "Score 4"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format_", ["BINARYPROTO", "HDF5"])
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_a_resumed_run_is_the_unbroken_one_bit_for_bit(kind: str, format_: str, tmp_path: Path) -> None:
    more = f'type: "{kind}" max_iter: 7 snapshot: 4 iter_size: 2 average_loss: 3 {TESTS} snapshot_format: {format_}'
    whole, told = make(tmp_path, more)
    whole.solve()
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    resumed, _ = make(tmp_path, more)
    assert resumed.restore(next(tmp_path.glob("s_iter_4.solverstate*"))) == []
    resumed.solve()
    assert state(resumed) == state(whole)
    assert resumed.last.smoothed_loss == whole.last.smoothed_loss
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files
    scores = [record for record in told if isinstance(record, Score)]
    again: list[Record] = []
    resumed.tell = again.append
    resumed.restore(next(tmp_path.glob("s_iter_4.solverstate*")))
    resumed.test()
    assert isinstance(again[0], Score)
    assert again[0].outputs["loss"] == scores[2].outputs["loss"]


SCRIPT = """
import sys
import torch
from recaffe.prototxt.solving.solver import Solver
torch.set_num_threads(2)
solver = Solver.from_prototxt(sys.argv[1], folder=sys.argv[2], tell=lambda record: print(record.iter, flush=True))
solver.solve()
"""


def test_killed_at_any_moment_it_goes_on_from_its_last_snapshot(tmp_path: Path) -> None:
    more = "snapshot: 1 max_iter: 100000\n"
    command = [sys.executable, "-c", SCRIPT, TEXT + more, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(5):
            told = int(process.stdout.readline())
        time.sleep(0.0137)
        process.kill()
        told = max([told, *(int(line) for line in process.stdout if line.strip())])
    states = {int(path.stem.rpartition("_")[2]): path for path in tmp_path.glob("s_iter_*.solverstate")}
    assert max(states) >= told
    resumed, _ = make(tmp_path, more)
    assert resumed.restore(states[max(states)]) == []
    assert resumed.iter == max(states)
    resumed.step(2)
    whole, _ = make(tmp_path, "snapshot_after_train: false")
    whole.step(max(states) + 2)
    assert state(resumed) == state(whole)


def test_signals(tmp_path: Path) -> None:
    solver, told = make(tmp_path, "max_iter: 50 display: 1")
    raised = {2: signal.SIGHUP, 5: signal.SIGINT}

    def tell(record: Record) -> None:
        told.append(record)
        if isinstance(record, Progress) and record.iter in raised:
            os.kill(os.getpid(), raised.pop(record.iter))

    solver.tell = tell
    with SignalRequests() as requests:
        solver.requests = requests.take
        assert not solver.solve()
    assert [kind for kind in kinds(told) if kind.startswith("Snap")] == ["Snapshot 3", "Snapshot 6"]
    assert (solver.iter, solver.stopped) == (6, True)
    solver.requests = lambda: Request.NONE
    solver.step(1)
    assert (solver.iter, solver.stopped) == (7, False)


def test_a_test_can_be_stopped_too(tmp_path: Path) -> None:
    solver, told = make(tmp_path, f"max_iter: 4 {TESTS}")
    asked = iter([Request.NONE, Request.SNAPSHOT, Request.NONE, Request.STOP, Request.NONE])
    solver.requests = lambda: next(asked)
    assert not solver.solve()
    assert kinds(told) == ["Snapshot 0", "Snapshot 0"]


def test_test_nets_see_what_was_learnt(tmp_path: Path) -> None:
    solver, _ = make(tmp_path, f"{TESTS} test_initialization: false")
    test = solver.test_nets[0]
    before = [blob["loss"] for blob in (test(data=np.ones((4, 3, 5, 6)), label=np.ones(4)),)]
    solver.step(1)
    with torch.no_grad():
        after = test(data=np.ones((4, 3, 5, 6)), label=np.ones(4))["loss"]
        test.folding = False
        plain = test(data=np.ones((4, 3, 5, 6)), label=np.ones(4))["loss"]
    assert after != before[0]
    assert after.item() == pytest.approx(plain.item(), rel=1e-5)


def test_forwards_are_fed_by_their_number(tmp_path: Path) -> None:
    asked: list[int] = []

    def feed(number: int) -> dict[str, np.ndarray]:
        asked.append(number)
        return {"data": np.full((4, 3, 5, 6), number, np.float32), "label": np.ones(4, np.float32)}

    solver, _ = make(tmp_path, f"iter_size: 2 {TESTS}", feed=feed, test_feeds=[feed])
    solver.step(2)
    assert asked == [0, 1, 2, 0, 1, 2, 3]


def test_step_begins_the_smoothed_loss_anew(tmp_path: Path) -> None:
    solver, told = make(tmp_path, "average_loss: 10 display: 1")
    solver.step(2)
    solver.step(1)
    first, second, third = (record for record in told if isinstance(record, Progress))
    assert second.smoothed_loss == pytest.approx((first.loss + second.loss) / 2)
    assert third.smoothed_loss == third.loss


def test_params_may_be_loaded_at_any_time(tmp_path: Path) -> None:
    other = Net.from_prototxt(NET, "TRAIN", seed=6)
    write_weights(tmp_path / "a.caffemodel", other, params_of(other))
    solver, _ = make(tmp_path, TESTS)
    solver.step(1)
    solver.net.load(tmp_path / "a.caffemodel")
    for history in solver.updates.histories:
        history.zero_()
    solver.step(1)
    (learnt, tested), loaded = (net.layer("conv").params[0] for net in (solver.net, solver.test_nets[0])), other
    assert torch.equal(learnt, tested)
    assert 0 < (learnt - loaded.layer("conv").params[0]).abs().max() < 0.1


def test_a_solver_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    Path("old.prototxt").write_text(
        'net: "net.prototxt" base_lr: 1 lr_policy: "fixed" solver_type: ADAM debug_info: true'
    )
    solver = Solver.from_prototxt("old.prototxt")
    assert (solver.param.type, solver.param.snapshot_prefix, len(solver.updates.histories)) == ("Adam", "old", 12)
    assert solver.notes == ["debug_info does nothing here"]
    with pytest.raises(SolverError, match=r"^old\.prototxt: has no max_iter, so it is unknown when to stop: set it"):
        solver.solve()


def test_a_loss_that_is_no_number_ends_the_training(tmp_path: Path) -> None:
    solver, _ = make(tmp_path)
    solver.step(2)
    solver.net.layer("fc").params[1].data[3] = torch.nan
    before = state(solver)
    with pytest.raises(SolverError) as error:
        solver.step(1)
    assert str(error.value) == (
        "the solver: iteration 2: the loss is nan; the first that is not finite is param 1 of <net_param>: layer 'fc' "
        "(InnerProduct) (a lower base_lr or clip_gradients may help; allow_nonfinite goes on)"
    )
    after = state(solver)
    assert solver.iter == 2
    assert [*after[:1], *after[4:]] == [*before[:1], *before[4:]]  # the rest are statistics, which are the forward's
    solver.allow_nonfinite = True
    solver.step(1)
    assert solver.iter == 3


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('lr_policy: "fixd"', "the solver: has the lr_policy 'fixd'; did you mean 'fixed'? there are fixed, step, exp, "
         "inv, multistep, poly, sigmoid, plateau"),
        ("average_loss: 0", "the solver: has the average_loss 0: it must be 1 or more"),
        ('train_net: "x"', "the solver: has net_param and train_net: give exactly one of net, net_param, train_net, "
         "train_net_param"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(more: str, message: str, tmp_path: Path) -> None:
    text = TEXT.replace('lr_policy: "fixed"', "") if "lr_policy" in more else TEXT
    with pytest.raises(PrototxtError) as error:
        Solver.from_prototxt(f"{text}{more}\n", folder=tmp_path)
    assert str(error.value) == message


def test_feeds_for_all_test_nets_or_none(tmp_path: Path) -> None:
    with pytest.raises(SolverError, match=r"^the solver: has 1 test nets, and 2 test_feeds for them$"):
        make(tmp_path, TESTS, test_feeds=[lambda number: {}] * 2)


def test_half_precision(tmp_path: Path) -> None:
    losses = {}
    for half in (False, True):
        solver, told = make(tmp_path, "max_iter: 8 display: 1")
        if half:
            solver.precision = torch.autocast("cpu", torch.bfloat16)
        seen = []
        solver.net.layer("fc").register_forward_hook(lambda *call, seen=seen: seen.append(call[2][0].dtype))
        assert solver.solve()
        assert set(seen[:-1]) == {torch.bfloat16 if half else torch.float32}
        assert all(record.outputs["loss"].dtype == torch.float32 for record in told if isinstance(record, Progress))
        assert all(param.dtype == torch.float32 for param in solver.nets.params)
        losses[half] = [record.loss for record in told if isinstance(record, Progress)]
    assert losses[True] != losses[False]
    assert losses[True] == pytest.approx(losses[False], rel=0.02)
