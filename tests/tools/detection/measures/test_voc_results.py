"""VOC's files of results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recaffe.prototxt.errors import PrototxtError
from recaffe.tools.datasets.errors import DataError
from recaffe.tools.detection.measures.voc_results import read_results, results_file, write_results

ROWS = np.array([[0, 1.04, 9.26, 19, 0.9996], [3, 4, 5, 6, 0.0494]], np.float32)


def test_scores_and_boxes_are_rounded(tmp_path: Path) -> None:
    path = results_file(tmp_path, "test", "disc")
    assert path.name == "comp4_det_test_disc.txt"
    write_results(path, [("000001", ROWS), ("000002", ROWS[:0]), ("000003", ROWS[1:])])
    assert path.read_text() == (
        "000001 1.000 1.0 2.0 10.3 20.0\n000001 0.049 4.0 5.0 6.0 7.0\n000003 0.049 4.0 5.0 6.0 7.0\n"
    )
    found = read_results(path, ["000001", "000002", "000003"])
    assert found.pictures.tolist() == ["000001", "000001", "000003"]
    assert found.scores.tolist() == [1.0, 0.049, 0.049]
    assert found.boxes[0].tolist() == [1.0, 2.0, 10.3, 20.0]
    with pytest.raises(PrototxtError, match="exists already"):
        write_results(path, [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a 0.5 1 2 3 4\na 0.5 1 2 3\n", "2: expected PICTURE SCORE X1 Y1 X2 Y2, got 'a 0.5 1 2 3'"),
        ("a 0.5 1 2 x 4\n", "1: expected PICTURE SCORE X1 Y1 X2 Y2, got 'a 0.5 1 2 x 4'"),
        ("\n", "1: expected PICTURE SCORE X1 Y1 X2 Y2, got ''"),
        ("b 0.5 1 2 3 4\n", "1: picture 'b' is not in the set"),
    ],
)
def test_other_lines_are_refused(text: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "found.txt"
    path.write_text(text)
    with pytest.raises(DataError) as error:
        read_results(path, ["a"])
    assert str(error.value) == f"{path}:{line}"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file or directory"):
        read_results(tmp_path / "none.txt", [])
