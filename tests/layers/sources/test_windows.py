import numpy as np
import pytest

from recaffe.layers.base.layer import LayerError
from recaffe.layers.sources.images import resize
from recaffe.layers.sources.windows import Cut, Window, parse_windows

TEXT = "# 0\na.png\n3\n40\n48\n2\n2 0.9 10 8 29 33\n1 0.2 3 20 22 30\n# 1\nb.png 3 64 33 0\n"
IMAGE = np.random.RandomState(3).randint(0, 256, (3, 30, 40), np.uint8)


def window(x1: int, y1: int, x2: int, y2: int) -> Window:
    return Window(0, 1, np.float32(1), x1, y1, x2, y2)


def test_a_window_file() -> None:
    images, windows = parse_windows(TEXT)
    assert images == ["a.png", "b.png"]
    assert windows == [
        Window(0, 2, np.float32(0.9), 10, 8, 29, 33),
        Window(0, 1, np.float32(0.2), 3, 20, 22, 30),
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# 1", "# 2", "has a fault in image 1: it should begin with # 1"),
        ("# 1", "1", "has a fault in image 1: it should begin with # 1"),
        ("\n2\n2", "\n1\n2", "has a fault in image 1: it should begin with # 1"),
        ("64 33 0", "64 33 1 2 0.5 1", "ends within image 2"),
        ("0.9", "x", "has a fault in image 1: could not convert string to float: 'x'"),
        (
            "8 29",
            "9999999999 29",
            "has a fault in image 1: 9999999999 is no whole number from -2147483648 to 2147483647",
        ),
        ("10 8", "-3000000000 8", "has a fault in image 1: -3000000000 is no whole number from"),
        ("8 29", f"8 {'9' * 400}", "has a fault in image 1: 9+ is no whole number from"),
    ],
)
def test_faults_in_a_window_file(old: str, new: str, message: str) -> None:
    with pytest.raises(LayerError, match=message):
        parse_windows(TEXT.replace(old, new))


def test_a_window_as_it_is() -> None:
    pixels, row, column = Cut(12)(IMAGE, window(5, 3, 24, 17), False)
    np.testing.assert_array_equal(pixels, resize(IMAGE[:, 3:18, 5:25], 12, 12))
    assert (row, column) == (0, 0)
    turned, _, _ = Cut(12)(IMAGE, window(5, 3, 24, 17), True)
    np.testing.assert_array_equal(turned, pixels[:, :, ::-1])


def test_context_within_the_image() -> None:
    # Sides of 10 and 14 about (15, 13), times 12 / (12 - 2): 9 to 21 and 4.6 to 21.4.
    pixels, row, column = Cut(12, context_pad=1)(IMAGE, window(10, 6, 19, 19), False)
    np.testing.assert_array_equal(pixels, resize(IMAGE[:, 5:22, 9:22], 12, 12))
    assert (row, column) == (0, 0)


def test_a_square_beyond_two_sides() -> None:
    # The longer side, 20, about (3, 10): -7 to 13 and 0 to 20. 21 columns would be 12; 7 of them lie outside.
    cut = Cut(12, square=True)
    pixels, row, column = cut(IMAGE, window(0, 0, 5, 19), False)
    np.testing.assert_array_equal(pixels, resize(IMAGE[:, 0:21, 0:14], 12, 8))
    assert (row, column) == (0, 4)
    turned, row, column = cut(IMAGE, window(0, 0, 5, 19), True)
    np.testing.assert_array_equal(turned, pixels[:, :, ::-1])
    assert (row, column) == (0, 0)


def test_what_rounding_adds_is_cut_off() -> None:
    # 11 rows about 2.5: -3 to 8, 3 of 12 outside; 10 / 12 of each are 2.5 and 7.5, which rounded are 11 rows.
    pixels, row, _ = Cut(10, square=True)(IMAGE, window(10, 0, 20, 4), False)
    assert (pixels.shape[1], row) == (7, 3)


@pytest.mark.parametrize("box", [(30, 3, 40, 9), (-1, 3, 9, 9), (5, 25, 9, 30), (9, 3, 5, 9)])
def test_a_window_outside_of_its_image(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(LayerError, match=rf"window \({', '.join(map(str, box))}\) has no place in its image of 30×40"):
        Cut(12)(IMAGE, window(*box), False)


def test_a_widened_window_must_touch_its_image() -> None:
    with pytest.raises(LayerError, match="has no place in its image"):
        Cut(12, context_pad=1)(IMAGE, window(90, 3, 99, 9), False)


@pytest.mark.parametrize("box", [(-1, 1, -5, -1), (-5, 1, -(1 << 31), -1)])
def test_a_window_turned_inside_out_has_no_place(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(LayerError, match="has no place in its image of 30×40"):
        Cut(16, square=True)(IMAGE, window(*box), False)
