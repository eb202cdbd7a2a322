"""Mistakes in layers that act on each number by itself, and in losses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch

from ....layers import DropoutLayer, ReLULayer, SmoothL1LossLayer, SoftmaxLayer
from .rule import Case, Suspect, altered, rule


@rule("dropout scale", "Dropout")
def dropout_scale(case: Case) -> Iterator[Suspect]:
    """The scale in the other phase, or in none."""
    layer = cast(DropoutLayer, case.layer)
    kept = 1 - layer.dropout_ratio
    if layer.phase == "TEST" and 0 < kept < 1:
        word = "TEST" if layer.scale_train else "TRAIN"
        text = f"the golden scales by {kept:g} in {word} (scale_train: {str(not layer.scale_train).lower()})"
        yield Suspect(text, altered(layer, scale_train=not layer.scale_train))


@rule("ReLU slope", "ReLU")
def slope(case: Case) -> Iterator[Suspect]:
    """Another slope below zero."""
    layer = cast(ReLULayer, case.layer)
    if not case.only_top or not case.is_last:
        return
    x, want = case.bottoms[0], case.run.golden[case.only_top]
    below = x < 0
    if x.shape == want.shape and bool(below.any()):
        found = float((want[below] / x[below]).median())
        text = f"the golden's slope below zero is {found:.4g}, NET's {layer.negative_slope:g}"
        if found == 1:
            text = "the golden has no ReLU here"
        yield Suspect(text, lambda x: (torch.where(x > 0, x, found * x),))


@rule("softmax axis", "Softmax")
def axis(case: Case) -> Iterator[Suspect]:
    """Probabilities along another axis."""
    layer = cast(SoftmaxLayer, case.layer)
    for other in range(case.bottoms[0].dim()):
        if other != layer.axis:
            yield Suspect(f"the golden's axis is {other}, NET's {layer.axis}", altered(layer, axis=other))


@rule("smooth L1 sigma", "SmoothL1Loss")
def sigma(case: Case) -> Iterator[Suspect]:
    """1 as in the head or 3 as in the RPN."""
    layer = cast(SmoothL1LossLayer, case.layer)
    for other in (1.0, 3.0):
        if layer.beta != 1 / other**2:
            text = f"the golden's sigma is {other:g}, NET's {layer.beta**-0.5:g}"
            yield Suspect(text, altered(layer, beta=1 / other**2))
