"""A net held against fixtures: what is told where each layer alone is right, and where nets do not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch

from recaffe.golden.diagnosis.divergence import Options, compare_fixture
from recaffe.golden.diagnosis.findings import BlobFinding, as_json
from recaffe.golden.errors import GoldenError
from recaffe.golden.fixture.fixture import Array, Fixture
from recaffe.golden.isolate import isolation_of
from recaffe.golden.subject import Subject
from recaffe.layers.boxes import arithmetic as boxes
from recaffe.layers.boxes.nms import by_score
from recaffe.layers.proposal import ProposalLayer
from recaffe.prototxt.text.read import read_net

FIXTURES = Path(__file__).parents[3] / "golden" / "fixtures"
FRCNN = Fixture.load(FIXTURES / "nets" / "frcnn_test.npz")


@pytest.mark.parametrize(
    "name",
    [
        *("nets/frcnn_train", "nets/rfcn_train_ohem", "rpn/anchor_target_000", "layers/bn_train_eps"),
        *("data_layers/random_data_crop", "data_layers/memory", "data_layers/hdf5_output", "formats/lenet"),
    ],
)
def test_what_is_the_same(name: str) -> None:
    comparison = compare_fixture(Subject(), Fixture.load(FIXTURES / f"{name}.npz"))
    assert comparison.ok, comparison.verdict.text
    assert len(comparison.chain) == len(comparison.isolated) > 0


def test_rounding_that_adds_up() -> None:
    found = compare_fixture(Subject(), FRCNN)
    alone = max(f.result.relative for f in found.isolated)
    worst = max(found.chain, key=lambda f: f.result.relative)
    assert alone < worst.result.relative
    comparison = compare_fixture(Subject(), FRCNN, Options(tolerance=max(alone, 1e-9)))
    assert comparison.verdict.kind in ("accumulated", "decision")
    assert comparison.verdict.text.startswith("each layer alone is right; rounding")


def near_tie() -> Fixture:
    """The test net with an NMS threshold at which its proposals hang on rounding: the golden falls on one side."""
    net = Subject().build(FRCNN)
    Subject().fill(net, FRCNN)
    with torch.no_grad():
        net(FRCNN.bottoms, keep="all")
    at = next(i for i, node in enumerate(net.nodes) if node.name == "proposal")
    node, layer = net.nodes[at], cast(ProposalLayer, net.steps[at].layer)
    golden = isolation_of(net, FRCNN).golden
    sides = [[golden[blob] for blob in node.bottoms], [net.blobs[blob] for blob in node.bottoms]]
    anchors, deltas, scores = layer.rows(*sides[0][:2])
    height, width = map(float, FRCNN.bottoms["im_info"][0, :2])
    best = boxes.clip(boxes.transform_inv(anchors, deltas), height, width)[by_score(scores, 40)]
    overlaps = boxes.pairwise(best[:, None], best[None], 1.0).triu(1)
    for threshold in overlaps[(overlaps > 0.3) & (overlaps < 0.9)].tolist():
        layer.rule = replace(layer.rule, nms_thresh=threshold)
        (mine,), (theirs,) = layer(*sides[1]), layer(*sides[0])
        if mine.shape != theirs.shape or not torch.allclose(mine, theirs, atol=1):
            config = FRCNN.config | {"TEST.RPN_NMS_THRESH": threshold}
            return replace(FRCNN, config=config, tops={**FRCNN.tops, "rois": theirs.numpy()})
    raise AssertionError("no threshold decides")


def test_a_choice_near_a_tie() -> None:
    fixture = near_tie()
    kept = {name: blob for name, blob in fixture.tops.items() if len(blob) != 30 or name == "rois"}
    comparison = compare_fixture(Subject(until="rois"), replace(fixture, tops=kept))
    assert (comparison.verdict.kind, comparison.verdict.layer) == ("decision", "proposal")
    assert "rounding upset a choice near a tie in 'proposal'" in comparison.verdict.text
    assert any(f"threshold {fixture.config['TEST.RPN_NMS_THRESH']:g}" in str(fate) for fate in comparison.fates)
    assert any(fate.anchor.startswith("anchor (row ") for fate in comparison.fates)


def test_until_leaves_out_what_lies_behind() -> None:
    broken = replace(FRCNN, tops=FRCNN.tops | {"fc7": FRCNN.tops["fc7"] + 1})
    comparison = compare_fixture(Subject(until="pool3"), broken)
    assert comparison.ok
    assert [f.result.key for f in comparison.chain][-2:] == ["top/conv3_1", "top/pool3"]
    assert compare_fixture(Subject(), broken).verdict.layer == "fc7"
    with pytest.raises(GoldenError, match="until=pool9: net 'tiny_frcnn' has no such blob"):
        compare_fixture(Subject(until="pool9"), FRCNN)


def test_one_mode_alone() -> None:
    broken = replace(FRCNN, tops=FRCNN.tops | {"fc7": FRCNN.tops["fc7"] + 1})
    chain, alone = (compare_fixture(Subject(), broken, Options(c, not c)) for c in (True, False))
    assert (len(chain.isolated), len(alone.chain)) == (0, 0)
    assert (
        chain.verdict.text == "the first blob that differs: 'fc7' of layer 'fc7' (isolate=True tells whose doing it is)"
    )
    assert alone.verdict.kind == "forward"


def test_names_that_one_side_has() -> None:
    text = FRCNN.prototxt.replace('top: "cls_prob"', 'top: "probabilities"')
    comparison = compare_fixture(Subject(read_net(text)), FRCNN)
    assert comparison.verdict.kind == "names"
    assert comparison.names == (
        "blob 'cls_prob' of layer 'cls_prob' is in the golden only",
        "blob 'probabilities' of layer 'cls_prob' is in the NET only",
    )
    tops = FRCNN.tops | {"fc8": np.zeros(3, np.float32)}
    comparison = compare_fixture(Subject(), replace(FRCNN, tops=tops))
    assert comparison.names == ("blob 'fc8' is in the golden only, which has no layer that gives it",)
    assert comparison.verdict.kind == "names"


def test_weights_that_show_in_no_blob() -> None:
    params = FRCNN.params | {("conv1_1", 1): FRCNN.params["conv1_1", 1].copy()}
    params["conv1_1", 1][0] += 1e-7
    comparison = compare_fixture(Subject(), replace(FRCNN, params=params))
    assert comparison.ok
    extra = FRCNN.params | {("fc8", 0): np.zeros(3, np.float32)}
    comparison = compare_fixture(Subject(), replace(FRCNN, params=extra))
    assert (comparison.verdict.kind, comparison.verdict.layer) == ("params", "fc8")
    assert comparison.verdict.text == "the weights differ, though nothing computed does: layer 'fc8', param 0: missing"


def test_a_net_that_cannot_run() -> None:
    extra = 'layer { name: "extra" type: "Input" top: "extra" input_param { shape { dim: 1 dim: 2 } } }'
    comparison = compare_fixture(Subject(read_net(f"{FRCNN.prototxt}\n{extra}")), FRCNN)
    assert (comparison.verdict.kind, comparison.verdict.text) == (
        "stopped",
        "the net cannot run: net 'tiny_frcnn' was not given extra (1×2)",
    )


def test_training_is_part_of_the_net_in_use() -> None:
    fixture = Fixture.load(FIXTURES / "solvers" / "adam.npz")
    comparison = compare_fixture(Subject(), fixture)
    assert comparison.ok
    assert len(comparison.trace) > 50
    faster = fixture.prototxt.replace("lr_mult: 2", "lr_mult: 3", 1)
    comparison = compare_fixture(Subject(read_net(faster)), fixture)
    assert (comparison.verdict.kind, comparison.verdict.blob) == ("trace", "params/0/conv/1")
    assert str(comparison.fields[0]).startswith("layer 'conv': param: golden lr_mult: 1")
    alone = compare_fixture(Subject(read_net(faster)), fixture, Options(chain=False))
    assert alone.notes == ("the solver's steps were not run: they are part of the net as in use",)


def test_a_watch_sees_every_value() -> None:
    seen: list[tuple[str, BlobFinding, object, object]] = []
    comparison = compare_fixture(Subject(), FRCNN, watch=lambda *told: seen.append(told))
    for mode, findings in (("chain", comparison.chain), ("isolated", comparison.isolated)):
        assert [finding for told, finding, *_ in seen if told == mode] == list(findings)
    values = {finding.result.key: (want, have) for _, finding, want, have in seen}
    want, have = values["top/fc7"]
    np.testing.assert_array_equal(cast(Array, want), FRCNN.tops["fc7"])
    np.testing.assert_allclose(cast(Array, have), FRCNN.tops["fc7"], rtol=1e-4, atol=1e-5)
    losses: list[object] = []
    fixture = Fixture.load(FIXTURES / "solvers" / "adam.npz")
    compare_fixture(Subject(), fixture, watch=lambda mode, f, want, have: losses.append((mode, f.result.key, want)))
    assert ("trace", "trace/loss/0/" + str(fixture.trace["outputs"][0]), fixture.trace["loss"][0, 0]) in losses


def test_results_are_plain_data() -> None:
    broken = replace(FRCNN, tops=FRCNN.tops | {"fc7": FRCNN.tops["fc7"] + np.inf})
    told = json.loads(json.dumps(as_json(compare_fixture(Subject(), broken)), allow_nan=False))
    assert told["verdict"]["layer"] == "fc7"
    assert {"result", "layer", "measures", "first", "worst", "rois"} == set(told["isolated"][0])
