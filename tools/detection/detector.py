"""A detection net and how its answers are read: picture in, detections out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...layers import times
from ...layers.boxes import clip, transform_inv
from ...prototxt.net import Allow, Net
from ...prototxt.text import Config
from ..datasets import Pixels, read_pixels
from .detections import Detections
from .errors import DetectionError
from .names import class_names
from .net_input import NetInput, fed
from .regions import Boxes
from .selection import Selection

Image = Pixels | str | os.PathLike[str]
"""H×W×3 of blue, green and red, or a file."""


@dataclass(frozen=True)
class Detector:
    """A Faster R-CNN, R-FCN or Fast R-CNN net, the names of its classes and the rule by which detections are chosen.

    `Detector.from_caffe(prototxt, caffemodel)(image)` gives the picture's `Detections`. A net with `im_info` as input
    makes its own proposals; one with `rois` is handed them, N×4 boxes (x1, y1, x2, y2) counted from 0 in pixels of
    the picture.
    """

    net: Net
    classes: tuple[str, ...]
    selection: Selection

    @classmethod
    def from_caffe(
        cls,
        prototxt: str | os.PathLike[str],
        weights: str | os.PathLike[str],
        *,
        classes: str | Sequence[str] | None = None,
        config: Config | None = None,
        thresh: float | None = None,
        max_per_image: int | None = None,
        device: str = "cpu",
        allow: Allow = Allow(),
    ) -> Detector:
        """A detector from a test net's prototxt and weights in any format; the rest as the originals' test_net has it.

        classes: their names, `voc`, `coco`, names with commas between, or a file of names; without them numbers.
        For other ways to load, such as another level or stage, make a `Net` and hand it to `Detector.of`.
        """
        net = Net.from_prototxt(prototxt, weights=weights, config=config, allow=allow).to(device)
        return cls.of(net, classes, Selection.of(net.config, thresh, max_per_image))

    @classmethod
    def of(cls, net: Net, classes: str | Sequence[str] | None, selection: Selection) -> Detector:
        """A detector from a net that has its params; a net that is no detector's is refused."""
        blobs, inputs = net.blob_shapes, set(net.inputs)
        if inputs not in ({"data", "im_info"}, {"data", "rois"}):
            raise DetectionError(
                f"net {net.graph.name!r} takes {', '.join(net.inputs) or 'no input'}: a detector's test net takes data "
                "and im_info, or data and rois"
            )
        needed = ("cls_prob", "bbox_pred") if net.config["TEST.BBOX_REG"] else ("cls_prob",)
        if missing := [name for name in needed if name not in blobs]:
            raise DetectionError(
                f"net {net.graph.name!r} has no blob {missing[0]!r}: a detector's test net gives cls_prob and "
                f"bbox_pred, this one {', '.join(net.outputs)}"
            )
        count = blobs["cls_prob"][1]
        if "bbox_pred" in needed and blobs["bbox_pred"][1] not in (8, 4 * count):
            raise DetectionError(
                f"net {net.graph.name!r}: bbox_pred ({times(blobs['bbox_pred'])}) has neither 4 columns for each of "
                f"the {count} classes of cls_prob ({times(blobs['cls_prob'])}) nor 8, as class-agnostic boxes have"
            )
        return cls(net, class_names(classes, count), selection)

    @property
    def proposes(self) -> bool:
        """Whether the net makes its own proposals."""
        return "im_info" in self.net.inputs

    def __call__(self, image: Image, proposals: Boxes | None = None) -> Detections:
        """What the picture, or the picture in a file, shows."""
        return self.select(*self.im_detect(image, proposals))

    def select(self, scores: Tensor, boxes: Tensor) -> Detections:
        """The detections among the answers of `im_detect`."""
        return Detections(self.classes, self.selection.pick(scores, boxes))

    def im_detect(self, image: Image, proposals: Boxes | None = None) -> tuple[Tensor, Tensor]:
        """Scores R×C and boxes R×4C (R×8 from class-agnostic nets) of every RoI, on the CPU, nothing suppressed yet."""
        return self.answers([self.input(image, proposals)])[0]

    def input(self, image: Image, proposals: Boxes | None = None) -> NetInput:
        """What the net is fed for a picture; another thread may prepare it ahead."""
        name = self.net.graph.name
        if self.proposes and proposals is not None:
            raise DetectionError(f"net {name!r} makes its own proposals: it takes no others")
        if not self.proposes and proposals is None:
            told = f"net {name!r} makes no proposals: hand it some (proposals=)"
            raise DetectionError(told, choices=("proposals",))
        scales = self.net.config["TEST.SCALES"]
        if self.proposes and len(scales) > 1:
            raise DetectionError(
                f"net {name!r} makes its own proposals at one scale, and TEST.SCALES has {len(scales)}"
            )
        return NetInput.of(pixels_of(image), self.net.config, proposals)

    def answers(self, inputs: Sequence[NetInput]) -> list[tuple[Tensor, Tensor]]:
        """`im_detect` of several pictures: in one forward where their data have one size and RoIs are fed."""
        together = not self.proposes and len({one.data.shape for one in inputs}) == 1
        groups = [inputs] if together else [[one] for one in inputs]
        return [answer for group in groups for answer in self._forward(group)]

    @torch.no_grad()
    def _forward(self, inputs: Sequence[NetInput]) -> list[tuple[Tensor, Tensor]]:
        names = {"rois", self._scores} | ({"bbox_pred"} & set(self.net.blob_shapes))
        self.net(fed(inputs), keep=names)
        blobs = {name: self.net.blobs[name].cpu().flatten(1) for name in names}  # R×C×1×1 -> R×C
        counts = [len(blobs["rois"]) if one.regions is None else len(one.regions.rois) for one in inputs]
        parts = {name: blob.split(counts) for name, blob in blobs.items()}
        return [self._answer(one, {name: part[i] for name, part in parts.items()}) for i, one in enumerate(inputs)]

    def _answer(self, one: NetInput, blobs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Scores and boxes of one picture, in its own pixels; those of a RoI go to every proposal that shares it."""
        scores = blobs[self._scores]
        scale = float(np.float32(one.scales[0]))  # the originals divide in float32
        boxes = blobs["rois"][:, 1:5] / scale if one.boxes is None else torch.from_numpy(one.boxes)
        if self.net.config["TEST.BBOX_REG"]:
            boxes = clip(transform_inv(boxes, blobs["bbox_pred"]), one.height, one.width)
        else:
            boxes = boxes.repeat(1, scores.shape[1])
        if one.regions is None:
            return scores, boxes
        back = torch.from_numpy(one.regions.back)
        return scores[back], boxes[back]

    @property
    def _scores(self) -> str:
        """The blob of scores; of SVMs the last layer's own answers."""
        return "cls_score" if self.net.config["TEST.SVM"] else "cls_prob"


def pixels_of(image: Image) -> Pixels:
    """The picture, read where it is a file."""
    if not isinstance(image, np.ndarray):
        return read_pixels(Path(image))
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise DetectionError(
            f"an image is H×W×3 of uint8 (blue, green, red), got {image.dtype} of {times(image.shape)}"
        )
    return image
