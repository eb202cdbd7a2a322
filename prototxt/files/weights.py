"""What a file of weights holds, whatever its format: layers with their blobs."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...layers import Shape
from ..errors import PrototxtError

Floats = npt.NDArray[np.float32]
INDEX = r"(0|[1-9][0-9]{0,3})"
"""A blob's index within a key or path, as a regular expression has it."""
_LONGEST_REASON = 160


class Blob(Protocol):
    """An array that lies in a file: its shape is known at once, its values are read when asked for."""

    @property
    def where(self) -> str:
        """The file and the place in it, for errors."""

    @property
    def shape(self) -> Shape:
        """As the file has it."""

    @property
    def dtype(self) -> str:
        """What the values are in the file, by NumPy's or torch's name."""

    def fits(self, shape: Shape) -> bool:
        """Whether Caffe takes it for a blob of that shape."""

    def tensor(self) -> Tensor:
        """The values as float32, in the saved shape."""

    def pieces(self) -> Iterator[Floats]:
        """The same in a row, some at a time where the format allows it; each piece lasts until the next."""


@dataclass(frozen=True)
class LazyBlob:
    """A blob of a format that a library reads; `load` gives its values in any real type."""

    where: str
    shape: Shape
    dtype: str
    load: Callable[[], Tensor | npt.NDArray[Any]] = field(repr=False)

    def fits(self, shape: Shape) -> bool:
        """Only its own shape."""
        return shape == self.shape

    def tensor(self) -> Tensor:
        """The values as float32; what is no number, or cannot be read, is refused."""
        with unbroken(self.where, "cannot be read"):
            values = self.load()
            if isinstance(values, np.ndarray):
                if values.dtype.kind not in "fiub":
                    raise PrototxtError(f"{self.where} holds {self.dtype}, which is no real number")
                # A double too large for a float becomes infinite, and is met again as such.
                with np.errstate(over="ignore"):
                    values = torch.from_numpy(np.require(values, np.float32, ["C", "W"]))
            if values.is_complex() or values.is_quantized or values.layout is not torch.strided:
                raise PrototxtError(f"{self.where} holds {self.dtype}, which is no plain array of real numbers")
            return values.detach().to(torch.float32).contiguous()

    def pieces(self) -> Iterator[Floats]:
        """All values in one piece."""
        yield self.tensor().reshape(-1).numpy()


@dataclass(frozen=True)
class SavedLayer:
    """A layer of a file, its blobs by their index; `type` is empty where the format keeps none.

    V0's types keep their old names, V1's are numbers in the file and get today's.
    """

    name: str
    type: str
    blobs: Mapping[int, Blob]


@dataclass(frozen=True)
class Weights:
    """The layers of a file, in its order."""

    path: str
    net_name: str
    layers: tuple[SavedLayer, ...]
    numbered: bool = False
    """Whether the file says each blob's index, so that it can leave out one which another layer owns."""
    by_module: bool = False
    """Whether layers go by the keys of a Net's state_dict: no dots, and a number where names repeat."""

    @classmethod
    def of(cls, path: str, layers: Mapping[str, Mapping[int, Blob]], by_module: bool = False) -> Weights:
        """Weights of a format that keeps but layers' names and blobs' indices."""
        found = (SavedLayer(name, "", dict(sorted(blobs.items()))) for name, blobs in layers.items())
        return cls(path, "", tuple(found), numbered=True, by_module=by_module)


def split_keys(path: str, arrays: Mapping[str, Blob], pattern: str, form: str) -> dict[str, dict[int, Blob]]:
    """Arrays by key as layers, in the order in which the file has their first.

    The pattern finds a layer's name and a blob's index in a key; `form` says in words what a key is like.
    """
    layers: dict[str, dict[int, Blob]] = {}
    for key, blob in arrays.items():
        place = re.fullmatch(pattern, key, re.DOTALL)
        if place is None:
            raise PrototxtError(f"{path}: the key {key!r} is no param's: that would be {form}")
        layers.setdefault(place[1], {})[int(place[2])] = blob
    if not layers:
        raise PrototxtError(f"{path}: no params in it (keys {form})")
    return layers


@contextmanager
def unbroken(where: str, what: str) -> Iterator[None]:
    """Tell in one line what a library refuses to read: on damaged bytes they fail in every way there is."""
    try:
        yield
    except PrototxtError:
        raise
    except Exception as error:
        raise PrototxtError(f"{where}: {what}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What a library says, as far as it fits into a line."""
    text = error.args[0] if isinstance(error, KeyError) and error.args else getattr(error, "strerror", None) or error
    first = (str(text).strip() or type(error).__name__).splitlines()[0]
    return textwrap.shorten(first, _LONGEST_REASON, placeholder=" ...").rstrip(".")
