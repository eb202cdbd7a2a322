"""`recaffe inspect`: what a file of weights holds, which kind it is, and who wrote it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

NAME = "inspect"
HELP = "print what a file of weights holds and which Caffe wrote it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help=".caffemodel, .binaryproto, .solverstate, their .h5, .npz, .npy, .safetensors or .pt",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what the file holds."""
    from ...prototxt.files import list_file
    from ..report import bytes_text, listing_json, listing_text, sha256

    listing, path = list_file(args.file), Path(args.file)
    digest, size = sha256(path), path.stat().st_size
    if args.json:
        head = {"path": str(path), "kind": listing.what, "bytes": size, "sha256": digest}
        print(json.dumps({**head, **listing.facts, "layers" if listing.layered else "arrays": listing_json(listing)}))
        return 0
    print(f"{path}: {listing.what}, {bytes_text(size)}, sha256 {digest}")
    print(listing_text(listing))
    return 0
