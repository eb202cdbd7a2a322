"""Layers taken out: those that nobody reads, and those that compute in place."""

from __future__ import annotations

from collections.abc import Sequence

from .operation import Operation, SurgeryError, reached


def drop(operation: Operation, names: Sequence[str]) -> None:
    """Take layers out of the prototxt, their params with them; what another layer needs is refused."""
    dropped = [layer for name in names for layer in operation.layers(name)]
    rest = [layer for layer in operation.message.layer if layer.name not in names]
    for layer in dropped:
        for blob in (top for top in layer.top if top not in layer.bottom):
            makers = [other for other in rest if blob in other.top and blob not in other.bottom]
            reader = next((other for other in rest if blob in other.bottom and not makers), None)
            if reader is not None:
                raise SurgeryError(
                    f"layer {layer.name!r} gives blob {blob!r}, which layer {reader.name!r} takes: drop both"
                )
    for name in dict.fromkeys(names):
        in_place = any(set(layer.top) & set(layer.bottom) for layer in dropped if layer.name == name)
        params = len(operation.net.param_shapes.get(name, []))
        told = ["dropped"] + [f"with {params} param(s)"] * (params > 0) + ["computed in place"] * in_place
        operation.did(name, ", ".join(told))
    operation.promise.moved = reached(operation.net, names)
    for layer in dropped:
        operation.message.layer.remove(layer)
