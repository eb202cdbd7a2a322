"""Hard examples: whether the RoIs that the golden kept are those that equal losses allow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...layers import BoxAnnotatorOHEMLayer, Layer
from .tie import Choice, GoldenSide, level


@torch.no_grad()
def follow_hard_examples(
    layer: Layer, bottoms: Sequence[Tensor], tops: Sequence[Tensor], golden: GoldenSide, allowed: float
) -> Choice | None:
    """Along the RoIs that the golden kept, where the layer gives its tops with those first among equal losses."""
    assert isinstance(layer, BoxAnnotatorOHEMLayer)
    rows, theirs = (
        [_rows(bottom) for bottom in side] for side in (bottoms, bottoms if golden.bottoms is None else golden.bottoms)
    )
    wanted, own = [_rows(top) for top in golden.tops], [_rows(top) for top in tops]
    if [row.shape for row in rows] != [row.shape for row in theirs]:
        return None
    kept = _kept(layer, wanted)
    order = (~kept).int().argsort(stable=True)
    losses = level(rows[1], theirs[1])
    for rois, loss, labels, weights in ((theirs[0], theirs[1], *theirs[2:]), (rows[0], losses, *rows[2:])):
        along = _along(layer, (rois, loss, labels, weights), order)
        if not all(map(torch.equal, along, wanted)):
            return None
    tops = tuple(_blob(row, top) for row, top in zip(along, tops, strict=True))
    pair = [_first(kept & ~_kept(layer, own)), _first(_kept(layer, own) & ~kept)]
    apart = int((kept != _kept(layer, own)).sum())
    text = f"{apart} of {len(kept)} RoIs are kept on one side alone"
    return Choice(tops, text, tuple(f"RoI {row}" for row in pair), float(theirs[1][pair[0]]), "loss")


def _along(layer: BoxAnnotatorOHEMLayer, rows: Sequence[Tensor], order: Tensor) -> tuple[Tensor, ...]:
    """The layer's tops with the rows in another order, led back to theirs."""
    return tuple(torch.empty_like(top).index_copy(0, order, top) for top in layer.forward(*(r[order] for r in rows)))


def _kept(layer: BoxAnnotatorOHEMLayer, tops: Sequence[Tensor]) -> Tensor:
    """The RoIs (R,) that are kept as far as the tops tell."""
    labels, weights = (top.flatten(1) for top in tops)
    return (labels != layer.ignore_label).any(dim=1) | (weights != 0).any(dim=1)


def _rows(blob: Tensor) -> Tensor:
    """A row for each RoI or place: (R, C, H, W), axes of length 1 left out or not -> (R * H * W, C, 1, 1)."""
    blob = blob.reshape(*blob.shape, *(1,) * (4 - blob.ndim))
    return blob.permute(0, 2, 3, 1).reshape(-1, blob.shape[1], 1, 1)


def _blob(rows: Tensor, like: Tensor) -> Tensor:
    """Back from rows: (R * H * W, C, 1, 1) -> (R, C, H, W)."""
    count, channels, height, width = like.shape
    return rows.reshape(count, height, width, channels).permute(0, 3, 1, 2).contiguous()


def _first(mask: Tensor) -> int:
    return int(mask.int().argmax())
