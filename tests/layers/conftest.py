"""How a single layer is held against Caffe and against its own numerical gradients."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recaffe.layers import native
from recaffe.layers.base.layer import Layer, Shape

FORWARD, BACKWARD = 1e-5, 1e-4
Replay = Callable[[str, Callable[[], Layer]], None]
CheckGradients = Callable[..., None]


class Case:
    """One layer's fixture: what it was fed and what Caffe gave."""

    def __init__(self, path: Path, memory_format: torch.memory_format) -> None:
        with np.load(path) as archive:
            self.arrays = {key: archive[key] for key in archive}
        text = str(self.arrays["prototxt"])
        (line,) = (line for line in text.splitlines() if "layer {" in line and 'type: "Input"' not in line)
        self.name = re.findall(r'name: "(\w+)"', line)[0]
        self.bottom_names, self.tops = (re.findall(rf'\b{role}: "(\w+)"', line) for role in ("bottom", "top"))
        self.memory_format = memory_format

    def tensor(self, key: str) -> Tensor:
        tensor = torch.from_numpy(self.arrays[key].copy())
        return tensor.contiguous(memory_format=self.memory_format) if tensor.dim() == 4 else tensor

    def bottoms(self) -> list[Tensor]:
        asked = [key for key in self.bottom_names if f"diff/{key}" in self.arrays]
        return [self.tensor(f"bottom/{key}").requires_grad_(key in asked) for key in self.bottom_names]

    def load(self, layer: Layer) -> None:
        for index, shape in enumerate(layer.param_shapes):
            value = self.tensor(f"param/{self.name}/{index}")
            assert tuple(value.shape) == shape
            getattr(layer, str(index)).data = value

    def heads(self, layer: Layer, tops: tuple[Tensor, ...]) -> list[tuple[Tensor, Tensor]]:
        """Tops where backward starts, and their diffs: handed in, or for a loss its weight."""
        diffs = {key: self.tensor(f"top_diff/{key}") for key in self.tops if f"top_diff/{key}" in self.arrays}
        if not diffs and self.loss_weight(layer):
            diffs = {self.tops[0]: torch.tensor(self.loss_weight(layer))}
        named = dict(zip(self.tops, tops, strict=True))
        return [(named[key], diff) for key, diff in diffs.items() if named[key].requires_grad]

    def loss_weight(self, layer: Layer) -> float:
        given = re.search(r"loss_weight: ([\d.]+)", str(self.arrays["prototxt"]))
        return float(given[1]) if given else float(layer.is_loss)


def agree(ours: Tensor, golden: Tensor, tolerance: float, what: str) -> None:
    assert ours.shape == golden.shape, what
    assert torch.equal(ours.isnan(), golden.isnan()), what
    largest = golden.nan_to_num().abs().max().item()
    worst = (ours - golden).nan_to_num().abs().max().item()
    assert worst <= tolerance * largest, f"{what}: off by {worst:.3g} of {largest:.3g}"


def grad(tensor: Tensor) -> Tensor:
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


def run(case: Case, layer: Layer) -> None:
    bottoms = case.bottoms()
    shapes: list[Shape] = [tuple(bottom.shape) for bottom in bottoms]
    layer.setup(*shapes, num_tops=len(case.tops))
    case.load(layer)
    assert layer.top_shapes(*shapes) == tuple(case.arrays[f"top/{key}"].shape for key in case.tops)
    tops = layer(*bottoms)
    for index, (key, top) in enumerate(zip(case.tops, tops, strict=True)):
        agree(top.detach(), case.tensor(f"top/{key}"), 0 if index in layer.discrete else FORWARD, f"top {key}")
    if heads := case.heads(layer, tops):
        torch.autograd.backward([top for top, _ in heads], [diff for _, diff in heads])
    for key, bottom in zip(case.bottom_names, bottoms, strict=True):
        if bottom.requires_grad:
            agree(grad(bottom), case.tensor(f"diff/{key}"), BACKWARD, f"diff {key}")
    for index, param in enumerate(layer.parameters()):
        place = f"{case.name}/{index}"
        if f"post/{place}" in case.arrays:
            agree(param.detach(), case.tensor(f"post/{place}"), FORWARD, f"post {index}")
        if f"param_diff/{place}" in case.arrays:
            agree(grad(param), case.tensor(f"param_diff/{place}"), BACKWARD, f"param_diff {index}")


@pytest.fixture(params=[torch.contiguous_format, torch.channels_last], ids=["contiguous", "channels_last"])
def replay(request: pytest.FixtureRequest, fixtures_dir: Path) -> Replay:
    """Run a layer on a fixture of Caffe's: shapes, tops, diffs, params; in both orders of memory."""
    return lambda name, make: run(Case(fixtures_dir / "layers" / f"{name}.npz", request.param), make())


@pytest.fixture
def check_gradients() -> CheckGradients:
    """Hold a layer's diffs, its params' too, against differences of its tops in float64."""

    def check(layer: Layer, *bottoms: Tensor | Shape, num_tops: int = 1) -> None:
        inputs = [
            b.double() if isinstance(b, Tensor) else torch.randn(b, dtype=torch.float64).requires_grad_()
            for b in bottoms
        ]
        layer.setup(*(tuple(x.shape) for x in inputs), num_tops=num_tops)
        params = {
            name: torch.randn_like(p, dtype=torch.float64).requires_grad_() for name, p in layer.named_parameters()
        }

        def tops(*values: Tensor) -> tuple[Tensor, ...]:
            named = dict(zip(params, values[len(inputs) :], strict=True))
            found = torch.func.functional_call(layer, named, values[: len(inputs)])
            return tuple(top for top in found if top.requires_grad)

        assert torch.autograd.gradcheck(tops, (*inputs, *params.values()))

    return check


@pytest.fixture(params=["native", "torch"])
def kernels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test on the compiled kernels and on what stands in for them."""
    if request.param == "torch":
        monkeypatch.setattr(native, "library", lambda: None)
    else:
        assert native.available(), "the native kernels are not built: make setup builds them"
    return str(request.param)
