"""What a file of weights holds, which kind it is, and who wrote it, as text and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import prod

from ...layers import times
from ...prototxt.files import Listing
from .blob_values import Statistics, statistics
from .tables import aligned


def listing_text(listing: Listing) -> str:
    """The facts that a file states, a table of its blobs, and a line of totals."""
    return "\n".join([*_told(listing.facts), *aligned(_table(listing)), _total(listing)])


def listing_json(listing: Listing) -> list[dict[str, object]]:
    """Every blob with its statistics, by layer where the file has layers."""
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
    """A line for each thing that the file states beside its blobs."""
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
