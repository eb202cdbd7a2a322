"""Data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .base import Draws, LayerError, register
from .sources import Datum, Item, StreamLayer, Transformation, cycle_database


@register("Data")
class DataLayer(StreamLayer):
    """Read batches of images and labels from a database.

    Bottoms: none. Tops: data (N×C×H×W) and, if asked for, label (N), N = batch_size; C×H×W is what `transform_param`
    makes of the batch's first item.
    Items come in the byte order of their keys, from the first again after the last, also within a batch. An item is a
    Datum message, which `read_datum` takes apart: C×H×W bytes, floats, or an encoded image, which has the channels of
    its file unless force_color or force_gray say otherwise.

    Differs from Caffe: items are read when they are needed, not ahead by a thread, so `prefetch` says nothing. As in
    Caffe, neither do rand_skip nor the fields that transform_param replaced: scale, mean_file, crop_size, mirror and
    force_encoded_color.
    """

    messages = ("data_param",)
    reads_files = True

    def __init__(
        self,
        *,
        read_datum: Callable[[bytes, str], Datum],
        source: str | None = None,
        scale: float = 1.0,
        mean_file: str | None = None,
        batch_size: int | None = None,
        crop_size: int = 0,
        mirror: bool = False,
        rand_skip: int = 0,
        backend: str = "LEVELDB",
        force_encoded_color: bool = False,
        prefetch: int = 4,
        transform_param: Transformation | None = None,
        phase: str = "TEST",
        seeds: Draws | None = None,
        folder: Path = Path(),
    ) -> None:
        super().__init__(batch_size, transform_param, phase, seeds)
        self.read_datum = read_datum
        self.path = folder / (source or "")
        self.backend = backend

    def _open(self) -> Iterator[Any]:
        return cycle_database(self.backend, self.path)

    def _load(self, source: Any) -> Item:
        key, value = source
        name = f"{self.path}: item {key.decode(errors='backslashreplace')!r}"
        datum = self.read_datum(value, name)
        force = self.rule.force_color, self.rule.force_gray
        if datum.encoded and all(force):
            raise LayerError("takes either force_color or force_gray, not both")
        try:
            image = datum.image({(True, False): True, (False, True): False}.get(force))
        except LayerError as error:
            raise LayerError(f"{name} {error}") from error
        return Item(image, datum.label, name)
