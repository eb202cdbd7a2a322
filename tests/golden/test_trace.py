"""Traces of Caffe's solvers; and that the runner sees what is wrong."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from recaffe.golden.errors import GoldenError
from recaffe.golden.fixture import Fixture
from recaffe.golden.run import verify
from recaffe.golden.trace import Trace, compare_trace
from recaffe.prototxt.solving.policies import SolverError

SOLVERS = Path(__file__).parents[2] / "golden" / "fixtures" / "solvers"
NAMES = sorted(path.stem for path in SOLVERS.glob("*.npz"))


def changed(name: str, **keys: object) -> Fixture:
    """A fixture with other values in its trace; a key's slashes are written as __."""
    fixture = Fixture.load(SOLVERS / f"{name}.npz")
    trace = fixture.trace | {key.replace("__", "/"): np.asarray(value) for key, value in keys.items()}
    return dataclasses.replace(fixture, trace=trace)


def bad(fixture: Fixture) -> list[str]:
    return [result.key for result in compare_trace(fixture).results if not result.ok]


def test_all_types_of_solvers_are_there() -> None:
    kinds = {
        str(Fixture.load(SOLVERS / f"{name}.npz").trace["solver"]).partition('type: "')[2].partition('"')[0]
        for name in NAMES
    }
    assert kinds == {"SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"}


def test_what_is_compared() -> None:
    report = compare_trace(Fixture.load(SOLVERS / "sgd_step.npz"))
    keys = [result.key for result in report.results]
    assert report.notes == []
    assert keys[:2] == ["trace/loss/0/loss", "trace/params/0/conv/0"]
    assert {key.split("/")[1] for key in keys} == {
        "loss", "lr", "params", "param", "history", "current_step",
        "resumed_history", "resumed_loss", "resumed_lr", "resumed",
        "resumed_h5_history", "resumed_h5_loss", "resumed_h5_lr", "resumed_h5",
    }  # fmt: skip
    assert [result.allowed for result in report.results if result.key == "trace/params/11/fc/1"] == [1e-5]


@pytest.mark.parametrize(
    ("old", "new", "first"),
    [
        ("momentum: 0.9", "momentum: 0.8999", "trace/params/5/conv/0"),
        ("weight_decay: 0.0005", "weight_decay: 0.001", "trace/params/0/conv/0"),
        ("stepsize: 6", "stepsize: 7", "trace/lr"),
        ('type: "SGD"', 'type: "Nesterov"', "trace/params/0/conv/0"),
    ],
)
def test_another_solver_is_seen(old: str, new: str, first: str) -> None:
    text = str(Fixture.load(SOLVERS / "sgd_step.npz").trace["solver"])
    assert old in text
    found = bad(changed("sgd_step", solver=text.replace(old, new)))
    assert first in found


def test_each_expectation_can_fail() -> None:
    fixture = changed(
        "sgd_step",
        loss=np.where(np.arange(12)[:, None] == 3, 1.25, _of("loss")),
        lr=_of("lr") * (1 + 2e-5),
        params__5__fc__1=_of("params/5/fc/1") + np.float32(1e-4),
        param__conv__0=_of("param/conv/0") + np.float32(1e-4),
        history__2=_of("history/2") * np.float32(1.001),
        current_step=np.int64(2),
        resumed__fc__0=_of("resumed/fc/0") + np.float32(1e-4),
        resumed_loss=_of("resumed_loss") + 1e-4,
    )
    both = [
        f"resumed{kind}{key}"
        for kind in ("", "_h5")
        for key in ("_loss/0/loss", "_loss/1/loss", "_loss/2/loss", "_lr", "/fc/0")
    ]
    steps = ["loss/3/loss", "params/5/fc/1", "lr", "param/conv/0", "history/2", "current_step"]
    assert bad(fixture) == [f"trace/{key}" for key in steps + both]


def _of(key: str) -> np.ndarray:
    return Fixture.load(SOLVERS / "sgd_step.npz").trace[key]


def test_steps_that_no_param_or_output_answers_are_missing() -> None:
    fixture = changed("adam", outputs=["lost"], param__no__3=np.zeros(2, np.float32))
    problems = {result.key: result.problem for result in compare_trace(fixture).results if not result.ok}
    assert problems["trace/loss/0/lost"] == "missing"
    assert problems["trace/param/no/3"] == "missing"


def test_without_caffes_snapshot_that_is_told(tmp_path: Path) -> None:
    shutil.copy(SOLVERS / "adam.npz", tmp_path)
    report = verify(Fixture.load(tmp_path / "adam.npz"))
    assert report.ok
    missing = tmp_path / "adam_iter_12.solverstate"
    assert report.notes == [f"{missing} is missing: going on from Caffe's own snapshot was not compared"]


def test_a_trace_is_run_beside_a_forward() -> None:
    fixture = Fixture.load(SOLVERS / "adam.npz")
    bottoms = {blob: fixture.trace[f"bottom/0/{blob}"] for blob in ("data", "label")}
    tops = {"loss": np.array(fixture.trace["loss"][0, 0], np.float32)}
    report = verify(dataclasses.replace(fixture, bottoms=bottoms, tops=tops))
    assert [str(result) for result in report.results if not result.ok] == []
    assert [result.key for result in report.results][:2] == ["top/loss", "trace/loss/0/loss"]


def test_where_caffe_went_no_further_the_next_step_is_ours() -> None:
    fixture = changed("sgd_step")
    kept = {key: value for key, value in fixture.trace.items() if not key.startswith("resumed")}
    report = compare_trace(dataclasses.replace(fixture, trace=kept))
    assert [str(result) for result in report.results if not result.ok] == []
    assert {"trace/resumed/fc/0", "trace/resumed_h5/fc/0"} <= {result.key for result in report.results}


def test_a_net_that_draws_may_differ_more() -> None:
    assert Trace.of(changed("adam", rng_seed=15)).tolerance == 1e-3


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"losses": np.zeros(3)}, "has the key 'trace/losses', which no trace has"),
        ({"params__x__fc__0": np.zeros(3)}, "has the key 'trace/params/x/fc/0', which no trace has"),
    ],
)
def test_unknown_keys_are_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(GoldenError) as error:
        compare_trace(changed("adam", **keys))
    assert str(error.value) == f"{SOLVERS}/adam.npz: {message}"


def test_half_a_trace_is_refused() -> None:
    fixture = Fixture.load(SOLVERS / "adam.npz")
    alone = dataclasses.replace(fixture, trace={"loss": np.zeros((8, 4))})
    with pytest.raises(GoldenError, match=r"lacks the key 'trace/solver': no whole trace$"):
        verify(alone)


def test_a_solver_that_cannot_be_is_refused() -> None:
    with pytest.raises(SolverError, match=r"^its solver: has the lr_policy '';"):
        compare_trace(changed("adam", solver="base_lr: 1"))
