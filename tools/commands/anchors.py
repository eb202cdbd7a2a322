"""`recaffe anchors`: how well anchors fit the objects of a data set, and scales and ratios that would fit better.

An object that no anchor overlaps by 0.7 is learnt from its best one alone, and of small objects that one is often poor.
Objects are seen as in training, at the first of TRAIN.SCALES, and only anchors inside the picture count.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from .arguments import add_config, add_set, config_of, set_of
from .errors import CommandError

if TYPE_CHECKING:
    from ..detection import AnchorSettings, Fit

NAME = "anchors"
HELP = "measure how well anchors fit a data set's objects, and propose better ones"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_set(parser, "trainval")
    parser.add_argument("--net", metavar="NET", help="a prototxt whose proposal layer has the anchors")
    for name, default in (("scales", "8 16 32"), ("ratios", "0.5 1 2")):
        parser.add_argument(f"--{name}", nargs="+", type=float, metavar="X", help=f"theirs (default {default})")
    parser.add_argument("--count", nargs=2, type=int, metavar=("S", "R"), help="propose so many scales and ratios")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, propose, measure again."""
    from ..detection import better, fit, scenes_of

    anchors = _anchors(args)
    scenes = scenes_of(set_of(args), config_of(args))
    if not any(len(scene.boxes) for scene in scenes):
        raise CommandError(f"{args.dataset}: has no object that anchors could fit")
    counts = args.count or (len(anchors.scales), len(anchors.ratios))
    if min(counts) < 1:
        raise CommandError(f"--count {counts[0]} {counts[1]}: at least one scale and one ratio")
    proposed = better(anchors, scenes, *counts)
    found = {name: (which, fit(which, scenes)) for name, which in (("present", anchors), ("proposed", proposed))}
    if args.json:
        print(json.dumps({name: _as_json(*pair) for name, pair in found.items()}))
        return 0
    for name, (which, measured) in found.items():
        print("\n".join([f"{name}: {_told(which)}", *measured.lines()]))
    print(f'in the prototxt, at each Python layer with anchors: param_str: "{proposed.param_str}"')
    return 0


def _anchors(args: argparse.Namespace) -> AnchorSettings:
    """Those of the net's proposal layer, or those that are named."""
    from ...prototxt.text import read_net, read_param_str
    from ..detection import AnchorSettings

    if not args.net:
        return AnchorSettings(
            scales=tuple(args.scales or AnchorSettings.scales), ratios=tuple(args.ratios or AnchorSettings.ratios)
        )
    if args.scales or args.ratios:
        raise CommandError("--net has its own scales and ratios: drop --scales and --ratios")
    layers = [layer for layer in read_net(args.net).net.layer if layer.python_param.layer == "ProposalLayer"]
    if len(layers) != 1:
        raise CommandError(f"{args.net}: has {len(layers)} proposal layers, and one tells the anchors")
    given = read_param_str(layers[0])
    return AnchorSettings(**{field.name: given[field.name] for field in fields(AnchorSettings) if field.name in given})


def _told(anchors: AnchorSettings) -> str:
    scales, ratios = (", ".join(f"{value:g}" for value in values) for values in (anchors.scales, anchors.ratios))
    return f"scales {scales}; ratios {ratios}"


def _as_json(anchors: AnchorSettings, measured: Fit) -> dict[str, object]:
    shares = {f"at {least}": float((measured.overlaps >= least).mean()) for least in (0.5, 0.7)}
    return {**asdict(anchors), "objects": len(measured.overlaps), **shares, "mean": float(measured.overlaps.mean())}
