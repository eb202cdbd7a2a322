"""A layer's numbers do not depend on where its bottoms' values lie in memory: tops and diffs under odd strides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from recaffe.golden import Fixture
from recaffe.layers import BatchNormLayer
from recaffe.prototxt.net import Net, Step
from recaffe.prototxt.text import read_net

from ..fuzz.checks.layouts import LAYOUTS

FIXTURES = sorted((Path(__file__).parents[2] / "golden" / "fixtures" / "layers").glob("*.npz"))


def run(net: Net, step: Step, bottoms: list[Tensor], layout: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """A layer's tops, and the diffs of its bottoms and params."""
    net.rng.seed(3)
    net.generator.manual_seed(3)
    statistics = [param.detach().clone() for param in step.layer.params] if step.layer.statistics else []
    fed = [layout(x).detach().requires_grad_() for x in bottoms]
    wanted = [x for i, x in enumerate(fed) if step.needs.bottoms[i] and i not in step.layer.undifferentiable]
    wanted += [p for p in step.layer.parameters() if p.requires_grad]
    tops = step.run(fed)
    with torch.no_grad():
        for param, before in zip(step.layer.params, statistics, strict=False):
            param.copy_(before)
    heads = [top for top in tops if top.requires_grad]
    if not heads or not wanted:
        return [top.detach() for top in tops]
    torch.manual_seed(5)
    diffs = [torch.randn(top.shape).reshape(top.shape) for top in heads]
    found = torch.autograd.grad(heads, wanted, diffs, allow_unused=True)
    return [top.detach() for top in tops] + [torch.zeros(1) if diff is None else diff for diff in found]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_of_every_fixture(path: Path) -> None:
    fixture = Fixture.load(path)
    text = read_net(fixture.prototxt)
    text.net.force_backward = True
    net = Net(text, fixture.phase, seed=1, folder=path.parent)
    net.fill({place: torch.from_numpy(value.copy()) for place, value in fixture.params.items()})
    blobs = {name: torch.from_numpy(value.copy()) for name, value in (fixture.bottoms | fixture.tops).items()}
    for step in net.steps:
        step.layer.overwrite = False
        if step.node.bottoms and step.node.tops and all(blob in blobs for blob in step.node.bottoms):
            bottoms = [blobs[blob] for blob in step.node.bottoms]
            want = run(net, step, bottoms, torch.clone)
            for layout in LAYOUTS:
                for a, b in zip(run(net, step, bottoms, layout), want, strict=True):
                    torch.testing.assert_close(
                        a, b, rtol=1e-5, atol=2e-6 * max(1.0, float(b.abs().max())), equal_nan=True
                    )


@pytest.mark.parametrize("shape", [(1, 3, 5, 4), (1, 3, 1, 2), (1, 4, 1, 1), (2, 3, 1, 5)])
def test_fixed_statistics_of_one_image(shape: tuple[int, ...]) -> None:
    """torch's own batch_norm takes such strides for those of another layout, and permutes the diff."""
    layer = BatchNormLayer(use_global_stats=True)
    layer.setup(shape)
    for param, value in zip(
        layer.params, (torch.arange(shape[1]), torch.rand(shape[1]) + 1, torch.ones(1)), strict=True
    ):
        param.data.copy_(value)
    factor = layer.affine()[0].view(-1, 1, 1)
    diff = torch.randn(shape)
    for layout in LAYOUTS:
        x = layout(torch.randn(shape)).requires_grad_()
        (y,) = layer(x)
        for other in LAYOUTS:
            (have,) = torch.autograd.grad(y, x, other(diff), retain_graph=True)
            torch.testing.assert_close(have, diff * factor)
