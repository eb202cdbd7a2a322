"""Two processes that train one net: the numbers of one process, the same bits after a snapshot, no one left waiting.

The processes run this file as a program: `python test_ranks.py JOB FOLDER`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.solving.policies import SolverError
from recaffe.prototxt.solving.progress import Progress, Record
from recaffe.prototxt.solving.ranks import OthersFailedError, Ranks, joined
from recaffe.prototxt.solving.requests import Request
from recaffe.prototxt.solving.resume import Resumable, Taken, ranks_in
from recaffe.prototxt.solving.solver import Solver

DATA = Path(__file__).parents[3] / "golden" / "fixtures" / "data_layers"
CROP = "transform_param { mirror: true crop_size: 9 }"
BOTH = 'top: "data" top: "label"'
LEARN = """
  layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3
    weight_filler { type: "xavier" } } }
  layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc" inner_product_param { num_output: 13
    weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss"
    loss_param { ignore_label: -2 } }"""
DRAWN = """
  layer { name: "d" type: "DummyData" top: "data" top: "label" dummy_data_param { shape { dim: 4 dim: 3 dim: 5 dim: 6 }
    shape { dim: 4 } data_filler { type: "gaussian" } data_filler { value: 1 } } }
  layer { name: "drop" type: "Dropout" bottom: "data" top: "data" }"""
FED = """
  layer { name: "d" type: "Input" top: "data" top: "label" input_param { shape { dim: 4 dim: 3 dim: 5 dim: 6 }
    shape { dim: 4 } } }"""
NORMAL = """
  layer { name: "norm" type: "BatchNorm" bottom: "data" top: "data" }"""
SOURCES = {
    "fed": FED,
    "images": f"""layer {{ name: "d" type: "ImageData" {BOTH} {CROP} image_data_param {{ source: "inputs/list.txt"
      root_folder: "inputs/images/" batch_size: 2 new_height: 20 new_width: 24 shuffle: true }} }}""",
    "database": f"""layer {{ name: "d" type: "Data" {BOTH} {CROP} data_param {{ source: "inputs/raw_lmdb" backend: LMDB
      batch_size: 3 }} }}""",
    "windows": f"""layer {{ name: "d" type: "WindowData" {BOTH} {CROP} window_data_param {{ batch_size: 4
      source: "inputs/win/many.txt" }} }}""",
    "rows": f"""layer {{ name: "d" type: "HDF5Data" {BOTH} hdf5_data_param {{ source: "inputs/h5_two.txt" batch_size: 4
      shuffle: true }} }}""",
}
Bits = dict[str, NDArray[Any]]


def feed(number: int) -> dict[str, NDArray[Any]]:
    rng = np.random.RandomState(number)
    return {"data": rng.randn(4, 3, 5, 6).astype(np.float32), "label": rng.randint(0, 5, 4)}


def make(layers: str, folder: Path, ranks: Ranks, more: str = "", **settings: Any) -> tuple[Solver, list[Record]]:
    told: list[Record] = []
    text = f'base_lr: 0.01 lr_policy: "fixed" momentum: 0.9 weight_decay: 0.01 random_seed: 5 display: 1 {more}'
    text += f' snapshot_prefix: "{folder}/s" net_param {{ {layers} {LEARN} }}\n'
    return Solver.from_prototxt(text, folder=DATA, ranks=ranks, tell=told.append, **settings), told


def bits(solver: Solver) -> Bits:
    tensors = [*solver.nets.params, *solver.updates.histories]
    return {str(i): tensor.detach().numpy() for i, tensor in enumerate(tensors)}


def train_all(folder: Path, ranks: Ranks) -> None:
    """Each net for some iterations that take the same minibatches, however many ranks there are."""
    for name, layers in SOURCES.items():
        more = f"average_loss: 3 iter_size: {4 // ranks.count}"
        solver, told = make(layers, folder, ranks, more, feed=feed if name == "fed" else None)
        solver.step(6)
        losses = [(record.loss, record.smoothed_loss) for record in told if isinstance(record, Progress)]
        np.savez(folder / f"{name}_{ranks.rank}.npz", losses=losses, **bits(solver))


def break_and_go_on(folder: Path, ranks: Ranks) -> None:
    """Every rank draws numbers of its own, and has them again after a snapshot."""
    test = "test_iter: 2 test_interval: 2 max_iter: 6 snapshot: 3"
    whole, _ = make(DRAWN, folder, ranks, test)
    whole.solve()
    np.savez(folder / f"whole_{ranks.rank}.npz", **bits(whole))
    resumed, told = make(DRAWN, folder, ranks, test)
    notes = resumed.restore(folder / "s_iter_3.solverstate")
    resumed.solve()
    np.savez(folder / f"resumed_{ranks.rank}.npz", **bits(resumed))
    kinds = [f"{type(record).__name__} {record.iter}" for record in told]
    places = {key: value for key, value in whole.resumables["train"].place().items() if key in ("torch", "numpy/keys")}
    np.savez(folder / f"told_{ranks.rank}.npz", notes=np.array(notes, "U"), kinds=np.array(kinds, "U"), **places)


def stop(folder: Path, ranks: Ranks) -> None:
    """Rank 1 is asked for a snapshot, then to stop; rank 0 is asked for one while it tests."""
    asked = {0: [Request.SNAPSHOT], 1: [Request.NONE, Request.SNAPSHOT, Request.NONE, Request.STOP]}[ranks.rank]
    solver, told = make(FED, folder, ranks, "max_iter: 9 test_iter: 1 test_interval: 9", feed=feed, test_feeds=[feed])
    solver.requests = lambda: asked.pop(0) if asked else Request.NONE
    done = solver.solve()
    kinds = [f"{type(record).__name__} {record.iter}" for record in told]
    np.savez(folder / f"stopped_{ranks.rank}.npz", done=done, iter=solver.iter, kinds=np.array(kinds, "U"))


def fail(folder: Path, ranks: Ranks) -> None:
    """Rank 1 fails in its third minibatch, or is killed."""

    def failing(number: int) -> dict[str, NDArray[Any]]:
        if number == 5 and folder.name == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        return {} if number == 5 else feed(number)

    make(FED, folder, ranks, feed=failing)[0].step(9)


def normalise(folder: Path, ranks: Ranks) -> None:
    """A net with batch statistics, on twelve minibatches however many ranks there are."""
    solver, _ = make(FED + NORMAL, folder, ranks, f"iter_size: {3 // ranks.count}", feed=feed)
    solver.step(4)
    solver.snapshot()
    np.savez(folder / f"normal_{ranks.rank}.npz", **bits(solver))


JOBS = {"all": (train_all, break_and_go_on, stop), "normalise": (normalise,), "fail": (fail,)}


def run_ranks(job: str, folder: Path, count: int = 2) -> list[tuple[int, str]]:
    """Run some ranks of a job: their exit statuses, and what they say of errors."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    given = {**os.environ, "WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    command = [sys.executable, __file__, job, str(folder)]
    started = [
        subprocess.Popen(command, env={**given, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(count)
    ]
    told = [process.communicate(timeout=120)[1] for process in started]
    return list(zip((process.returncode for process in started), told, strict=True))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two ranks did, in one run for all tests that look at it."""
    folder = tmp_path_factory.mktemp("two")
    assert run_ranks("all", folder) == [(0, ""), (0, "")]
    return folder


def read(path: Path) -> Bits:
    with np.load(path) as file:
        return dict(file)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    train_all(folder, Ranks())
    return folder


@pytest.mark.parametrize("name", SOURCES)
def test_two_ranks_are_one_process_of_twice_the_iter_size(name: str, trained: Path, alone: Path) -> None:
    one, first, second = read(alone / f"{name}_0.npz"), read(trained / f"{name}_0.npz"), read(trained / f"{name}_1.npz")
    assert len(first["losses"]) == 6
    assert len(second.pop("losses")) == 0  # rank 0 tells
    for key, want in one.items():
        np.testing.assert_allclose(first[key], want, rtol=0, atol=1e-5 * np.abs(want).max(), err_msg=key)
    assert all(np.array_equal(first[key], value) for key, value in second.items())


def test_three_ranks_have_batch_statistics_each_of_its_own(tmp_path: Path) -> None:
    for folder in (tmp_path / "one", tmp_path / "three"):
        folder.mkdir()
    normalise(tmp_path / "one", Ranks())
    assert [status for status, _ in run_ranks("normalise", tmp_path / "three", 3)] == [0, 0, 0]
    one = dict(np.load(tmp_path / "one" / "normal_0.npz"))
    three = [dict(np.load(tmp_path / "three" / f"normal_{rank}.npz")) for rank in range(3)]
    statistics = {"0", "1", "2"}
    for key, want in one.items():
        for mine in three if key not in statistics else ():
            np.testing.assert_allclose(mine[key], want, rtol=0, atol=1e-5 * float(np.abs(want).max()))
    assert not any(np.array_equal(three[0]["0"], mine["0"]) for mine in three[1:])
    saved = next(layer for layer in read_weights(tmp_path / "three" / "s_iter_4.caffemodel").layers if layer.blobs)
    for index, blob in saved.blobs.items():
        assert np.array_equal(blob.tensor().numpy(), three[0][str(index)])


def test_a_snapshot_holds_every_ranks_place(trained: Path) -> None:
    for rank in range(2):
        whole, resumed = read(trained / f"whole_{rank}.npz"), read(trained / f"resumed_{rank}.npz")
        assert {key: value.tobytes() for key, value in whole.items()} == {k: v.tobytes() for k, v in resumed.items()}
    first, second = read(trained / "told_0.npz"), read(trained / "told_1.npz")
    assert [list(told["notes"]) for told in (first, second)] == [[], []]
    assert list(second["kinds"]) == []
    assert list(first["kinds"]) == [
        "Progress 3", "Score 4", "Progress 4", "Progress 5", "Snapshot 6", "Progress 6", "Score 6",
    ]  # fmt: skip
    for generator in ("torch", "numpy/keys"):
        assert not np.array_equal(first[generator], second[generator])
    places = trained / "s_iter_3.resume.npz"
    assert ranks_in(places) == 2
    assert [key for key in read(places) if key.startswith("rank 1/")] == [
        "rank 1/train/torch",
        "rank 1/train/numpy/keys",
    ]


def test_another_number_of_ranks_goes_on_with_new_random_numbers(trained: Path, tmp_path: Path) -> None:
    solver, _ = make(DRAWN, tmp_path, Ranks())
    places = trained / "s_iter_3.resume.npz"
    line = f"{places}: is of 2 rank(s), and here are 1: random numbers begin anew"
    begun = solver.net.generator.get_state()
    assert solver.restore(trained / "s_iter_3.solverstate")[-1] == line
    assert torch.equal(solver.net.generator.get_state(), begun)
    assert solver.iter == 3


def test_a_request_to_one_rank_is_one_to_all(trained: Path) -> None:
    first, second = read(trained / "stopped_0.npz"), read(trained / "stopped_1.npz")
    assert [(bool(told["done"]), int(told["iter"])) for told in (first, second)] == [(False, 4)] * 2
    assert [kind for kind in first["kinds"] if kind.startswith("Snap")] == ["Snapshot 1", "Snapshot 2", "Snapshot 4"]


@pytest.mark.parametrize(
    ("how", "lines"),
    [
        ("fails", ["", "SolverError: net '' was not given data (4×3×5×6), label (4)\n"]),
        ("killed", ["SolverError: rank 0 of 2: lost another rank, which was killed or did not answer: ", ""]),
    ],
)
def test_a_rank_that_fails_ends_all_and_one_says_why(how: str, lines: list[str], tmp_path: Path) -> None:
    (tmp_path / how).mkdir()
    found = run_ranks("fail", tmp_path / how)
    assert [status for status, _ in found] == [2, -signal.SIGKILL if how == "killed" else 2]
    for (_, told), line in zip(found, lines, strict=True):
        assert told.startswith(line)
        assert told.count("\n") == bool(line)


def test_a_process_alone_asks_nobody() -> None:
    ranks, taken = Ranks(), Taken({"a": np.arange(3)})
    with joined() as found:
        assert found == ranks
    assert ranks.mean(2.5) == 2.5
    assert ranks.agreed(Request.SNAPSHOT, Request.NONE) is Request.SNAPSHOT
    assert ranks.once(lambda: 7) == 7
    one: dict[str, Resumable] = {"one": taken}
    assert ranks.gathered(one) == one


def main(job: str, folder: Path) -> int:
    torch.set_num_threads(1)
    try:
        with joined() as ranks:
            for work in JOBS[job]:
                work(folder, ranks)
    except OthersFailedError:
        return 2
    except (SolverError, ValueError) as error:
        print(f"SolverError: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1], Path(sys.argv[2]))
    sys.stderr.flush()
    os._exit(status)  # as tools/main.py's `end`, and for its reason
