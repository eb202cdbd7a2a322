"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from ...layers import Shape
from ...prototxt.net import Allow
from ...prototxt.text import VARIANTS, Config, NetText, variant_of
from ..errors import CommandError

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
    """Add what changes the config of the Python layers; `auto` tells whose it is by default."""
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


def allowed(args: argparse.Namespace) -> Allow:
    """What the user lets pass between net and weights."""
    return Allow(**{what: bool(getattr(args, f"allow_{what}")) for what in _ALLOWED})


def config_of(args: argparse.Namespace, net: NetText | None = None) -> Config:
    """The config: the variant's defaults, then each file, then each key; the net decides what `auto` means."""
    found = variant_of((layer.type for layer in net.net.layer), net.name) if net else "frcnn"
    return changed_config(args, Config.default(found))


def changed_config(args: argparse.Namespace, config: Config) -> Config:
    """A config of the variant that is asked for, else the one given, then each file, then each key."""
    if args.variant not in ("auto", config["VARIANT"]):
        config = Config.default(args.variant)
    for path in args.cfg:
        config = config.with_yaml(path)
    return config.with_set(args.set) if args.set else config


def input_shapes(words: Sequence[str]) -> dict[str, Shape]:
    """Shapes by blob name, from words such as `data=1,3,600,1000`."""
    shapes: dict[str, Shape] = {}
    for word in words:
        blob, _, dims = word.rpartition("=")
        if not blob or not re.fullmatch(r"[0-9]+(,[0-9]+)*", dims):
            raise CommandError(f"--input {word}: expected BLOB=N,C,H,W, such as data=1,3,600,1000")
        shapes[blob] = tuple(map(int, dims.split(",")))
    return shapes
