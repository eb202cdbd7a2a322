"""R-FCN's five steps, with the small net: normalised RPNs, and which steps share what."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.files.formats.npz import read_npz
from recaffe.prototxt.files.read import read_weights
from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.config import Config
from recaffe.prototxt.zoo.rpn import DetectionTask
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.datasets.drawn.shapes_set import write_shapes
from recaffe.tools.training.alternating.course import Course
from recaffe.tools.training.alternating.plan import RFCN
from recaffe.tools.training.alternating.stage_files import read_stages, write_stages
from recaffe.tools.training.run import Means

TASK = DetectionTask(classes=6, scales=(1, 2, 4))
SIZES = {
    f"{phase}.{key}": value for phase in ("TRAIN", "TEST") for key, value in (("SCALES", [160]), ("MAX_SIZE", 200))
}
TRUNK = [f"conv{i}" for i in range(1, 6)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each step's weights."""
    folder = tmp_path_factory.mktemp("rfcn")
    write_shapes(folder / "shapes", 8, 3)
    write_stages(folder, "small_rfcn", TASK, "voc")
    config = Config.default("rfcn").with_flat({**RFCN.config, **SIZES})
    pictures = VocSet(folder / "shapes", "trainval")
    course = Course(read_stages(folder, (2,)), pictures, config, folder / "out", Means(quiet=True))
    weights = course.run()
    assert [path.name for path in course.results(weights)] == ["final_rpn.caffemodel", "final_rfcn.caffemodel"]
    return weights


def param(weights: Path, name: str, index: int = 0) -> np.ndarray:
    layer = next(layer for layer in read_weights(weights).layers if layer.name == name)
    return layer.blobs[index].tensor().numpy()


def test_later_rpns_stand_on_the_detectors_convolutions(trained: dict[str, Path]) -> None:
    for detector, rpn in (("stage1_rfcn", "stage2_rpn"), ("stage2_rfcn", "stage3_rpn")):
        for name in TRUNK:
            assert np.array_equal(param(trained[detector], name), param(trained[rpn], name))
    assert not np.array_equal(param(trained["stage1_rfcn"], "conv1"), param(trained["stage2_rfcn"], "conv1"))


def test_rpns_are_saved_without_their_normalisation(trained: dict[str, Path]) -> None:
    weights = trained["stage3_rpn"]
    spread = json.loads((weights.parents[1] / "stage0_rpn_spread" / "spread.json").read_text())
    means, stds = (np.tile(spread[f"TRAIN.RPN_NORMALIZE_{name}"], TASK.anchors) for name in ("MEANS", "STDS"))
    places = read_npz(str(weights).replace(".caffemodel", ".resume.npz"))
    net = Net.from_prototxt(weights.parents[2] / "stage3_rpn_train.pt", "TRAIN")
    at = next(i for i, node in enumerate(net.nodes) if node.name == "rpn_bbox_pred")
    learned = next(value.load() for key, value in places.items() if key.endswith(f"boxes/{at}/1"))
    assert np.array_equal(param(weights, "rpn_bbox_pred", 1), (learned * stds + means).astype(np.float32))
