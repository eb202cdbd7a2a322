"""Random nets: one depends on its type and its number alone."""

from __future__ import annotations

import math

from . import draws
from .draw import DRAWS, Dice, Drawn, Feed, Shape
from .sketch import Sketch

assert draws.FAMILIES
AXES = (1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4, 5, 6)
MOST = 240
"""Numbers that a first blob has at most: readings are slow."""
# What is set beside a type in a random net. A type that comes later is not added: every net would be another.
COMPANIONS = (
    *("AbsVal", "BNLL", "BatchNorm", "BatchReindex", "Bias", "Clip", "Concat", "Convolution", "Crop", "Deconvolution"),
    *("Dropout", "ELU", "Eltwise", "EuclideanLoss", "Exp", "Filter", "Flatten", "HingeLoss", "Im2col", "InfogainLoss"),
    *("InnerProduct", "LRN", "LSTM", "Log", "MVN", "PReLU", "PSROIPooling", "Pooling", "Power", "RNN", "ROIPooling"),
    *("ReLU", "Reduction", "Reshape", "SPP", "Scale", "Sigmoid", "SigmoidCrossEntropyLoss", "Silence", "Slice"),
    *("SmoothL1Loss", "SmoothL1LossOHEM", "Softmax", "SoftmaxWithLoss", "SoftmaxWithLossOHEM", "Split", "Swish"),
    *("TanH", "Tile"),
)


def any_shape(of: Dice) -> Shape:
    while True:
        shape = tuple(of.one((1, 2, 2, 3, 3, 4, 5, 6, 7)) for _ in range(of.one(AXES)))
        if math.prod(shape) <= MOST:
            return shape


def random_net(kind: str, number: int) -> Sketch:
    """A net with a layer of this type and up to four others."""
    of = Dice(f"{kind} {number}")
    for _ in range(60):
        sketch = Sketch(f"{kind} {number}", of.one(("TRAIN", "TEST")), of)
        sketch.start(first_shape(kind, of))
        for _ in range(of.one((0, 0, 1))):
            sketch.grow(of.one(COMPANIONS))
        if plant(sketch, kind, of):
            break
    else:
        raise AssertionError(f"no blob suits {kind}, net {number}")
    if of.chance(0.25):
        sketch.twin()
    for _ in range(of.one((0, 0, 1, 1, 2, 3))):
        sketch.grow(of.one(COMPANIONS))
        if of.chance(0.1):
            sketch.absent()
    sketch.close()
    return sketch


def first_shape(kind: str, of: Dice) -> Shape:
    """A shape that suits the types which take few."""
    if kind == "LSTMUnit":
        return (1, of.upto(1, 4), of.upto(1, 4))
    if kind in ("LRN", "Pooling", "SPP", "PSROIPooling", "ROIPooling"):
        return (of.upto(1, 2), of.one((1, 3, 4, 8)), of.upto(1, 7), of.upto(1, 6))
    return any_shape(of)


def plant(sketch: Sketch, kind: str, of: Dice) -> bool:
    """Set the layer that the net is about."""
    if kind == "Parameter":
        sketch.add("parameter", kind, [], ["parameter_0"], parameter_param={"shape": {"dim": any_shape(of)}})
        sketch.blobs["parameter_0"] = tuple(sketch.net.layer[-1].parameter_param.shape.dim)
        return True
    if kind == "Embed":
        words = of.upto(1, 6)
        fields = {"num_output": of.upto(1, 5), "input_dim": words, **of.some(bias_term=False)}
        blob = sketch.feed(Feed(any_shape(of)[:3], "whole", words))
        sketch.blobs[blob] = sketch.feeds[blob].shape
        placed = sketch.place(kind, blob, Drawn({"embed_param": fields}, in_place=False))
        del sketch.blobs[blob]
        return placed
    if kind == "BoxAnnotatorOHEM":
        blob = sketch.feed(Feed((of.upto(1, 9), 5, 1, 1), "rois", 2))
        drawn = DRAWS[kind](sketch.feeds[blob].shape, of)
        sketch.blobs[blob] = sketch.feeds[blob].shape
        placed = drawn is not None and sketch.place(kind, blob, drawn)
        del sketch.blobs[blob]
        return placed
    if kind == "MultinomialLogisticLoss":
        if not sketch.place("Softmax", "blob", Drawn({"softmax_param": {"axis": -1}}, in_place=False)):
            return False
        blob = str(sketch.net.layer[-1].top[0])
        shape = sketch.blobs[blob]
        return sketch.place(kind, blob, Drawn({}, [Feed(shape[:1], "whole", math.prod(shape[1:]))]))
    return sketch.grow(kind)


def types() -> list[str]:
    """Every type that is drawn."""
    return sorted(DRAWS)
