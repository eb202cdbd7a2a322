"""Layers by other names; blobs and shared params keep theirs."""

from __future__ import annotations

from collections.abc import Mapping

from .operation import Operation, SurgeryError


def rename(operation: Operation, names: Mapping[str, str]) -> None:
    """Rename layers, all at once, so that two may change places."""
    for old, new in names.items():
        operation.layers(old)
        if not new:
            raise SurgeryError(f"layer {old!r} cannot do without a name")
    taken = {layer.name for layer in operation.message.layer} - names.keys()
    for old, new in names.items():
        if new in taken:
            raise SurgeryError(f"layer {old!r} cannot be renamed: there is a layer {new!r} already")
        taken.add(new)
    for layer in operation.message.layer:
        if layer.name in names:
            new = names[layer.name]
            operation.origins[new] = layer.name
            operation.changes.setdefault(new, [f"was {layer.name!r}"])
            layer.name = new
