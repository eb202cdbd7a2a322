"""`recaffe detect`: find objects in pictures; draw them, and write them down as JSON, a line for each picture.

A net with proposals of its own (Faster R-CNN, R-FCN) takes pictures alone; a Fast R-CNN net needs --proposals. Of a
lone RPN the proposals are drawn.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_device, add_net, allowed, device_of, net_of
from .errors import CommandError

if TYPE_CHECKING:
    from ..datasets import Pixels
    from ..detection import Detections

NAME = "detect"
HELP = "find objects in pictures, draw them and write them down"
_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
_LINES = "detections.jsonl"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_net(parser, weights=False)
    parser.add_argument("weights", metavar="WEIGHTS", help="the weights, in any format")
    parser.add_argument("images", nargs="+", metavar="IMAGE", type=Path, help="pictures, or folders of them")
    parser.add_argument(
        "--out", default="detections", metavar="FOLDER", type=Path, help="where to write (default detections)"
    )
    parser.add_argument("--classes", metavar="NAMES", help="voc, coco, NAME,NAME,... or a file of them, a name a line")
    parser.add_argument("--thresh", type=float, default=0.5, metavar="P", help="the least score shown (default 0.5)")
    parser.add_argument("--max", type=int, default=100, metavar="N", help="the most objects of a picture (default 100)")
    parser.add_argument("--proposals", metavar="FILE", help="a Fast R-CNN net's proposals, by the pictures' names")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.add_argument("--json", action="store_true", help="print the lines of JSON, too")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Detect, draw and write."""
    from ...prototxt.files import whole_file
    from ...prototxt.text import read_net
    from ..datasets import read_pixels, read_proposals
    from ..detection import Finder, drawn, save_picture

    images = _images(args.images)
    net = net_of(args, read_net(args.net))
    net.load(args.weights, allow=allowed(args))
    finder = Finder(net.to(device_of(args)), args.classes, args.thresh, args.max)
    proposals = read_proposals(args.proposals, [path.stem for path in images]) if args.proposals else None
    args.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        lines = stack.enter_context(stack.enter_context(whole_file(args.out / _LINES, args.force)).open("w"))
        for number, path in enumerate(images):
            pixels = read_pixels(path)
            found = finder(pixels, proposals[number] if proposals else None)
            target = args.out / f"{path.stem}{'.jpg' if path.suffix.lower() in ('.jpg', '.jpeg') else '.png'}"
            save_picture(target, drawn(pixels, found, found.classes), args.force)
            line = _line(path, pixels, found)
            lines.write(f"{line}\n")
            print(line if args.json else f"{path} -> {target}: {_counted(found)}", flush=True)
    return 0


def _images(paths: Sequence[Path]) -> list[Path]:
    """The pictures among files and folders; no two may give files of one name."""
    found: dict[str, Path] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES)
            if not inside:
                raise CommandError(f"{path}: no picture in this folder (known are {', '.join(_SUFFIXES)})")
        elif path.exists():
            inside = [path]
        else:
            raise CommandError(f"{path}: no such file or folder")
        for file in inside:
            if file.stem in found:
                raise CommandError(f"{file} and {found[file.stem]} have one name: detect them into two folders (--out)")
            found[file.stem] = file
    return list(found.values())


def _line(path: Path, pixels: Pixels, found: Detections) -> str:
    """A picture's line of JSON."""
    height, width = pixels.shape[:2]
    objects = [detection.as_json() for detection in found]
    return json.dumps({"image": str(path), "width": width, "height": height, "detections": objects})


def _counted(found: Detections) -> str:
    """How many of each class."""
    counts = ", ".join(f"{len(rows)} {name}" for name, rows in zip(found.classes, found.rows, strict=True) if len(rows))
    return counts or "nothing"
