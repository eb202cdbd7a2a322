"""The parts of `recaffe bench` that run the RPN's layers beside the same algorithms in plain NumPy."""

from __future__ import annotations

import numpy as np
import torch

from ...layers import AnchorTargetLayer, ProposalLayer
from . import plain_numpy
from .best import best


def proposals() -> None:
    """The TRAIN-phase proposal layer against the algorithm in plain NumPy."""
    scores, deltas, info = plain_numpy.scene(38, 63)
    layer = ProposalLayer(feat_stride=16, phase="TRAIN")
    layer.setup(scores.shape, deltas.shape, info.shape, num_tops=1)
    bottoms = [torch.from_numpy(b) for b in (scores, deltas, info)]
    ours = best(lambda: layer(*bottoms), 10)
    plain = best(lambda: plain_numpy.proposals(scores, deltas, info, 16, 12000, 2000, 0.7, 16), 2)
    print(f"  21,546 anchors, 12,000 -> 2,000: {ours * 1e3:.1f} ms (wanted: at most 30 ms)")
    print(f"  plain NumPy {plain * 1e3:.0f} ms: {plain / ours:.0f} times as long")


def anchor_targets() -> None:
    """The anchor target layer against the algorithm in plain NumPy."""
    scores, _, info = plain_numpy.scene(38, 63)
    truths = plain_numpy.truths(9)
    layer = AnchorTargetLayer(feat_stride=16, rng=np.random.RandomState(3))
    data = np.zeros((1, 3, 600, 1000), np.float32)
    layer.setup(scores.shape, truths.shape, info.shape, data.shape, num_tops=4)
    bottoms = [torch.from_numpy(b) for b in (scores, truths, info, data)]
    ours = best(lambda: layer(*bottoms), 10)
    plain = best(lambda: plain_numpy.anchor_overlaps(38, 63, 16, truths), 2)
    print(f"  9 objects: {ours * 1e3:.1f} ms (wanted: at most 5 ms)")
    print(f"  the overlaps alone in plain NumPy {plain * 1e3:.1f} ms: {plain / ours:.1f} times as long")
