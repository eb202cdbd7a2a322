"""Trained weights for a net: which of its params a .caffemodel fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from ..layers.layer import Shape
from ..layers.shapes import times
from .caffemodel import SavedLayer
from .caffemodel import Weights as Weights
from .caffemodel import read_weights as read_weights
from .errors import PrototxtError

_LISTED = 5


@dataclass(frozen=True)
class Match:
    """A net's params as a file fills them, by (layer, index), and the names of layers that met or did not."""

    path: str
    tensors: dict[tuple[str, int], Tensor]
    matched: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    nonfinite: dict[tuple[str, int], int] = field(default_factory=dict)

    def report(self) -> str:
        """A line for what matched and one for each kind of trouble that was allowed."""
        lines = [f"{self.path}: {len(self.matched)} layer(s) matched, {len(self.tensors)} param(s) read"]
        if self.missing:
            lines.append(f"  not in the file: {_some(self.missing)}")
        if self.unused:
            lines.append(f"  not in the net: {_some(self.unused)}")
        if self.nonfinite:
            lines.append(f"  NaN or infinite: {_places(self.nonfinite)}")
        return "\n".join(lines)


def match(
    weights: Weights,
    params: Mapping[str, Sequence[Shape]],
    *,
    allow_missing: bool = False,
    allow_unused: bool = False,
    allow_nonfinite: bool = False,
) -> Match:
    """Give a net's params, named by layer, the file's values in the net's shapes.

    Shapes must be equal as Caffe has it (`SavedBlob.fits`). A layer of the net that the file lacks, a layer with blobs
    that the net lacks, and NaN or infinite values are refused unless allowed. Of layers with one name the last counts.
    """
    latest = {layer.name: layer for layer in weights.layers if layer.name in params}
    missing = [name for name in params if name not in latest and params[name]]
    unused = list(dict.fromkeys(layer.name for layer in weights.layers if layer.name not in params and layer.blobs))
    _check_shapes(weights, params)
    matched = [name for name in latest if params[name]]
    _check_names(weights.path, matched, missing, unused, allow_missing, allow_unused)
    tensors = {
        (name, i): blob.tensor().view(params[name][i])
        for name, layer in latest.items()
        for i, blob in enumerate(layer.blobs)
    }
    counts = ((place, _count_nonfinite(tensor)) for place, tensor in tensors.items())
    nonfinite = {place: count for place, count in counts if count}
    if nonfinite and not allow_nonfinite:
        raise PrototxtError(f"{weights.path}: NaN or infinite: {_places(nonfinite)} (allow_nonfinite takes them)")
    return Match(weights.path, tensors, matched, missing, unused, nonfinite)


def _check_shapes(weights: Weights, params: Mapping[str, Sequence[Shape]]) -> None:
    """Refuse every layer whose blobs are others than its params, even one that a later layer of its name replaces."""
    found = [text for layer in weights.layers if layer.name in params for text in _misfits(layer, params[layer.name])]
    if found:
        more = f"; and {len(found) - 1} more such" if len(found) > 1 else ""
        raise PrototxtError(f"{weights.path}: {found[0]}{more} (rename a layer to keep it out of the file's weights)")


def _misfits(layer: SavedLayer, shapes: Sequence[Shape]) -> list[str]:
    if len(layer.blobs) != len(shapes):
        return [f"layer {layer.name!r} has {len(layer.blobs)} blob(s) in the file, {len(shapes)} in the net"]
    return [
        f"layer {layer.name!r}, blob {i} is {times(blob.shape)} in the file, {times(shape)} in the net"
        for i, (blob, shape) in enumerate(zip(layer.blobs, shapes, strict=True))
        if not blob.fits(shape)
    ]


def _check_names(
    path: str, matched: list[str], missing: list[str], unused: list[str], allow_missing: bool, allow_unused: bool
) -> None:
    hint = "" if matched else "; no layer at all matches: weights of another net?"
    if missing and not allow_missing:
        raise PrototxtError(
            f"{path}: lacks layer(s) {_some(missing)} (allow_missing leaves them to their fillers){hint}"
        )
    if unused and not allow_unused:
        raise PrototxtError(f"{path}: the net lacks its layer(s) {_some(unused)} (allow_unused leaves them out){hint}")


def _count_nonfinite(tensor: Tensor) -> int:
    """How many values are NaN or infinite; a finite sum, one pass without memory, shows that none is."""
    values = tensor.numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        return 0 if np.isfinite(values.sum()) else values.size - int(np.isfinite(values).sum())


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(map(repr, names[:_LISTED]))
    return listed if len(names) <= _LISTED else f"{listed} and {len(names) - _LISTED} more"


def _places(counts: Mapping[tuple[str, int], int]) -> str:
    texts = [f"{count} value(s) of layer {layer!r}, blob {index}" for (layer, index), count in counts.items()]
    more = f" and in {len(texts) - _LISTED} more params" if len(texts) > _LISTED else ""
    return ", ".join(texts[:_LISTED]) + more
