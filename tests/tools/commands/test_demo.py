from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from recaffe.tools.commands.demo import ZOO, shapes_detector
from recaffe.tools.datasets.drawn.scenes import draw_scene
from recaffe.tools.main import main


def test_the_demo_prints_each_blob_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "demo.png"
    assert main(["demo", "--output", str(path)]) == 0
    *blobs, verdict, told = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  rpn_cls_score_reshape           1×2×63×9  ") for line in blobs)
    assert verdict == "every blob is Caffe's"
    assert told.startswith(f"{path}: ")
    assert int(told.split()[1]) >= 12
    picture = cv2.imread(str(path))
    assert picture.shape == (2 * 492, 3 * 492, 3)
    assert picture.std() > 20
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo.png"]


def test_the_detector_finds_what_is_there() -> None:
    """In scenes that it was not trained on, most objects under their names, at an overlap of more than a half."""
    detector, found, there = shapes_detector(), 0, 0
    for number in range(1, 13):
        scene = draw_scene(11, number)
        detections = [(detection.name, detection.box) for detection in detector(scene.pixels)]
        for shape in (shape for shape in scene.shapes if not shape.difficult):
            there += 1
            found += any(name == shape.name and overlap(box, shape.box) > 0.5 for name, box in detections)
    assert there > 25
    assert found >= 0.7 * there


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]) + 1)
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]) + 1)
    areas = [(x2 - x1 + 1) * (y2 - y1 + 1) for x1, y1, x2, y2 in (a, b)]
    return width * height / (sum(areas) - width * height)


def test_the_detector_is_small() -> None:
    assert (ZOO / "shapes.caffemodel").stat().st_size < 10**6


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--output", str(tmp_path / "no" / "demo.png")]) == 2
    assert capsys.readouterr().err.endswith("No such file or directory\n")
