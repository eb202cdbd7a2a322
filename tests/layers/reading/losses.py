"""Losses, label by label."""

from __future__ import annotations

from typing import Any

import numpy as np

from .norms import softmaxed
from .registry import Array, Given, canonical, named, reads

LEAST = float(np.finfo(np.float32).tiny)


def divisor(p: Any, outer: int, inner: int, valid: int, default: str = "VALID") -> float:
    """What a sum of losses is divided by."""
    if p.HasField("normalization"):
        mode = named(p, "normalization")
    elif p.HasField("normalize"):
        mode = "VALID" if p.normalize else "BATCH_SIZE"
    else:
        mode = default
    return max(
        1.0,
        {"FULL": outer * inner, "VALID": valid, "BATCH_SIZE": outer, "NONE": 1, "PRE_FIXED": p.pre_fixed_normalizer}[
            mode
        ],
    )


def by_class(x: Array, axis: int) -> Array:
    """(*outer, C, *inner) as one row of classes for each label, (outer * inner, C)."""
    rows = np.moveaxis(x, axis, -1)
    return rows.reshape(-1, x.shape[axis])


def labelled(g: Given, axis: int) -> tuple[list[int], list[bool]]:
    p = g.layer.loss_param
    labels = [int(label) for label in g.bottoms[1].ravel()]
    return labels, [not (p.HasField("ignore_label") and label == p.ignore_label) for label in labels]


@reads("ContrastiveLoss")
def contrastive(g: Given) -> list[Array]:
    p, (a, b, similar) = g.layer.contrastive_loss_param, g.bottoms
    total = 0.0
    for one, other, y in zip(a.reshape(len(a), -1), b.reshape(len(b), -1), similar.ravel(), strict=True):
        square = ((one - other) ** 2).sum()
        if int(y):
            total += square
        else:
            total += max(p.margin - square, 0) if p.legacy_version else max(p.margin - np.sqrt(square), 0) ** 2
    return [np.asarray(total / (2 * len(a)))]


@reads("EuclideanLoss")
def euclidean(g: Given) -> list[Array]:
    return [((g.x.ravel() - g.bottoms[1].ravel()) ** 2).sum() / (2 * len(g.x))]


@reads("HingeLoss")
def hinge(g: Given) -> list[Array]:
    x = g.x.reshape(len(g.x), -1)
    sign = np.ones_like(x)
    sign[range(len(x)), g.bottoms[1].astype(int).ravel()] = -1
    e = np.maximum(0, 1 + sign * x)
    return [(e if named(g.layer.hinge_loss_param, "norm") == "L1" else e**2).sum() / len(x)]


@reads("InfogainLoss")
def infogain(g: Given) -> list[Array]:
    axis = canonical(g.layer.infogain_loss_param.axis, g.x)
    p, (labels, counts) = softmaxed(g.x, axis), labelled(g, axis)
    matrix = g.bottoms[2].reshape(g.x.shape[axis], -1)
    rows = np.log(np.maximum(by_class(p, axis), 1e-20))
    total = -sum(matrix[label] @ row for label, row, valid in zip(labels, rows, counts, strict=True) if valid)
    outer = int(np.prod(g.x.shape[:axis]))
    return [np.asarray(total / divisor(g.layer.loss_param, outer, len(rows) // outer, sum(counts))), p]


@reads("MultinomialLogisticLoss")
def multinomial(g: Given) -> list[Array]:
    rows = g.x.reshape(len(g.x), -1)
    picked = rows[range(len(rows)), g.bottoms[1].astype(int).ravel()]
    return [-np.log(np.maximum(picked, 1e-20)).sum() / len(rows)]


@reads("SigmoidCrossEntropyLoss")
def sigmoid_cross_entropy(g: Given) -> list[Array]:
    x, t = g.x.ravel(), g.bottoms[1].ravel()
    p = g.layer.loss_param
    valid = np.array([not (p.HasField("ignore_label") and int(target) == p.ignore_label) for target in t])
    # -(t log p + (1 - t) log(1 - p)), without overflow
    e = np.logaddexp(0, x) - t * x
    n = len(g.x)
    return [np.where(valid, e, 0).sum() / divisor(p, n, g.x.size // n, int(valid.sum()), "BATCH_SIZE")]


def smooth_l1(d: Array, sigma: float) -> Array:
    if sigma == 0:
        return np.zeros_like(d)
    near = np.abs(d) < 1 / sigma**2
    return np.where(near, 0.5 * sigma**2 * d**2, np.abs(d) - 0.5 / sigma**2)


@reads("SmoothL1Loss")
def smooth_l1_loss(g: Given) -> list[Array]:
    x, t, *weights = (b.ravel() for b in g.bottoms)
    inside, outside = [*weights, np.ones_like(x), np.ones_like(x)][:2]
    if len(weights) == 1:
        outside = np.ones_like(x)
    return [(outside * smooth_l1(inside * (x - t), g.layer.smooth_l1_loss_param.sigma)).sum() / len(g.x)]


@reads("SmoothL1LossOHEM")
def smooth_l1_ohem(g: Given) -> list[Array]:
    x = g.x.reshape(*g.x.shape, *[1] * (4 - g.x.ndim))
    t, *weights = (b.reshape(x.shape) for b in g.bottoms[1:])
    each = smooth_l1((x - t) * (weights[0] if weights else 1.0), 1.0)
    n, inner = len(x), x.shape[2] * x.shape[3]
    return [each.sum() / divisor(g.layer.loss_param, n, inner, n * inner), each.sum(1, keepdims=True)]


@reads("SoftmaxWithLoss", "SoftmaxWithLossOHEM")
def softmax_loss(g: Given) -> list[Array]:
    axis = canonical(g.layer.softmax_param.axis, g.x)
    p, (labels, counts) = softmaxed(g.x, axis), labelled(g, axis)
    rows = by_class(p, axis)
    losses = np.array(
        [
            -np.log(max(row[label], LEAST)) if valid else 0.0
            for label, row, valid in zip(labels, rows, counts, strict=True)
        ]
    )
    outer = int(np.prod(g.x.shape[:axis]))
    loss = losses.sum() / divisor(g.layer.loss_param, outer, len(rows) // outer, sum(counts))
    return [loss, p, losses.reshape(g.bottoms[1].shape)]
