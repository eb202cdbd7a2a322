from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from recaffe.layers.base.layer import LayerError
from recaffe.layers.sources.images import Image, decode, read_bytes, resize

Bytes = NDArray[np.uint8]


def png(pixels: NDArray[np.generic]) -> bytes:
    return cv2.imencode(".png", np.asarray(pixels))[1].tobytes()


def noise(*shape: int) -> Bytes:
    return np.random.RandomState(3).randint(0, 256, shape, np.uint8)


def test_colour_is_channels_first_blue_green_red() -> None:
    pixels = noise(4, 5, 3)
    np.testing.assert_array_equal(decode(png(pixels)), pixels.transpose(2, 0, 1))
    np.testing.assert_array_equal(decode(png(pixels[:, :, 0])), pixels[:, :, :1].transpose(2, 0, 1).repeat(3, 0))


def test_as_the_file_has_it() -> None:
    for channels in (1, 3, 4):
        pixels = noise(4, 5, channels)
        np.testing.assert_array_equal(decode(png(pixels), None), pixels.transpose(2, 0, 1))


def test_gray_of_a_coloured_png_is_libpngs() -> None:
    pixels = noise(60, 70, 3)
    pixels[:30, :, 1] = pixels[:30, :, 2] = pixels[:30, :, 0]
    blue, green, red = pixels.transpose(2, 0, 1).astype(int)
    gray = np.where((red == green) & (red == blue), red, (9797 * red + 19234 * green + 3737 * blue) >> 15)
    np.testing.assert_array_equal(decode(png(pixels), False), gray[None])


@pytest.mark.parametrize("data", [b"", b"no image", png(noise(4, 5, 3))[:40]])
def test_what_is_no_image(data: bytes) -> None:
    with pytest.raises(LayerError, match="is no image that OpenCV reads"):
        decode(data)


def test_sixteen_bits_are_not_cut_in_silence() -> None:
    with pytest.raises(LayerError, match="has uint16 values, and only 8 bits for each are read"):
        decode(png(noise(4, 5, 3).astype(np.uint16)), None)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match=r"none\.png: cannot be read: No such file"):
        read_bytes(tmp_path / "none.png")


def corners(old: int, new: int, edges: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pixel before each new one, and the weights (2, new) of that and the next, in parts of 2048."""
    places = ((np.arange(new) + 0.5) * (1 / (new / old)) - 0.5).astype(np.float32)
    before = np.floor(places).astype(np.int64)
    share = places - before.astype(np.float32)
    if edges:
        share[(before < 0) | (before >= old - 1)] = 0
        before = before.clip(0, old - 1)
    return before, np.rint(np.stack((1 - share, share)) * np.float32(2048)).astype(np.int64)


def bilinear(image: Image, height: int, width: int) -> Image:
    """The resize that Caffe's OpenCV does, number by number."""
    old_height, old_width = image.shape[1:]
    if (old_height, old_width) == (2 * height, 2 * width):
        return (image.reshape(-1, height, 2, width, 2).astype(int).sum((2, 4)) + 2) >> 2
    column, (left, right) = corners(old_width, width, edges=True)
    row, (above, below) = corners(old_height, height, edges=False)
    pixels = image.astype(int)
    across = pixels[:, :, column] * left + pixels[:, :, (column + 1).clip(0, old_width - 1)] * right
    one, two = (across[:, (row + k).clip(0, old_height - 1)] >> 4 for k in (0, 1))
    return (((one * above[:, None]) >> 16) + ((two * below[:, None]) >> 16) + 2) >> 2


def test_resize_is_caffes_in_every_pixel() -> None:
    rng = np.random.RandomState(5)
    sizes = [*rng.randint(1, 70, (120, 4)), (8, 10, 4, 5), (8, 10, 4, 7), (1, 1, 6, 9), (300, 400, 97, 131)]
    for number, (height, width, new_height, new_width) in enumerate(sizes):
        image = rng.randint(0, 256, (1 + 2 * (number % 2), height, width), np.uint8)
        have = resize(image, new_height, new_width)
        np.testing.assert_array_equal(have, bilinear(image, new_height, new_width), str(sizes[number]))
