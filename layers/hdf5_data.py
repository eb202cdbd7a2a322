"""HDF5Data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .base import Arity, LayerError, Shape, State, register, times
from .sources import Floats, SourceLayer, Transformation, read_bytes

Order = npt.NDArray[np.int64]


@register("HDF5Data")
class HDF5DataLayer(SourceLayer):
    """Read batches of rows from HDF5 files that a list names.

    Bottoms: none. Tops: one or more, each the data set of its name, of any rank, its first axis replaced by batch_size.
    `source` is a list of files, parted by any white space. Data sets hold integers or floats of any width; those of one
    file have as many rows each. Rows run on over the ends of files, and from the last file to the first. `shuffle`
    mixes the files, and the rows of each file, anew each time round.

    Differs from Caffe: shuffling follows the net's seed; Caffe's follows the C library and never repeats.
    """

    messages = ("hdf5_data_param",)
    tops = Arity(1, None)
    reads_files = True

    def __init__(
        self,
        *,
        source: str | None = None,
        batch_size: int | None = None,
        shuffle: bool = False,
        transform_param: Transformation | None = None,
        generator: torch.Generator | None = None,
        top_names: tuple[str, ...] = (),
        folder: Path = Path(),
    ) -> None:
        super().__init__(batch_size)
        if transform_param is not None:
            raise LayerError("takes no transform_param: it gives its data as they are")
        self.folder, self.source = folder, source or ""
        self.shuffle, self.names = shuffle, top_names
        # Of its own, so that the order depends on nothing else that is drawn, dropout for one.
        seed = generator.initial_seed() if generator else torch.initial_seed()
        self.generator = torch.Generator().manual_seed(seed)
        self.arrays: list[Floats] = []
        self.file = 0
        self.coming: Order = np.arange(0)
        self.rows: Order = np.arange(0)
        self.shapes: tuple[Shape, ...] = ()

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        """Read the list and the first file."""
        super().setup(*bottoms, num_tops=num_tops)
        path = self.folder / self.source
        files = read_bytes(path).decode(errors="surrogateescape").split()
        if not files:
            raise LayerError(f"{path}: names no file")
        self.files = [self.folder / file for file in files]
        self._next_file()
        self.shapes = tuple((self.batch_size, *array.shape[1:]) for array in self.arrays)

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """The data sets' shapes with a batch's rows."""
        return self.shapes

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        pieces = [[array[rows] for array in self.arrays] for rows in self._pieces(self.batch_size)]
        return self.give(*(np.concatenate(columns) for columns in zip(*pieces, strict=True)))

    def pass_over(self, batches: int) -> None:
        for _ in self._pieces(batches * self.batch_size):
            pass

    def place(self) -> State:
        draws = {"draws": self.generator.get_state().numpy()} if self.shuffle else {}
        return {"file": np.array(self.file), "coming": self.coming, "rows": self.rows, **draws}

    def return_to(self, place: State) -> None:
        self.file, self.coming, self.rows = int(place["file"]), place["coming"], place["rows"]
        if self.shuffle:
            self.generator.set_state(torch.from_numpy(place["draws"]))
        self.arrays = self._load(self.files[self.file])

    def _pieces(self, missing: int) -> Iterator[Order]:
        """So many rows of the files, one file's after the other's; each piece is of what then is in `arrays`."""
        while missing:
            rows = self.rows[:missing]
            yield rows
            self.rows = self.rows[missing:]
            missing -= len(rows)
            if not len(self.rows):
                self._next_file()

    def _next_file(self) -> None:
        """Make the next file ready in `arrays`, and the order of its rows in `rows`."""
        if not len(self.coming):
            self.coming = self._order(len(self.files))
        self.file, self.coming = int(self.coming[0]), self.coming[1:]
        if len(self.files) > 1 or not self.arrays:
            self.arrays = self._load(self.files[self.file])
        self.rows = self._order(len(self.arrays[0]))

    def _order(self, count: int) -> Order:
        if not self.shuffle:
            return np.arange(count)
        return torch.randperm(count, generator=self.generator, device="cpu").numpy()

    def _load(self, path: Path) -> list[Floats]:
        try:
            with h5py.File(path) as file:
                arrays = [_read(file, name) for name in self.names]
        except (OSError, LayerError) as error:
            raise LayerError(f"{path}: {error}") from None
        for name, array, shape in zip(self.names, arrays, self.shapes or [a.shape for a in arrays], strict=True):
            if array.shape[1:] != shape[1:]:
                raise LayerError(f"{path}: rows of {name!r} are {times(array.shape[1:])}, before {times(shape[1:])}")
            if not len(array) or len(array) != len(arrays[0]):
                counts = ", ".join(f"{n!r} {len(a)}" for n, a in zip(self.names, arrays, strict=True))
                raise LayerError(f"{path}: data sets need the same number of rows, at least one; it has {counts}")
        return arrays


def _read(file: h5py.File, name: str) -> Floats:
    """A data set as float32."""
    data = file.get(name)
    if not isinstance(data, h5py.Dataset):
        raise LayerError(f"has no data set {name!r}, which a top is named after (it has {', '.join(file)})")
    if data.dtype.kind not in "iuf" or not data.shape:
        raise LayerError(f"data set {name!r} holds {data.dtype} in the shape {data.shape}; rows of numbers are read")
    return np.asarray(data[()], np.float32)
