"""`recaffe train-alternating`: the four steps of the Faster R-CNN paper, or py-R-FCN's five.

NETS is a folder with the originals' files (stage1_rpn_solver60k80k.pt and on, the prototxts that they name, and
rpn_test.pt), or a model of the zoo, whose files are written to OUT/nets. Each step has a folder in OUT; of one that is
done only the last snapshot stays. The same command once more goes on where a run was stopped, between the steps and
within them, to the same bits. The originals' config for these steps is the default: --cfg and --set change it, save for
what is unlike in the steps.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import add_config, add_means, add_set, changed_config, means_of, set_of
from .errors import CommandError

if TYPE_CHECKING:
    from ...prototxt.text import Config
    from ..detection import NamedSet
    from ..training import StageFiles

NAME = "train-alternating"
HELP = "train an RPN and its detector in turn, in the papers' steps"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from ...prototxt.zoo import MODELS

    parser.add_argument("nets", metavar="NETS", help=f"a folder of solvers, or one of {', '.join(MODELS)}")
    add_set(parser, image_set="trainval")
    parser.add_argument("--weights", metavar="FILE", type=Path, help="to start from, such as a classifier's")
    parser.add_argument("--out", metavar="FOLDER", type=Path, default=Path("output"), help="for all that comes of it")
    parser.add_argument(
        "--iters", type=int, nargs="+", default=[], metavar="N", help="iterations of all steps, or of each"
    )
    for name, what in (("scales", "sides in units of 16 pixels"), ("ratios", "heights to widths")):
        parser.add_argument(f"--{name}", type=float, nargs="+", metavar="X", help=f"a zoo net's anchors: {what}")
    add_means(parser)
    parser.add_argument("--force", action="store_true", help="begin steps anew that were begun from something else")
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Train all steps, and tell what they left."""
    from ..detection import Share
    from ..training import Course, read_stages

    if Share.of_environment().world > 1:
        raise CommandError("runs in one process: start it without torchrun")
    pictures = set_of(args)
    if args.iters and min(args.iters) < 1:
        raise CommandError(f"--iters {min(args.iters)}: at least 1")
    folder = _nets(args, pictures)
    files = read_stages(folder, tuple(args.iters))
    course = Course(files, pictures, _config(args, files), args.out, means_of(args), args.weights, args.force)
    left = course.results(course.run())
    for path, result in zip(left, files.plan.results, strict=True):
        print(f"{path}: goes with {folder / result.net}")
    return 0


def _nets(args: argparse.Namespace, pictures: NamedSet) -> Path:
    """The folder of the files; a model's are written first."""
    from ...prototxt.zoo import DATASETS, MODELS, is_rfcn
    from ..datasets import CocoSet
    from ..training import write_stages

    given: dict[str, Any] = {name: tuple(getattr(args, name)) for name in ("scales", "ratios") if getattr(args, name)}
    if args.nets not in MODELS:
        if given:
            raise CommandError(f"--{next(iter(given))}: the prototxts of {args.nets} say which anchors they have")
        return Path(args.nets)
    # For Faster R-CNN's steps the originals have settings for VOC alone.
    settings = "coco" if isinstance(pictures, CocoSet) and is_rfcn(args.nets) else "voc"
    task = replace(DATASETS[settings], classes=len(pictures.classes), **given)
    folder: Path = args.out / "nets"
    write_stages(folder, args.nets, task, settings, args.force)
    return folder


def _config(args: argparse.Namespace, files: StageFiles) -> Config:
    """The originals' experiment with what the arguments change."""
    from ...prototxt.text import Config, variant_of
    from ..training import RFCN

    types = [layer.type for text in files.nets.values() for layer in text.net.layer]
    usual = "rfcn" if files.plan is RFCN else variant_of(types, files.rpn_test.name)
    variant = usual if args.variant == "auto" else args.variant
    return changed_config(args, Config.default(variant).with_flat(files.plan.config))
