"""A detector gives what the originals' im_detect and test_net gave."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from recaffe.prototxt.net.net import Net
from recaffe.prototxt.text.config import Config
from recaffe.tools.datasets.annotations.voc import VocSet
from recaffe.tools.detection.detector import Detector
from recaffe.tools.detection.errors import DetectionError
from recaffe.tools.detection.selection import Selection

from .conftest import CLASSES, VARIANTS, Golden, close

DetectorOf = Callable[[str], Detector]
Load = Callable[[str], Golden]


def proposals_of(golden: Load, name: str, picture: str) -> np.ndarray | None:
    return golden(f"detection/{name}/{picture}")["proposals"] if name.startswith("fast") else None


def image(folder: Path, picture: str) -> Path:
    return folder / "VOCdevkit2007" / "VOC2007" / "JPEGImages" / f"{picture}.jpg"


CASES = [
    (name, path.stem)
    for name in VARIANTS
    for path in sorted((Path(__file__).parents[3] / "golden/fixtures/detection/detection" / name).glob("0*.npz"))
]


@pytest.mark.parametrize(("name", "picture"), CASES)
def test_im_detect(name: str, picture: str, folder: Path, golden: Load, detector_of: DetectorOf) -> None:
    want, detector = golden(f"detection/{name}/{picture}"), detector_of(name)
    fed = detector.input(image(folder, picture), proposals_of(golden, name, picture))
    assert fed.data.shape == tuple(want["data_shape"])
    assert close(fed.data.reshape(-1)[want["data_at"]], want["data_values"])
    if fed.regions is not None:
        assert close(fed.regions.rois, want["rois"], 1e-6)
    scores, boxes = detector.im_detect(image(folder, picture), proposals_of(golden, name, picture))
    assert close(scores.numpy(), want["scores"])
    assert close(boxes.numpy(), want["boxes"])


@pytest.mark.parametrize("name", VARIANTS)
def test_all_boxes(name: str, folder: Path, golden: Load, detector_of: DetectorOf) -> None:
    detector = detector_of(name)
    names = [path.stem for path in sorted((folder / "detection" / name).glob("all_boxes_*.npz"))]
    files = {stem: golden(f"detection/{name}/{stem}") for stem in names}
    pictures = [str(picture) for picture in files["all_boxes_default"]["image_index"]]
    answers = [detector.im_detect(image(folder, p), proposals_of(golden, name, p)) for p in pictures]
    for want in files.values():
        options = json.loads(str(want["options"]))
        selection = Selection.of(detector.net.config, float(options["thresh"]), options["max_per_image"])
        for number, (scores, boxes) in enumerate(answers):
            rows = selection.pick(scores, boxes)
            assert len(rows) == len(CLASSES) + 1
            assert len(rows[0]) == 0
            for label in range(1, len(rows)):
                keys = [f"{way}{label}/{number}" for way in ("", "forward/", "reversed/")]
                assert any(key in want and close(rows[label], want[key]) for key in keys), keys


def test_the_defaults_are_the_originals(golden: Load, detector_of: DetectorOf) -> None:
    for name in ("frcnn", "rfcn"):
        options = json.loads(str(golden(f"detection/{name}/all_boxes_default")["options"]))
        selection = detector_of(name).selection
        assert (selection.thresh, selection.max_per_image) == (float(options["thresh"]), options["max_per_image"])


def test_a_detector_is_called_with_pixels_or_a_file(folder: Path, voc: VocSet, detector_of: DetectorOf) -> None:
    import cv2

    detector, path = detector_of("frcnn"), image(folder, "000019")
    from_file, from_pixels = detector(path), detector(cv2.imread(str(path)))
    assert from_file.classes == ("__background__", *CLASSES)
    assert len(from_file) == 16
    assert [detection.name for detection in from_file][:3] == ["wedge", "wedge", "wedge"]
    assert list(from_file) == list(from_pixels)
    assert np.array_equal(from_file.of("disc"), from_file.rows[1])


def test_several_pictures_at_once(folder: Path, golden: Load, detector_of: DetectorOf) -> None:
    """Pictures of one size share a forward; of others each has its own."""
    detector, forwards = detector_of("fast"), []
    inputs = [detector.input(image(folder, p), proposals_of(golden, "fast", p)) for p in ("000019", "000021")]
    hook = detector.net.layer("conv1_1").register_forward_hook(lambda *args: forwards.append(args[2][0].shape[0]))
    alone = [detector.answers([one])[0] for one in inputs]
    twice = detector.answers([inputs[0], inputs[0]])
    mixed = detector.answers(inputs)
    hook.remove()
    assert forwards == [1, 1, 2, 1, 1]
    for (scores, boxes), (want_scores, want_boxes) in zip(
        [*twice, *mixed], [alone[0], *alone[:1], *alone], strict=True
    ):
        assert torch.allclose(scores, want_scores, rtol=0, atol=1e-6)
        assert torch.allclose(boxes, want_boxes, rtol=0, atol=1e-3)


def test_batches_hold_every_scale(folder: Path, golden: Load, detector_of: DetectorOf) -> None:
    detector = detector_of("fast_pyramid")
    one = detector.input(image(folder, "000019"), proposals_of(golden, "fast_pyramid", "000019"))
    alone = detector.answers([one])[0]
    for scores, boxes in detector.answers([one, one]):
        assert torch.allclose(scores, alone[0], rtol=0, atol=1e-6)
        assert torch.allclose(boxes, alone[1], rtol=0, atol=1e-3)


def test_no_proposals_no_detections(folder: Path, detector_of: DetectorOf) -> None:
    assert len(detector_of("fast")(image(folder, "000019"), np.zeros((0, 4), np.float32))) == 0


def test_scores_of_svms_are_the_last_layers(folder: Path, config_of: Callable[[str], Config]) -> None:
    config = config_of("frcnn").with_flat({"TEST.SVM": True})
    nets = folder / "nets"
    detector = Detector.from_caffe(nets / "frcnn.prototxt", nets / "frcnn.caffemodel", config=config)
    scores, _ = detector.im_detect(image(folder, "000019"))
    assert torch.equal(scores, detector.net.blobs["cls_score"])
    assert detector.classes == ("__background__", "class 1", "class 2", "class 3")


TEXT = """
name: "odd"
layer { name: "i" type: "Input" top: "data" top: "im_info"
  input_param { shape { dim: 2 dim: 3 dim: 5 dim: 4 } shape { dim: 1 dim: 3 } } }
layer { name: "p" type: "InnerProduct" bottom: "data" top: "cls_prob" inner_product_param { num_output: 5 } }
layer { name: "b" type: "InnerProduct" bottom: "data" top: "bbox_pred" inner_product_param { num_output: 12 } }
layer { name: "s" type: "Silence" bottom: "im_info" }
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            TEXT,
            "net 'odd': bbox_pred (2×12) has neither 4 columns for each of the 5 classes of cls_prob (2×5) nor 8, as "
            "class-agnostic boxes have",
        ),
        (
            TEXT.replace('top: "bbox_pred"', 'top: "boxes"'),
            "net 'odd' has no blob 'bbox_pred': a detector's test net gives cls_prob and bbox_pred, this one boxes, "
            "cls_prob",
        ),
        (
            TEXT.replace("im_info", "info"),
            "net 'odd' takes data, info: a detector's test net takes data and im_info, or data and rois",
        ),
    ],
)
def test_other_nets_are_refused(text: str, line: str) -> None:
    with pytest.raises(DetectionError) as error:
        Detector.of(Net.from_prototxt(text), None, Selection())
    assert str(error.value) == line


def test_wrong_calls_are_refused(folder: Path, config_of: Callable[[str], Config], detector_of: DetectorOf) -> None:
    boxes, path = np.zeros((1, 4), np.float32), image(folder, "000019")
    with pytest.raises(DetectionError, match="net 'tiny_frcnn' makes its own proposals: it takes no others"):
        detector_of("frcnn")(path, boxes)
    with pytest.raises(DetectionError, match="net 'tiny_frcnn' makes no proposals: hand it some"):
        detector_of("fast")(path)
    with pytest.raises(DetectionError, match=r"an image is H×W×3 of uint8 \(blue, green, red\), got float32 of 5×4×3"):
        detector_of("frcnn")(np.zeros((5, 4, 3), np.float32))  # type: ignore[arg-type]
    nets, two = folder / "nets", config_of("frcnn").with_flat({"TEST.SCALES": [96, 120]})
    detector = Detector.from_caffe(nets / "frcnn.prototxt", nets / "frcnn.caffemodel", config=two)
    with pytest.raises(DetectionError, match=r"makes its own proposals at one scale, and TEST\.SCALES has 2"):
        detector(path)


def test_threads_share_a_detector(folder: Path) -> None:
    net = Net.from_prototxt(folder / "nets" / "frcnn.prototxt", weights=folder / "nets" / "frcnn.caffemodel")
    detector = Detector.of(net, None, Selection.of(net.config, 0.05))
    pictures = sorted((folder / "VOCdevkit2007" / "VOC2007" / "JPEGImages").glob("*.jpg"))[:4]
    alone = [[(found.name, found.score, *found.box) for found in detector(picture)] for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(detector, pictures * 4))
    assert any(alone)
    for i, found in enumerate(together):
        assert [(one.name, one.score, *one.box) for one in found] == alone[i % len(pictures)]
