"""A net beside itself: folded, in threads, in batches cut apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from .trial import StepRun, Trial

LIMIT = 1e-5
STATEFUL = {"LSTM", "RNN"}
ITEMWISE = {
    *("AbsVal", "BNLL", "Clip", "Dropout", "ELU", "Exp", "Log", "Power", "PReLU", "ReLU", "Sigmoid", "Swish", "TanH"),
    *("Threshold", "LRN", "MVN", "Pooling", "SPP"),
}
"""Types that treat each item of a batch alone; Convolution and others do where their axis is not the batch's."""


def largest(x: Tensor) -> float:
    """The largest finite magnitude, 0 where there is none."""
    finite = x[x.isfinite()]
    return float(finite.abs().max()) if finite.numel() else 0.0


def same(have: Tensor, want: Tensor, limit: float = LIMIT, bottoms: Sequence[Tensor] = ()) -> bool:
    """Equal within a share of the largest number, that of the bottoms included: a sum may cancel."""
    absolute = limit * max(1e-3, *map(largest, (want, *bottoms)))
    return have.shape == want.shape and torch.allclose(have, want, limit, absolute, equal_nan=True)


def inference(trial: Trial) -> Iterator[str]:
    """Outputs without a diff, where BatchNorm and Scale are folded and blobs dropped, with threads and without."""
    if trial.case.phase == "TRAIN":
        return  # statistics would move
    net = trial.net
    trial.reset()
    with torch.no_grad():
        net(trial.inputs, keep="all")
        want = {blob: net.blobs[blob].clone() for blob in net.outputs}
        trial.reset()
        for blob, have in net(trial.inputs).items():
            if not same(have, want[blob], 1e-4):
                yield f"output {blob!r} is another in inference, folded"
    if not {run.kind for run in trial.runs} & STATEFUL:
        yield from _in_threads(trial, want)


def _in_threads(trial: Trial, want: dict[str, Tensor]) -> Iterator[str]:
    def once(_: int) -> dict[str, Tensor]:
        with torch.no_grad():
            return {blob: top.clone() for blob, top in trial.net(trial.inputs).items()}

    before = torch.get_num_threads()
    torch.set_num_threads(1 if before > 1 else 2)
    try:
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(once, range(2)))
    finally:
        torch.set_num_threads(before)
    for blob, top in want.items():
        if not all(same(result[blob], top, 1e-4) for result in results):
            yield f"output {blob!r} is another in two threads at once"


def batches(trial: Trial) -> Iterator[str]:
    """A layer on a batch cut in two."""
    for run in trial.judged():
        items = len(run.bottoms[0]) if run.bottoms and run.bottoms[0].dim() else 0
        if items > 1 and _is_itemwise(run):
            with torch.no_grad():
                parts = [run.again([b[at] for b in run.bottoms]) for at in (slice(0, 1), slice(1, None))]
            for i, (first, rest) in enumerate(zip(*parts, strict=True)):
                if not same(torch.cat([first, rest]), run.tops[i], LIMIT, run.bottoms):
                    yield f"{run.step.node}: top {i} is another where its batch is cut in two"


def _is_itemwise(run: StepRun) -> bool:
    message = run.step.node.message
    axis = {
        "Convolution": message.convolution_param.axis,
        "Deconvolution": message.convolution_param.axis,
        "Im2col": message.convolution_param.axis,
        "InnerProduct": message.inner_product_param.axis,
        "Softmax": message.softmax_param.axis,
        "Reduction": message.reduction_param.axis,
        "Flatten": message.flatten_param.axis,
    }.get(run.kind)
    if axis is not None:
        return axis % run.bottoms[0].dim() > 0 and all(len(b) == len(run.bottoms[0]) for b in run.bottoms)
    return run.kind in ITEMWISE
