"""The detector that comes along."""

from __future__ import annotations

from recaffe.tools.datasets.drawn.scenes import draw_scene
from recaffe.tools.detection.shapes_demo import ZOO, shapes_detector


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
