"""Every shipped fixture, whole and layer by layer; and that the runner sees what is wrong."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from recaffe.golden.errors import GoldenError
from recaffe.golden.fixture import Fixture
from recaffe.golden.fixture.find import find
from recaffe.golden.limits import discrete_blobs
from recaffe.golden.run import Report, hand_in, verify
from recaffe.layers.base.layer import LayerError
from recaffe.layers.pooling import PoolingLayer
from recaffe.prototxt.errors import PrototxtError
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.read import read_net

FOLDER = Path(__file__).parents[2] / "golden" / "fixtures"
PATHS = {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in find([FOLDER]).fixtures}
FRCNN = FOLDER / "nets" / "frcnn_train.npz"
MEMORY = """layer { name: "m" type: "MemoryData" top: "data" top: "label"
  memory_data_param { batch_size: 2 channels: 3 height: 4 width: 5 } }"""
ARRAYS = {"data": np.zeros((4, 3, 4, 5), np.float32), "label": np.float32([1, 2, 3, 4])}


def bad(report: Report) -> list[str]:
    return [result.key for result in report.results if not result.ok]


def test_there_are_fixtures_of_every_family() -> None:
    assert {name.partition("/")[0] for name in PATHS} >= {"layers", "rpn", "nets", "full"}
    assert len(PATHS) > 60


@pytest.mark.parametrize("isolate", [False, True], ids=["whole", "isolated"])
@pytest.mark.parametrize("name", PATHS)
def test_fixture(name: str, isolate: bool) -> None:
    report = verify(Fixture.load(PATHS[name]), isolate)
    assert report.results
    assert [str(result) for result in report.results if not result.ok] == []


def changed(layer: str, index: int, by: float) -> Fixture:
    """The train net with one weight changed."""
    fixture = Fixture.load(FRCNN)
    value = fixture.params[layer, index].copy()
    value.flat[len(value.flat) // 2] += by
    return dataclasses.replace(fixture, params=fixture.params | {(layer, index): value})


@pytest.mark.parametrize(
    ("layer", "blob"),
    [("conv3_1", "conv3_1"), ("rpn_conv/3x3", "rpn/output"), ("fc7", "fc7"), ("cls_score", "cls_score")],
)
def test_isolated_blames_the_layer_with_the_wrong_weight(layer: str, blob: str) -> None:
    report = verify(changed(layer, 0, 0.1), isolate=True)
    tops = [key for key in bad(report) if key.startswith("top/")]
    assert tops == [f"top/{blob}"]
    # Its own param diffs depend on its bottom and top diff alone, and those are the golden's.
    assert f"param_diff/{layer}/0" not in bad(report)


def test_whole_finds_what_follows_from_the_wrong_weight() -> None:
    report = verify(changed("conv3_1", 0, 0.1))
    assert bad(report)[0] == "top/conv3_1"
    assert "top/pool2" not in bad(report)
    assert {"top/rpn/output", "top/loss_cls", "diff/conv3_1", "param_diff/fc6/0"} <= set(bad(report))


def test_isolated_blames_a_wrong_backward(monkeypatch: pytest.MonkeyPatch) -> None:
    right = PoolingLayer.forward

    def wrong(self: PoolingLayer, *bottoms: object) -> object:
        (top,) = right(self, *bottoms)  # type: ignore[arg-type]
        return (top + 0.5 * (top - top.detach()),)

    monkeypatch.setattr(PoolingLayer, "forward", wrong)
    report = verify(Fixture.load(FRCNN), isolate=True)
    assert set(bad(report)) == {"diff/conv2_2", "diff/conv3_1", "diff/conv4_1"}


def test_a_golden_blob_that_the_net_lacks_is_a_finding() -> None:
    fixture = Fixture.load(FRCNN)
    tops = fixture.tops | {"fc8": np.zeros((2, 3), np.float32)}
    params = fixture.params | {("fc8", 0): np.zeros(3, np.float32), ("fc6", 1): np.zeros(5, np.float32)}
    report = verify(dataclasses.replace(fixture, tops=tops, params=params))
    problems = {result.key: result.problem for result in report.results if not result.ok}
    assert problems["top/fc8"] == "missing"
    assert problems["param/fc8/0"] == "missing"
    assert problems["param/fc6/1"] == "shape"


def test_labels_must_be_equal() -> None:
    fixture = Fixture.load(FRCNN)
    labels = fixture.tops["labels"].copy()
    labels[3] += 1e-6
    report = verify(dataclasses.replace(fixture, tops=fixture.tops | {"labels": labels}))
    assert bad(report) == ["top/labels"]


def test_decisions_that_a_layer_overwrites_in_place_are_no_longer_exact() -> None:
    text = """input: "x" input_shape { dim: 3 dim: 2 }
layer { name: "t" type: "Threshold" bottom: "x" top: "t" }
layer { name: "u" type: "Threshold" bottom: "x" top: "u" }
layer { name: "n" type: "BatchNorm" bottom: "t" top: "t" }"""
    assert discrete_blobs(Net(read_net(text))) == {"u"}


def test_the_seed_decides_the_samples() -> None:
    report = verify(dataclasses.replace(Fixture.load(FRCNN), rng_seed=15))
    assert "top/rois" in bad(report)


def test_arrays_reach_the_layer_by_its_tops() -> None:
    net = Net(read_net(MEMORY))
    hand_in(net, ARRAYS)
    assert net()["label"].flatten().tolist() == [1, 2]


def test_arrays_that_nobody_takes() -> None:
    net = Net(read_net(MEMORY))
    with pytest.raises(GoldenError, match="has input/extra, but no MemoryData layer of its net gives extra"):
        hand_in(net, {**ARRAYS, "extra": ARRAYS["data"]})
    with pytest.raises(GoldenError, match="has input/data, but no MemoryData layer of its net gives data"):
        hand_in(net, {"data": ARRAYS["data"]})
    with pytest.raises(PrototxtError, match=r"layer 'm' \(MemoryData\): takes rows of 3×4×5") as error:
        hand_in(net, {**ARRAYS, "data": ARRAYS["label"]})
    assert isinstance(error.value.__cause__, LayerError)


OVERWRITTEN = """force_backward: true input: "x" input_shape { dim: 1 }
layer { name: "t" type: "TanH" bottom: "x" top: "y" }
layer { name: "p" type: "Power" bottom: "y" top: "y" power_param { scale: 2 shift: 0.5 } }"""


def overwritten() -> Fixture:
    """Power in place puts scale² where the diff was, and TanH takes 2 tanh(1) + 0.5 for its top."""
    top = np.float32([2 * np.tanh(1) + 0.5])
    return Fixture(
        Path("overwritten.npz"),
        OVERWRITTEN,
        "TRAIN",
        bottoms={"x": np.ones(1, np.float32)},
        tops={"y": top},
        top_diffs={"y": np.float32([7])},
        diffs={"x": 4 * (1 - top**2)},
    )


@pytest.mark.parametrize("isolate", [False, True], ids=["whole", "isolated"])
def test_gradients_of_overwritten_blobs(isolate: bool) -> None:
    report = verify(overwritten(), isolate)
    assert bad(report) == ["diff/x"]
    assert [note.partition(":")[2].partition(";")[0] for note in report.notes] == [
        "2: layer 't' (TanH): Caffe computes its gradient from what 'p' (Power) left in 'y'",
        "3: layer 'p' (Power): computes in place, and Caffe computes its gradient from what it has overwritten",
    ]
    report = verify(overwritten(), isolate, faithful_inplace=True)
    assert report.ok
    assert report.notes == []
