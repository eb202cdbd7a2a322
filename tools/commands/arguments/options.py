"""Arguments that several commands share, and what they come to."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CommandError

if TYPE_CHECKING:
    import torch

    from ....layers import Shape
    from ....prototxt.net import Allow, Net
    from ....prototxt.text import Config, NetText
    from ...detection import NamedSet
    from ...training import Means

_ALLOWED = {
    "missing": "leave params that the weights lack as their fillers made them",
    "unused": "take no notice of weights that no layer takes",
    "nonfinite": "take params that hold NaN or infinite values",
}


def add_net(parser: argparse.ArgumentParser, *, weights: bool = True) -> None:
    """Add the net and what decides how it is built: phase, level, stages, weights where asked for, config."""
    parser.add_argument("net", metavar="NET", help="the net's prototxt")
    parser.add_argument("--phase", choices=("TEST", "TRAIN"), default="TEST", help="the phase (default TEST)")
    parser.add_argument("--level", type=int, default=0, help="the level that include and exclude rules see (default 0)")
    parser.add_argument("--stage", action="append", default=[], help="a stage that they see; may be given again")
    if weights:
        parser.add_argument("--weights", metavar="FILE", help="the weights to load, in any format")
    for what, help_text in _ALLOWED.items():
        parser.add_argument(f"--allow-{what}", action="store_true", help=help_text)
    add_config(parser)


_BY_TYPES = "py-R-FCN's for nets with its layer types, else py-faster-rcnn's"


def add_config(parser: argparse.ArgumentParser, auto: str = _BY_TYPES) -> None:
    """Add what changes the config of the Python layers; `auto` says whose it is by default."""
    from ....prototxt.text import VARIANTS

    parser.add_argument(
        "--variant",
        choices=("auto", *VARIANTS),
        default="auto",
        help=f"whose config and layers (default auto: {auto})",
    )
    parser.add_argument("--cfg", action="append", default=[], metavar="FILE", help="a YAML config; may be given again")
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar=("KEY", "VALUE"),
        help="config keys, such as TEST.RPN_POST_NMS_TOP_N 100",
    )


def net_of(args: argparse.Namespace, text: NetText, shapes: Mapping[str, Shape] | None = None) -> Net:
    """The net, as `add_net` has it, without weights; `shapes` are others for blobs that are fed."""
    from ....prototxt.net import Net

    config = config_of(args, text)
    return Net(text, args.phase, config=config, level=args.level, stages=args.stage, shapes=shapes)


def allowed(args: argparse.Namespace) -> Allow:
    """What the user lets pass between net and weights."""
    from ....prototxt.net import Allow

    return Allow(**{what: bool(getattr(args, f"allow_{what}")) for what in _ALLOWED})


def config_of(args: argparse.Namespace, net: NetText | None = None) -> Config:
    """The config: the variant's defaults, then each file, then each key; the net decides what `auto` means."""
    from ....prototxt.text import Config, variant_of

    found = variant_of((layer.type for layer in net.net.layer), net.name) if net else "frcnn"
    return changed_config(args, Config.default(found))


def changed_config(args: argparse.Namespace, config: Config) -> Config:
    """A config of the variant that is asked for, else the one given, then each file, then each key."""
    if args.variant not in ("auto", config["VARIANT"]):
        config = type(config).default(args.variant)
    for path in args.cfg:
        config = config.with_yaml(path)
    return config.with_set(args.set, "--set") if args.set else config


def add_faithful_inplace(parser: argparse.ArgumentParser) -> None:
    """Add the choice between true gradients and those of Caffe's in-place layers."""
    parser.add_argument(
        "--faithful-inplace",
        action="store_true",
        help="let backward read what in-place layers have overwritten, as Caffe's does, wrong gradients and all",
    )


def add_dialect(parser: argparse.ArgumentParser) -> None:
    """Add the Caffe that a .caffemodel is written for; `dialect_of` in prototxt/files refuses what is none."""
    parser.add_argument(
        "--dialect",
        default="bvlc",
        metavar="NAME",
        help="the Caffe that is to read a .caffemodel: bvlc, fast-rcnn, microsoft or caffe-rfcn (default bvlc)",
    )


def input_shapes(words: Sequence[str]) -> dict[str, Shape]:
    """Shapes by blob name, from words such as `data=1,3,600,1000`."""
    shapes: dict[str, Shape] = {}
    for word in words:
        blob, _, dims = word.rpartition("=")
        if not blob or not re.fullmatch(r"[0-9]+(,[0-9]+)*", dims):
            raise CommandError(f"--input {word}: expected BLOB=N,C,H,W, such as data=1,3,600,1000")
        shapes[blob] = tuple(map(int, dims.split(",")))
    return shapes


def add_set(parser: argparse.ArgumentParser, image_set: str = "test") -> None:
    """Add the data set and what chooses its parts."""
    parser.add_argument(
        "dataset", metavar="DATASET", type=Path, help="a folder in VOC's layout, or COCO's instances_*.json"
    )
    parser.add_argument(
        "--image-set", default=image_set, metavar="NAME", help=f"which of VOC's lists of pictures (default {image_set})"
    )
    parser.set_defaults(default_image_set=image_set)
    parser.add_argument("--images", metavar="FOLDER", type=Path, help="where COCO's images are")
    parser.add_argument(
        "--classes", metavar="NAMES", help="voc, coco, NAME,NAME,... or a file of them (default: the data set's own)"
    )


def set_of(args: argparse.Namespace) -> NamedSet:
    """The data set, as `add_set` has it."""
    from ...detection import named_set

    return named_set(args.dataset, args.image_set or args.default_image_set, args.images, args.classes)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the device."""
    parser.add_argument(
        "--device", default="cpu", metavar="NAME", help="where the net runs, such as cuda (default cpu)"
    )


def device_of(args: argparse.Namespace) -> torch.device:
    """The device that this process is to use, one of several maybe."""
    from ...detection import Share
    from ...detection import device_of as device_named

    return device_named(args.device, Share.of_environment().local_rank)


def add_means(parser: argparse.ArgumentParser) -> None:
    """Add what a training is done with."""
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="threads that read images (default 2)")
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")
    parser.add_argument("--bf16", action="store_true", help="convolutions and inner products in bfloat16")
    parser.add_argument(
        "--compile", action="store_true", help="run layers through torch.compile: pays where pictures have few sizes"
    )
    add_device(parser)


def means_of(args: argparse.Namespace) -> Means:
    """The arguments that `add_means` added."""
    from ...training import Means

    return Means(
        args.workers, args.quiet, device_of(args), args.bf16, args.compile, getattr(args, "faithful_inplace", False)
    )
