"""Nets cut at golden blobs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from recaffe.golden.diagnosis.pieces import PieceRun, cut, run_pieces
from recaffe.golden.fixture import Fixture
from recaffe.golden.isolate import isolation_of, rng_words
from recaffe.golden.subject import Subject
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
FRCNN = Fixture.load(FIXTURES / "nets" / "frcnn_test.npz")


def filled(fixture: Fixture) -> Net:
    net = Subject().build(fixture)
    Subject().fill(net, fixture)
    return net


def names(net: Net, fixture: Fixture) -> list[list[str]]:
    return [[net.nodes[i].name for i in piece.layers] for piece in cut(net, isolation_of(net, fixture).golden)]


def runs(net: Net, fixture: Fixture) -> dict[str, PieceRun]:
    return {net.nodes[run.piece.layers[0]].name: run for run in run_pieces(isolation_of(net, fixture))}


def test_an_in_place_chain_is_one_piece() -> None:
    pieces = names(Subject().build(FRCNN), FRCNN)
    assert ["conv1_1", "relu1_1"] in pieces
    assert ["fc6", "relu6", "drop6"] in pieces
    assert ["rpn_cls_score"] in pieces
    assert ["proposal"] in pieces


def test_known_versions_cut_a_chain() -> None:
    version = {("conv1_1", 0): np.zeros((1, 4, 112, 144), np.float32)}
    pieces = names(Subject().build(FRCNN), replace(FRCNN, versions=version))
    assert ["conv1_1"] in pieces
    assert ["relu1_1"] in pieces


def test_unknown_blobs_join_layers() -> None:
    tops = {name: blob for name, blob in FRCNN.tops.items() if name not in ("conv1_1", "conv1_2")}
    assert ["conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1"] in names(
        Subject().build(FRCNN), replace(FRCNN, tops=tops)
    )


def test_a_piece_that_does_not_fit_stops_no_other() -> None:
    text = read_net(FRCNN.prototxt.replace("num_output: 12", "num_output: 13"))
    net = Subject(text).build(FRCNN)
    Subject(text).fill(net, FRCNN)
    found = runs(net, FRCNN)
    assert "was set up for 13 channels at axis 1, the bottom is 1×12×7×9" in found["conv5_1"].problem
    assert found["rpn_cls_score"].tops["rpn_cls_score"].shape == (1, 18, 7, 9)


def test_again_draws_the_same_numbers() -> None:
    fixture = Fixture.load(FIXTURES / "nets" / "frcnn_train.npz")
    net = filled(fixture)
    run = runs(net, fixture)["roi-data"]
    after = net.rng.get_state()[1].copy()
    again = run.again({})
    assert all(torch.equal(again[top], run.tops[top]) for top in run.piece.tops)
    assert np.array_equal(net.rng.get_state()[1], after)


def test_a_layer_draws_from_the_goldens_state() -> None:
    fixture = Fixture.load(FIXTURES / "nets" / "frcnn_train.npz")
    net = filled(fixture)
    run = runs(net, fixture)["roi-data"]
    with run.before():
        words = rng_words(net.rng)
    other = replace(fixture, rng={"roi-data": words}, rng_seed=99)
    told = runs(filled(other), other)["roi-data"]
    assert not np.array_equal(told.isolation.words["roi-data"], words)
    assert torch.equal(told.tops["rois"], run.tops["rois"])


def test_running_statistics_stay_as_they_were() -> None:
    fixture = Fixture.load(FIXTURES / "layers" / "bn_train_eps.npz")
    net = filled(fixture)
    run = runs(net, fixture)["op"]
    after = [param.detach().clone() for param in net.layer("op").params]
    run.again({})
    assert all(torch.equal(a, b) for a, b in zip(after, net.layer("op").params, strict=True))
    assert torch.equal(after[2], torch.from_numpy(fixture.post["op", 2]))
