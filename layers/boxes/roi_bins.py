"""RoIs as the pooling layers read them: their image, and where their bins lie in Fast R-CNN's float32 arithmetic."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..base import LayerError, Shape

FARTHEST = 2.0**30
"""RoI corners beyond this many cells count as this far, infinite ones too."""


def check_shapes(features: Shape, rois: Shape) -> None:
    """Refuse what is not features N x C x H x W and rois R x 5 or R x 5 x 1 x 1."""
    if len(features) != 4:
        raise LayerError(f"pools features N x C x H x W, got {features}")
    if len(rois) not in (2, 4) or rois[1] != 5 or rois[2:] not in ((), (1, 1)):
        raise LayerError(f"takes rois R x 5 (image, x1, y1, x2, y2), got {rois}")


def image_of(rois: Tensor, count: int) -> Tensor:
    """The image of each of rois (R, 5), one of `count`: (R,)."""
    image = torch.trunc(rois[:, 0])
    wrong = ~((image >= 0) & (image < count))
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise LayerError(f"RoI {row} is of image {rois[row, 0]:g}, but the features have {count} (numbered from 0)")
    return image.int()


class RoiAxis(NamedTuple):
    """R RoIs along one axis: first and last cell and the length of a bin, (R, 1) each."""

    first: Tensor
    last: Tensor
    step: Tensor

    @classmethod
    def of(cls, low: Tensor, high: Tensor, pooled: int, scale: float) -> RoiAxis:
        """From the corners (R,) in pixels and the number of bins."""
        first, last = round_away(low[:, None] * scale), round_away(high[:, None] * scale)
        length = (last - first + 1).clamp(min=1).float()
        step = length / torch.full_like(length, pooled)  # by a plain number CUDA would multiply with its inverse
        return cls(first, last, step)

    def bins(self, pooled: int, size: int) -> Tensor:
        """First and one past last cell of every bin, within the map: (R, pooled, 2)."""
        k = torch.arange(pooled + 1, device=self.step.device).float()  # 0 .. pooled
        start, end = torch.floor(k[:-1] * self.step), torch.ceil(k[1:] * self.step)
        return torch.stack((start, end), dim=-1).long().add(self.first[..., None]).clamp(0, size).int()


def takes(axis: RoiAxis, pooled: int, size: int) -> Tensor:
    """Whether a cell takes gradient from a bin: (R, pooled, size)."""
    bin_, cell = torch.arange(pooled, device=axis.step.device), torch.arange(size, device=axis.step.device)
    start = torch.floor((cell - axis.first).float() / axis.step)[:, None]  # (R, 1, size)
    end = torch.ceil((cell - axis.first + 1).float() / axis.step)[:, None]
    inside = ((cell >= axis.first) & (cell <= axis.last))[:, None]
    return inside & (start <= bin_[:, None]) & (bin_[:, None] < end)


def round_away(position: Tensor) -> Tensor:
    """Round half away from zero; adding 0.5 and truncating would take 0.49999997 to 1."""
    position = position.nan_to_num(nan=0.0).clamp(-FARTHEST, FARTHEST)
    whole = torch.trunc(position)
    return (whole + torch.sign(position) * ((position - whole).abs() >= 0.5)).long()
