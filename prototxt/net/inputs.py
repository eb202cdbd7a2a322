"""Blobs that are handed in to a forward."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...layers import Shape, times
from .graph import Graph
from .step import NetError

Array = Tensor | npt.NDArray[np.float32]


def hand_in(
    graph: Graph, shapes: Mapping[str, Shape], blobs: Mapping[str, Array], device: torch.device | None
) -> dict[str, Tensor]:
    """Check the blobs handed in, inputs and tops of other layers without bottoms, and bring them to a device."""
    sources = {top for node in graph.nodes if not node.bottoms for top in node.tops}
    if unknown := [name for name in blobs if name not in sources]:
        raise NetError(f"no input {unknown[0]!r} in net {graph.name!r}: it takes {', '.join(sorted(sources))}")
    if missing := [name for name in graph.inputs if name not in blobs]:
        expected = ", ".join(f"{name} ({times(shapes[name])})" for name in missing)
        raise NetError(f"net {graph.name!r} was not given {expected}")
    return {name: _input(name, value, shapes[name], name in graph.inputs, device) for name, value in blobs.items()}


def _input(name: str, value: Array, expected: Shape, is_input: bool, device: torch.device | None) -> Tensor:
    tensor = value if isinstance(value, Tensor) else torch.from_numpy(np.asarray(value, np.float32, order="C"))
    if is_input and len(expected) != tensor.dim():
        raise NetError(
            f"input {name!r} has {tensor.dim()} axes ({times(tensor.shape)}), in the prototxt {len(expected)} "
            f"({times(expected)}): their lengths may change, their number not"
        )
    tensor = tensor.to(device or tensor.device)
    # Convolutions run fastest with channels innermost, and every later blob inherits it.
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor
