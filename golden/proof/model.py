"""The proof of a model that another program runs: a written file, loaded back and compared blob by blob."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ...prototxt.export import load_pt2
from ...prototxt.files import Floats
from ...prototxt.net import Net
from ..compare import BlobResult, compare_blob, largest_magnitude
from ..errors import GoldenError
from ..limits import FORWARD, WHOLE, discrete_blobs
from .onnx_run import OnnxRun
from .python_run import PythonRun
from .rounding import rounding, rounding_of
from .trial import trial_inputs


class ModelRun(Protocol):
    """A written model, loaded back. Blobs go by Caffe's names; those that the model does not have are absent."""

    def chained(self, feed: Mapping[str, Tensor]) -> dict[str, Floats]:
        """Every blob of a run as the file has it, each layer on what those before it gave."""
        ...

    def alone(self, blobs: Mapping[str, Tensor]) -> dict[str, Floats]:
        """Every blob, made by its own layers from bottoms that are handed in; an in-place chain is one piece."""
        ...


def load_model(path: Path) -> ModelRun:
    """A model of any form, by its suffix."""
    runs: dict[str, Callable[[Path], ModelRun]] = {".py": PythonRun, ".onnx": OnnxRun, ".pt2": ProgramRun}
    return runs[path.suffix](path)


class ProgramRun:
    """A program of torch.export: its outputs are all that can be seen of it."""

    def __init__(self, path: Path) -> None:
        self.program = load_pt2(path)

    @torch.no_grad()
    def chained(self, feed: Mapping[str, Tensor]) -> dict[str, Floats]:
        """The outputs."""
        return {blob: tensor.numpy() for blob, tensor in self.program(dict(feed)).items()}

    def alone(self, blobs: Mapping[str, Tensor]) -> dict[str, Floats]:
        """Nothing: it cannot be run layer by layer."""
        return {}


def prove(net: Net, model: ModelRun) -> list[str]:
    """Run a net and its model on the same inputs and refuse the first blob that differs; returns what was run.

    Where rounding adds up, or tips a decision such as the choice between two boxes, what follows differs as well: then
    the model holds if each of its layers, given the net's own blobs, makes the net's blob. What is rounding around a
    true zero is not judged.
    """
    told = []
    for name, feed in trial_inputs(net).items():
        with torch.no_grad():
            net(feed, keep="all")
        blobs = dict(net.blobs)
        chained = model.chained(feed)
        bad, count = _first_difference(net, blobs, chained, WHOLE)
        if bad is None:
            told.append(f"{count} blobs the same on a {name} input")
            continue
        if alone := model.alone(blobs):
            way = "layer by layer; in a chain rounding shows in"
            wrong, count = _first_difference(net, blobs, alone, FORWARD, partial(rounding_of, net, blobs, feed))
        else:
            way = "but for rounding around a true zero:"
            wrong, count = _first_difference(net, blobs, chained, WHOLE, rounding(net.steps, feed).__getitem__)
        if wrong is not None:
            raise GoldenError(f"on a {name} input {bad if wrong.problem == 'missing' else wrong}")
        told.append(f"{count} blobs the same on a {name} input, {way} {bad}")
    return told


def _is_rounding(result: BlobResult, want: Tensor, have: Floats, spread: Floats) -> bool:
    """Whether values that differ do so by no more than rounding may move them."""
    if result.problem != "values" or not result.allowed:
        return False
    golden = want.cpu().numpy()
    return bool((np.abs(have - golden) <= result.allowed * largest_magnitude(golden) + spread).all())


def _first_difference(
    net: Net,
    want: Mapping[str, Tensor],
    have: Mapping[str, Floats],
    tolerance: float,
    rounding_at: Callable[[str], Floats] | None = None,
) -> tuple[BlobResult | None, int]:
    """The first blob in the net's order that differs, if any, and how many were compared.

    `rounding_at` gives how far rounding may move each value of a blob.
    """
    discrete = discrete_blobs(net)
    count = 0
    for blob, golden in want.items():
        if blob in have and blob not in net.inputs:
            count += 1
            ours = np.asarray(have[blob])
            result = compare_blob(f"top/{blob}", golden.cpu().numpy(), ours, tolerance, exact=blob in discrete)
            if not result.ok and not (rounding_at and _is_rounding(result, golden, ours, rounding_at(blob))):
                return result, count
    if absent := [blob for blob in net.outputs if blob not in have and blob not in net.inputs]:
        return BlobResult(f"top/{absent[0]}", False, "missing", "missing"), count
    return None, count
