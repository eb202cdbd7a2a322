from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.prototxt.solving.solver import Solver
from recaffe.prototxt.text.config import Config
from recaffe.tools.datasets.errors import DataError
from recaffe.tools.datasets.feeding import Minibatches, feed_solver
from recaffe.tools.datasets.roidb import Roidb, chosen

from .conftest import close, config_of

Make = Callable[[str], tuple[Roidb, Roidb, Config]]
Load = Callable[[str], dict[str, Any]]
FILES = {"rpn_grouped": "gt", "rpn_scales": "gt", "fast_plain": "fast_plain"} | {
    "fast_agnostic_means": "fast_agnostic_means"
}


def batches_of(name: str, roidb_of: Make, golden: Load, **keywords: Any) -> tuple[dict[str, Any], Minibatches]:
    """A file of minibatches, and what is to give the same."""
    file = golden(f"minibatches_{name}")
    rng = np.random.RandomState(int(file["rng_seed"]))
    return file, Minibatches(roidb_of(FILES[name])[1], config_of(file), rng, **keywords)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("name", FILES)
def test_they_are_the_originals(name: str, workers: int, roidb_of: Make, golden: Load) -> None:
    file, batches = batches_of(name, roidb_of, golden, workers=workers)
    assert len(batches.roidb.entries) == file["images"]
    assert np.array_equal(batches.order.numbers, file["first_perm"])
    for k in range(int(file["count"])):
        blobs = dict(batches())
        at, count = batches.order.at, batches.order.per_batch
        assert np.array_equal(batches.order.numbers[at - count : at], file[f"{k}/db_inds"])
        compare_data(blobs.pop("data"), file, k)
        tops = {key.partition("/")[2] for key in file if key.startswith(f"{k}/")}
        assert set(blobs) == {top for top in tops if not top.startswith(("data", "db_inds"))}
        for top, blob in blobs.items():
            want = file[f"{k}/{top}"]
            assert close(blob, want.reshape(want.shape[:2] if want.ndim == 4 and top != "labels" else blob.shape))
            if top == "labels":
                assert np.array_equal(blob, want.ravel())
    assert np.array_equal(batches.rng.randint(0, 2**31 - 1, 4), file["rng_after"])
    batches.close()


def compare_data(data: Any, file: dict[str, Any], k: int) -> None:
    assert data.shape == tuple(file[f"{k}/data_shape"])
    most = np.abs(data).max()
    assert np.abs(data.reshape(-1)[file[f"{k}/data_at"]] - file[f"{k}/data_values"]).max() <= 1e-5 * most
    assert abs(data.sum(dtype=np.float64) - file[f"{k}/data_sum"]) <= 1e-5 * most * data.size
    if f"{k}/data" in file:
        assert close(data, file[f"{k}/data"], 1e-5)


@pytest.mark.parametrize("prefetch", [False, True])
def test_they_go_on_from_a_place(prefetch: bool, roidb_of: Make) -> None:
    _, roidb, config = roidb_of("fast_plain")
    config = config.with_flat({"TRAIN.USE_PREFETCH": prefetch})
    one, other = (Minibatches(roidb, config, np.random.RandomState(3), workers) for workers in (2, 1))
    for _ in range(12):
        one()
    place = {key: np.array(value) for key, value in one.place().items()}
    other.rng.set_state(one.rng.get_state())
    other.return_to(place)
    for _ in range(12):
        a, b = one(), other()
        assert all(np.array_equal(a[name], b[name]) for name in a)
    for batches in (one, other):
        batches.close()


def test_other_data_are_refused(roidb_of: Make) -> None:
    _, roidb, config = roidb_of("fast_plain")
    place = Minibatches(roidb, config, np.random.RandomState(3), workers=0).place()
    moved = replace(roidb.entries[5], boxes=roidb.entries[5].boxes + np.float32(1))
    other = replace(roidb, entries=(*roidb.entries[:5], moved, *roidb.entries[6:]))
    with pytest.raises(LayerError, match="stood among other data: the pictures, their boxes or their order"):
        Minibatches(other, config, np.random.RandomState(3), workers=0).return_to(place)


def test_prefetching_has_the_originals_other_draws(roidb_of: Make) -> None:
    _, roidb, config = roidb_of("gt")
    count, drawn = len(roidb.entries), np.random.RandomState(9)
    config = config.with_flat({"TRAIN.USE_PREFETCH": True, "TRAIN.ASPECT_GROUPING": False, "RNG_SEED": 21})
    batches = Minibatches(roidb, config, np.random.RandomState(9), workers=0)
    drawn.permutation(count)
    assert np.array_equal(batches.order.numbers, drawn.permutation(count))
    for _ in range(count):
        batches()
    assert np.array_equal(batches.order.numbers, np.random.RandomState(21).permutation(count))
    assert batches.rng.randint(1000) == np.random.RandomState(21).randint(1000)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"TRAIN.IMS_PER_BATCH": 2}, "an RPN trains on one picture at a time: set TRAIN.IMS_PER_BATCH to 1, not 2"),
        ({"TRAIN.HAS_RPN": False}, "the regions have no box targets: see with_targets, or set TRAIN.BBOX_REG to False"),
    ],
)
def test_settings_that_cannot_be(changes: dict[str, Any], told: str, roidb_of: Make) -> None:
    _, roidb, config = roidb_of("gt")
    with pytest.raises(DataError) as error:
        Minibatches(roidb, config.with_flat(changes), np.random.RandomState(3))
    assert str(error.value) == told
    with pytest.raises(DataError, match="there is no picture to train on"):
        Minibatches(chosen(roidb, ()), config, np.random.RandomState(3))


TRAIN = """
name: "fed"
layer { name: "data" type: "Python" top: "data" top: "im_info" top: "gt_boxes"
  python_param { module: "roi_data_layer.layer" layer: "RoIDataLayer" param_str: "'num_classes': %d" } }
layer { name: "shrink" type: "Pooling" bottom: "data" top: "small" pooling_param { pool: AVE global_pooling: true } }
layer { name: "fc" type: "InnerProduct" bottom: "small" top: "fc"
  inner_product_param { num_output: 3 weight_filler { type: "gaussian" std: 0.001 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "fc" bottom: "im_info" top: "loss" }
layer { name: "nothing" type: "Silence" bottom: "gt_boxes" }
"""


def solver(folder: Path, config: Config, classes: int = 4) -> Solver:
    (folder / "train.prototxt").write_text(TRAIN % classes)
    text = 'train_net: "train.prototxt" base_lr: 1e-7 lr_policy: "fixed" snapshot_prefix: "s" random_seed: 1\n'
    return Solver.from_prototxt(text, config=config, folder=folder)


def test_a_solver_is_fed_and_resumed(tmp_path: Path, roidb_of: Make) -> None:
    _, roidb, config = roidb_of("gt")
    config = config.with_flat({"TRAIN.BBOX_NORMALIZE_TARGETS_PRECOMPUTED": True})
    whole = solver(tmp_path, config)
    feed_solver(whole, roidb)
    whole.step(20)
    snapshot = whole.snapshot()
    whole.step(10)
    resumed = solver(tmp_path, config)
    feed_solver(resumed, roidb)
    assert resumed.restore(snapshot.state) == []
    resumed.step(10)
    assert resumed.last.loss == whole.last.loss
    assert np.array_equal(resumed.net.layer("fc").params[0].detach(), whole.net.layer("fc").params[0].detach())


def test_targets_that_cannot_be_measured_are_refused(tmp_path: Path, roidb_of: Make) -> None:
    _, roidb, config = roidb_of("gt")
    with pytest.raises(DataError, match="box targets cannot be measured where an RPN proposes the regions"):
        feed_solver(solver(tmp_path, config), roidb)


def test_a_net_for_other_classes_is_refused(tmp_path: Path, roidb_of: Make) -> None:
    _, roidb, config = roidb_of("gt")
    told = "the net's data layer has num_classes 21, the data have 4 with the background"
    with pytest.raises(DataError, match=told):
        feed_solver(solver(tmp_path, config, 21), roidb)
