"""What the layers that read images have in common: items without end, transformed and put together in batches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..base import Arity, Draws, Layer, LayerError, Shape, State, times
from ..boxes import DEFAULT_SEED
from .images import Image
from .transformation import Floats, Transformation, Transformer


class Item(NamedTuple):
    """One image, its label, and its name for who must look for it."""

    image: Image
    label: int
    name: str


class SourceLayer(Layer):
    """A layer that makes its tops from what lies in files or in memory, in batches."""

    like: Tensor

    bottoms = Arity(0, 0)
    tops = Arity(1, 2)

    def __init__(self, batch_size: int | None) -> None:
        super().__init__()
        if not batch_size:
            raise LayerError("needs a batch_size of at least 1")
        self.batch_size = batch_size
        # It has no params to show on which device and in which dtype its tops are wanted.
        self.register_buffer("like", torch.empty(0), persistent=False)

    def give(self, *blobs: Floats) -> tuple[Tensor, ...]:
        """Blobs as the tops that are asked for."""
        return tuple(torch.from_numpy(blob).to(self.like) for blob in blobs[: self.num_tops])

    def pass_over(self, batches: int) -> None:
        """Leave out so many batches, without loading them: other processes, which train the same net, take them."""
        raise NotImplementedError


class StreamLayer(SourceLayer):
    """Batches of transformed images and their labels.

    Derived classes give `_open`, an endless iterator over whatever stands for an item, and `_load`, from that to the
    item. The first item decides the tops' shapes at setup; each batch has the shape of its own first item.
    """

    discrete = frozenset({1})

    def __init__(
        self, batch_size: int | None, transform_param: Transformation | None, phase: str, seeds: Draws | None
    ) -> None:
        super().__init__(batch_size)
        self.rule = transform_param or Transformation()
        self.transformer = Transformer(self.rule, phase)
        self.seeds = seeds or Draws(DEFAULT_SEED)
        self.shape: Shape = ()
        self.items: Iterator[Any] = iter(())
        self.taken = 0

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Find the data and the first item's shape."""
        super().setup(*bottoms, num_tops=num_tops)
        # Caffe seeds the transformer twice; a number of the first time is lost.
        self.transformer.seed(self.seeds)
        items = self._open()
        self.transformer.seed(self.seeds)
        self.seeds.number()  # the reading thread's
        first = next(items)
        self.items = chain((first,), items)
        self.shape = self._shape_of(self._load(first))

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """A batch of the first item's shape, and its labels."""
        return ((self.batch_size, *self.shape), (self.batch_size,))[: self.num_tops]

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        batch: Floats = np.empty(0, np.float32)
        labels = np.empty(self.batch_size, np.float32)
        for i in range(self.batch_size):
            item = self._load(next(self.items))
            shape = self._shape_of(item)
            if i == 0:
                # (N, H, W, C) -> (N, C, H, W): channels innermost, as convolutions are fastest.
                batch = np.empty((self.batch_size, *shape[1:], shape[0]), np.float32).transpose(0, 3, 1, 2)
            elif shape != batch.shape[1:]:
                raise LayerError(
                    f"{item.name} is {times(shape)} where its batch began with {times(batch.shape[1:])}: "
                    "give a batch_size of 1, or have all of one size by a crop_size or new_height and new_width"
                )
            self.transformer(item.image, batch[i])
            labels[i] = item.label
        self.taken += self.batch_size
        return self.give(batch, labels)

    def pass_over(self, batches: int) -> None:
        count = batches * self.batch_size
        next(islice(self.items, count, count), None)
        self.transformer.pass_over(count)
        self.taken += count

    def place(self) -> State:
        draws = self.transformer.draws.place() if self.transformer.draws else {}
        return {"taken": np.array(self.taken), **draws}

    def return_to(self, place: State) -> None:
        """Pass over the items that were taken, without loading them."""
        if self.taken:
            raise LayerError("has given batches already and cannot go back: build the net anew")
        self.taken = int(place["taken"])
        next(islice(self.items, self.taken, self.taken), None)
        if self.transformer.draws:
            self.transformer.draws.return_to(place)

    def _shape_of(self, item: Item) -> Shape:
        try:
            return self.transformer.shape(item.image.shape)
        except LayerError as error:
            raise LayerError(f"{item.name}: {error}") from error

    def _open(self) -> Iterator[Any]:
        """The items' stand-ins, from the first again after the last."""
        raise NotImplementedError

    def _load(self, source: Any) -> Item:
        """The item that is meant."""
        raise NotImplementedError
