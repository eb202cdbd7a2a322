"""Other anchors: the RPN's heads keep the channels of those that were there before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from ...layers.boxes import RATIOS, SCALES
from ..caffe_pb2 import LayerParameter
from ..text import read_param_str, write_param_str
from .heads import AnchorHeads, anchor_heads, resize_count
from .operation import Operation, Rows, SurgeryError, reached, spread

Anchor = tuple[float, ...]
"""Ratio and scale."""
_SCORES, _BOX = 2, 4


def change_anchors(
    operation: Operation, scales: Sequence[float] | None = None, ratios: Sequence[float] | None = None
) -> None:
    """Give the layers that make anchors these scales and ratios, or leave them theirs, and resize the RPN's heads."""
    heads = anchor_heads(operation.message)
    if not heads.layers:
        raise SurgeryError(
            f"net {operation.message.name!r} has no anchors: looked for what the Python layers ProposalLayer and "
            "AnchorTargetLayer read, and for rpn_cls_score and rpn_bbox_pred before a Silence"
        )
    before = _shared_sets(heads.makers) if heads.makers else (RATIOS, SCALES)
    after = tuple(tuple(new or old) for new, old in zip((ratios, scales), before, strict=True))
    for name, values in zip(("ratios", "scales"), after, strict=True):
        if min(values) <= 0 or len(set(values)) < len(values):
            raise SurgeryError(f"{name} are different numbers above 0, not {' '.join(f'{v:g}' for v in values)}")
    old, new = list(product(*before)), list(product(*after))
    rows: Rows = [old.index(anchor) if anchor in old else None for anchor in new]
    _resize(operation, heads, rows, len(old), [_label(anchor) for anchor in new])
    for maker in heads.makers:
        for name, was, values in zip(("ratios", "scales"), before, after, strict=True):
            if was != values:
                write_param_str(maker, name, f"[{', '.join(f'{value:g}' for value in values)}]")
                operation.set(maker.name, name, _some(was), _some(values))
    operation.promise.moved |= reached(operation.net, {maker.name for maker in heads.makers})
    operation.kept += [f"anchor {i}, {_label(new[i])}, was {row}" for i, row in enumerate(rows) if row is not None]
    if after[0] != RATIOS:
        operation.notes.append("py-faster-rcnn's own layers take no ratios and would go on with 0.5, 1 and 2")


def _resize(operation: Operation, heads: AnchorHeads, rows: Rows, old: int, labels: Sequence[str]) -> None:
    """Resize scores (background of every anchor, then object of every anchor) and boxes (four numbers of each)."""
    fresh = f"anchors {'; '.join(label for label, row in zip(labels, rows, strict=True) if row is None)}"
    scores = [*rows, *(None if row is None else old + row for row in rows)]
    for found, numbers, whole in ((heads.scores, _SCORES, scores), (heads.boxes, _BOX, spread(rows, _BOX))):
        for head in found:
            if head.outputs != numbers * old:
                text = f"layer {head.layer.name!r} has {head.outputs} outputs, not {numbers} for each of {old} anchors"
                raise SurgeryError(f"{text}: scales and ratios are those of another net")
            head.resize(operation, whole, fresh)
    for layer in heads.counts:
        resize_count(operation, layer, _SCORES * old, len(scores))


def _shared_sets(makers: Sequence[LayerParameter]) -> tuple[tuple[float, ...], ...]:
    """The ratios and scales of layers that must all have the same."""
    sets = []
    for maker in makers:
        given = read_param_str(maker)
        sets.append(tuple(tuple(map(float, given.get(k, d))) for k, d in (("ratios", RATIOS), ("scales", SCALES))))
    for maker, own in zip(makers, sets, strict=True):
        if own != sets[0]:
            raise SurgeryError(
                f"layers {makers[0].name!r} and {maker.name!r} have other anchors: "
                f"ratios {_some(sets[0][0])} and {_some(own[0])}, scales {_some(sets[0][1])} and {_some(own[1])}"
            )
    return sets[0]


def _label(anchor: Anchor) -> str:
    return f"ratio {anchor[0]:g} scale {anchor[1]:g}"


def _some(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
