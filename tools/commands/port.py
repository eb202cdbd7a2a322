"""`recaffe port`: write a net's weights in another format, or the net as a model, checked before they are kept.

The suffix of OUT says which. Weights are .caffemodel, .caffemodel.h5, .npz, .safetensors or .pt: the written file is
read back and compared with IN bit for bit, and small nets are run with both. Models are .py (PyTorch code, and its
weights in a .safetensors beside it), .onnx or .pt2 (torch.export): they are run, and every blob is compared.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_dialect, add_net, allowed, in_flags, net_of
from .errors import CommandError

if TYPE_CHECKING:
    from ..porting import BoxChange

NAME = "port"
HELP = "write a net's weights in another format, or the net as PyTorch or ONNX, checked before they are kept"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_net(parser, weights=False)
    parser.add_argument("source", metavar="IN", help="the weights, in any format that is read")
    parser.add_argument("target", metavar="OUT", help="the file to write; its suffix says the format")
    parser.add_argument("--force", action="store_true", help="replace OUT if it is there")
    add_dialect(parser)
    boxes = parser.add_mutually_exclusive_group()
    boxes.add_argument(
        "--bbox-unnormalize",
        action="store_true",
        help="make bbox_pred (rfcn_bbox) give box targets that were normalised in training: times stds, plus means",
    )
    boxes.add_argument("--bbox-normalize", action="store_true", help="the reverse: minus means, by stds")
    for what in ("means", "stds"):
        text = f"four {what}, or four for each class (default TRAIN.BBOX_NORMALIZE_{what.upper()})"
        parser.add_argument(f"--{what}", nargs="+", type=float, metavar="X", help=text)
    parser.add_argument(
        "--fold",
        action="store_true",
        help="multiply BatchNorm and Scale into the convolutions before them (models only)",
    )
    parser.add_argument("--run", dest="run_nets", action="store_true", help="run the nets, however large they are")
    parser.add_argument("--verbose", "-v", action="store_true", help="print every param, too")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Port, and print what was done."""
    from ...prototxt.export import MODELS
    from ...prototxt.files import WRITABLE, dialect_of
    from ...prototxt.text import read_net
    from ..porting import Porting, port_model, port_weights

    target = Path(args.target)
    build = partial(net_of, args, read_net(args.net))
    if not args.target.endswith((*WRITABLE, *MODELS)):
        known = ", ".join((*WRITABLE, *MODELS))
        raise CommandError(f"{args.target}: no format has this suffix; there are {known}")
    dialect_of(args.dialect)  # refused also where it does not matter
    if args.fold and target.suffix not in MODELS:
        raise CommandError(f"--fold changes the layers: it goes with a model ({', '.join(MODELS)})")
    porting = Porting(
        build=build,
        source=args.source,
        target=target,
        dialect=args.dialect,
        boxes=_boxes(args),
        fold=args.fold,
        run_nets=args.run_nets,
        force=args.force,
        allow=allowed(args),
    )
    report = (port_model if target.suffix in MODELS else port_weights)(porting)
    text = json.dumps(asdict(report)) if args.json else report.text(args.verbose)
    print(in_flags(text, ("run_nets",), args.flags))
    return 0


def _boxes(args: argparse.Namespace) -> BoxChange | None:
    """What becomes of box layers."""
    from ..porting import BoxChange

    if args.bbox_normalize or args.bbox_unnormalize:
        return BoxChange(args.bbox_unnormalize, tuple(args.means or ()), tuple(args.stds or ()))
    if args.means or args.stds:
        raise CommandError("--means and --stds say how: add --bbox-normalize or --bbox-unnormalize")
    return None
