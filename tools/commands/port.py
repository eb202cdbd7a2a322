"""`recaffe port`: write a net's weights in another format, or the net as a model, checked before they are kept.

The suffix of OUT says which. Weights are .caffemodel, .caffemodel.h5, .npz, .safetensors or .pt: the written file is
read back and compared with IN bit for bit, and small nets are run with both. Models are .py (PyTorch code, and its
weights in a .safetensors beside it), .onnx or .pt2 (torch.export): they are run, and every blob is compared.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path

from torch import Tensor

from ...golden import GoldenError
from ...golden.proof import compare_params, load_model, needs_data, prove, run_both
from ...prototxt import PrototxtError
from ...prototxt.export import (
    MODELS,
    BoxScaling,
    ParamPosition,
    find_blobs,
    model_files,
    params_of,
    scale_boxes,
    write_model,
    write_weights,
)
from ...prototxt.files import DIALECTS, WRITABLE, LayerParams, brought_to_disk, read_weights, whole_file
from ...prototxt.net import Allow, Net, fold, refuse_nonfinite
from ...prototxt.text import read_net
from ..errors import CommandError
from ..report import PortReport, model_report, report_on
from .arguments import add_net, allowed, config_of
from .summary import param_bytes, rows

NAME = "port"
HELP = "write a net's weights in another format, or the net as PyTorch or ONNX, checked before they are kept"
_MOST_WORK, _MOST_BYTES = 2 * 10**9, 64 << 20
"""Multiply-adds and bytes of params up to which nets are run without --run."""

Build = Callable[[], Net]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_net(parser, weights=False)
    parser.add_argument("source", metavar="IN", help="the weights, in any format that is read")
    parser.add_argument("target", metavar="OUT", help="the file to write; its suffix says the format")
    parser.add_argument("--force", action="store_true", help="replace OUT if it is there")
    parser.add_argument(
        "--dialect", choices=DIALECTS, default="bvlc", help="the Caffe that is to read a .caffemodel (default bvlc)"
    )
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
    text = read_net(args.net)
    build = partial(Net, text, args.phase, config=config_of(args, text), level=args.level, stages=args.stage)
    if not args.target.endswith((*WRITABLE, *MODELS)):
        known = ", ".join((*WRITABLE, *MODELS))
        raise CommandError(f"{args.target}: no format has this suffix; there are {known}")
    report = (_port_model if Path(args.target).suffix in MODELS else _port)(args, build)
    print(json.dumps(asdict(report)) if args.json else report.text(args.verbose))
    return 0


def _port(args: argparse.Namespace, build: Build) -> PortReport:
    """Find the values, write them aside, check what was written, and give it its name."""
    target, net, weights = Path(args.target), build(), read_weights(args.source)
    found, values = find_blobs(net, weights, allow=allowed(args))
    if args.fold:
        raise CommandError(f"--fold changes the layers: it goes with a model ({', '.join(MODELS)})")
    scaled = _scaled(args, net, params_of(net, values))
    layers = params_of(net, {**values, **scaled})
    report = report_on(found, layers, target, args.dialect)
    report.scaled = sorted({net.nodes[i].name for i, _ in scaled})
    with whole_file(target, args.force) as part:
        write_weights(part, net, layers, DIALECTS[args.dialect])
        report.bytes = part.stat().st_size
        try:
            with brought_to_disk(part):
                back = find_blobs(net, read_weights(part), allow=Allow(missing=True))[1]
                nonfinite = compare_params(layers, params_of(net, back))
            report.checks = ["every param read back, bit for bit the same"]
            report.checks += [reason] if (reason := too_large(args, net)) else _runs(args, build, scaled, part)
        except (GoldenError, PrototxtError) as error:
            reason = str(error).replace(str(part), "the written file")
            raise CommandError(f"{target}: not kept: {reason}") from error
        if nonfinite and not args.allow_nonfinite:
            raise refuse_nonfinite(weights.path, nonfinite)
    return report


def _port_model(args: argparse.Namespace, build: Build) -> PortReport:
    """Write a net as a model, run that against the net, and give it its name."""
    target, net = Path(args.target), build()
    found = net.load(args.source, allow=allowed(args))
    scaled = _scaled(args, net, params_of(net))
    net.fill({(net.nodes[i].name, index): value for (i, index), value in scaled.items()})
    parts = fold(net.parts).parts if args.fold else net.parts
    report = model_report(found, target, len(net.steps) - len(parts.steps))
    report.scaled = sorted({net.nodes[i].name for i, _ in scaled})
    with ExitStack() as stack:
        part, *others = [stack.enter_context(whole_file(file, args.force)) for file in model_files(target)]
        model = write_model(part, net.graph.name, parts, net.inputs, net.outputs)
        report.params, report.notes = model.params, model.notes
        report.bytes = sum(file.stat().st_size for file in (part, *others))
        try:
            report.checks = prove(net, load_model(part))
        except (GoldenError, PrototxtError) as error:
            raise CommandError(f"{target}: not kept: {str(error).replace(str(part), 'the written file')}") from error
    return report


def _scaled(args: argparse.Namespace, net: Net, layers: Sequence[LayerParams]) -> dict[ParamPosition, Tensor]:
    """The params of box heads as the options have them."""
    if not (args.bbox_normalize or args.bbox_unnormalize):
        if args.means or args.stds:
            raise CommandError("--means and --stds say how: add --bbox-normalize or --bbox-unnormalize")
        return {}
    means, stds = (
        tuple(getattr(args, name) or net.config[f"TRAIN.BBOX_NORMALIZE_{name.upper()}"]) for name in ("means", "stds")
    )
    return scale_boxes(net, layers, BoxScaling(means, stds, undo=args.bbox_unnormalize))


def too_large(args: argparse.Namespace, net: Net) -> str:
    """Why a net is not run without being asked to; empty where it is."""
    work = sum(row.multiply_adds for row in rows(net))
    if args.run_nets or (work <= _MOST_WORK and param_bytes(net) <= _MOST_BYTES):
        return ""
    return f"not run: {work / 1e9:.1f} G multiply-adds, {param_bytes(net) / 2**20:.0f} MiB (--run runs it)"


def _runs(args: argparse.Namespace, build: Build, scaled: Mapping[ParamPosition, Tensor], part: Path) -> list[str]:
    """Run a net with the old weights and one with the new, and tell what was run, or why nothing was."""
    want, have = build(), build()
    if reason := needs_data(want):
        return [f"not run: {reason}"]
    want.load(args.source, allow=Allow(missing=True, unused=True, nonfinite=True))
    want.fill({(want.nodes[i].name, index): value for (i, index), value in scaled.items()})
    have.load(part, allow=Allow(missing=True, nonfinite=True))
    return run_both(want, have)
