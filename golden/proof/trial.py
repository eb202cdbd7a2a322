"""Trials: nets run on inputs that are made up, and what they give side by side."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ...layers import LayerError, Shape
from ...prototxt import PrototxtError
from ...prototxt.files import Floats
from ...prototxt.net import Net
from ..compare import compare_blob
from ..errors import GoldenError
from ..fixture import make_image

Feed = Mapping[str, Tensor]
_SOURCES = {"Input", "DummyData", "Parameter"}


def needs_data(net: Net) -> str:
    """Why a net cannot be run on inputs of ours; empty where it can."""
    sources = (node for node in net.nodes if not node.bottoms and node.type not in _SOURCES)
    return next((f"layer {node.name!r} ({node.type}) needs data" for node in sources), "")


def trial_inputs(net: Net) -> dict[str, Feed]:
    """A random input and a blank one, with boxes and image sizes that make sense."""
    generator = torch.Generator().manual_seed(1)
    shapes = {name: net.blob_shapes[name] for name in net.inputs}
    blank = {name: torch.zeros(shape) for name, shape in shapes.items()}
    random = {name: _random(shape, generator) for name, shape in shapes.items()}
    height, width = next((shape[2:] for shape in shapes.values() if len(shape) == 4), (1, 1))
    rows = {"im_info": [height, width, 1.0], "rois": [0.0, 0.0, 0.0, width / 2, height - 1.0]}
    for name in rows.keys() & shapes.keys():
        if shapes[name][1:] == (len(rows[name]),):
            random[name][:] = blank[name][:] = torch.tensor(rows[name])
    return {"random": random, "blank": blank}


def _random(shape: Shape, generator: torch.Generator) -> Tensor:
    """Random numbers; of a picture blocky ones, in which an RPN finds more than in noise."""
    if len(shape) == 4 and shape[:2] == (1, 3):
        return torch.from_numpy(make_image(1, *shape[2:]))
    # What has one axis are labels: not every number is one.
    return torch.zeros(shape) if len(shape) == 1 else torch.rand(shape, generator=generator) * 255 - 128


def run_both(want: Net, have: Net) -> list[str]:
    """Run two nets on the same inputs and refuse the first blob that differs in any value; returns what was run."""
    told = []
    own_memory(want)
    own_memory(have)
    for name, feed in trial_inputs(want).items():
        try:
            blobs = run_blobs(want, feed)
        except (PrototxtError, LayerError) as error:
            told.append(f"not run on a {name} input: {error}")
            continue
        for blob, mine, theirs in zip(blobs, blobs.values(), run_blobs(have, feed).values(), strict=True):
            result = compare_blob(f"top/{blob}", mine, theirs, 0.0, exact=True)
            if not result.ok:
                raise GoldenError(f"on a {name} input {result}")
        told.append(f"{len(blobs)} blobs the same on a {name} input")
    return told


def own_memory(net: Net) -> None:
    """Give each param memory of its own: views of a file lie anywhere, and how a product rounds depends on that."""
    for param in net.parameters():
        param.data = param.data.clone()


def run_blobs(net: Net, feed: Feed) -> dict[str, Floats]:
    """Every blob, in the net's order."""
    with torch.no_grad():
        net(feed, keep="all")
    return {name: blob.cpu().numpy() for name, blob in net.blobs.items()}
