"""`recaffe demo`: print each blob of a small net beside Caffe's, and draw what a trained one finds in drawn scenes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...golden import Report

NAME = "demo"
HELP = "hold a net against Caffe's blobs, and draw what the detector that comes along finds"
FIXTURE = Path(__file__).parents[2] / "golden" / "fixtures" / "nets" / "frcnn_test.npz"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--output", default="demo.png", type=Path, metavar="FILE", help="the picture (default demo.png)"
    )


def run(args: argparse.Namespace) -> int:
    """Run both nets; exit status 1 if a blob differs from Caffe's."""
    from ...golden import verify
    from ...golden.fixture import Fixture
    from ..detection import SCENES, draw_found, save_picture, shapes_detector

    report = verify(Fixture.load(FIXTURE))
    print("blob, shape and largest difference from the blob that Caffe computed, in parts of its largest magnitude:")
    print("\n".join(f"  {name:24}{shape:>16}  {difference}" for name, shape, difference in _lines(report)))
    picture, count = draw_found(shapes_detector())
    save_picture(args.output, picture, force=True)
    print(f"{'every blob is' if report.ok else 'NOT every blob is'} Caffe's")
    print(f"{args.output}: {count} objects that the detector found in {SCENES} scenes")
    return 0 if report.ok else 1


def _lines(report: Report) -> list[tuple[str, str, str]]:
    from ...layers import times

    return [
        (name, times(report.fixture.tops[name].shape), f"{result.relative:.1e}" if result.ok else f"DIFFERS: {result}")
        for result in report.results
        for name in [result.key.removeprefix("top/")]
    ]
