from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from recaffe.layers.base.draws import Draws
from recaffe.layers.base.layer import LayerError
from recaffe.layers.image_data import ImageDataLayer, parse_line


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("a.png 3", ("a.png", 3)),
        ("d e.png -2", ("d e.png", -2)),
        ("a.png +7\r", ("a.png", 7)),
        ("a.png 12abc", ("a.png", 12)),
        ("a.png x", ("a.png", 0)),
        ("a.png 2147483648", ("a.png", -2147483648)),
        ("a.png 99999999999999999999", ("a.png", -1)),
        pytest.param(f"a.png -{'9' * 5000}", ("a.png", 0), id="too long for Python"),
        ("a.png 5 ", ("a.png 5", 0)),
        ("a.png", ("a.png", 0)),
        ("12.png", ("12.png", 12)),
        ("", ("", 0)),
    ],
)
def test_a_line(line: str, want: tuple[str, int]) -> None:
    assert parse_line(line) == want


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images of one number each, 10 to 50, in a list with their tenths."""
    for value in range(10, 60, 10):
        cv2.imwrite(str(tmp_path / f"im {value}.png"), np.full((4, 5, 3), value, np.uint8))
    (tmp_path / "list.txt").write_text("".join(f"im {value}.png {value // 10}\n" for value in range(10, 60, 10)))
    return tmp_path


def make(folder: Path, source: str = "list.txt", **fields: Any) -> ImageDataLayer:
    layer = ImageDataLayer(source=source, folder=folder, **{"batch_size": 3, **fields})
    layer.setup(num_tops=2)
    return layer


def labels(layer: ImageDataLayer, batches: int) -> list[float]:
    """The labels of some batches, which the images hold too."""
    found = []
    for _ in range(batches):
        data, label = layer()
        assert (data[:, :, 1, 2] == 10 * label[:, None]).all()
        found += label.tolist()
    return found


def test_batches_run_over_the_end(folder: Path) -> None:
    assert labels(make(folder), 3) == [1, 2, 3, 4, 5, 1, 2, 3, 4]


def test_the_last_line_needs_no_end(folder: Path) -> None:
    (folder / "list.txt").write_text("im 10.png 1\nim 20.png 2")
    assert labels(make(folder), 1) == [1, 2, 1]


def test_the_root_folder_is_put_before_the_name(folder: Path) -> None:
    (folder / "list.txt").write_text("10.png 1\n")
    assert labels(make(folder, root_folder="im "), 1) == [1, 1, 1]


def test_colour_and_size(folder: Path) -> None:
    assert make(folder).top_shapes() == ((3, 3, 4, 5), (3,))
    assert make(folder, is_color=False, new_height=7, new_width=2).top_shapes() == ((3, 1, 7, 2), (3,))


def test_shuffling_goes_on_from_the_order_reached(folder: Path) -> None:
    draws = Draws(Draws(9).number())
    order, want = [1, 2, 3, 4, 5], []
    for _ in range(3):
        draws.shuffle(order)
        want += order
    assert labels(make(folder, shuffle=True, seeds=Draws(9)), 5) == want


def test_skipping_is_drawn_after_the_seed_of_shuffling(folder: Path) -> None:
    seeds = Draws(9)
    assert labels(make(folder, rand_skip=4, seeds=Draws(9)), 1)[0] == 1 + seeds.below(4)
    draws, order = Draws(Draws(9).number()), [1, 2, 3, 4, 5]
    draws.shuffle(order)
    assert labels(make(folder, rand_skip=4, shuffle=True, seeds=Draws(9)), 1)[0] == order[seeds.below(4)]


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        ("", {}, r"list\.txt: has no line$"),
        ("im 10.png 1\n", {"rand_skip": 1000}, r"list\.txt: has 1 lines, too few to skip \d+ by rand_skip 1000$"),
        ("im 10.png 1\n\n", {}, "cannot be read: Is a directory"),
        ("none.png 1\n", {}, r"none\.png: cannot be read: No such file or directory$"),
        ("list.txt 1\n", {}, r"list\.txt is no image that OpenCV reads"),
        ("im 10.png 1\n", {"new_height": 3}, "has new_height 3 and new_width 0: give both or none"),
    ],
)
def test_refusals(folder: Path, text: str, fields: dict[str, Any], message: str) -> None:
    (folder / "list.txt").write_text(text)
    with pytest.raises(LayerError, match=message):
        make(folder, **fields)()


def test_a_missing_list(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match=r"no\.txt: cannot be read: No such file or directory$"):
        make(tmp_path, "no.txt")
