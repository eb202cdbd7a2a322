"""How layers stand: who is wrong, who only differs, and layers that compute in place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from recaffe.golden.diagnosis.divergence import Options, compare_fixture
from recaffe.golden.fixture import Fixture
from recaffe.golden.subject import Subject
from recaffe.tools.report.comparison.layer_verdicts import LayerVerdict, layer_verdicts

FRCNN = Fixture.load(Path(__file__).parents[4] / "golden" / "fixtures" / "nets" / "frcnn_test.npz")


def stand(fixture: Fixture, options: Options = Options()) -> dict[str, LayerVerdict]:
    nodes = Subject().build(fixture).nodes
    return {one.name: one for one in layer_verdicts(nodes, compare_fixture(Subject(), fixture, options))}


def test_all_the_same() -> None:
    found = stand(FRCNN)
    assert {one.kind for one in found.values()} == {"same", "unseen"}
    assert [one.name for one in found.values() if one.kind == "unseen"] == ["data"]
    assert found["data"].words == "fed"
    assert found["relu1_1"].words == "compared with conv1_1, whose blob it computes in place"
    assert not any(one.first for one in found.values())


def test_one_is_wrong() -> None:
    broken = replace(FRCNN, tops=FRCNN.tops | {"pool4": FRCNN.tops["pool4"] + 1})
    found = stand(broken)
    assert next(one.name for one in found.values() if one.kind == "wrong") == "pool4"
    assert [one.name for one in found.values() if one.first] == ["pool4"]
    assert found["conv4_1"].kind == "same"
    assert stand(broken, Options(isolate=False))["pool4"].kind == "differs"


def test_weights_that_differ_while_blobs_do_not() -> None:
    params = FRCNN.params | {("fc8", 0): np.zeros(3, np.float32)}
    found = stand(replace(FRCNN, params=params))
    assert (found["fc8"].kind, found["fc8"].node, found["fc8"].first) == ("differs", None, True)
