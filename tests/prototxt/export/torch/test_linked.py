"""Linked sources: each definition once, behind what it uses, with the imports that it needs."""

from __future__ import annotations

from recaffe.layers.boxes.roi_bins import RoiAxis
from recaffe.prototxt.export.torch.linked import Linked
from recaffe.prototxt.export.torch.operations import Proposal, psroi_pool, roi_pool


def test_what_is_used_comes_along_and_first() -> None:
    linked = Linked([roi_pool])
    assert list(linked.definitions) == ["FARTHEST", "round_away", "RoiAxis", "roi_pool"]
    assert linked.imports == {"import torch", "from torch import Tensor", "from typing import NamedTuple"}
    assert linked.definitions["FARTHEST"] == "FARTHEST = 2.0**30"


def test_each_definition_comes_once() -> None:
    linked = Linked([roi_pool, psroi_pool, RoiAxis, Proposal])
    names = [name for name in linked.definitions if name == "round_away"]
    assert names == ["round_away"]
    assert linked.definitions["Proposal"].splitlines()[0] == "class Proposal(nn.Module):"


def test_it_runs_by_itself() -> None:
    linked = Linked([psroi_pool, Proposal])
    text = "\n".join(["from __future__ import annotations", *sorted(linked.imports), *linked.definitions.values()])
    scope: dict[str, object] = {"__name__": "alone"}
    exec(text, scope)
    assert callable(scope["psroi_pool"])


def test_decorators_belong_to_their_definition() -> None:
    assert "    @torch.no_grad()\n    def forward" in Linked([Proposal]).definitions["Proposal"]
