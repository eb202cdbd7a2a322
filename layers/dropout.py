"""Dropout."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Filler, Layer, LayerError, register


@register("Dropout")
class DropoutLayer(Layer):
    """Set numbers to zero at random while training.

    Bottom and top: x, y (any shape). With kept = 1 where a draw from U(0, 1) is at least dropout_ratio, else 0:
    scale_train (default): TRAIN y = x * kept / (1 - dropout_ratio), TEST y = x;
    without scale_train: TRAIN y = x * kept, TEST y = x * (1 - dropout_ratio), the older rule (ZF's Faster R-CNN).

    Differs from torch.nn.Dropout: the phase and not a mode of the module decides, and the older rule exists.
    """

    same_shape = True
    messages = ("dropout_param",)
    keeps_channels = True
    in_place = True

    def __init__(
        self,
        *,
        dropout_ratio: float = 0.5,
        scale_train: bool = True,
        phase: str = "TEST",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= dropout_ratio <= 1:
            raise LayerError(f"dropout_ratio must be from 0 to 1, got {dropout_ratio:g}")
        self.dropout_ratio, self.scale_train = dropout_ratio, scale_train
        self.phase, self.generator = phase, generator
        untouched = phase == "TEST" and scale_train
        self.leaves = frozenset({"sign", "top", "whole top"} if untouched else {"sign"})

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (x,) = bottoms
        if self.phase == "TEST":
            return (x.view_as(x) if self.scale_train else x * (1 - self.dropout_ratio),)
        draw = torch.empty_like(x)
        if x.numel():  # a head without RoIs has nothing to draw for
            Filler("uniform").fill(draw, self.generator)
        kept = x * (draw >= self.dropout_ratio)
        return (kept / (1 - self.dropout_ratio) if self.scale_train else kept,)
