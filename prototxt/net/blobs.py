"""A net's blobs after a forward, by Caffe's names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from torch import Tensor

from ...layers import Shape
from ...nearest import did_you_mean
from ..errors import PrototxtError


class BlobError(PrototxtError, KeyError):
    """A blob that a net lacks or did not keep."""

    def __str__(self) -> str:
        return str(self.args[0])


class Blobs(Mapping[str, Tensor]):
    """What a net kept; asking for another blob says why it is not there."""

    def __init__(self, shapes: Mapping[str, Shape], look_up: Callable[[str], Tensor | None], way_out: str) -> None:
        self._shapes = shapes
        self._look_up = look_up
        self._way_out = way_out

    def __getitem__(self, name: str) -> Tensor:
        found = self._look_up(name)
        if found is not None:
            return found.detach()
        if name in self._shapes:
            raise BlobError(f"blob {name!r} was not kept: {self._way_out}")
        raise BlobError(f"no blob {name!r}{did_you_mean(name, self._shapes)}")

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._shapes if self._look_up(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._shapes and self._look_up(name) is not None
