"""A net as a program of torch.export, which torch compiles ahead of time or loads again without the prototxt."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from ...layers import Layer, Shape, registered
from ..errors import PrototxtError
from ..net import Parts, located, unique_keys
from .refusals import ExportError

_LOGGER = logging.getLogger("torch.fx.experimental.symbolic_shapes")


class Program(nn.Module):
    """The layers and nothing else: input blobs by name in, outputs by name out. Params go by `state_dict()`'s keys."""

    def __init__(self, parts: Parts, outputs: Sequence[str]) -> None:
        super().__init__()
        self.steps, self.outputs = parts.steps, tuple(outputs)
        # Straight into the dict: torch's add_module refuses some names that Caffe takes.
        self._modules.update((key, step.layer) for key, step in unique_keys(parts.steps).items())

    def forward(self, blobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Run every layer."""
        blobs = dict(blobs)
        for step in self.steps:
            node = step.node
            if node.type != "Input":
                with located(node):
                    blobs.update(zip(node.tops, step.layer(*(blobs[blob] for blob in node.bottoms)), strict=True))
        return {blob: blobs[blob] for blob in self.outputs}


def write_pt2(path: Path, parts: Parts, inputs: Sequence[str], outputs: Sequence[str]) -> ExportedProgram:
    """Trace a net on its own shapes, images of any size, and save the program."""
    overwriting = [step.layer for step in parts.steps if step.layer.overwrite]
    level = _LOGGER.level
    try:
        _LOGGER.setLevel(logging.ERROR)  # it warns of sizes that it cannot compare by algebra, and tries them then
        _set_overwrite(overwriting, False)  # the program decides by itself where it computes in place
        with torch.no_grad():
            program = _traced(Program(parts, outputs).eval(), {blob: parts.shapes[blob] for blob in inputs})
    finally:
        _set_overwrite(overwriting, True)
        _LOGGER.setLevel(level)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    with open(path, "wb") as file:  # by its path the archive would hold the file's name
        torch.export.save(program, file)
    return program


def _traced(net: Program, shapes: Mapping[str, Shape]) -> ExportedProgram:
    """A net's program for pictures of any size, where one can be had, else for its own size.

    An axis that comes to be 1 somewhere is taken as 1 for ever, and the sizes for which that holds torch may fail to
    find (NotImplementedError), but for its way out: to take no axis as 1 for ever.
    """
    feed = {blob: torch.zeros(shape) for blob, shape in shapes.items()}
    try:
        return _trace(net, feed, torch.export.Dim.AUTO)
    except NotImplementedError:
        pass
    try:
        with import_module("torch.fx.experimental._config").patch(backed_size_oblivious=True):
            program = _trace(net, feed, torch.export.Dim.AUTO)
        program.module()(feed)
        return program
    except Exception:  # torch's way out is not in all its versions, and fails in many ways
        pass
    try:
        return _trace(net, feed, torch.export.Dim.STATIC)
    except NotImplementedError as error:
        reason = " ".join(str(error).split())
        raise ExportError(f"torch.export cannot trace the net: {reason} (port it to .py or .onnx)") from error


def fixed_sizes(program: ExportedProgram) -> dict[str, tuple[int, int]]:
    """The pictures whose height and width the program takes as they were traced, and not otherwise."""
    blobs = zip(program.graph_signature.user_inputs, program.example_inputs[0][0], strict=True)
    values = {node.name: node.meta["val"] for node in program.graph.nodes if node.op == "placeholder"}
    shapes = {blob: values[str(name)].shape for name, blob in blobs}
    return {
        blob: (shape[2], shape[3])
        for blob, shape in shapes.items()
        if len(shape) == 4 and isinstance(shape[2], int) and isinstance(shape[3], int)
    }


def _trace(net: Program, feed: dict[str, Tensor], size: object) -> ExportedProgram:
    """Trace on these inputs; `size` says what their heights and widths may become."""
    sizes = ({blob: {2: size, 3: size} if value.dim() == 4 else {} for blob, value in feed.items()},)
    return torch.export.export(net, (feed,), dynamic_shapes=sizes)


def load_pt2(path: Path) -> nn.Module:
    """A program to call with a dict of input blobs."""
    registered()  # the operators that a program may call are defined beside the layers
    if not zipfile.is_zipfile(path):
        raise PrototxtError(f"{path}: is no program of torch.export")
    return torch.export.load(path).module()


def _set_overwrite(layers: Sequence[Layer], value: bool) -> None:
    for layer in layers:
        layer.overwrite = value
