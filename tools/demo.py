"""`recaffe demo`: run a small net with Caffe's weights, print each blob beside Caffe's, draw what it proposes."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ..golden.fixture import Fixture
from ..golden.run import Report, verify
from ..layers.shapes import times
from .errors import CommandError

NAME = "demo"
HELP = "run the net that comes along and draw its RoIs"
FIXTURE = Path(__file__).parents[1] / "golden" / "fixtures" / "nets" / "frcnn_test.npz"
_ZOOM, _MARGIN, _PANEL = 6, 24, 560
_INK, _PALE, _PAPER = (40, 36, 32), (130, 124, 118), (250, 249, 247)
_COLOURS = ((60, 140, 250), (235, 160, 40), (90, 60, 225))

Image = npt.NDArray[np.uint8]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--output", default="demo.png", metavar="FILE", help="the picture to write (default demo.png)")


def run(args: argparse.Namespace) -> int:
    """Run the demo net; exit status 1 if a blob differs from Caffe's."""
    report = verify(Fixture.load(FIXTURE))
    lines = _lines(report)
    print("blob, shape and largest difference from the blob that Caffe computed, in parts of its largest magnitude:")
    print("\n".join(f"  {name:24}{shape:>16}  {difference}" for name, shape, difference in lines))
    save(args.output, picture(report, lines))
    verdict = "every blob is Caffe's" if report.ok else "NOT every blob is Caffe's"
    print(f"{verdict}; {args.output} shows the {len(report.outcome.tops['rois'])} RoIs on the image")
    return 0 if report.ok else 1


def _lines(report: Report) -> list[tuple[str, str, str]]:
    return [
        (name, times(report.fixture.tops[name].shape), f"{result.relative:.1e}" if result.ok else f"DIFFERS: {result}")
        for result in report.results
        for name in [result.key.removeprefix("top/")]
    ]


def picture(report: Report, lines: list[tuple[str, str, str]]) -> Image:
    """The image with its RoIs, coloured by their likeliest class, beside the table of blobs."""
    rois, probabilities = (report.outcome.tops[name].numpy() for name in ("rois", "cls_prob"))
    probabilities = probabilities[:, 1:]  # without the background
    canvas = _as_image(report.fixture.bottoms["data"])
    # The surest are drawn last, on top, and strongest.
    for row in probabilities.max(axis=1).argsort(kind="stable"):
        x1, y1, x2, y2 = (round(float(v) * _ZOOM) for v in rois[row, 1:])
        layer = canvas.copy()
        colour = _COLOURS[int(probabilities[row].argmax()) % len(_COLOURS)]
        cv2.rectangle(layer, (x1, y1), (x2 + _ZOOM - 1, y2 + _ZOOM - 1), colour, 2, cv2.LINE_AA)
        strength = 0.3 + 0.7 * float(probabilities[row].max())
        canvas = cv2.addWeighted(layer, strength, canvas, 1 - strength, 0).astype(np.uint8)
    return np.hstack([canvas, _table(lines, canvas.shape[0])])


def _as_image(data: npt.NDArray[np.float32]) -> Image:
    """A blob 1×3×H×W of any range as calm pixels, H×W×3 times the zoom, on which lines stand out."""
    pixels = cv2.GaussianBlur(np.ascontiguousarray(data[0].transpose(1, 2, 0)), (0, 0), 2)
    low, high = np.percentile(pixels, (1, 99))
    pixels = np.clip((pixels - low) / (high - low), 0, 1)
    grey = pixels.mean(axis=2, keepdims=True)
    pale = ((0.5 * pixels + 0.5 * grey) * 130 + 110).astype(np.uint8)
    return np.asarray(cv2.resize(pale, None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_CUBIC), np.uint8)


def _table(lines: list[tuple[str, str, str]], height: int) -> Image:
    """The blobs and how far they are from Caffe's, as a picture."""
    panel = np.full((height, _PANEL, 3), _PAPER, np.uint8)
    rows = [("blob", "shape", "from Caffe's by"), *((a, b.replace("×", "x"), c[:18]) for a, b, c in lines)]
    step = (height - 2 * _MARGIN) // len(rows)
    for number, row in enumerate(rows):
        y = _MARGIN + step * number + 12
        for x, text, ink in zip((_MARGIN, 260, 410), row, (_INK, _PALE, _INK), strict=True):
            colour = ink if number else _PALE
            cv2.putText(panel, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    return panel


def save(path: str, image: Image) -> None:
    """Write a PNG: the whole file appears at once, or not at all."""
    done, content = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise CommandError(f"{path}: the picture cannot be encoded")
    aside = Path(f"{path}.part{os.getpid()}")
    try:
        aside.write_bytes(content.tobytes())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
