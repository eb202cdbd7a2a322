"""Where a net runs."""

from __future__ import annotations

import argparse

import torch

from ..errors import CommandError


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the device."""
    parser.add_argument(
        "--device", default="cpu", metavar="NAME", help="where the net runs, such as cuda (default cpu)"
    )


def device_of(args: argparse.Namespace, local_rank: int = 0) -> torch.device:
    """The device asked for; of several processes with `cuda` each has its own."""
    try:
        device = torch.device(args.device)
    except RuntimeError:
        raise CommandError(f"--device {args.device}: is none; there are cpu, cuda, cuda:1 and on") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise CommandError(f"--device {args.device}: no GPU is found here (recaffe doctor tells more)")
    return torch.device("cuda", local_rank) if device.type == "cuda" and device.index is None else device
