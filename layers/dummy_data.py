"""DummyData."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor

from .base import Arity, Filler, FillerError, Layer, LayerError, Shape, register

T = TypeVar("T")


@register("DummyData")
class DummyDataLayer(Layer):
    """Make blobs from fillers, in place of data.

    Bottoms: none. Tops: one or more. `shape` and `data_filler` are given once for all tops or once for each; without a
    filler a top is 0. The older num, channels, height and width together make 4-D shapes, and exclude `shape`.
    A top of a random filler is drawn anew in every forward.

    Differs from torch: nothing there is like it.
    """

    like: Tensor

    messages = ("dummy_data_param",)
    bottoms = Arity(0, 0)
    tops = Arity(1, None)

    def __init__(
        self,
        *,
        data_filler: tuple[Filler, ...] = (),
        num: tuple[int, ...] = (),
        channels: tuple[int, ...] = (),
        height: tuple[int, ...] = (),
        width: tuple[int, ...] = (),
        shape: tuple[Shape, ...] = (),
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.data_filler = data_filler or (Filler(),)
        self.older_dims = (num, channels, height, width)
        self.shape, self.generator = shape, generator
        if shape and any(self.older_dims):
            raise LayerError("takes either shape or the older num, channels, height and width, not both")
        # It has no params to show on which device and in which dtype its tops are wanted.
        self.register_buffer("like", torch.empty(0), persistent=False)

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Settle each top's shape and filler."""
        super().setup(*bottoms, num_tops=num_tops)
        if any(self.older_dims):
            dims = zip(("num", "channels", "height", "width"), self.older_dims, strict=True)
            lengths = [_for_each(values, num_tops, name) for name, values in dims]
            self.made: tuple[Shape, ...] = tuple(zip(*lengths, strict=True))
        else:
            self.made = _for_each(self.shape, num_tops, "shape")
        self.makers = _for_each(self.data_filler, num_tops, "data_filler")
        for index, (filler, shape) in enumerate(zip(self.makers, self.made, strict=True)):
            try:
                filler.check(shape)
            except FillerError as error:
                raise LayerError(f"top {index}: {error}") from error

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """The shapes as given."""
        return self.made

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        tops = tuple(self.like.new_empty(shape) for shape in self.made)
        for filler, top in zip(self.makers, tops, strict=True):
            filler.fill(top, self.generator)
        return tops


def _for_each(values: tuple[T, ...], count: int, name: str) -> tuple[T, ...]:
    """Values given once for all or once for each."""
    if len(values) not in (1, count):
        raise LayerError(f"{name} is given {len(values)} time(s) for {count} top(s): give it once, or once for each")
    return values * count if len(values) == 1 else values
