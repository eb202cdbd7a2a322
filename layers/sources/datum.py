"""An item of a database of images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..base import LayerError, Shape, times
from .images import Image, decode


@dataclass(frozen=True)
class Datum:
    """One Datum message; its data are C×H×W numbers, or with `encoded` an image file's bytes.

    `float_data` counts only where there is no `data`.
    """

    channels: int = 0
    height: int = 0
    width: int = 0
    data: bytes = b""
    label: int = 0
    float_data: npt.NDArray[np.float32] | None = None
    encoded: bool = False

    def image(self, color: bool | None = None) -> Image:
        """The data as C×H×W; what is encoded is read as colour, as gray, or for None as the file has it."""
        if self.encoded:
            return decode(self.data, color)
        values: Image = np.frombuffer(self.data, np.uint8)
        if not self.data and self.float_data is not None:
            values = self.float_data
        shape: Shape = (self.channels, self.height, self.width)
        if min(shape) < 1 or values.size != np.prod(shape):
            raise LayerError(f"holds {values.size} values where its shape is {times(shape)}")
        return values.reshape(shape)
