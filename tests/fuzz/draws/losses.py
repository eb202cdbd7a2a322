"""Losses, with labels from inputs."""

from __future__ import annotations

import math
from typing import Any

from ..draw import Dice, Drawn, Feed, Shape, draws


def weighted(of: Dice, tops: int = 1, default: bool = True) -> dict[str, Any]:
    """A loss_weight, or where there is a default, perhaps none."""
    if default and of.chance(0.5):
        return {}
    return {"loss_weight": [of.one((1, 2.5, 0.5, -1)), *[0] * (tops - 1)]}


def loss_fields(of: Dice, classes: int, older: bool = True) -> dict[str, Any]:
    fields = of.some(ignore_label=of.upto(0, classes))
    if of.chance(0.5):
        return {**fields, "normalization": of.one(("FULL", "VALID", "BATCH_SIZE", "NONE"))}
    return {**fields, **of.some(normalize=of.chance(0.5))} if older else fields


@draws("ContrastiveLoss")
def contrastive(shape: Shape, of: Dice) -> Drawn | None:
    if len(shape) != 2:
        return None
    fields = of.some(margin=of.number(0.5, 4), legacy_version=of.chance(0.5))
    return Drawn({"contrastive_loss_param": fields, **weighted(of)}, [Feed(shape), Feed(shape[:1], "flags")])


@draws("EuclideanLoss")
def euclidean(shape: Shape, of: Dice) -> Drawn:
    flat = (shape[0], math.prod(shape[1:]))
    return Drawn(weighted(of), [Feed(of.one((shape, flat)))])


@draws("HingeLoss")
def hinge(shape: Shape, of: Dice) -> Drawn:
    labels = Feed(shape[:1], "whole", math.prod(shape[1:]))
    return Drawn({"hinge_loss_param": of.some(norm=of.one(("L1", "L2"))), **weighted(of)}, [labels])


def labels_beside(shape: Shape, axis: int) -> Shape:
    at = axis % len(shape)
    return (*shape[:at], 1, *shape[at + 1 :])


@draws("InfogainLoss")
def infogain(shape: Shape, of: Dice) -> Drawn | None:
    if len(shape) < 2:
        return None
    axis = of.axis(len(shape), 1)
    classes = shape[axis]
    others = [Feed(labels_beside(shape, axis), "whole", classes), Feed((1, 1, classes, classes), "positive")]
    fields = {"infogain_loss_param": {"axis": axis}, "loss_param": loss_fields(of, classes, older=False)}
    return Drawn({**fields, **weighted(of)}, others)


@draws("MultinomialLogisticLoss")
def multinomial(shape: Shape, of: Dice) -> Drawn | None:
    return None  # takes probabilities from a Softmax, see `plant`


@draws("SigmoidCrossEntropyLoss")
def sigmoid_cross_entropy(shape: Shape, of: Dice) -> Drawn:
    others = [Feed(shape, of.one(("probability", "flags")))]
    return Drawn({"loss_param": loss_fields(of, 1), **weighted(of)}, others)


@draws("SmoothL1Loss")
def smooth_l1(shape: Shape, of: Dice) -> Drawn:
    weights = [Feed(shape, "positive")] * of.one((0, 2))
    fields = {"smooth_l1_loss_param": of.some(sigma=of.one((0.5, 3, 1)))}
    return Drawn({**fields, **weighted(of, default=False)}, [Feed(shape), *weights])


@draws("SmoothL1LossOHEM")
def smooth_l1_ohem(shape: Shape, of: Dice) -> Drawn | None:
    if not 2 <= len(shape) <= 4:
        return None
    tops = of.upto(1, 2)
    # The gradient lacks the weight as a factor, in Caffe, too: 0 and 1 have it right.
    weights = [Feed(shape, "flags")] * of.upto(0, 1)
    fields = {"loss_param": loss_fields(of, 1), **weighted(of, tops, default=False)}
    return Drawn(fields, [Feed(shape), *weights], tops=tops, read_on=0)


@draws("SoftmaxWithLoss", "SoftmaxWithLossOHEM")
def softmax_loss(shape: Shape, of: Dice) -> Drawn | None:
    if len(shape) < 2:
        return None
    axis = of.axis(len(shape), 1)
    fields = {"softmax_param": {"axis": axis}, "loss_param": loss_fields(of, shape[axis])}
    labels = Feed(labels_beside(shape, axis), "whole", shape[axis])
    return Drawn({**fields, **weighted(of)}, [labels], read_on=0)
