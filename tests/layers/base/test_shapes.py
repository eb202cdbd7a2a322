import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.layers.base.shapes import canonical_axis, same_shapes, times


def test_shapes_in_print() -> None:
    assert (times((2, 3, 4)), times(())) == ("2×3×4", "scalar")


def test_axes_count_from_either_end() -> None:
    assert [canonical_axis(axis, (5, 6, 7)) for axis in (0, 2, -1, -3)] == [0, 2, 2, 0]
    for axis in (3, -4):
        with pytest.raises(LayerError, match=f"axis {axis} is out of range for a bottom of 3 axes \\(5×6×7\\)"):
            canonical_axis(axis, (5, 6, 7))


def test_shapes_must_be_one() -> None:
    same_shapes((2, 3), (2, 3))
    with pytest.raises(LayerError, match=r"got 2×3 and, as bottom 2, 3×2"):
        same_shapes((2, 3), (2, 3), (3, 2))
