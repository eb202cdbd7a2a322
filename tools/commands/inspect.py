"""`recaffe inspect`: what a file of weights holds, which kind it is, and who wrote it."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from math import prod
from pathlib import Path

from ...layers import times
from ...prototxt.files import Listing, list_file
from ..report import Statistics, aligned, bytes_text, statistics

NAME = "inspect"
HELP = "tell what a file of weights holds and which Caffe wrote it"


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
    listing = list_file(args.file)
    path = Path(args.file)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    if args.json:
        head = {"path": str(path), "kind": listing.what, "bytes": size, "sha256": digest}
        print(json.dumps({**head, **listing.facts, "layers" if listing.layered else "arrays": _as_json(listing)}))
        return 0
    print(f"{path}: {listing.what}, {bytes_text(size)}, sha256 {digest}")
    print("\n".join([*_told(listing.facts), *aligned(_table(listing)), _total(listing)]))
    return 0


def _as_json(listing: Listing) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = []
    for layer in listing.entries:
        blobs = [
            {"index": i, "shape": blob.shape, "dtype": blob.dtype, **(asdict(found) if found else {})}
            for i, blob, found in ((i, blob, statistics(blob)) for i, blob in layer.blobs.items())
        ]
        if listing.layered:
            entries.append({"name": layer.name, "type": layer.type, "blobs": blobs})
        else:
            entries += [{"key": layer.name, **{k: v for k, v in blob.items() if k != "index"}} for blob in blobs]
    return entries


def _told(facts: Mapping[str, object]) -> list[str]:
    """A line for each thing that the file tells beside its blobs."""
    lines = [f"{name}: {value}" for name, value in facts.items() if isinstance(value, str | int) and value != ""]
    encodings = facts.get("encodings")
    if isinstance(encodings, list) and encodings:
        lines.append(f"written with {', '.join(encodings)}")
    forks, signs = facts.get("forks"), facts.get("signs")
    return lines + _who(forks, signs) if isinstance(forks, list) and isinstance(signs, dict) else lines


def _who(forks: list[str], signs: Mapping[str, list[str]]) -> list[str]:
    """The forks that may have written the file, and the fields that say so."""
    if not signs:
        return ["written by any Caffe: every fork has its fields"]
    head = f"written by {' or '.join(forks)}" if forks else "written by no known fork: none has all its fields"
    groups: dict[str, list[str]] = {}
    for name, having in signs.items():
        groups.setdefault(", ".join(having) or "none that is known", []).append(name)
    return [head, *(f"  field {', '.join(names)}: {having}" for having, names in groups.items())]


def _table(listing: Listing) -> list[tuple[str, ...]]:
    """The rows of the table; a layer without blobs has one, too."""
    head = ("layer", "type", "blob") if listing.layered else ("key",)
    rows = [(*head, "shape", "dtype", "min", "max", "mean", "not finite")]
    empty = ("",) * 6
    for layer in listing.entries:
        names = (layer.name, layer.type)
        if not layer.blobs:
            rows.append((*names, "", *empty))
        for i, blob in layer.blobs.items():
            start = (*names, str(i)) if listing.layered else (layer.name,)
            rows.append((*start, times(blob.shape), blob.dtype, *_cells(statistics(blob))))
            names = ("", "")
    return rows


def _cells(found: Statistics | None) -> tuple[str, ...]:
    if found is None:
        return ("",) * 4
    odd = [f"{count} {what}" for count, what in ((found.nan, "NaN"), (found.infinite, "infinite")) if count]
    numbers = (found.min, found.max, found.mean)
    return (*("" if number is None else f"{number:.6g}" for number in numbers), ", ".join(odd))


def _total(listing: Listing) -> str:
    blobs = [blob for layer in listing.entries for blob in layer.blobs.values()]
    counts = {"layer": len(listing.entries), "blob": len(blobs)} if listing.layered else {"array": len(blobs)}
    counts["value"] = sum(prod(blob.shape) for blob in blobs)
    return ", ".join(f"{count:,} {what}{'s' * (count != 1)}" for what, count in counts.items())
