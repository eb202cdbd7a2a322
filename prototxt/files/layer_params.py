"""What writers are given: layers with their params, values still where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ...layers import Shape
from ..caffe_pb2 import LayerParameter
from .weights import Blob, Floats


@dataclass(frozen=True)
class ParamValues:
    """A param: its shape in its layer, where its values come from, and whether an earlier layer has it, too."""

    shape: Shape
    values: Blob | Tensor
    shared: bool = False

    def pieces(self) -> Iterator[Floats]:
        """All values in a row, some at a time where a file allows it; each piece lasts until the next."""
        if isinstance(self.values, Tensor):
            yield self.array().reshape(-1)
        else:
            yield from self.values.pieces()

    def array(self) -> Floats:
        """All values, in the param's shape."""
        tensor = self.values if isinstance(self.values, Tensor) else self.values.tensor()
        array: Floats = tensor.detach().cpu().contiguous().numpy().reshape(self.shape)
        return array


@dataclass(frozen=True)
class LayerParams:
    """A layer with all of its params, as a file is to have it."""

    name: str
    key: str
    """Its name in a state_dict."""
    where: str
    """Its place, name and type, for errors."""
    message: LayerParameter
    """As Caffe holds it once the net is set up, without blobs."""
    params: tuple[ParamValues, ...]
