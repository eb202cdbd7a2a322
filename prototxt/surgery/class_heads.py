"""The heads that tell a net's classes, and all else in its prototxt that counts them."""

from __future__ import annotations

from dataclasses import dataclass

from ..caffe_pb2 import LayerParameter, NetParameter
from ..text import read_param_str
from .heads import BOX_LOSSES, LEARNED, Head, anchor_heads, holds
from .operation import SurgeryError
from .wiring import Wiring

_SCORED = ("Softmax", "SoftmaxWithLoss", "SoftmaxWithLossOHEM")
_ONE, BOX = 1, 4
AGNOSTIC = 2
"""What counts as classes where boxes are for any class: background and object."""


@dataclass
class ClassHeads:
    """Where a prototxt has its classes."""

    classes: int
    """Their number, the background among them; 0 where no layer says."""
    heads: list[tuple[Head, int]]
    """Heads, and how many numbers each has for a class."""
    others: list[Head]
    """Heads that score something else."""
    boxes: list[Head]
    """What gives boxes, for each class or for any."""
    embeds: list[LayerParameter]
    """Tables with a row for each class."""
    counters: list[LayerParameter]
    """Python layers whose param_str has num_classes."""


def class_heads(net: NetParameter, agnostic: bool) -> ClassHeads:
    """Find them: what a softmax scores and boxes for each, but for the RPN's; `agnostic` boxes are for any class."""
    wiring, of_anchors = Wiring(net), anchor_heads(net).layers
    counters = [layer for layer in net.layer if layer.type == "Python" and "num_classes" in read_param_str(layer)]
    scores: list[Head] = []
    for scored in (layer for layer in net.layer if layer.type in _SCORED):
        for layer in wiring.behind(scored.bottom[0])[0]:
            if not holds([*of_anchors, *(head.layer for head in scores)], layer):
                scores.append(Head(layer, wiring.way(layer)))
    if not scores and not counters:
        raise SurgeryError(
            f"net {net.name!r} has no classes: looked for {' and '.join(LEARNED)} layers behind {', '.join(_SCORED)}, "
            "those of the RPN left out, and for num_classes in a param_str"
        )
    learned = [layer for layer in net.layer if layer.type in LEARNED and not holds(of_anchors, layer)]
    rest = [Head(layer, wiring.way(layer)) for layer in learned if not holds((h.layer for h in scores), layer)]
    boxes = [head for head in rest if head.way.is_open or any(end.type in BOX_LOSSES for end in head.way.ends)]
    classes = _count(net, scores, boxes, counters)
    heads = [(head, _ONE) for head in scores if head.outputs == classes * head.cells]
    if not (agnostic and classes == AGNOSTIC):
        heads += [(head, BOX) for head in boxes if classes and head.outputs == BOX * classes * head.cells]
    others = [head for head in scores if head.outputs != classes * head.cells]
    embeds = [layer for layer in net.layer if layer.type == "Embed" and layer.embed_param.input_dim == classes]
    counters = [layer for layer in counters if _counts_classes(layer, classes, agnostic)]
    return ClassHeads(classes, heads, others, boxes, embeds, counters)


def _counts_classes(layer: LayerParameter, classes: int, agnostic: bool) -> bool:
    """Whether a num_classes is of classes, not of the two kinds of boxes that are for any class."""
    if layer.python_param.layer != "ProposalTargetLayer":
        return True
    count = read_param_str(layer)["num_classes"]
    return bool(count != AGNOSTIC or (classes == count and not agnostic))


def _count(net: NetParameter, scores: list[Head], boxes: list[Head], counters: list[LayerParameter]) -> int:
    """How many classes the scores are of; where that differs, what num_classes or the boxes agree with."""
    counts = {head.outputs // head.cells: head.layer.name for head in reversed(scores)}
    if len(counts) > 1:
        told = {read_param_str(layer)["num_classes"] for layer in counters}
        told = told & set(counts) or {head.outputs // head.cells / BOX for head in boxes}
        counts = {count: name for count, name in counts.items() if count in told} if told & set(counts) else counts
    if len(counts) > 1:
        listed = ", ".join(f"{name!r} has {count}" for count, name in counts.items())
        raise SurgeryError(f"net {net.name!r}: which head tells the classes? {listed}; no num_classes or boxes say it")
    return next(iter(counts), 0)
