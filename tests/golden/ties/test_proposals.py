"""Proposals in an order that equal scores allow are the same net; any other order, choice or box is none."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.golden.fixture.fixture import Array, Fixture
from recaffe.golden.run import Report, verify
from recaffe.golden.ties.proposals import follow_proposals
from recaffe.golden.ties.tie import GoldenSide
from recaffe.layers.boxes.nms import by_score, nms
from recaffe.layers.proposal import ProposalLayer
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.config import Config
from recaffe.tools.detection.detector import Detector
from recaffe.tools.detection.selection import Selection

from .goldens import FIXTURES, by_accident, golden_of, quantised, scaled, sorted_by

ROIS = "rpn/proposal_004"
MODES = pytest.mark.parametrize("isolate", [False, True], ids=["whole", "isolated"])


def few_levels(seed: int = 1) -> Fixture:
    """One proposal layer whose scores lie on a grid."""
    coarse = quantised(Fixture.load(FIXTURES / f"{ROIS}.npz"), "rpn_cls_prob_reshape", 64)
    return golden_of(coarse, by_accident(seed))


def bad(report: Report) -> list[str]:
    return [str(result) for result in report.results if not result.ok]


@MODES
def test_one_layer(isolate: bool) -> None:
    report = verify(few_levels(), isolate)
    assert (bad(report), report.outcome, len(report.ties)) == ([], "same but for ties", 1)
    tie = report.ties[0]
    assert "of 40 RoIs in another order" in str(tie)
    assert f"{tie.places[0]} and {tie.places[1]} have the score {tie.score:.9g} both" in str(tie)
    assert tie.places[0].startswith("anchor (row ")
    assert tie.score * 64 == round(tie.score * 64)
    assert str(tie).endswith(f"; {tie.values:,} values depend on it")


@MODES
@pytest.mark.parametrize(("name", "rois"), [("frcnn_test", "rois"), ("rfcn_train_ohem", "rpn_rois")])
def test_whole_nets_whose_scores_are_one(name: str, rois: str, isolate: bool) -> None:
    fixture = scaled(Fixture.load(FIXTURES / "nets" / f"{name}.npz"), "rpn_cls_score", 400)
    golden, ours = golden_of(fixture, by_accident(2)), golden_of(fixture, by_score)
    assert (golden.tops["rpn_cls_prob_reshape"] == 1).sum() > 200
    report = verify(golden, isolate)
    assert (bad(report), report.outcome) == ([], "same but for ties")
    (tie,) = report.ties
    own = int((golden.tops[rois] != ours.tops[rois]).sum())
    assert (tie.score, tie.values == own, tie.values > own + 1000) == (1, isolate, not isolate)


@pytest.mark.parametrize("picture", ["000019", "000023"])
def test_real_pictures_whose_scores_are_one(picture: str) -> None:
    folder = FIXTURES / "detection"
    with np.load(folder / "detection" / "rfcn_tied" / f"{picture}.npz") as file:
        want = dict(file)
    changes = json.loads(str(want["cfg"]))
    text, config = folder / "nets/rfcn.prototxt", Config.default("rfcn").with_flat(changes)
    net = Net.from_prototxt(text, weights=folder / "nets/rfcn.caffemodel", config=config)
    detector = Detector(net, ("disc", "block", "wedge"), Selection())
    data = np.asarray(detector.input(folder / "VOCdevkit2007/VOC2007/JPEGImages" / f"{picture}.jpg").data)
    params = {(step.node.name, i): p.detach().numpy() for step in net.steps for i, p in enumerate(step.layer.params)}
    tops = {name: want[name] for name in ("rois", "cls_prob", "bbox_pred")}
    fed = {"data": data, "im_info": want["im_info"]}
    golden = Fixture(Path(picture), text.read_text(), "TEST", "rfcn", changes, bottoms=fed, params=params, tops=tops)
    report = verify(golden)
    assert (bad(report), report.outcome, report.ties[0].score) == ([], "same but for ties", 1)


def swapped(rois: Array, scores: Array, equal: bool) -> Array:
    """The RoIs, two neighbours of them of equal scores, or of unlike ones, in each other's place."""
    row = int(np.flatnonzero((np.diff(scores.ravel()) == 0) == equal)[0])
    order = np.arange(len(rois))
    order[[row, row + 1]] = row + 1, row
    return rois[order]


def moved(rois: Array) -> Array:
    """One corner a pixel farther."""
    rois = rois.copy()
    rois[7, 3] += 1
    return rois


@MODES
@pytest.mark.parametrize("wrong", ["threshold", "before", "least size", "anchors", "permutation", "box", "one less"])
def test_a_wrong_net_is_wrong(wrong: str, isolate: bool) -> None:
    golden = few_levels()
    rois, scores = golden.tops["rois"], golden.tops["scores"]
    permuted = swapped(rois, scores, equal=False)
    broken = {
        "threshold": replace(golden, config=golden.config | {"TRAIN.RPN_NMS_THRESH": 0.5}),
        "before": replace(golden, config=golden.config | {"TRAIN.RPN_PRE_NMS_TOP_N": 30}),
        "least size": replace(golden, config=golden.config | {"TRAIN.RPN_MIN_SIZE": 80}),
        "anchors": replace(golden, prototxt=golden.prototxt.replace("[2, 4, 8]", "[4, 2, 8]")),
        "permutation": replace(golden, tops={"rois": permuted, "scores": scores}),
        "box": replace(golden, tops={"rois": moved(rois), "scores": scores}),
        "one less": replace(golden, tops={"rois": rois[:-1], "scores": scores[:-1]}),
    }
    report = verify(broken[wrong], isolate)
    assert (report.outcome, report.ties) == ("different", [])
    assert any("rois" in line for line in bad(report))


def test_two_neighbours_of_equal_scores() -> None:
    golden = golden_of(few_levels(), by_score)
    assert verify(golden).outcome == "same"
    tops = {"rois": swapped(golden.tops["rois"], golden.tops["scores"], equal=True), "scores": golden.tops["scores"]}
    report = verify(replace(golden, tops=tops))
    assert report.outcome == "same but for ties"
    assert "'op': 2 of 40 RoIs in another order: anchor (row " in str(report.ties[0])


def proposals(cells: tuple[int, int], levels: int, limits: tuple[int, int], seed: int) -> tuple[list[Tensor], Tensor]:
    """Bottoms with scores of so many levels, and the RoIs of originals that sort for the limit and again for NMS."""
    rng, (height, width) = np.random.RandomState(seed), cells
    scores = torch.from_numpy(np.ceil(rng.rand(1, 18, height, width) * levels).astype(np.float32) / levels)
    deltas = torch.from_numpy((rng.randn(1, 36, height, width) * 0.3).astype(np.float32))
    bottoms = [scores, deltas, torch.tensor([[height * 16.0, width * 16.0, 1.0]])]
    layer = proposal_layer(limits)
    anchors, moves, flat = layer.rows(scores, deltas)
    with sorted_by(by_accident(seed)):
        stages = layer.rule.stages(anchors, moves, flat, height * 16, width * 16, 1)
    again = stages.first[by_accident(seed + 1)(flat[stages.first])]
    kept = again[nms(stages.moved[again], layer.rule.nms_thresh)]
    return bottoms, torch.nn.functional.pad(stages.moved[kept[: limits[1] or None]], (1, 0))


def proposal_layer(limits: tuple[int, int]) -> ProposalLayer:
    return ProposalLayer(16, rpn_pre_nms_top_n=limits[0], rpn_post_nms_top_n=limits[1], rpn_nms_thresh=0.4)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("levels", "limits"), [(1, (100, 0)), (1, (600, 0)), (4, (200, 0)), (8, (400, 30))])
def test_a_tie_at_the_limit_before_nms(levels: int, limits: tuple[int, int], seed: int) -> None:
    bottoms, rois = proposals((10, 13), levels, limits, seed)
    layer = proposal_layer(limits)
    choice = follow_proposals(layer, bottoms, layer(*bottoms), GoldenSide((rois,), tuple(bottoms)), 1e-5)
    assert choice is not None
    torch.testing.assert_close(choice.tops[0], rois, rtol=0, atol=0)
    wrong = torch.from_numpy(moved(rois.numpy()))
    assert follow_proposals(layer, bottoms, layer(*bottoms), GoldenSide((wrong,), tuple(bottoms)), 1e-5) is None


def test_rounding_parts_equal_scores() -> None:
    limits = (6000, 300)
    bottoms, rois = proposals((38, 63), 64, limits, 5)
    noise = torch.Generator().manual_seed(3)
    ours = [b * (1 + 1e-7 * torch.randn(b.shape, generator=noise)) for b in bottoms[:2]] + bottoms[2:]
    layer = proposal_layer(limits)
    choice = follow_proposals(layer, ours, layer(*ours), GoldenSide((rois,), tuple(bottoms)), 1e-4)
    assert choice is not None
    torch.testing.assert_close(choice.tops[0], rois, rtol=0, atol=1e-2)
    assert not torch.equal(choice.tops[0], rois)  # our own boxes along the golden's order


def test_many_equal_scores_take_no_time() -> None:
    bottoms, rois = proposals((38, 63), 1, (6000, 300), 7)
    layer = proposal_layer((6000, 300))
    tops, seconds = layer(*bottoms), []
    for _ in range(3):  # the least, since other programs run beside
        start = time.perf_counter()
        choice = follow_proposals(layer, bottoms, tops, GoldenSide((rois,), tuple(bottoms)), 1e-5)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1
    assert choice is not None
    assert choice.alike == 38 * 63 * 9 - 2
