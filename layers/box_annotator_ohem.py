"""BoxAnnotatorOHEM."""

from __future__ import annotations

import torch
from torch import Tensor

from .base import Arity, Layer, LayerError, Shape, register, times


@register("BoxAnnotatorOHEM")
class BoxAnnotatorOHEMLayer(Layer):
    """Online hard example mining: of every image keep the RoIs with the largest losses, ignore the others.

    Bottoms: rois (R, 5, H, W), whose first channel is the image; losses (R, 1, H, W), labels (R, 1, H, W); box weights
    (R, K, H, W). R-FCN has H = W = 1; axes of length 1 may be left out at the end.
    Tops: labels (R, 1, H, W), ignore_label where a RoI is not kept; box weights (R, K, H, W), 0 where not.
    Each image keeps roi_per_img RoIs, or all it has.
    No gradient passes: the net that learns runs on the labels kept.

    Differs from Caffe: RoIs of one loss are kept in their order, those first in the blob first; Caffe's order among
    them is its sort's. A NaN loss counts as the largest.
    """

    messages = ("box_annotator_ohem_param",)
    bottoms = Arity(4, 4)
    tops = Arity(2, 2)
    discrete = frozenset({0, 1})

    def __init__(self, *, roi_per_img: int | None = None, ignore_label: int = -1) -> None:
        super().__init__()
        if not roi_per_img:
            raise LayerError("needs roi_per_img of at least 1")
        self.roi_per_img, self.ignore_label = roi_per_img, ignore_label

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        """Labels and box weights, with four axes, after a check that all bottoms are of the same RoIs."""
        rois, losses, labels, weights = map(_four_axes, bottoms)
        wanted = {"rois": (5, rois), "losses": (1, losses), "labels": (1, labels), "box weights": (weights[1], weights)}
        for name, (channels, shape) in wanted.items():
            if shape != (rois[0], channels, *rois[2:]):
                expected = times((rois[0], channels, *rois[2:]))
                raise LayerError(f"takes {name} {expected} for rois {times(rois)}, got {times(shape)}")
        return labels, weights

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        of_labels, of_weights = self.top_shapes(*(tuple(bottom.shape) for bottom in bottoms))
        rois, losses, labels, weights = (bottom.detach() for bottom in bottoms)
        kept = self._hardest(rois[:, 0].flatten().trunc(), losses.flatten()).reshape(of_labels)
        labels = torch.where(kept, labels.reshape(of_labels), self.ignore_label)
        return labels, torch.where(kept, weights.reshape(of_weights), 0.0)

    def _hardest(self, image: Tensor, loss: Tensor) -> Tensor:
        """Which of the RoIs (R * H * W,) are kept."""
        order = loss.argsort(descending=True, stable=True)
        order = order[image[order].argsort(stable=True)]  # by image, then by loss
        group = image[order].contiguous()
        rank = torch.arange(len(order), device=order.device) - torch.searchsorted(group, group)
        return torch.zeros_like(order, dtype=torch.bool).scatter(0, order, rank < self.roi_per_img)


def _four_axes(shape: Shape) -> Shape:
    return (*shape, *(1,) * (4 - len(shape)))
