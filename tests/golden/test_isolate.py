"""Layers fed golden blobs and diffs: what is cut where, and which diffs say nothing of their layer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.golden.diagnosis.divergence import compare_fixture
from recaffe.golden.fixture import Fixture
from recaffe.golden.isolate import VersionNames, rng_words, set_rng_words
from recaffe.golden.run import verify
from recaffe.golden.subject import Subject
from recaffe.layers.sigmoid import SigmoidLayer
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.net.step import Step
from recaffe.prototxt.net.walk import Forward, Loss
from recaffe.prototxt.text.read import read_net
from recaffe.tools.main import main

FRCNN = Fixture.load(Path(__file__).parents[2] / "golden" / "fixtures" / "nets" / "frcnn_test.npz")
FILLER = 'weight_filler { type: "gaussian" std: 0.5 } bias_filler { type: "gaussian" std: 0.5 }'
DIAMOND = f"""name: "diamond" force_backward: true
layer {{ name: "in" type: "Input" top: "data" top: "label"
  input_param {{ shape {{ dim: 2 dim: 3 }} shape {{ dim: 2 dim: 5 }} }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param {{ num_output: 5 {FILLER} }} }}
layer {{ name: "relu" type: "ReLU" bottom: "ip" top: "relu" }}
layer {{ name: "sigmoid" type: "Sigmoid" bottom: "ip" top: "sigmoid" }}
layer {{ name: "sum" type: "Eltwise" bottom: "relu" bottom: "sigmoid" top: "sum" }}
layer {{ name: "loss" type: "EuclideanLoss" bottom: "sum" bottom: "label" top: "loss" }}
"""
IP = {"param_diff/ip/0", "param_diff/ip/1"}
FC, PRELU = ("param_diff/fc/0", "param_diff/fc/1"), "param_diff/prelu/0"
SPLITS = {"diff/ip_ip_0_split_0", "diff/ip_ip_0_split_1"}
CHAIN = f"""name: "chain"
layer {{ name: "in" type: "Input" top: "data" top: "label"
  input_param {{ shape {{ dim: 2 dim: 3 }} shape {{ dim: 2 dim: 4 }} }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param {{ num_output: 5 {FILLER} }} }}
layer {{ name: "prelu" type: "PReLU" bottom: "ip" top: "ip" }}
layer {{ name: "fc" type: "InnerProduct" bottom: "ip" top: "fc" inner_product_param {{ num_output: 4 {FILLER} }} }}
layer {{ name: "power" type: "Power" bottom: "fc" top: "power" power_param {{ scale: SCALE }} }}
layer {{ name: "loss" type: "EuclideanLoss" bottom: "power" bottom: "label" top: "loss" }}
"""
NOTE = (
    "3 diffs were not judged layer by layer (diff/data, param_diff/ip/0, param_diff/ip/1): "
    "needed is the diff of 'ip', which the fixture lacks"
)


def made(text: str, *kept: str) -> Fixture:
    """A fixture of our own forward and backward, which judges the engine and no number; of blobs' diffs it has some."""
    net = Net(read_net(text), seed=3)
    net.fill()
    generator = torch.Generator().manual_seed(4)
    bottoms = {name: torch.randn(net.blob_shapes[name], generator=generator) for name in net.inputs}
    net(bottoms, keep="all")
    net.backward()
    params = {(name, i): param for name, layer in net.layers.items() for i, param in enumerate(layer.params)}
    return Fixture(
        Path("made.npz"),
        text,
        "TEST",
        bottoms={name: blob.numpy() for name, blob in bottoms.items()},
        params={place: param.detach().numpy() for place, param in params.items()},
        tops={name: blob.detach().numpy() for name, blob in net.blobs.items() if name not in bottoms},
        diffs={name: net.diffs[name].numpy() for name in kept},
        param_diffs={place: param.grad.numpy() for place, param in params.items() if param.grad is not None},
    )


def judged(fixture: Fixture) -> dict[str, bool]:
    """The diffs that are compared layer by layer, and whether they are the same."""
    results = verify(fixture, isolate=True).results
    return {result.key: result.ok for result in results if result.kind in ("diff", "param_diff")}


def test_versions_are_told_apart() -> None:
    names = VersionNames(Subject().build(FRCNN))
    assert names.writes[1:5] == [("version/conv1_1/0",), ("conv1_1",), ("version/conv1_2/0",), ("conv1_2",)]
    assert names.reads[2:4] == [("version/conv1_1/0",), ("conv1_1",)]
    assert (names.first("conv1_1"), names.first("pool1")) == ("version/conv1_1/0", "pool1")


def test_a_generators_state_comes_back() -> None:
    rng, other = np.random.RandomState(5), np.random.RandomState(6)
    rng.standard_normal(3)
    words = rng_words(rng)
    assert words.shape == (624 + 3,)
    set_rng_words(other, words)
    assert np.array_equal(other.standard_normal(700), rng.standard_normal(700))


def test_a_blob_without_a_diff_is_unknown() -> None:
    fixture = made(DIAMOND, "data")
    report = verify(fixture, isolate=True)
    assert {result.kind for result in report.results} == {"top"}
    assert report.notes == [NOTE]
    whole = verify(fixture)
    assert whole.ok
    assert IP | {"diff/data"} <= {result.key for result in whole.results}
    assert whole.notes == []


@pytest.mark.parametrize(
    ("kept", "keys"),
    [
        ("data ip relu sigmoid sum", IP | {"diff/data", "diff/ip", "diff/relu", "diff/sigmoid", "diff/sum"}),
        (
            "ip relu sigmoid sum ip_ip_0_split_0 ip_ip_0_split_1",
            {*IP, "diff/ip", "diff/relu", "diff/sigmoid", "diff/sum", *SPLITS},
        ),
        ("data ip", IP | {"diff/data"}),
        ("ip sum", IP | {"diff/sum"}),
        ("ip relu sigmoid", IP | {"diff/ip"}),
        ("ip relu sum", IP | {"diff/relu", "diff/sum"}),  # half of what reaches ip is unknown
        ("relu sigmoid sum", {"diff/relu", "diff/sigmoid", "diff/sum"}),
    ],
)
def test_what_is_judged_of_a_diamond(kept: str, keys: set[str]) -> None:
    found = judged(made(DIAMOND, *kept.split()))
    assert set(found) == keys
    assert all(found.values())


@pytest.mark.parametrize(
    ("kept", "keys"),
    [
        ("power fc ip", {*IP, "diff/power", "diff/fc", "diff/ip", *FC, PRELU}),
        ("power fc", {"diff/power", "diff/fc", *FC, PRELU}),  # the chain's own params need the diff behind it alone
        ("power", {"diff/power"}),
        ("ip", IP),
    ],
)
def test_what_is_judged_around_an_in_place_chain(kept: str, keys: set[str]) -> None:
    found = judged(made(CHAIN.replace("SCALE", "2"), *kept.split()))
    assert set(found) == keys
    assert all(found.values())


def test_a_diff_that_is_lacking_is_zero_where_those_behind_it_come_to_zero() -> None:
    fixture = made(CHAIN.replace("SCALE", "0"), "power")
    found = judged(fixture)
    assert found == dict.fromkeys({*IP, "diff/power", *FC, PRELU}, True)
    learns = {place: diff + 1 for place, diff in fixture.param_diffs.items()}
    assert judged(replace(fixture, param_diffs=learns)) == found | dict.fromkeys({*IP, *FC, PRELU}, False)


def test_a_wrong_backward_is_blamed_where_its_diffs_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    known, unknown = made(DIAMOND, "data", "ip", "relu", "sigmoid", "sum"), made(DIAMOND, "data", "ip")
    right = SigmoidLayer.forward

    def wrong(self: SigmoidLayer, *bottoms: object) -> object:
        (top,) = right(self, *bottoms)  # type: ignore[arg-type]
        return (top + 0.5 * (top - top.detach()),)

    monkeypatch.setattr(SigmoidLayer, "forward", wrong)
    assert [key for key, ok in judged(known).items() if not ok] == ["diff/ip"]
    assert compare_fixture(Subject(), known).verdict.kind == "backward"
    assert judged(unknown) == dict.fromkeys(IP | {"diff/data"}, True)
    assert not verify(unknown).ok


def test_what_is_not_judged_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, page = tmp_path / "diamond.npz", tmp_path / "report.html"
    made(DIAMOND, "data").save(path)
    assert main(["verify", "--isolate", str(path)]) == 0
    assert f"note: {NOTE}" in capsys.readouterr().out
    assert main(["compare", "-", "-", str(path), "--html", str(page)]) == 0
    assert f"note: {NOTE}" in capsys.readouterr().out
    assert NOTE in unescape(page.read_text())
    for command in (["verify", "--isolate"], ["compare", "-", "-"]):
        assert main([*command, str(path), "--json"]) == 0
        (entry,) = json.loads(capsys.readouterr().out)["fixtures"]
        assert (entry["ok"], entry["notes"]) == (True, [NOTE])


def test_a_loss_that_goes_backward_twice_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss that another layer reads has the reader's diff in place of its own weight."""
    text = """
    force_backward: true
    layer { name: "x" type: "Input" top: "x" top: "t" input_param { shape { dim: 3 dim: 4 } shape { dim: 3 dim: 5 } } }
    layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
            inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "t" top: "loss" }
    layer { name: "reader" type: "Power" bottom: "loss" top: "y" power_param { scale: -2 } loss_weight: 0.5 }
    """
    fixture = made(text, "loss", "ip", "x", "y")
    assert all(judged(fixture).values())

    def added(self: Forward, step: Step, tops: Sequence[torch.Tensor]) -> None:
        self.values.update(zip(step.node.tops, tops, strict=True))
        self.losses += [Loss(name, tops[0], weight, tops[0]) for name, weight in step.losses.items()]

    monkeypatch.setattr(Forward, "take", added)
    assert judged(fixture)["diff/loss"] is False
