"""`recaffe bench`: what the design promises, measured side by side in one run; ratios matter, times do not."""

from __future__ import annotations

import argparse

NAME = "bench"
HELP = "measure speed against a matrix product, plain NumPy and a read of the file"
_BENCHES = ("forward", "training", "proposals", "R-FCN", "anchor targets", "port", "caffemodel")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--threads", type=int, default=2, help="threads for torch (default 2)")
    parser.add_argument("--only", choices=sorted(_BENCHES), action="append", help="run only these")
    parser.add_argument(
        "--opencv", metavar="PYTHON", help="a Python with OpenCV 4, to read the same .caffemodel beside"
    )


def run(args: argparse.Namespace) -> int:
    """Run the benchmarks."""
    import torch

    from .. import bench

    torch.set_num_threads(args.threads)
    print(f"torch {torch.__version__}, {args.threads} threads")
    for name in args.only or _BENCHES:
        print(f"\n{name}")
        match name:
            case "forward":
                bench.forward()
            case "training":
                bench.training()
            case "proposals":
                bench.proposals()
            case "R-FCN":
                bench.rfcn()
            case "anchor targets":
                bench.anchor_targets()
            case "port":
                bench.porting()
            case "caffemodel":
                bench.reading(args.opencv)
    return 0
