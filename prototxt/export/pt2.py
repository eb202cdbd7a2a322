"""A net as a program of torch.export, which torch compiles ahead of time or loads again without the prototxt."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from ...layers import Layer, registered
from ..errors import PrototxtError
from ..net import Parts, located, unique_keys

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
    feed = {blob: torch.zeros(parts.shapes[blob]) for blob in inputs}
    any_size = {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    sizes = ({blob: any_size if value.dim() == 4 else {} for blob, value in feed.items()},)
    overwriting = [step.layer for step in parts.steps if step.layer.overwrite]
    level = _LOGGER.level
    try:
        _LOGGER.setLevel(logging.ERROR)  # it warns of sizes that it cannot compare by algebra, and tries them then
        _set_overwrite(overwriting, False)  # the program decides by itself where it computes in place
        with torch.no_grad():
            program = torch.export.export(Program(parts, outputs).eval(), (feed,), dynamic_shapes=sizes)
    finally:
        _set_overwrite(overwriting, True)
        _LOGGER.setLevel(level)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    with open(path, "wb") as file:  # by its path the archive would hold the file's name
        torch.export.save(program, file)
    return program


def load_pt2(path: Path) -> nn.Module:
    """A program to call with a dict of input blobs."""
    registered()  # the operators that a program may call are defined beside the layers
    if not zipfile.is_zipfile(path):
        raise PrototxtError(f"{path}: is no program of torch.export")
    return torch.export.load(path).module()


def _set_overwrite(layers: Sequence[Layer], value: bool) -> None:
    for layer in layers:
        layer.overwrite = value
