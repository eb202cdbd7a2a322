"""Trained weights for a net: which of its params a file fills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ...layers import Shape, times
from ..errors import PrototxtError
from ..files import Blob, SavedLayer
from ..files import Weights as Weights
from ..files import read_weights as read_weights

ParamName = tuple[str, int]
"""A layer's name, and the index of a param in it."""
_LISTED = 5


@dataclass(frozen=True)
class Allow:
    """What is let pass between a net and a file of weights; by default all of it is refused."""

    missing: bool = False
    """Layers that the file lacks: their params keep what their fillers give."""
    unused: bool = False
    """Layers of the file that the net lacks."""
    nonfinite: bool = False
    """Values that are NaN or infinite."""


@dataclass(frozen=True)
class Match:
    """A net's params as a file fills them, by (layer, index), and the names of layers that met or did not."""

    path: str
    tensors: dict[ParamName, Tensor]
    matched: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    nonfinite: dict[ParamName, int] = field(default_factory=dict)
    converted: dict[str, int] = field(default_factory=dict)
    """How many params were of other types than float32, by type."""
    blobs: dict[ParamName, Blob] = field(default_factory=dict)
    """Where the tensors' values lie in the file."""

    def report(self) -> str:
        """A line for what matched and one for each kind of trouble that was allowed."""
        lines = [f"{self.path}: {len(self.matched)} layer(s) matched, {len(self.tensors)} param(s) read"]
        if self.missing:
            lines.append(f"  not in the file: {_some(self.missing)}")
        if self.unused:
            lines.append(f"  not in the net: {_some(self.unused)}")
        if self.nonfinite:
            lines.append(f"  NaN or infinite: {_places(self.nonfinite)}")
        if self.converted:
            counts = ", ".join(f"{count} param(s) of {dtype}" for dtype, count in self.converted.items())
            lines.append(f"  made float32: {counts}")
        return "\n".join(lines)


def match(
    weights: Weights,
    params: Mapping[str, Sequence[Shape]],
    shared: Sequence[Collection[ParamName]] = (),
    *,
    allow: Allow = Allow(),
) -> Match:
    """Give a net's params, named by layer, the file's values in the net's shapes.

    The two meet as in `pair`; NaN and infinite values are refused unless allowed.
    """
    found = pair(weights, params, shared, allow=allow)
    tensors = {(name, i): blob.tensor().view(params[name][i]) for (name, i), blob in found.blobs.items()}
    counts = ((place, count_nonfinite(tensor.numpy())) for place, tensor in tensors.items())
    nonfinite = {place: count for place, count in counts if count}
    if nonfinite and not allow.nonfinite:
        raise refuse_nonfinite(weights.path, nonfinite)
    return replace(found, tensors=tensors, nonfinite=nonfinite)


def pair(
    weights: Weights,
    params: Mapping[str, Sequence[Shape]],
    shared: Sequence[Collection[ParamName]] = (),
    *,
    allow: Allow = Allow(),
) -> Match:
    """Find the blob for each of a net's params, named by layer, without reading any value.

    Shapes must be equal as Caffe has it (`Blob.fits`). A layer of the net that the file lacks and a layer with blobs
    that the net lacks are refused unless allowed. Of layers with one name the last counts.
    `shared` has the places, (layer, index), of each param that several layers use: one of them is enough.
    """
    latest = {layer.name: layer for layer in weights.layers if layer.name in params}
    blobs = {(name, i): blob for name, layer in latest.items() for i, blob in layer.blobs.items()}
    given = set(blobs).union(*(places for places in shared if not blobs.keys().isdisjoint(places)))
    wanted = {name: {(name, i) for i in range(len(shapes))} for name, shapes in params.items()}
    missing = [name for name, places in wanted.items() if name not in latest and not places <= given]
    unused = list(dict.fromkeys(layer.name for layer in weights.layers if layer.name not in params and layer.blobs))
    _check_shapes(weights, params, given)
    matched = [name for name in latest if params[name]]
    _check_names(weights.path, matched, missing, unused, allow)
    converted = Counter(blob.dtype for blob in blobs.values() if blob.dtype != "float32")
    return Match(weights.path, {}, matched, missing, unused, converted=dict(converted), blobs=blobs)


def _check_shapes(weights: Weights, params: Mapping[str, Sequence[Shape]], given: Collection[ParamName]) -> None:
    """Refuse every layer whose blobs are others than its params, even one that a later layer of its name replaces."""
    layers = (layer for layer in weights.layers if layer.name in params)
    check = _misnumbered if weights.numbered else _miscounted
    found = [text for layer in layers for text in check(layer, params[layer.name], given)]
    if found:
        more = f"; and {len(found) - 1} more such" if len(found) > 1 else ""
        raise PrototxtError(f"{weights.path}: {found[0]}{more} (rename a layer to keep it out of the file's weights)")


def _miscounted(layer: SavedLayer, shapes: Sequence[Shape], given: Collection[ParamName]) -> list[str]:
    """What is wrong with a layer whose blobs come in order: as many as params, each of its shape."""
    if len(layer.blobs) != len(shapes):
        return [f"layer {layer.name!r} has {len(layer.blobs)} blob(s) in the file, {len(shapes)} in the net"]
    return _misfits(layer, shapes)


def _misnumbered(layer: SavedLayer, shapes: Sequence[Shape], given: Collection[ParamName]) -> list[str]:
    """What is wrong with a layer whose blobs are numbered: one may be left out that is given elsewhere."""
    if extra := [i for i in layer.blobs if i >= len(shapes)]:
        return [f"layer {layer.name!r} has a blob {extra[0]} in the file, {len(shapes)} blob(s) in the net"]
    absent = [i for i in range(len(shapes)) if (layer.name, i) not in given]
    return [f"layer {layer.name!r} lacks blob {i} in the file" for i in absent] + _misfits(layer, shapes)


def _misfits(layer: SavedLayer, shapes: Sequence[Shape]) -> list[str]:
    return [
        f"layer {layer.name!r}, blob {i} is {times(blob.shape)} in the file, {times(shapes[i])} in the net"
        for i, blob in layer.blobs.items()
        if not blob.fits(shapes[i])
    ]


def _check_names(path: str, matched: list[str], missing: list[str], unused: list[str], allow: Allow) -> None:
    hint = "" if matched else "; no layer at all matches: weights of another net?"
    if missing and not allow.missing:
        raise PrototxtError(
            f"{path}: lacks layer(s) {_some(missing)} (Allow(missing=True) leaves them to their fillers){hint}",
            choices=("allow_missing",),
        )
    if unused and not allow.unused:
        raise PrototxtError(
            f"{path}: the net lacks its layer(s) {_some(unused)} (Allow(unused=True) leaves them out){hint}",
            choices=("allow_unused",),
        )


def refuse_nonfinite(path: str, counts: Mapping[ParamName, int]) -> PrototxtError:
    """The error for values that are NaN or infinite, counted by param."""
    told = f"{path}: NaN or infinite: {_places(counts)} (Allow(nonfinite=True) takes them)"
    return PrototxtError(told, choices=("allow_nonfinite",))


def count_nonfinite(values: npt.NDArray[np.float32]) -> int:
    """How many values are NaN or infinite; a finite sum, one pass without memory, shows that none is."""
    with np.errstate(over="ignore", invalid="ignore"):
        return 0 if np.isfinite(values.sum()) else values.size - int(np.isfinite(values).sum())


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(map(repr, names[:_LISTED]))
    return listed if len(names) <= _LISTED else f"{listed} and {len(names) - _LISTED} more"


def _places(counts: Mapping[ParamName, int]) -> str:
    texts = [f"{count} value(s) of layer {layer!r}, blob {index}" for (layer, index), count in counts.items()]
    more = f" and in {len(texts) - _LISTED} more params" if len(texts) > _LISTED else ""
    return ", ".join(texts[:_LISTED]) + more
