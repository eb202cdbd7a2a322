"""HDF5Output."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from torch import Tensor

from .base import Arity, Layer, LayerError, Shape, register, times


@register("HDF5Output")
class HDF5OutputLayer(Layer):
    """Write its two bottoms to an HDF5 file.

    Bottoms: data and label, of up to four axes and of one number of rows. Tops: none.
    The file `file_name` gets them as the data sets data and label, each of four axes: missing ones are 1.

    Differs from Caffe: the file is made, or emptied, by the first forward rather than with the net. As in Caffe the
    second forward fails, since its data sets exist.
    """

    messages = ("hdf5_output_param",)
    bottoms = Arity(2, 2)
    tops = Arity(0, 0)

    def __init__(self, *, file_name: str | None = None, folder: Path = Path()) -> None:
        super().__init__()
        if not file_name:
            raise LayerError("needs a file_name")
        self.path = folder / file_name
        self.written = False

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Check that the bottoms fit into one file."""
        super().setup(*bottoms, num_tops=num_tops)
        rows = [(*shape, 1)[0] for shape in bottoms]
        if rows[0] != rows[1] or max(map(len, bottoms)) > 4:
            shapes = " and ".join(map(times, bottoms))
            raise LayerError(f"takes two bottoms of up to four axes and of one number of rows, got {shapes}")

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """None."""
        return ()

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        if self.written:
            raise LayerError(f"has written {self.path} already, and each forward would need a file of its own")
        try:
            with h5py.File(self.path, "w") as file:
                for name, bottom in zip(("data", "label"), bottoms, strict=True):
                    values = bottom.detach().cpu().numpy().astype(np.float32)
                    file[name] = values.reshape(*values.shape, *(1,) * (4 - values.ndim))
        except OSError as error:
            raise LayerError(f"{self.path}: cannot be written: {error}") from None
        self.written = True
        return ()
