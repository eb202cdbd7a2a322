from __future__ import annotations

import numpy as np

from recaffe.tools.datasets.drawn.scenes import SHAPES, draw_scene

SCENES = [draw_scene(7, number) for number in range(60)]


def test_the_same_numbers_give_the_same_scene() -> None:
    again = draw_scene(7, 5)
    assert np.array_equal(again.pixels, SCENES[5].pixels)
    assert again.shapes == SCENES[5].shapes
    assert draw_scene(8, 5).shapes != again.shapes


def test_boxes_lie_in_the_picture_and_are_of_every_size_and_class() -> None:
    shapes = [(shape, scene.pixels.shape) for scene in SCENES for shape in scene.shapes]
    for shape, (height, width, _) in shapes:
        x1, y1, x2, y2 = shape.box
        assert 0 <= x1 < x2 < width
        assert 0 <= y1 < y2 < height
    sides = [
        max(shape.box[2] - shape.box[0], shape.box[3] - shape.box[1]) + 1 for shape, _ in shapes if not shape.truncated
    ]
    assert 22 <= min(sides) < 30
    assert 100 < max(sides) <= 122
    assert {shape.name for shape, _ in shapes} == set(SHAPES)
    assert 1 < len(shapes) / len(SCENES) < 5
    assert any(shape.difficult for scene in (draw_scene(3, n) for n in range(40)) for shape in scene.shapes)


def test_a_box_is_as_tight_as_what_is_drawn() -> None:
    """Where a shape alone changes the picture, the change ends at its box."""
    scene = next(scene for scene in SCENES if len(scene.shapes) == 1 and not scene.shapes[0].truncated)
    x1, y1, x2, y2 = scene.shapes[0].box
    middle = scene.pixels[(y1 + y2) // 2, (x1 + x2) // 2].astype(int)
    beyond = scene.pixels[max(y1 - 6, 0), max(x1 - 6, 0)].astype(int)
    assert np.abs(middle - beyond).max() > 30
