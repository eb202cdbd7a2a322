"""MemoryData."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from .base import Arity, Draws, LayerError, Shape, State, register, times
from .sources import Floats, SourceLayer, Transformation, Transformer


@register("MemoryData")
class MemoryDataLayer(SourceLayer):
    """Give batches of arrays that are handed to `set_input_arrays`, in turn.

    Bottoms: none. Tops: data (N×C×H×W) and label (N×1×1×1, N until the first forward), N = batch_size, C×H×W =
    channels×height×width.
    After the last batch comes the first again. The numbers are given as they are: transform_param changes nothing.
    """

    messages = ("memory_data_param",)
    tops = Arity(2, 2)
    discrete = frozenset({1})

    def __init__(
        self,
        *,
        batch_size: int | None = None,
        channels: int | None = None,
        height: int | None = None,
        width: int | None = None,
        transform_param: Transformation | None = None,
        phase: str = "TEST",
        seeds: Draws | None = None,
    ) -> None:
        super().__init__(batch_size)
        if not channels or not height or not width:
            raise LayerError("needs channels, height and width of at least 1")
        self.shape: Shape = (self.batch_size, channels, height, width)
        self.seeds, self.transformer = seeds, Transformer(transform_param or Transformation(), phase)
        self.data: Floats | None = None
        self.labels: Floats = np.empty(0, np.float32)
        self.row = 0

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Take the number that Caffe takes for a transformer."""
        super().setup(*bottoms, num_tops=num_tops)
        if self.seeds:
            self.transformer.seed(self.seeds)

    def set_input_arrays(self, data: npt.ArrayLike, labels: npt.ArrayLike) -> None:
        """Hand in the rows to give, a multiple of batch_size of them, and a label for each."""
        data, labels = np.asarray(data, np.float32), np.asarray(labels, np.float32)
        if data.shape[1:] != self.shape[1:]:
            raise LayerError(f"takes rows of {times(self.shape[1:])}, got data of {times(data.shape)}")
        if not len(data) or len(data) % self.batch_size:
            raise LayerError(f"takes a multiple of its batch_size {self.batch_size} as rows, got {len(data)}")
        if labels.size != len(data):
            raise LayerError(f"takes a label for each of {len(data)} rows, got {labels.size}")
        self.data, self.labels, self.row = data, labels.reshape(-1, 1, 1, 1), 0

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """The shapes as given."""
        return self.shape, (self.batch_size,)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        if self.data is None:
            raise LayerError("has no data: hand them to this layer's set_input_arrays(data, labels)")
        rows = slice(self.row, self.row + self.batch_size)
        self.row = rows.stop % len(self.data)
        return self.give(self.data[rows], self.labels[rows])

    def pass_over(self, batches: int) -> None:
        if self.data is not None:
            self.row = (self.row + batches * self.batch_size) % len(self.data)

    def place(self) -> State:
        return {"row": np.array(self.row)}

    def return_to(self, place: State) -> None:
        """Go on with the row; the arrays must be handed in before."""
        self.row = int(place["row"])
