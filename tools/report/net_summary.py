"""A net's layers, shapes, params, multiply-adds and memory, without computing or data."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ...layers import Shape, times
from ...prototxt.net import Net
from .tables import aligned, bytes_text

_FLOAT = 4


@dataclass(frozen=True)
class LayerRow:
    """One layer's line."""

    name: str
    type: str
    tops: tuple[tuple[str, Shape], ...]
    params: tuple[Shape, ...]
    multiply_adds: int


def summary_json(net: Net) -> dict[str, object]:
    """Shapes and totals as plain data."""
    return {
        "name": net.graph.name,
        "phase": net.phase,
        "layers": [[node.name, node.type] for node in net.nodes],
        "inputs": net.inputs,
        "outputs": net.outputs,
        "loss_weights": net.loss_weights,
        "blobs": net.blob_shapes,
        "params": net.param_shapes,
        "multiply_adds": sum(row.multiply_adds for row in layer_rows(net)),
        "param_bytes": param_bytes(net),
        "blob_bytes": sum(map(_bytes, net.blob_shapes.values())),
        "peak_blob_bytes": peak_blob_bytes(net),
    }


def layer_rows(net: Net) -> list[LayerRow]:
    """One row for each layer, in order."""
    out = []
    for step in net.steps:
        node, layer = step.node, step.layer
        bottoms = [net.blob_shapes[blob] for blob in node.bottoms]
        tops = tuple((top, net.blob_shapes[top]) for top in node.tops)
        out.append(LayerRow(node.name, node.type, tops, tuple(layer.param_shapes), layer.multiply_adds(*bottoms)))
    return out


def param_bytes(net: Net) -> int:
    """Bytes of the params, each shared one counted once."""
    return sum(_bytes(param.shape) for param in net.param_list)


def peak_blob_bytes(net: Net) -> int:
    """The most bytes that blobs take at a time in inference, when each is dropped after its last reader."""
    last = {blob: i for i, node in enumerate(net.nodes) for blob in node.bottoms}
    last |= dict.fromkeys(net.outputs, len(net.nodes))
    alive: dict[str, int] = {}
    peak = 0
    for i, node in enumerate(net.nodes):
        # A split's tops are views of its bottom.
        alive |= {top: 0 if node.type == "Split" else _bytes(net.blob_shapes[top]) for top in node.tops}
        peak = max(peak, sum(alive.values()))
        alive = {blob: size for blob, size in alive.items() if last.get(blob, i) > i}
    return peak


def summary_text(net: Net) -> str:
    """A table of the layers and a line of totals."""
    table = [("layer", "type", "top", "shape", "params", "multiply-adds")]
    for row in layer_rows(net):
        params = " ".join(times(shape) for shape in row.params)
        work = _count(row.multiply_adds) if row.multiply_adds else ""
        for k, (top, shape) in enumerate(row.tops or (("", ()),)):
            head = (row.name, row.type) if k == 0 else ("", "")
            tail = (params, work) if k == 0 else ("", "")
            table.append((*head, top, times(shape) if row.tops else "", *tail))
    total = sum(row.multiply_adds for row in layer_rows(net))
    lines = [f"{net.graph.name or 'net'} ({net.phase}): {len(net.nodes)} layers", *aligned(table)]
    lines.append(
        f"{sum(prod(p.shape) for p in net.param_list):,} params ({bytes_text(param_bytes(net))}), "
        f"{_count(total)} multiply-adds, blobs {bytes_text(sum(map(_bytes, net.blob_shapes.values())))} in all, "
        f"{bytes_text(peak_blob_bytes(net))} at a time in inference"
    )
    return "\n".join(lines)


def _bytes(shape: Shape) -> int:
    return prod(shape) * _FLOAT


def _count(number: float) -> str:
    for unit in ("", "k", "M"):
        if number < 1000:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:,.1f}G"
