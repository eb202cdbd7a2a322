"""TransformationParameter: from an image to the numbers that a net takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..base import Draws, LayerError, Shape, times
from .images import Image

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Transformation:
    """One TransformationParameter; keywords are its fields, `mean_file` is the blob in the file of that name.

    A top is (pixel - mean) * scale. The mean is a blob, 1×C×H×W for whole images, or mean_value: one, or one each for
    the channels.
    crop_size S takes S×S from the middle when testing, from a random place when training. `mirror` turns every other
    image left to right, by chance, in either phase. Both keep the mean of the place that a pixel had.
    """

    scale: float = 1.0
    mirror: bool = False
    crop_size: int = 0
    mean_file: Tensor | None = None
    mean_value: tuple[float, ...] = ()
    force_color: bool = False
    force_gray: bool = False

    def __post_init__(self) -> None:
        if self.mean_file is not None and self.mean_value:
            raise LayerError("takes either mean_file or mean_value, not both")

    def means(self, channels: int) -> Floats:
        """The mean values as C×1×1, or the mean blob as C×H×W, for images of that many channels; 0 without any."""
        if self.mean_file is not None:
            mean: Floats = self.mean_file.numpy()
            mean = mean.reshape((-1, *(1, 1, *mean.shape)[-2:]))
            if len(mean) != channels:
                raise LayerError(f"the mean_file has {len(mean)} channel(s), the image {channels}")
            return mean
        if len(self.mean_value) not in (0, 1, channels):
            raise LayerError(f"{len(self.mean_value)} mean_value for {channels} channels: give one, or one for each")
        values = np.resize(np.asarray(self.mean_value or (0,), np.float32), channels)
        return values.reshape(channels, 1, 1)


class Transformer:
    """A transformation at work in one layer, with random numbers of its own."""

    def __init__(self, rule: Transformation, phase: str) -> None:
        self.rule = rule
        self.random_crop = phase == "TRAIN" and rule.crop_size > 0
        self.draws: Draws | None = None

    def seed(self, draws: Draws) -> None:
        """Take a number for a generator of its own, where chance plays a part."""
        if self.rule.mirror or self.random_crop:
            self.draws = Draws(draws.number())

    def shape(self, image: Shape) -> Shape:
        """What becomes of an image of shape C×H×W; refused where crop or mean do not fit it."""
        channels, height, width = image
        crop = self.rule.crop_size
        if crop > min(height, width):
            raise LayerError(f"crop_size {crop} is larger than the image, {times((height, width))}")
        mean = self.rule.means(channels)
        if self.rule.mean_file is not None and mean.shape != image:
            raise LayerError(
                f"the mean_file is {times(mean.shape[1:])}, the image {times((height, width))}: "
                "it must have the size of images before they are cropped"
            )
        return (channels, crop, crop) if crop else image

    def __call__(self, image: Image, out: Floats) -> None:
        """Transform an image into `out`, of the shape that `shape` gives."""
        mirror = self.rule.mirror and self._below(2) == 1
        _, height, width = out.shape
        top, left = self._offset(image.shape[1] - height), self._offset(image.shape[2] - width)
        mean = self.rule.means(len(image))
        if self.rule.mean_file is not None:
            mean = mean[:, top : top + height, left : left + width]
        pixels = image[:, top : top + height, left : left + width]
        np.subtract(pixels, mean, out=out[:, :, ::-1] if mirror else out)
        out *= np.float32(self.rule.scale)

    def pass_over(self, images: int) -> None:
        """Draw what so many images would take."""
        for _ in range(images * (self.rule.mirror + 2 * self.random_crop)):
            self._below(1)

    def _offset(self, room: int) -> int:
        return self._below(room + 1) if self.random_crop else room // 2

    def _below(self, limit: int) -> int:
        if self.draws is None:
            raise LayerError("draws at random before it was set up")
        return self.draws.below(limit)
