"""Nets in the forms of other programs: which there are, and writing one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...layers import Shape
from ..files import SAFETENSORS
from ..net import Parts
from .onnx import onnx_model, write_onnx
from .pt2 import fixed_sizes, write_pt2
from .torch import write_module, write_python

MODELS = {".py": "PyTorch code", ".onnx": "ONNX model", ".pt2": "torch.export program"}
"""What each suffix stands for."""


@dataclass(frozen=True)
class Model:
    """What was written: its tensors by the names that they have there, and what a user should know."""

    params: dict[str, Shape]
    notes: list[str] = field(default_factory=list)


def model_files(path: Path) -> list[Path]:
    """The files that a model is made of, the named one first."""
    return [path, path.with_suffix(SAFETENSORS.suffix)] if path.suffix == ".py" else [path]


def write_model(path: Path, name: str, parts: Parts, inputs: Sequence[str], outputs: Sequence[str]) -> Model:
    """Write a net's layers, with their params, as a model of the form that the suffix stands for."""
    if path.suffix == ".pt2":
        program = write_pt2(path, parts, inputs, outputs)
        targets = {str(node.target).removesuffix(".default") for node in program.graph.nodes}
        ours = ", ".join(sorted(target for target in targets if target.startswith("recaffe.")))
        notes = [f"calls {ours}: load it by recaffe.load_pt2"] if ours else []
        notes += [f"takes {blob} {high}×{wide}, no other size" for blob, (high, wide) in fixed_sizes(program).items()]
        return Model({key: tuple(tensor.shape) for key, tensor in program.state_dict.items()}, notes)
    sums = sum(step.node.type == "BatchNorm" for step in parts.steps)
    notes = [f"{sums} BatchNorm layers have mean and variance, not sums and their weight"] if sums else []
    if path.suffix == ".py":
        written = write_module(name, parts, inputs, outputs)
        write_python(path, written)
        notes += [f"layer {layer!r} goes by {attribute!r}" for layer, attribute in written.renamed.items()]
        return Model({key: tuple(tensor.shape) for key, tensor in written.state.items()}, notes)
    model = onnx_model(name, parts, inputs, outputs)
    write_onnx(path, model)
    params = {f"{step.node.name}/{i}" for step in parts.steps for i in range(len(step.layer.params))}
    return Model({t.name: tuple(t.dims) for t in model.graph.initializer if t.name in params}, notes)
