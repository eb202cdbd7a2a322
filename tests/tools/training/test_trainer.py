"""Training as the originals' SolverWrapper: the same pictures, losses and snapshots, and resuming to the same bits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from recaffe.golden.compare import compare_blob
from recaffe.prototxt.caffe_pb2 import SolverParameter
from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.net import Allow
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.solving.progress import Progress, Record
from recaffe.prototxt.solving.solver import Solver
from recaffe.prototxt.text.config import Config
from recaffe.prototxt.text.read import parse
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.datasets.box_targets import with_targets
from recaffe.tools.datasets.proposals import with_proposals
from recaffe.tools.datasets.roidb import Roidb, chosen, truth_roidb, usable, with_flips
from recaffe.tools.training.trainer import BoxHead, feed_detector, resume

DETECTION = Path(__file__).parents[3] / "golden" / "fixtures" / "detection"
LOSSES, PARAMS = 1e-3, 1e-3
Golden = Mapping[str, NDArray[Any]]


def golden(name: str) -> dict[str, NDArray[Any]]:
    with np.load(DETECTION / "snapshots" / f"{name}.npz") as file:
        return dict(file)


def config_of(file: Golden) -> Config:
    changes = json.loads(str(file["cfg"]))
    return Config.default("rfcn" if "TRAIN.AGNOSTIC" in changes else "frcnn").with_flat(changes)


def roidb_of(file: Golden) -> Roidb:
    config, roidb = (
        config_of(file),
        truth_roidb(VocSet(DETECTION / "VOCdevkit2007", "trainval", file["classes"][1:].tolist())),
    )
    if not config["TRAIN.HAS_RPN"]:
        with np.load(DETECTION / "roidb_fast_means.npz") as proposed:
            roidb = with_proposals(roidb, [proposed[f"proposals/{i}"] for i in range(len(roidb.entries))])
    roidb = with_flips(roidb)
    return with_targets(chosen(roidb, usable(roidb, config)), config)


def solver_of(name: str, file: Golden, folder: Path, told: list[Record]) -> Solver:
    """The originals' solver, with its snapshots in a folder of ours."""
    param = parse(str(file["solver"]), SolverParameter())
    param.train_net = str(DETECTION / "nets" / f"{name}.prototxt")
    param.snapshot_prefix, param.display = str(folder / Path(str(file["snapshot"])).name.partition("_iter_")[0]), 1
    solver = Solver(param, config=config_of(file), tell=told.append)
    solver.net.load(
        DETECTION / "nets" / ("rfcn.caffemodel" if "rfcn" in name else "frcnn.caffemodel"), allow=Allow(unused=True)
    )
    solver.net.rng.seed(int(file["rng_seed"]))
    return solver


@pytest.mark.parametrize("name", ["frcnn_end2end", "fast_rcnn"])
def test_five_steps_are_the_originals(name: str, tmp_path: Path) -> None:
    file, told = golden(name), list[Record]()
    solver = solver_of(name, file, tmp_path, told)
    batches = feed_detector(solver, roidb_of(file))
    numbers = batches.order.numbers[: file["db_inds"].size]
    assert numbers.tolist() == file["db_inds"].flatten().tolist()
    solver.step(5)
    have = [[float(p.outputs[output]) for output in file["outputs"]] for p in told if isinstance(p, Progress)]
    assert compare_blob("loss", file["loss"], np.array(have, file["loss"].dtype), LOSSES).ok
    snapshot = solver.snapshot()
    batches.close()
    assert snapshot.weights.name == str(file["snapshot"])
    theirs, ours = (read_weights(p) for p in (DETECTION / "snapshots" / str(file["snapshot"]), snapshot.weights))
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    for want, mine in zip(theirs.layers, ours.layers, strict=True):
        for index, blob in want.blobs.items():
            result = compare_blob(f"{want.name}/{index}", blob.tensor().numpy(), mine.blobs[index].tensor(), PARAMS)
            assert result.ok, str(result)
    for key in (key for key in file if key.startswith("before/")):
        layer, _, index = key.removeprefix("before/").rpartition("/")
        result = compare_blob(key, file[key], solver.net.layer(layer).params[int(index)], PARAMS)
        assert result.ok, f"the net's own values are others after the snapshot: {result}"


@pytest.mark.parametrize("measured", [True, False])
def test_every_box_head_is_saved_without_its_normalisation(measured: bool) -> None:
    name = "rfcn_aware_rpn_normalized"
    file = golden(name)
    net = Net.from_prototxt(DETECTION / "nets" / f"{name}.prototxt", "TRAIN", config=config_of(file))
    before = {tuple(key.removeprefix("before/").rsplit("/", 1)): file[key] for key in file if key.startswith("before/")}
    net.fill({(layer, int(index)): torch.from_numpy(value.copy()) for (layer, index), value in before.items()})
    means, stds = (file[key].reshape(-1, 4) if measured else None for key in ("means", "stds"))
    head = BoxHead(net, Roidb(("__background__", "a", "b", "c"), (), means, stds))
    saved = {(layer.name, str(i)): param.array() for layer in head.saved(net) for i, param in enumerate(layer.params)}
    for place in before:
        # Without means of the head's targets the RPN's alone are undone, as where it is trained by itself.
        changed = measured or place[0] == "rpn_bbox_pred"
        want = file[f"{'after' if changed else 'before'}/{'/'.join(place)}"]
        result = compare_blob("/".join(place), want, saved[place], 1e-6)
        assert result.ok, str(result)


def test_a_resumed_training_gives_the_same_bits(tmp_path: Path) -> None:
    file = golden("frcnn_end2end")
    straight = solver_of("frcnn_end2end", file, tmp_path, [])
    feed_detector(straight, roidb_of(file))
    straight.step(2)
    state = straight.snapshot().state
    straight.step(3)
    again = solver_of("frcnn_end2end", file, tmp_path, [])
    feed_detector(again, roidb_of(file))
    assert resume(again, str(state)) == []
    again.step(3)
    for mine, theirs in zip(again.net.parameters(), straight.net.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_an_old_machines_snapshot_is_normalised_again(tmp_path: Path) -> None:
    file = golden("frcnn_end2end")
    solver = solver_of("frcnn_end2end", file, tmp_path, [])
    feed_detector(solver, roidb_of(file))
    before = [param.detach().clone() for param in solver.net.layer("bbox_pred").params]
    done = solver.snapshot()
    done.places.unlink()
    missing, normalised = resume(solver, str(done.state))
    assert missing.endswith("is missing: random numbers and data begin anew, as in Caffe")
    assert normalised == "the box layers were taken as snapshots have them, and their targets' normalisation put back"
    for mine, want in zip(solver.net.layer("bbox_pred").params, before, strict=True):
        torch.testing.assert_close(mine.detach(), want, rtol=1e-6, atol=1e-7)
