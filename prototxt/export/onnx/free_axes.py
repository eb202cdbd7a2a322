"""Which axes of a net's inputs may have any length, found by trying: every layer is asked whether it takes it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....layers import Layer, LayerError, ProposalLayer, Shape, times
from ...net import NetError, Parts, located

Axis = tuple[str, int]
_NAMES = {4: "nchw"}
"""What axes of images are called; others go by number."""


@dataclass
class Shapes:
    """The shapes that layers give for one set of inputs."""

    bottoms: list[list[Shape]]
    """Of every layer, in order."""
    blobs: dict[str, Shape]
    """Of every blob's last version."""


@dataclass(frozen=True)
class Lengths:
    """A number for an axis that always has it; for one that the caller chooses a name, for one that follows None."""

    inputs: dict[str, list[int | str]]
    blobs: dict[str, list[int | None]]


def shapes_of(parts: Parts, inputs: Mapping[str, Shape], regions: int = 1) -> Shapes:
    """The shapes for these inputs, as if every proposal layer gave so many regions; what does not fit is refused."""
    found = Shapes([], {})
    for step in parts.steps:
        node = step.node
        bottoms = [found.blobs[blob] for blob in node.bottoms]
        with located(node):
            tops = [inputs[top] for top in node.tops] if node.type == "Input" else _tops(step.layer, bottoms, regions)
        found.bottoms.append(bottoms)
        found.blobs.update(zip(node.tops, tops, strict=True))
    return found


def _tops(layer: Layer, bottoms: Sequence[Shape], regions: int) -> Sequence[Shape]:
    """A layer's tops by a forward without memory, which checks more than `top_shapes` does."""
    if not isinstance(layer, ProposalLayer):
        # A copy, as a forward may leave its state behind.
        return Layer.top_shapes(copy.copy(layer), *bottoms)
    layer.setup(*bottoms, num_tops=layer.num_tops)
    if any(shape[0] != 1 for shape in bottoms) or bottoms[2][1:] != (3,):
        raise LayerError(f"takes one picture and its im_info, 1×3, got {' and '.join(map(times, bottoms))}")
    return ((regions, 5), (regions, 1))[: layer.num_tops]


def lengths_of(parts: Parts, inputs: Sequence[str]) -> tuple[Shapes, Lengths]:
    """The shapes in the prototxt, and what of them holds for every run.

    Channels stay. Another axis is changed alone; where a layer refuses that, along with the axes at its place in other
    inputs that are as long, then with all at its place; where it refuses that, too, the axis stays.
    """
    given = {blob: parts.shapes[blob] for blob in inputs}
    base, names, others = shapes_of(parts, given), dict[Axis, str](), list[Shapes]()
    for blob, axis in [(name, i) for name in inputs for i in range(len(given[name])) if i != 1]:
        beside = [b for b in inputs if len(given[b]) > axis]
        same = [b for b in beside if given[b][axis] == given[blob][axis]]
        for group in ([blob], same, beside) if (blob, axis) not in names else ():
            try:
                others.append(shapes_of(parts, given | {b: _longer(given[b], axis) for b in group}))
            except NetError:
                continue
            as_long = [b for b in group if given[b][axis] == given[blob][axis]]
            names |= {(b, axis): _name(blob, axis, given[blob]) for b in as_long if (b, axis) not in names}
            break
    others.append(shapes_of(parts, given, regions=7))
    chosen = {blob: [names.get((blob, i), length) for i, length in enumerate(shape)] for blob, shape in given.items()}
    return base, Lengths(chosen, {blob: _common(shape, blob, others) for blob, shape in base.blobs.items()})


def _longer(shape: Shape, axis: int) -> Shape:
    """So much longer that no rounding of a stride hides it."""
    return (*shape[:axis], 2 * shape[axis] + 64, *shape[axis + 1 :])


def _name(blob: str, axis: int, shape: Shape) -> str:
    return f"{blob}_{_NAMES[len(shape)][axis] if len(shape) in _NAMES else axis}"


def _common(shape: Shape, blob: str, others: Sequence[Shapes]) -> list[int | None]:
    """What a blob's shape has in common with its shapes for other inputs."""
    return [
        length if all(other.blobs[blob][axis] == length for other in others) else None
        for axis, length in enumerate(shape)
    ]
