"""What depends on a choice is counted by a second run, which leaves the net as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from recaffe.golden.fixture.fixture import Fixture
from recaffe.golden.run_state import RunState
from recaffe.golden.subject import Subject
from recaffe.golden.ties.dependents import count_dependents
from recaffe.layers import random_state

from .goldens import FIXTURES

TRAIN = Fixture.load(FIXTURES / "nets" / "rfcn_train_ohem.npz")
MEMORY = """layer { name: "m" type: "MemoryData" top: "x" top: "label"
  memory_data_param { batch_size: 2 channels: 4 height: 1 width: 1 } }
layer { name: "best" type: "ArgMax" bottom: "x" top: "best" }"""


def test_the_same_random_numbers_are_drawn_again() -> None:
    net = Subject().build(TRAIN)
    Subject().fill(net, TRAIN)
    before = RunState.of(net, range(len(net.steps)))
    with torch.no_grad():
        net(TRAIN.bottoms, keep="all")
    drawn = random_state(net.rng)["keys"].copy(), random_state(net.rng)["at"].copy()
    assert count_dependents(net, TRAIN, before, set(TRAIN.tops), 1e-4) == 0
    changed = replace(TRAIN, tops=TRAIN.tops | {"rois": TRAIN.tops["rois"] + np.float32(1)})
    assert count_dependents(net, changed, before, {"rois", "labels"}, 1e-4) == TRAIN.tops["rois"].size
    for was, now in zip(drawn, (random_state(net.rng)["keys"], random_state(net.rng)["at"]), strict=True):
        np.testing.assert_array_equal(was, now)
    assert net.folding


def test_what_reads_on_is_not_run_again() -> None:
    fixture = replace(TRAIN, prototxt=MEMORY, bottoms={}, params={}, tops={})
    net = Subject().build(fixture)
    assert count_dependents(net, fixture, RunState.of(net, range(2)), {"best"}, 1e-4) is None
