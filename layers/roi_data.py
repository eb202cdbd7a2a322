"""RoIDataLayer of py-faster-rcnn and py-R-FCN: where a train net's minibatches come in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from torch import Tensor

from .base import Arity, Layer, LayerError, Shape, register


@register("roi_data_layer.layer.RoIDataLayer")
class RoIDataLayer(Layer):
    """Give a minibatch: whatever the function in `feed` answers.

    Tops with has_rpn: data (N×3×H×W), im_info (1×3: height, width, scale), gt_boxes (K×5: x1, y1, x2, y2, class).
    Without: data, rois (R×5), labels (R), and with bbox_reg bbox_targets, bbox_inside_weights and bbox_outside_weights
    (each R×4C). With variant rfcn all but data and im_info have four axes: K×5×1×1, R×1×1×1.
    Until a forward, N is ims_per_batch, H×W is max(scales)×max_size, gt_boxes are 1×4, R is 1.

    `feed` is set by whoever trains; it takes nothing and answers arrays by the names above. Without it a net must be
    handed these blobs as inputs.
    A net with three tops where has_rpn is off and bbox_reg on can only be an RPN's and is taken as such; the originals
    fail there.
    """

    config: ClassVar[Mapping[str, str]] = {
        **{
            name: f"TRAIN.{name.upper()}"
            for name in ("scales", "max_size", "ims_per_batch", "has_rpn", "bbox_reg", "agnostic")
        },
        "variant": "VARIANT",
    }
    bottoms = Arity(0, 0)
    tops = Arity(3, 6)

    def __init__(
        self,
        num_classes: int,
        scales: Sequence[int] = (600,),
        max_size: int = 1000,
        ims_per_batch: int = 2,
        has_rpn: bool = False,
        bbox_reg: bool = True,
        agnostic: bool = False,
        variant: str = "frcnn",
    ) -> None:
        super().__init__()
        self.feed: Callable[[], Mapping[str, NDArray[Any]]] | None = None
        # An RPN trains on one picture at a time, whatever the config says: the originals fail with more.
        self.data_shape = (1 if has_rpn else ims_per_batch, 3, max(scales), max_size)
        self.has_rpn = has_rpn
        self.bbox_reg = bbox_reg
        self.targets = 4 * (2 if agnostic and variant == "rfcn" else num_classes)
        self.trailing: Shape = (1, 1) if variant == "rfcn" else ()

    def setup(self, *bottoms: Shape, num_tops: int = 1) -> None:
        super().setup(*bottoms, num_tops=num_tops)
        if num_tops == 3 and not self.has_rpn and self.bbox_reg:
            self.has_rpn = True
            self.data_shape = (1, *self.data_shape[1:])
        if num_tops != len(self._shapes()):
            raise LayerError(
                f"gives {', '.join(self._shapes())}, got {num_tops} tops: "
                "the config's TRAIN.HAS_RPN and TRAIN.BBOX_REG decide"
            )

    def top_shapes(self, *bottoms: Shape) -> tuple[Shape, ...]:
        return tuple(self._shapes().values())

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        names = self._shapes()
        if self.feed is None:
            raise LayerError(f"has no data: hand {', '.join(names)} to the net as inputs, or set this layer's `feed`")
        blobs = self.feed()
        if set(blobs) != set(names):
            raise LayerError(f"was fed {', '.join(blobs) or 'nothing'}, but gives {', '.join(names)}")
        return tuple(self._blob(name, torch.as_tensor(blobs[name]).float()) for name in names)

    def _shapes(self) -> dict[str, Shape]:
        if self.has_rpn:
            return {"data": self.data_shape, "im_info": (1, 3), "gt_boxes": (1, 4)}
        names = ("bbox_targets", "bbox_inside_weights", "bbox_outside_weights") if self.bbox_reg else ()
        labels = (1, 1) if self.trailing else (1,)
        rows = {"rois": (1, 5), "labels": labels, **dict.fromkeys(names, (1, self.targets))}
        return {"data": self.data_shape, **{name: (*shape, *self.trailing) for name, shape in rows.items()}}

    def _blob(self, name: str, blob: Tensor) -> Tensor:
        if self.trailing and name not in ("data", "im_info"):
            return blob.reshape(len(blob), *blob.shape[1:2] or (1,), *self.trailing)
        return blob
