from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from recaffe.tools.datasets.errors import DataError
from recaffe.tools.datasets.images.image_file import is_cut_off, picture_size, read_pixels

PIXELS = np.random.RandomState(2).randint(0, 256, (37, 52, 3)).astype(np.uint8)
PROGRESSIVE = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]


@pytest.mark.parametrize(("suffix", "how"), [(".jpg", []), (".jpg", PROGRESSIVE), (".png", []), (".bmp", [])])
def test_the_size_is_that_of_the_pixels(suffix: str, how: list[int], tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), PIXELS, how)
    assert picture_size(path) == (52, 37)
    assert read_pixels(path).shape == (37, 52, 3)
    assert not is_cut_off(path)
    path.write_bytes(path.read_bytes()[:-20])
    assert is_cut_off(path) == (suffix != ".bmp")


def test_what_stands_before_a_jpegs_frame_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    data = cv2.imencode(".jpg", PIXELS)[1].tobytes()
    thumbnail = b"\xff\xe1\x00\x0a\xff\xc0\x00\x05\x08\x00\x01\x00"  # as in a camera's notes
    path.write_bytes(data[:2] + thumbnail + b"\xff" + data[2:])
    assert picture_size(path) == (52, 37)


def test_a_cameras_orientation_turns_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    data = cv2.imencode(".jpg", PIXELS)[1].tobytes()
    turned = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(turned) + 2).to_bytes(2) + turned + data[2:])
    assert cv2.imread(str(path)).shape == (52, 37, 3)
    assert read_pixels(path).shape == (37, 52, 3)
    assert picture_size(path) == (52, 37)


def test_gray_ones_have_three_channels(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), PIXELS[..., 0])
    assert np.array_equal(read_pixels(tmp_path / "a.png"), np.repeat(PIXELS[..., :1], 3, axis=2))


@pytest.mark.parametrize("content", [b"", b"text", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    for read in (picture_size, read_pixels):
        with pytest.raises(DataError) as error:
            read(path)
        assert str(error.value) == f"{path}: is no image that OpenCV reads, or a damaged one"
    with pytest.raises(DataError, match=r"b.jpg: cannot be read: No such file or directory$"):
        picture_size(tmp_path / "b.jpg")
