"""What a detection net is fed for a picture: the image pyramid, im_info or RoIs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...prototxt.text import Config
from ..datasets import Floats, Pixels, centred, resized, scale_to, to_blob
from .regions import Boxes, Regions, project


@dataclass(frozen=True)
class NetInput:
    """A picture as the net sees it, and where proposals are handed in their `regions` and `boxes` in the picture."""

    height: int
    width: int
    data: Floats
    """S×3×H×W, an item for each scale."""
    scales: tuple[float, ...]
    regions: Regions | None = None
    boxes: Floats | None = None

    @classmethod
    def of(cls, pixels: Pixels, config: Config, proposals: Boxes | None = None) -> NetInput:
        """A picture at every scale of TEST.SCALES, and its proposals."""
        data, scales = pyramid(pixels, config)
        height, width = pixels.shape[:2]
        if proposals is None:
            return cls(height, width, data, scales)
        regions = project(proposals, scales, config["DEDUP_BOXES"])
        return cls(height, width, data, scales, regions, proposals[regions.first].astype(np.float32))

    @property
    def im_info(self) -> Floats:
        """1×3: height and width of the data, and the scale."""
        return np.array([[*self.data.shape[2:], self.scales[0]]], np.float32)


def pyramid(pixels: Pixels, config: Config) -> tuple[Floats, tuple[float, ...]]:
    """The picture at every scale of TEST.SCALES, S×3×H×W with zeros to the right and below, and the scales."""
    image = centred(pixels, config["PIXEL_MEANS"])
    height, width = image.shape[:2]
    scales = tuple(scale_to(height, width, size, config["TEST.MAX_SIZE"]) for size in config["TEST.SCALES"])
    return to_blob([resized(image, scale) for scale in scales]), scales


def fed(inputs: Sequence[NetInput]) -> dict[str, Floats]:
    """The blobs of one forward: of one picture by im_info, or of several, whose data are of one size, with RoIs."""
    data = np.concatenate([one.data for one in inputs])
    rois = [one.regions.rois + _item(i * len(one.scales)) for i, one in enumerate(inputs) if one.regions is not None]
    return {"data": data, "rois": np.concatenate(rois)} if rois else {"data": data, "im_info": inputs[0].im_info}


def _item(first: int) -> Floats:
    """What moves RoIs to later items of a batch."""
    return np.array([first, 0, 0, 0, 0], np.float32)
