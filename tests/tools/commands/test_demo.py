from __future__ import annotations

from pathlib import Path

import cv2
import pytest

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


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--output", str(tmp_path / "no" / "demo.png")]) == 2
    assert capsys.readouterr().err.endswith("No such file or directory\n")
