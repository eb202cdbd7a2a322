"""The whole model: every layer drawn, blobs under Caffe's names, weights inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...net import Node, Parts, located
from ..refusals import ExportError
from .draft import Draft, Op, Result
from .free_axes import lengths_of
from .stage import Stage, Value
from .writers import WRITERS

if TYPE_CHECKING:
    from onnx import ModelProto

_MOST_BYTES = (1 << 31) - (1 << 20)
"""What protobuf holds, with room for the nodes."""


def onnx_model(name: str, parts: Parts, inputs: Sequence[str], outputs: Sequence[str]) -> ModelProto:
    """A net's layers with their params as an ONNX model with these blobs as inputs and outputs.

    Every blob's last version is a value of its name, listed in the graph's `output` or `value_info` with the blob's
    name as `doc_string`; where a layer overwrites an input, the input has the name, and its last version another.
    The copies that Split makes are the value that they copy. Nodes are called as their layers, the last one of each
    exactly so; params are LAYER/INDEX. Inputs take any length along the axes that no layer needs as they are. An input
    that no layer takes is no output.
    """
    try:
        from .protos import model_of  # here, as only this format needs the package onnx
    except ImportError:
        raise ExportError("needs the package onnx to write a .onnx file: pip install 'recaffe[onnx]'") from None
    for step in parts.steps:
        if step.node.type != "Input":
            WRITERS.check(step.node, step.layer)
    drawing = _Drawing(parts, inputs)
    drawing.draw_layers()
    drawing.name_outputs(outputs)
    _refuse_size(name, drawing.draft)
    blobs = [Result(blob, value, drawing.lengths.blobs[blob], blob in outputs) for blob, value in drawing.computed()]
    return model_of(name or "net", drawing.draft, drawing.lengths.inputs, blobs)


def write_onnx(path: Path, model: ModelProto) -> None:
    """Write a model; the same one gives the same bytes."""
    with open(path, "xb") as file:
        file.write(model.SerializeToString(deterministic=True))


def _refuse_size(name: str, draft: Draft) -> None:
    size = sum(array.nbytes for array in draft.arrays.values())
    if size > _MOST_BYTES:
        held = f"net {name!r} has {size / 2**30:.2f} GiB of params, and an ONNX file holds less than 2"
        raise ExportError(f"{held}: port to .safetensors instead")


class _Drawing:
    """The draft, and which value each blob is."""

    def __init__(self, parts: Parts, inputs: Sequence[str]) -> None:
        self.parts, self.inputs = parts, inputs
        self.shapes, self.lengths = lengths_of(parts, inputs)
        self.draft = Draft({top for step in parts.steps for top in step.node.tops})
        self.values = {blob: blob for blob in inputs}
        self._last_writer = {top: step.node for step in parts.steps for top in step.node.tops}

    def draw_layers(self) -> None:
        """Draw every layer in turn."""
        for step, bottoms in zip(self.parts.steps, self.shapes.bottoms, strict=True):
            node = step.node
            if node.type == "Input":
                continue
            stage = Stage(self.draft, node.name, step.layer, bottoms, len(node.tops))
            with located(node):
                drawn = WRITERS.write(
                    node, step.layer, stage, *(Value(stage, self.values[blob]) for blob in node.bottoms)
                )
            tops = (drawn,) if isinstance(drawn, Value) else drawn
            if node.type == "Split":
                self.values.update((top, value.name) for top, value in zip(node.tops, tops, strict=True))
                continue
            names = [self._name(node, top) for top in node.tops]
            stage.finish(tops, names)
            self.values.update(zip(node.tops, names, strict=True))

    def _name(self, node: Node, top: str) -> str:
        """The blob's name for its last version; for one that will be overwritten, the layer's beside it."""
        is_last = self._last_writer[top] is node and top not in self.inputs
        return top if is_last else self.draft.new_name(f"{top}@{node.name}")

    def name_outputs(self, outputs: Sequence[str]) -> None:
        """Give an output that is a copy, and so has no value of its own, one."""
        for blob in outputs:
            source = self.values[blob]
            if source != blob and self._is_copy(blob):
                self.draft.ops.append(Op("Identity", [source], [blob], name=self.draft.new_op_name(blob)))
                self.values[blob] = blob

    def _is_copy(self, blob: str) -> bool:
        return self._last_writer[blob].type == "Split"

    def computed(self) -> Iterator[tuple[str, str]]:
        """Every blob that has a value of its own and is no input's first version, with the value's name."""
        for blob, value in self.values.items():
            if value != blob and self._is_copy(blob):
                continue
            if blob not in self.inputs or value != blob:
                yield blob, value
