"""`recaffe demo`: print each blob of a small net beside Caffe's, and draw what a trained one finds in drawn scenes."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from ...golden import Fixture, Report, verify
from ...layers import times
from ...prototxt.text import Config
from ..datasets import SHAPES, Pixels, draw_scene
from ..detection import Detector, drawn, save_picture

NAME = "demo"
HELP = "hold a net against Caffe's blobs, and draw what the detector that comes along finds"
FIXTURE = Path(__file__).parents[2] / "golden" / "fixtures" / "nets" / "frcnn_test.npz"
ZOO = Path(__file__).parents[2] / "prototxt" / "zoo"
_SEED, _COUNT, _ROW = 11, 6, 3
"""Scenes that the detector was not trained on."""
_SIDE, _GAP, _PAPER = 480, 12, (250, 249, 247)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--output", default="demo.png", type=Path, metavar="FILE", help="the picture (default demo.png)"
    )


def run(args: argparse.Namespace) -> int:
    """Run both nets; exit status 1 if a blob differs from Caffe's."""
    report = verify(Fixture.load(FIXTURE))
    print("blob, shape and largest difference from the blob that Caffe computed, in parts of its largest magnitude:")
    print("\n".join(f"  {name:24}{shape:>16}  {difference}" for name, shape, difference in _lines(report)))
    picture, count = scenes(shapes_detector())
    save_picture(args.output, picture, force=True)
    print(f"{'every blob is' if report.ok else 'NOT every blob is'} Caffe's")
    print(f"{args.output}: {count} objects that the detector found in {_COUNT} scenes")
    return 0 if report.ok else 1


def _lines(report: Report) -> list[tuple[str, str, str]]:
    return [
        (name, times(report.fixture.tops[name].shape), f"{result.relative:.1e}" if result.ok else f"DIFFERS: {result}")
        for result in report.results
        for name in [result.key.removeprefix("top/")]
    ]


def shapes_detector(thresh: float = 0.8) -> Detector:
    """The small net of the zoo, as it was trained on drawn shapes."""
    config = Config.default().with_yaml(ZOO / "shapes.yml")
    net = ZOO / "shapes.prototxt", ZOO / "shapes.caffemodel"
    return Detector.from_caffe(*net, classes=tuple(SHAPES), config=config, thresh=thresh)


def scenes(detector: Detector) -> tuple[Pixels, int]:
    """Scenes with what is found in them, side by side, and how much that is."""
    tiles, count = [], 0
    for number in range(1, _COUNT + 1):
        pixels = draw_scene(_SEED, number).pixels
        scale = _SIDE / max(pixels.shape[:2])
        large = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
        found = detector(large)
        count += len(found)
        tiles.append(_framed(drawn(large, found, found.classes)))
    rows = [np.hstack(tiles[i : i + _ROW]) for i in range(0, _COUNT, _ROW)]
    return np.vstack(rows), count


def _framed(picture: Pixels) -> Pixels:
    """A picture in the middle of a square of paper."""
    height, width = picture.shape[:2]
    tile = np.full((_SIDE + _GAP, _SIDE + _GAP, 3), _PAPER, np.uint8)
    y, x = (_SIDE + _GAP - height) // 2, (_SIDE + _GAP - width) // 2
    tile[y : y + height, x : x + width] = picture
    return tile
