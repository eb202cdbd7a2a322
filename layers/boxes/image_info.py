"""What the RPN layers ask of their bottoms: one picture, and its im_info and gt_boxes in the right shape."""

from __future__ import annotations

from torch import Tensor

from ..base import LayerError


def single_item(blob: Tensor) -> None:
    """Refuse a batch of several pictures, as the originals do."""
    if len(blob) != 1:
        raise LayerError(f"only single item batches are supported, got {_shape(blob)}: run one picture at a time")


def image_info(im_info: Tensor) -> tuple[float, float, float]:
    """Height, width and scale of the picture in the net's input."""
    if im_info.shape != (1, 3):
        raise LayerError(f"im_info must be 1×3 (height, width, scale), got {_shape(im_info)}")
    if not im_info.isfinite().all():
        raise LayerError(f"im_info must be finite (height, width, scale), got {im_info.tolist()[0]}")
    height, width, scale = im_info[0].tolist()
    return height, width, scale


def ground_truth(gt_boxes: Tensor) -> Tensor:
    """The truths as K×5 (x1, y1, x2, y2, class); trailing axes of one, as py-R-FCN has them, are dropped."""
    if gt_boxes.shape[1:].numel() != 5:
        raise LayerError(f"gt_boxes must be K×5 (x1, y1, x2, y2, class), got {_shape(gt_boxes)}")
    return gt_boxes.reshape(-1, 5)


def _shape(blob: Tensor) -> str:
    return "×".join(map(str, blob.shape)) or "a scalar"
